"""Good messages: all records of a real run, and what the bus makes of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ....agents.base import PAYLOADS
from ....bus.blocks import Attestation, Ballot, Block, Entry, Proposal, SealedBlock
from ....bus.envelope import AGENT, DATA, VERSION, Codec, Envelope
from ....bus.errors import RunFailed
from ....bus.exchange import wire
from ....bus.messages import Prompt
from ....bus.payload import Message
from ....bus.trace_reading import TraceReader
from ....policies.incentive.ledger import GENESIS, attest

A_KIND = 12
"""Records of one kind that are taken at most; those of other kinds would drown among the ticks."""
LARGEST = 1 << 15
CODEC = Codec(PAYLOADS)
BLOCK = Block(
    0, GENESIS, (("user.0", ("user.1",)),), ("user.1",), (Entry("user.0", "subject", 5), Entry("user.1", "validation", 1))
)


@dataclass(frozen=True)
class Corpus:
    """A run folder, and its records: a dozen of each kind, as they were sent."""

    folder: Path
    envelopes: tuple[Envelope, ...]
    records: tuple[bytes, ...]

    def prompts(self) -> tuple[bytes, ...]:
        """Prompts as bits."""
        found = (_prompt(envelope.payload) for envelope in self.envelopes)
        return tuple(prompt.data for prompt in found if prompt is not None)

    def controls(self) -> tuple[bytes, ...]:
        """What workers tell each other beside their records."""
        names = {e.source: [e.sequence, e.sequence + 1] for e in self.envelopes[:5]}
        told = (
            wire.Hello(0, False),
            wire.Hello(0, True),
            wire.Again(0, 3, [0, 1], names),
            wire.Again(0, 0, [], {}),
            wire.Done(0, 9),
            wire.Floor(0, 3, 10**9, [0, 2]),
            wire.Grant(0, 3, 10**9, [1]),
        )
        return tuple(wire.encode(each) for each in told)

    def parts(self) -> tuple[bytes, ...]:
        """Records of rounds: batches and names."""
        names = wire.encode({e.source: [e.sequence] for e in self.envelopes[:20]})
        bodies = [names, *self.batches()]
        return tuple(
            wire.encode(wire.Part(wire.WIRE_VERSION, 0, number, 0, 1, 10**9, memoryview(body)))
            for number, body in enumerate(bodies)
        )

    def batches(self) -> tuple[bytes, ...]:
        """Envelopes packed."""
        short = [raw for raw in self.records if len(raw) < 2000]
        return tuple(Codec.join(short[start : start + 4]) for start in range(0, len(short), 4))


def read(folder: Path) -> Corpus:
    """The corpus of a recorded run.

    Raises:
        BadInput: There is no trace.
    """
    taken: dict[str, int] = {}
    envelopes: list[Envelope] = []
    for record in TraceReader(folder, CODEC).records():
        if len(record.raw) <= LARGEST and taken.get(record.kind, 0) < A_KIND:
            taken[record.kind] = taken.get(record.kind, 0) + 1
            envelopes.append(record.envelope)
    envelopes += _ledger()
    return Corpus(folder, tuple(envelopes), tuple(CODEC.encode(envelope) for envelope in envelopes))


@contextmanager
def made(scenario: str = "two-users") -> Iterator[Corpus]:
    """The corpus of a quick run made for the purpose, by a process of its own, since this one's memory is measured.

    Raises:
        RunFailed: The run failed.
    """
    with tempfile.TemporaryDirectory(prefix="semcast-fuzz-") as place:
        folder = Path(place) / "run"
        options = ["--quick", "--host", "memory", "--display", "none", "--no-report", "--out", str(folder)]
        done = subprocess.run([sys.executable, "-m", "semcast", "run", scenario, *options], capture_output=True, text=True)
        if done.returncode:
            raise RunFailed(f"the run that was to give good messages failed: {done.stderr.strip()}")
        yield read(folder)


def _ledger() -> list[Envelope]:
    """Messages of a ledger, which a quick run does not have."""
    seal = [("user.1", attest(BLOCK, b"k" * 32))]
    payloads: list[Message] = [Ballot(["user.1"]), Proposal(BLOCK), Attestation(0, seal[0][1]), SealedBlock(BLOCK, seal)]
    return [Envelope(VERSION, 0, 10**6, DATA, "user.0", "cloud.0", n, "", AGENT, payload) for n, payload in enumerate(payloads)]


def _prompt(payload: object) -> Prompt | None:
    """The prompt in a payload, if it carries one."""
    for inner in (payload, getattr(payload, "body", None), getattr(payload, "prompt", None)):
        if isinstance(inner, Prompt):
            return inner
    return None
