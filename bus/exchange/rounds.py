"""The rounds of an exchange over NATS: records of all peers, in parts, duplicates dropped, gaps asked for again.

For every round a worker sends its peers *records*, cut into numbered parts on ``x.<peer>.<worker>``: its floor and either the
messages themselves (packed form) or their names (subjects form), see nats.py. Who is sent one and when a round is complete is
agreed in agreeing.py. The wall clock is read only to notice gaps and dead peers.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import NEVER
from ..envelope import Codec, Envelope
from ..errors import LeftBehind, RunFailed, SemcastError
from ..subjects import Subjects, worker_of
from . import wire
from .agreeing import FEW, Words, agreement
from .client import Handler, Received
from .incoming import Incoming
from .kept import Counts, Kept, Outgoing, Sent, SentRounds, limited
from .link import Link
from .live import HEADROOM, Live
from .rejected import Rejected
from .seal import Seal
from .waiting import Waiting
from .wire import BAD_BYTES, Again, Done, Floor, Grant, Hello

if TYPE_CHECKING:
    from ..access import Access
    from ..world import World
    from .chaos import Chaos

log = logging.getLogger(__name__)

PART_BYTES = 64 << 10
"""Size of a part: large enough to cost little, small enough that the peer reads one while the next is written."""
_LOGGED = 20
_HELLO_S, _NAMES_ASKED, _AHEAD = 0.5, 5000, 1 << 20


class NatsExchange(ABC):
    """One worker's end of an exchange over NATS; make one with ``nats_exchange`` (nats.py).

    Args:
        world: The network.
        index: This worker.
        workers: Number of workers.
        access: Server and this worker's credentials.
        codec: MessagePack form of the messages.
        chaos: Disturbances for tests.
        rejected: Side file for bytes that made no sense.
        incarnation: Number of this worker's life; messages of earlier ones are refused by the peers.
        recovers: Whether a peer that was lost is made anew; then what was sent is kept for it.
        ask_again_s: Wall-clock time after which a gap is asked for (doubles up to 2 s).
        patience_s: Wall-clock time after which silent peers end the run.
        server_s: Wall-clock time after which a lost server does.
        part_bytes: Size of the parts of a record.
        few: With more workers than so many, one coordinates; equal on all of them.
    """

    carries_local = False

    def __init__(
        self,
        world: World,
        index: int,
        workers: int,
        access: Access,
        *,
        codec: Codec | None = None,
        chaos: Chaos | None = None,
        rejected: Path | None = None,
        incarnation: int = 0,
        recovers: bool = False,
        ask_again_s: float = 0.2,
        patience_s: float = 600.0,
        server_s: float = 60.0,
        part_bytes: int = PART_BYTES,
        few: int = FEW,
    ) -> None:
        self.index, self.workers = index, workers
        self.peers = [peer for peer in range(workers) if peer != index]
        self.subjects = Subjects(world.run, world.ids, world.shards)
        self.agreement = agreement(index, workers, incarnation, few)
        self.tapped: list[Sent] = []
        """Messages to be shown on their live subjects with the next swap (bus/tap.py)."""
        self.codec = codec or Codec()
        self.live = Live(self.subjects, self.codec)
        self.rejected = Rejected(rejected)
        self.counts = Counts()
        self.worker_of = {agent: world.worker(rank, workers) for rank, agent in enumerate(world.ids)}
        self._shards = [shard for shard in range(world.shards) if worker_of(shard, workers) == index]
        self._waiting = Waiting()
        seal = Seal(access.secret, lambda m: self.reject(m.subject, m.data, "no seal of this run")) if access.secret else None
        self._link = Link(access, f"semcast worker {index}", self._waiting.fail, self.counts, server_s, seal)
        self._chaos, self._incarnation, self._first_s = chaos, incarnation, server_s if recovers else 0.0
        self._ask_again_s, self._patience_s, self._part_bytes = ask_again_s, patience_s, part_bytes
        self._round, self._begun, self._over = 0, False, False
        self.incoming = Incoming(self.read_body)
        self._sent = SentRounds(recovers, ask_again_s)
        self.horizons: dict[int, int] = {}
        """Peer -> a round later than all of which it may have heard, by what it said when it or this worker came."""
        self.taken: dict[str, int] = {}
        self._incarnations: dict[int, int] = {}
        self._present: set[int] = set()
        self._done: set[int] = set()

    @abstractmethod
    def compose(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int, kept: Kept) -> list[Outgoing]:
        """What to send for a round, in order; also entered in ``kept``."""

    @abstractmethod
    def read_body(self, peer: int, body: memoryview | bytes) -> Any:
        """What a record's body says.

        Raises:
            ValueError: It makes no sense.
        """

    @abstractmethod
    def take(self, round: int, out: Sequence[Sequence[Sent]]) -> list[Envelope]:
        """The messages of a complete round."""

    def begin(self, round: int) -> None:  # noqa: B027
        """A round is waited for from now on."""

    def ready(self, round: int, peer: int) -> None:  # noqa: B027
        """A peer's record of ``round`` is there."""

    def missing_names(self) -> dict[int, dict[str, list[int]]]:
        """Messages that are known to be missing: peer -> source -> sequences."""
        return {}

    @abstractmethod
    def heard(self, message: Received) -> None:
        """A NATS message to one of this worker's agents has come on its live subject.

        Raises:
            ValueError, SemcastError: It makes no sense.
        """

    async def open(self, round: int = 0) -> None:
        """Connect, and wait until all peers listen; see ``Exchange``."""
        self._round = round
        handlers: dict[str, Handler] = {
            self.subjects.batch(self.index, "*"): self._on_part,
            self.subjects.control(self.index, "*"): self._on_control,
        }
        handlers |= {f"{self.subjects.base}.{shard}.>": self._on_message for shard in self._shards}
        await self._link.open(handlers, self._first_s)
        hello = self._hello(answer=False)
        self._tell_all(hello)
        self._tell(self.index, hello)  # an earlier incarnation that still lives learns that it is replaced
        started = asyncio.get_running_loop().time()
        while silent := [peer for peer in self.peers if peer not in self.horizons]:
            if not await self._waiting.wait(_HELLO_S):
                self._check_patience(started, silent)
                for peer in silent:
                    self._tell(peer, hello)

    def saved(self, round: int) -> None:
        """See ``Exchange``."""
        self._sent.saved(round)

    async def leave(self) -> None:
        """Be there for peers that miss something until all have the last round; whose `Done` is lost hears it again."""
        self._show_tapped()
        until = asyncio.get_running_loop().time() + self._patience_s
        try:
            self._tell_all(Done(self._incarnation, self._round))
            while len(self._done) < len(self.peers) and asyncio.get_running_loop().time() < until:
                if not await self._waiting.wait(_HELLO_S):
                    self._tell_all(Done(self._incarnation, self._round))
        except SemcastError as error:
            log.warning("worker %d left without goodbye: %s", self.index, error.message)

    async def close(self) -> None:
        """Disconnect; see ``Exchange``."""
        await self._link.close()

    async def swap(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int) -> tuple[list[Envelope], int]:
        """End a round; see ``Exchange``."""
        self.incoming.forget_before(round)
        self.agreement.forget_before(round)
        self._round, self._begun = round, True
        self.begin(round)
        if self.tapped:
            self._show_tapped()
        await self._send(round, out, floor_ns)
        await self._all_there(round)
        await self._link.written()  # the coordinator has just said something
        earliest = self.agreement.earliest(round, [floor_ns, *(floor for _, floor in self.incoming.of(round).values())])
        self._over = earliest == NEVER
        self._sent.passed(round)
        arrivals = self.take(round, out)
        self._round = round + 1  # what comes of this round from now on is a duplicate
        return arrivals, earliest

    async def _send(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int) -> None:
        kept = self._sent.begin(round)
        outgoing = self.compose(round, out, floor_ns, kept)
        outgoing += self._words(self.agreement.end(round, floor_ns, self.agreement.addressed(out)))
        chaos = self._chaos
        if chaos is not None:
            outgoing = [message for message in chaos.disturb(outgoing) if not chaos.lost()]
            await asyncio.sleep(chaos.delay())
        for message in outgoing:
            self._link.publish(*message)
        if self.complete():  # or the peers would wait while this worker computes
            await self._link.written()
        kept.sent_at = asyncio.get_running_loop().time()

    def _words(self, words: Words) -> list[Outgoing]:
        """What is to be said on a round, kept in case that it is asked for again."""
        told = [(self.subjects.control(peer, self.index), wire.encode(word), None) for peer, word in words.items()]
        for (peer, word), outgoing in zip(words.items(), told, strict=True):
            self._sent.say(word.round, peer, outgoing)
        return list[Outgoing](told)

    def record(self, peer: int, round: int, body: bytes, floor_ns: int) -> list[Outgoing]:
        """A record for ``peer``, cut in parts."""
        size, subject = min(self._part_bytes, self._link.max_payload - HEADROOM), self.subjects.batch(peer, self.index)
        return [(subject, raw, None) for raw in wire.in_parts(body, size, self._incarnation, round, floor_ns)]

    def on_subject(self, envelope: Envelope, raw: bytes) -> list[Outgoing]:
        """A message on its own subject, in parts where it is large."""
        return self.live.outgoing(envelope, raw, self._link.max_payload)

    def _show_tapped(self) -> None:
        tapped, self.tapped = self.tapped, []
        for envelope, raw in tapped:
            for outgoing in self.on_subject(envelope, raw):
                self._link.publish(*outgoing)

    def _tell_all(self, control: wire.Control) -> None:
        for peer in self.peers:
            self._tell(peer, control)

    def _hello(self, answer: bool) -> Hello:
        return Hello(self._incarnation, answer, self._round, self._sent.oldest(self._round))

    def _tell(self, peer: int, control: wire.Control) -> None:
        self._link.publish(self.subjects.control(peer, self.index), wire.encode(control))

    def complete(self) -> bool:
        """Whether nothing is missing of the round waited for."""
        expected, there = self.agreement.expected(self._round), self.incoming.of(self._round)
        return expected is not None and all(peer in there for peer in expected)

    def settle(self) -> None:
        """Wake the waiting swap if its round is complete."""
        if self._waiting.asleep and self.complete():
            self._waiting.wake()

    async def _all_there(self, round: int) -> None:
        loop = asyncio.get_running_loop()
        started, pause = loop.time(), self._ask_again_s
        while not self.complete():
            if not await self._waiting.wait(pause):
                self._ask_again(round, started)
                pause = min(2 * pause, 2.0)
        if self._waiting.failure is not None:
            raise self._waiting.failure

    def _check_patience(self, started: float, silent: list[int]) -> None:
        waited = asyncio.get_running_loop().time() - started
        if waited > self._patience_s:
            names = ", ".join(str(peer) for peer in silent)
            raise RunFailed(
                f"worker {self.index} waits for worker {names} since {waited:.0f} s in round {self._round}",
                "see run.log for what became of it",
            )

    def _ask_again(self, round: int, started: float) -> None:
        """Ask for what is missing of the round."""
        names, unheard = self.missing_names(), self.agreement.unheard(round)
        silent = [peer for peer in self.agreement.expected(round) or () if peer not in self.incoming.of(round)]
        asked = sorted({*silent, *names, *unheard})
        self._check_patience(started, asked)
        for peer in asked:
            gaps = (self.incoming.missing(round, peer), limited(names.get(peer, {}), _NAMES_ASKED))
            self.counts.asked += 1
            self._tell(peer, Again(self._incarnation, round, *gaps, peer in silent, peer in unheard))

    def reject(self, subject: str, raw: bytes, reason: object) -> None:
        """Take note of bytes that make no sense."""
        self.counts.rejected += 1
        self.rejected.add(subject, raw, str(reason))

    def _known(self, peer: int, incarnation: int) -> bool:
        """Whether a message of this incarnation of a peer is to be heard."""
        known = self._incarnations.get(peer, -1)
        if incarnation < known:
            self.counts.stale += 1
            if self.counts.stale <= _LOGGED:
                log.warning("worker %d refuses incarnation %d of worker %d, now %d", self.index, incarnation, peer, known)
            return False
        if incarnation > known:
            self._incarnations[peer] = incarnation
            self._done.discard(peer)
            self.incoming.forget_parts(peer)
        if peer not in self._present:
            self._present.add(peer)
            if len(self._present) == len(self.peers):
                self._waiting.wake()
        return True

    def _on_message(self, message: Received) -> None:
        try:
            self.heard(message)
        except (*BAD_BYTES, SemcastError) as error:
            self.reject(message.subject, message.data, error)

    def _on_part(self, message: Received) -> None:
        try:
            peer, part = wire.sender(message.subject, self.workers), wire.decode_part(message.data)
            if peer == self.index:
                raise ValueError("a record of this worker itself")
        except BAD_BYTES as error:
            self.reject(message.subject, message.data, error)
            return
        if not self._known(peer, part.incarnation):
            return
        if not self._in_time(message, part.round):
            return
        try:
            self.counts.duplicates += not self.incoming.add(peer, part)
        except BAD_BYTES as error:
            self.reject(message.subject, message.data, error)
            return
        if peer in self.incoming.of(part.round):
            self.ready(part.round, peer)
            self.settle()

    def _in_time(self, message: Received, round: int) -> bool:
        """Whether what is said of a round can be of use."""
        self.counts.duplicates += round < self._round
        early = round > max([self._round + 1, *self.horizons.values()])
        if early and self._begun:  # else a peer's hello, which tells its round, is still on its way
            self.reject(message.subject, message.data, f"round {round} while in round {self._round}")
        return round >= self._round and not early

    def _on_control(self, message: Received) -> None:
        try:
            peer, control = wire.sender(message.subject, self.workers), wire.decode_control(message.data)
        except BAD_BYTES as error:
            self.reject(message.subject, message.data, error)
            return
        if peer == self.index:
            self._check_replaced(control.incarnation)
        elif not self._known(peer, control.incarnation):
            return
        if isinstance(control, Hello):
            self.horizons[peer] = max(self.horizons.get(peer, 0), min(control.round, self._round + _AHEAD) + 1)
            if control.oldest > self._round and peer != self.index:
                self._waiting.fail(LeftBehind(f"worker {self.index} misses what worker {peer} has forgotten"))
            if not control.answer and peer != self.index:
                self._tell(peer, self._hello(answer=True))
        elif isinstance(control, Again):
            self._answer(peer, control)
        elif isinstance(control, Floor | Grant):
            self._on_word(message, peer, control)
        else:
            self._done.add(peer)
            if self._over and len(self._done) == len(self.peers):
                self._waiting.wake()

    def _on_word(self, message: Received, peer: int, word: Floor | Grant) -> None:
        """The coordinator says something of a round, or is told."""
        if not self._in_time(message, word.round):
            return
        try:
            words = self.agreement.hear(peer, word)
        except ValueError as error:
            self.reject(message.subject, message.data, error)
            return
        for outgoing in self._words(words):
            if self._chaos is None or not self._chaos.lost():
                self._link.publish(*outgoing)
        self.settle()

    def _check_replaced(self, incarnation: int) -> None:
        """A later incarnation of this worker has said hello: the driver took this one for lost."""
        if incarnation > self._incarnation:
            log.warning("worker %d, incarnation %d, was replaced by incarnation %d", self.index, self._incarnation, incarnation)
            self._waiting.fail(RunFailed(f"worker {self.index} was replaced while it stood still"))

    def _answer(self, peer: int, again: Again) -> None:
        """Send again what a peer misses, unless it is just on its way; what cannot be sent again is told."""
        if again.round < self._sent.oldest(self._round):
            self._tell(peer, self._hello(answer=True))
        for message in self._sent.answer(peer, again, asyncio.get_running_loop().time()):
            if self._chaos is None or not self._chaos.lost():
                self.counts.resent += 1
                self._link.publish(*message)
