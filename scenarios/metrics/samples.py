"""What a report shows of single requests, kept while the rest of their stories is let go."""

from dataclasses import dataclass, field

from .quality import GREY
from .row import SHOWN, Row
from .story import Story

RECEIVERS = 12
Rank = tuple[bool, int, int, str, int]


@dataclass(frozen=True)
class Triple:
    """One request's pictures as its agents had them (raw RGB), or its texts (UTF-8), with its row.

    ``picture``: what the sender of a text about a picture saw; empty otherwise.
    """

    row: Row
    sent: bytes
    generated: bytes
    received: bytes
    picture: bytes = b""


@dataclass
class Samples:
    """Pictures of the first ``RECEIVERS`` receivers, and the size of all that was shown.

    ``best``: receiver -> (rank, pictures) of one of its requests: the first that was shown, preferably with a personal subject.
    ``picture_symbols``: complex symbols of the transfers that brought the ``pictures`` shown.
    """

    best: dict[str, tuple[Rank, Triple]] = field(default_factory=dict)
    pictures: int = 0
    picture_symbols: int = 0

    @property
    def triples(self) -> list[Triple]:
        """In the order of their receivers."""
        return [self.best[receiver][1] for receiver in sorted(self.best)]

    @property
    def jscc_both_ways(self) -> float | None:
        """Mean complex symbols if the same pictures went up as they came down; None where none was shown."""
        return 2 * self.picture_symbols / self.pictures if self.pictures else None

    def offer(self, row: Row, story: Story) -> None:
        """Keep what is needed of a request."""
        if story.shown is None:
            return
        self.pictures += 1
        self.picture_symbols += sum(a.complex_symbols for a in story.airs if a.direction == "down" and a.purpose == "features")
        if row.status != SHOWN:
            return
        if row.content == "text":
            composed = story.written.text if story.written else ""
            sent, entered, shown = (text.encode() for text in (story.capture.text, composed, story.shown.text))
            triple = Triple(row, sent, entered, shown, story.capture.picture)
        else:
            generated = story.content.picture if story.content else GREY
            triple = Triple(row, story.capture.picture, generated, story.shown.picture)
        self._keep(row.receiver, (not (row.subjects or row.facts), *story.place), triple)

    def add(self, other: "Samples") -> None:
        """Keep what another part of the run has kept."""
        self.pictures += other.pictures
        self.picture_symbols += other.picture_symbols
        for receiver, (rank, triple) in other.best.items():
            self._keep(receiver, rank, triple)

    def _keep(self, receiver: str, rank: Rank, triple: Triple) -> None:
        known = self.best.get(receiver)
        if known is not None and known[0] <= rank:
            return
        self.best[receiver] = (rank, triple)
        if len(self.best) > RECEIVERS:
            del self.best[max(self.best)]
