"""What an exchange keeps and counts."""

from collections import OrderedDict
from dataclasses import dataclass, field

from ..envelope import Envelope
from .wire import Again

Sent = tuple[Envelope, bytes]
"""A message and its MessagePack form."""
Name = tuple[str, int]
"""(source, sequence) of a message."""
Outgoing = tuple[str, bytes, tuple[str, str] | None]
"""Subject, payload, header (name, value)."""


@dataclass
class Counts:
    """What an exchange had to put up with: messages rejected, dropped as duplicates, as stale, asked for and sent again.

    ``returns``: how often the connection was lost and made again. ``published``: NATS messages sent, all of them.
    """

    rejected: int = 0
    duplicates: int = 0
    stale: int = 0
    asked: int = 0
    resent: int = 0
    returns: int = 0
    published: int = 0


@dataclass
class Kept:
    """What was sent in a round, by the worker it goes to: records, messages on subjects of their own, words on the round."""

    sent_at: float = float("inf")
    """Wall-clock time of the event loop when all of it had been sent."""
    parts: dict[int, list[Outgoing]] = field(default_factory=dict)
    messages: dict[int, dict[Name, list[Outgoing]]] = field(default_factory=dict)
    words: dict[int, Outgoing] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    """When a peer was last sent some of it again."""

    def all_for(self, peer: int) -> list[Outgoing]:
        """Everything that went to a peer."""
        pieces = [piece for sent in self.messages.get(peer, {}).values() for piece in sent] + self.parts.get(peer, [])
        return [*pieces, self.words[peer]] if peer in self.words else pieces

    def asked_for(self, peer: int, again: Again) -> list[Outgoing]:
        """What a peer asked for: parts of its record (none named: all), messages, the word on the round."""
        outgoing = [self.words[peer]] if again.word and peer in self.words else []
        if again.record:
            own = self.parts.get(peer, [])
            outgoing += [own[i] for i in dict.fromkeys(again.parts) if i < len(own)] if again.parts else own
        messages = self.messages.get(peer, {})
        for source, sequences in again.names.items():
            for sequence in dict.fromkeys(sequences):
                outgoing += messages.get((source, sequence), [])
        return outgoing


class SentRounds:
    """All that a worker has sent, by round, as long as a peer can ask for it.

    A peer can be one round behind. One that was lost and made anew goes on from the newest snapshot that all workers have, so
    from the moment on at which this worker has a snapshot, rounds are kept back to the last one but one.

    Args:
        recovers: Whether lost peers are made anew at all; else two rounds are enough.
        pause_s: No peer is sent the same again within this wall-clock time.
    """

    def __init__(self, recovers: bool, pause_s: float) -> None:
        self._recovers, self._pause_s = recovers, pause_s
        self._rounds: OrderedDict[int, Kept] = OrderedDict()  # ascending; of a plain one the first is slow to find
        self._snapshots: list[int] = []

    def begin(self, round: int) -> Kept:
        """Keep a round from now on."""
        if not self._recovers:
            self._forget_before(round - 1)
        kept = self._rounds[round] = Kept()
        return kept

    def say(self, round: int, peer: int, word: Outgoing) -> None:
        """Keep what a peer is told of a round."""
        if round in self._rounds:
            self._rounds[round].words[peer] = word

    def oldest(self, now: int) -> int:
        """The earliest round that can be sent again; ``now``, the one to be sent next, where nothing is kept."""
        return next(iter(self._rounds), now)

    def saved(self, round: int) -> None:
        """A snapshot of this worker from which it would go on with ``round`` is on disk."""
        self._snapshots.append(round)

    def passed(self, round: int) -> None:
        """All have spoken in ``round``: so all have written the snapshots of rounds up to it."""
        if len(self._snapshots) > 1 and self._snapshots[-1] <= round:
            del self._snapshots[:-2]
            self._forget_before(self._snapshots[0])

    def answer(self, peer: int, again: Again, now: float) -> list[Outgoing]:
        """What to send a peer that asks; who is further behind gets all later rounds, too, at once.

        Nothing of a round that is just on its way.
        """
        outgoing: list[Outgoing] = []
        for round in sorted(round for round in self._rounds if round >= again.round):
            kept = self._rounds[round]
            if now - kept.answered.get(peer, kept.sent_at) >= self._pause_s:
                kept.answered[peer] = now
                outgoing += kept.asked_for(peer, again) if round == again.round else kept.all_for(peer)
        return outgoing

    def _forget_before(self, round: int) -> None:
        while self._rounds and next(iter(self._rounds)) < round:
            self._rounds.popitem(last=False)


def limited(names: dict[str, list[int]], most: int) -> dict[str, list[int]]:
    """The first ``most`` of the names (source -> sequences), so that they fit into one message."""
    first: dict[str, list[int]] = {}
    for source, sequences in names.items():
        if most <= 0:
            break
        first[source] = sequences[:most]
        most -= len(sequences)
    return first
