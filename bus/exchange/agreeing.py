"""When a round is over: whose records have to be there, and the time to which all go on.

Among few workers everybody sends everybody a record in every round, empty ones too: one hop, W (W - 1) records. Above `FEW` of
them worker 0 coordinates: records go only to those for whom there is something, each worker tells the coordinator its floor and
to whom it has sent, and when all have, the coordinator tells each worker the least floor and whose records to wait for: two
hops, 2 (W - 1) words. Both find the same, so results do not depend on which is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .wire import Floor, Grant

FEW = 16
"""With more workers than this there is a coordinator."""
COORDINATOR = 0
Words = dict[int, "Floor | Grant"]
"""What is to be said, by the worker it goes to."""


class Agreement(Protocol):
    """One worker's part in it."""

    def addressed(self, out: Sequence[Sequence[Any]]) -> list[int]:
        """The peers that are sent a record, of what there is for each worker."""

    def end(self, round: int, floor_ns: int, addressed: list[int]) -> Words:
        """This worker has ended a round; what that gives to say."""

    def hear(self, peer: int, word: Floor | Grant) -> Words:
        """A peer has said something of a round; what that gives to say.

        Raises:
            ValueError: It is not that peer's to say, or not this worker's to hear.
        """

    def expected(self, round: int) -> Sequence[int] | None:
        """The peers whose records have to be there; None: not known yet."""

    def earliest(self, round: int, floors: Iterable[int]) -> int:
        """The least floor of all workers, when all is there; ``floors``: this worker's and those of the records."""

    def unheard(self, round: int) -> list[int]:
        """The peers of whom a word is missing."""

    def forget_before(self, round: int) -> None:
        """Earlier rounds are over."""


class Everybody:
    """Everybody sends a record to everybody; see `Agreement`."""

    def __init__(self, peers: Sequence[int]) -> None:
        self._peers = list(peers)

    def addressed(self, out: Sequence[Sequence[Any]]) -> list[int]:
        """All peers."""
        return self._peers

    def end(self, round: int, floor_ns: int, addressed: list[int]) -> Words:
        """The records say it all."""
        return {}

    def hear(self, peer: int, word: Floor | Grant) -> Words:
        """There is no coordinator."""
        raise ValueError(f"a word on round {word.round} from worker {peer}, and there is no coordinator")

    def expected(self, round: int) -> Sequence[int] | None:
        """All peers."""
        return self._peers

    def earliest(self, round: int, floors: Iterable[int]) -> int:
        """Each record has its sender's floor."""
        return min(floors)

    def unheard(self, round: int) -> list[int]:
        """No words are said."""
        return []

    def forget_before(self, round: int) -> None:
        """Nothing is kept."""


class Coordinated:
    """A coordinator collects floors and grants the next window; see `Agreement`.

    Args:
        index: This worker.
        peers: The others.
        incarnation: Of this worker.
    """

    def __init__(self, index: int, peers: Sequence[int], incarnation: int) -> None:
        self._index, self._peers, self._incarnation = index, list(peers), incarnation
        self._floors: dict[int, dict[int, Floor]] = {}
        self._grants: dict[int, Grant] = {}

    def addressed(self, out: Sequence[Sequence[Any]]) -> list[int]:
        """Those for whom there is something."""
        return [peer for peer in self._peers if out[peer]]

    def end(self, round: int, floor_ns: int, addressed: list[int]) -> Words:
        """The floor for the coordinator; it may be the last one that the coordinator itself has waited for."""
        floor = Floor(self._incarnation, round, floor_ns, addressed)
        return self._collect(self._index, floor) if self._index == COORDINATOR else {COORDINATOR: floor}

    def hear(self, peer: int, word: Floor | Grant) -> Words:
        """Floors come to the coordinator, grants from it."""
        if isinstance(word, Floor) and self._index == COORDINATOR != peer:
            return self._collect(peer, word)
        if isinstance(word, Grant) and peer == COORDINATOR != self._index:
            self._grants.setdefault(word.round, self._checked(word))
            return {}
        raise ValueError(f"worker {peer} is not to say {type(word).__name__} to worker {self._index}")

    def expected(self, round: int) -> Sequence[int] | None:
        """Those that the grant names."""
        grant = self._grants.get(round)
        return None if grant is None else grant.peers

    def earliest(self, round: int, floors: Iterable[int]) -> int:
        """The grant says it."""
        return self._grants[round].floor_ns

    def unheard(self, round: int) -> list[int]:
        """The coordinator, or to the coordinator those who have not told their floor."""
        if round in self._grants:
            return []
        told: Mapping[int, Floor] = self._floors.get(round, {})
        return [peer for peer in self._peers if peer not in told] if self._index == COORDINATOR else [COORDINATOR]

    def forget_before(self, round: int) -> None:
        """Earlier rounds are over."""
        for kept in (self._floors, self._grants):
            for old in [each for each in kept if each < round]:
                del kept[old]

    def _checked(self, word: Grant) -> Grant:
        if not set(word.peers) <= set(self._peers):
            raise ValueError(f"records of the workers {word.peers} are none that worker {self._index} could wait for")
        return word

    def _collect(self, worker: int, floor: Floor) -> Words:
        """Keep a floor; the grants, when all are there."""
        floors = self._floors.setdefault(floor.round, {})
        floors.setdefault(worker, floor)
        if len(floors) <= len(self._peers) or floor.round in self._grants:
            return {}
        least = min(each.floor_ns for each in floors.values())
        senders: dict[int, list[int]] = {each: [] for each in sorted(floors)}
        for sender in senders:
            for peer in floors[sender].peers:
                senders.get(peer, []).append(sender)
        grants = {each: Grant(self._incarnation, floor.round, least, senders[each]) for each in senders}
        self._grants[floor.round] = grants.pop(COORDINATOR)
        return dict(grants)


def agreement(index: int, workers: int, incarnation: int, few: int = FEW) -> Agreement:
    """How ``workers`` agree, seen by worker ``index``: by records alone up to ``few`` of them, else by a coordinator."""
    peers = [peer for peer in range(workers) if peer != index]
    return Everybody(peers) if workers <= max(few, 1) else Coordinated(index, peers, incarnation)
