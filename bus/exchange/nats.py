"""The two forms of exchange over NATS; same digest, different traffic.

``subjects``: every message is a NATS message on its own subject, also between neighbours on one worker, and the records
of the rounds name them. Anybody can follow an agent with a plain NATS client. ``packed``: the records hold the messages;
those inside a worker stay inside. For large networks (``--tap`` shows chosen agents, bus/tap.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..envelope import Envelope
from ..errors import BadInput
from ..subjects import parse
from . import wire
from .client import Received
from .kept import Kept, Name, Outgoing, Sent
from .rounds import NatsExchange
from .waiting_room import Pieces, Pool

if TYPE_CHECKING:
    from ..access import Access
    from ..world import World

_names = msgspec.msgpack.Decoder(dict[str, list[wire.Whole]])


class PackedExchange(NatsExchange):
    """One batch a round and peer, in parts."""

    def compose(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int, kept: Kept) -> list[Outgoing]:
        """Batches for all peers."""
        outgoing: list[Outgoing] = []
        for peer in self.agreement.addressed(out):
            body = self.codec.join([raw for _, raw in out[peer]])
            kept.parts[peer] = self.record(peer, round, body, floor_ns)
            outgoing += kept.parts[peer]
        return outgoing

    def read_body(self, peer: int, body: memoryview | bytes) -> list[Envelope]:
        """The messages of a batch."""
        envelopes = self.codec.split(body)
        strangers = [name for name in {e.source: None for e in envelopes} if self.worker_of.get(name) != peer]
        strangers += [name for name in {e.destination: None for e in envelopes} if self.worker_of.get(name) != self.index]
        if strangers:
            raise ValueError(f"messages from or to {', '.join(strangers)} in a batch from worker {peer} to {self.index}")
        return envelopes

    def take(self, round: int, out: Sequence[Sequence[Sent]]) -> list[Envelope]:
        """The messages of all batches."""
        own = [envelope for envelope, _ in out[self.index]]
        batches = self.incoming.ready.pop(round, {})
        return own + [envelope for peer in sorted(batches) for envelope in batches[peer][0]]

    def heard(self, message: Received) -> None:
        """What is shown for observers (bus/tap.py) comes by here too; it only has to make sense."""
        if message.header:
            wire.decode_part_header(message.header)
        else:
            self.live.read(message.subject, message.data)


class SubjectsExchange(NatsExchange):
    """Every message on its own subject; the record of a round names the messages for the peer."""

    carries_local = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pool = Pool()
        self._missing: dict[Name, int] = {}
        self._own: dict[str, list[int]] = {}
        self._pieces = Pieces()

    def compose(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int, kept: Kept) -> list[Outgoing]:
        """All messages, then the names for each peer."""
        outgoing: list[Outgoing] = []
        addressed = self.agreement.addressed(out)
        for worker, messages in enumerate(out):
            names: dict[str, list[int]] = {}
            mine = kept.messages[worker] = {}
            for envelope, raw in messages:
                names.setdefault(envelope.source, []).append(envelope.sequence)
                sent = mine[envelope.source, envelope.sequence] = self.on_subject(envelope, raw)
                outgoing += sent
            if worker == self.index:
                self._own = names
                self._expect(worker, names)
            elif worker in addressed:
                kept.parts[worker] = self.record(worker, round, wire.encode(names), floor_ns)
        for parts in kept.parts.values():
            outgoing += parts
        return outgoing

    def read_body(self, peer: int, body: memoryview | bytes) -> dict[str, list[int]]:
        """The names in a record."""
        names = _names.decode(body)
        for source, sequences in names.items():
            if self.worker_of.get(source) != peer:
                raise ValueError(f"messages of {source} named by worker {peer}")
            if not sequences or sequences != sorted(set(sequences)) or sequences[0] <= self.taken.get(source, -1):
                raise ValueError(f"messages of {source} named that have come before, twice or out of order")
        return names

    def begin(self, round: int) -> None:
        """Records of peers who were faster are there already."""
        for peer, (names, _) in self.incoming.of(round).items():
            self._expect(peer, names)

    def ready(self, round: int, peer: int) -> None:
        """See which of the peer's messages are not there yet."""
        if round == self._round:
            self._expect(peer, self.incoming.of(round)[peer][0])

    def _expect(self, worker: int, names: dict[str, list[int]]) -> None:
        for source, sequences in names.items():
            for sequence in sequences:
                if not self._pool.name((source, sequence)):
                    self._missing[source, sequence] = worker

    def missing_names(self) -> dict[int, dict[str, list[int]]]:
        """Named and not there, by the worker that sent them."""
        missing: dict[int, dict[str, list[int]]] = {}
        for (source, sequence), worker in self._missing.items():
            missing.setdefault(worker, {}).setdefault(source, []).append(sequence)
        return missing

    def complete(self) -> bool:
        """All records and all messages they name are there."""
        return not self._missing and super().complete()

    def take(self, round: int, out: Sequence[Sequence[Sent]]) -> list[Envelope]:
        """The messages named by the records, each once."""
        records = self.incoming.ready.pop(round, {})
        arrivals = []
        for names in [self._own, *(records[peer][0] for peer in sorted(records))]:
            for source, sequences in names.items():
                arrivals += [self._pool.take((source, sequence)) for sequence in sequences]
                self.taken[source] = sequences[-1]
        return arrivals

    def heard(self, message: Received) -> None:
        """Keep a message until the record of its round names it."""
        raw = self._joined(message) if message.header else message.data
        if raw is None:
            return
        envelope = self.live.read(message.subject, raw)
        if self._seen(envelope.source, envelope.sequence):
            return
        name = (envelope.source, envelope.sequence)
        missed = self._missing.pop(name, None) is not None
        self._pool.add(name, envelope, len(raw), missed)
        if missed:
            self.settle()

    def _seen(self, source: str, sequence: int) -> bool:
        """Whether a message has come before; counts it then."""
        seen = (source, sequence) in self._pool or sequence <= self.taken.get(source, -1)
        self.counts.duplicates += seen
        return seen

    def _joined(self, message: Received) -> bytes | None:
        """The whole of a message that comes in parts, when the last one is there."""
        sequence, number, parts = wire.decode_part_header(message.header)
        source = parse(message.subject).source
        if source not in self.worker_of:
            raise ValueError(f"no agent {source}")
        if self._seen(source, sequence):
            return None
        new, whole = self._pieces.add((message.subject, sequence), parts, number, message.data)
        self.counts.duplicates += not new
        return whole


_FORMS: dict[str, type[NatsExchange]] = {"packed": PackedExchange, "subjects": SubjectsExchange}


def nats_exchange(form: str, world: World, index: int, workers: int, access: Access, **options: Any) -> NatsExchange:
    """The end of worker ``index`` of an exchange over NATS.

    Args:
        form: ``subjects`` or ``packed``.
        world: The network.
        index: This worker.
        workers: Number of workers.
        access: Server and this worker's credentials.
        options: See ``NatsExchange``.

    Raises:
        BadInput: There is no such form.
    """
    if form not in _FORMS:
        raise BadInput(f"no form of exchange is called {form!r}", f"forms: {', '.join(_FORMS)}")
    return _FORMS[form](world, index, workers, access, **options)
