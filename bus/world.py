"""What every worker knows of the network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import lt

from .subjects import worker_of

SHARDS = 64


@dataclass(frozen=True)
class World:
    """What every worker knows of the network; equal on all of them.

    Attributes:
        run: Run id; part of subjects, never of a record.
        seed: Root of all keys.
        lookahead_ns: L, the length of a window and the least latency between two agents.
        ids: Agent ids, ``"<role>.<name>"``, sorted; an agent's rank is its index here.
        latency_ns: One-way latency by ``"<role>><role>"``; a pair not named has the largest.
        shards: Number of virtual shards, the most workers there can be; has no influence on results.
        chain_windows: Windows in one interval of the hash chains.
        throughput: FLOP/s of one processor by agent id or role; agents without one cannot call models.
        processors: Number of equal processors by agent id or role, 1 where not named; a call takes one of them.
    """

    run: str
    seed: int
    lookahead_ns: int
    ids: tuple[str, ...]
    latency_ns: Mapping[str, int]
    shards: int = SHARDS
    chain_windows: int = 256
    throughput: Mapping[str, float] = field(default_factory=dict)
    processors: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(map(lt, self.ids, islice(self.ids, 1, None))):
            raise ValueError("ids must be sorted and unique")
        for pair, latency in self.latency_ns.items():
            if latency < self.lookahead_ns:
                raise ValueError(f"latency {pair} = {latency} ns is below the lookahead of {self.lookahead_ns} ns")

    def shard(self, rank: int) -> int:
        """Shard of the agent with this rank."""
        return rank % self.shards

    def worker(self, rank: int, workers: int) -> int:
        """Worker of the agent with this rank when there are ``workers`` of them (at most ``shards``)."""
        return worker_of(self.shard(rank), workers)
