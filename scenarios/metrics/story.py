"""All that a run holds of each request, in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from ...agents.satisfaction import GENERATED
from ...bus.content_messages import TextContent
from ...bus.envelope import Envelope
from ...bus.messages import Content, Failure, Feedback
from ...bus.records import AirRecord, Capture, Shown
from .gather import Call, Gatherer, Link, Piece, Place
from .group import captures, part_of, sharers
from .network import Network, together


@dataclass
class Story:
    """All that the trace holds of one request, in time order; of a request to a group, what belongs to one receiver (`group`)."""

    request: str
    place: Place
    """Of its capture, in the order of the run."""
    sender: str
    capture: Capture
    airs: list[AirRecord] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    """Messages that carried it until it was shown, knowledge and feedback aside."""
    choices: dict[str, Any] = field(default_factory=dict)
    """Policy kind -> its last decision: the downlink's, where both links had one."""
    content: Content | None = None
    written: TextContent | None = None
    """What entered the last encoder, where it is a text."""
    shown: Shown | None = None
    failures: list[Failure] = field(default_factory=list)
    feedback: Feedback | None = None
    group: tuple[str, ...] = ()
    """All receivers, where there are several."""

    def sharers(self, agents: Sequence[str]) -> list[str]:
        """The receivers whose rows share what these agents did or heard."""
        return sharers(agents, self.group or (self.capture.recipient,))

    def take(self, what: Any, source: str) -> None:
        """The next piece, from an agent's records."""
        if self.group:
            what = part_of(what, source, self.capture.recipient, self.group)
        if isinstance(what, AirRecord):
            self.airs.append(what)
        elif isinstance(what, Call):
            self.calls.append(what)
        elif isinstance(what, Link):
            if not self.shown:
                self.links.append(what)
        elif isinstance(what, Content):
            self.content = what
        elif isinstance(what, TextContent):
            self.written = what
        elif isinstance(what, Shown):
            self.shown = what
            if what.codec == GENERATED:
                self.content = Content(what.request, self.sender, self.capture.recipient, 0, what.picture)
        elif isinstance(what, Failure):
            self.failures.append(what)
        elif isinstance(what, Feedback):
            self.feedback = what
        elif what is not None:
            self.choices[what.policy_kind] = what


def stories_of(pieces: Iterable[Piece], network: Network) -> list[Story]:
    """Stories in the order of their captures; what names a request whose picture nobody has taken (yet) counts to the network."""
    groups: dict[str, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.request, []).append(piece)
    stories = []
    for some in groups.values():
        some.sort(key=attrgetter("place"))
        told_of: list[Story] = []
        for piece in some:
            what = piece.what
            if isinstance(what, Capture):
                told = captures(what)
                group = tuple(each.recipient for _, each in told) if len(told) > 1 else ()
                told_of = [Story(name, piece.place, piece.source, each, group=group) for name, each in told]
            elif told_of:
                for story in told_of:
                    story.take(what, piece.source)
            elif isinstance(what, AirRecord):
                network.charge(what)
            else:
                network.forgeries_shown += isinstance(what, Shown)
        stories += told_of
    return sorted(stories, key=attrgetter("place"))


def collect(envelopes: Iterable[Envelope], processors: Mapping[str, int]) -> tuple[list[Story], Network]:
    """Sort the records of a run by request, all at once; ``processors``: number of them by role, 1 where not named.

    Returns:
        The stories in the order of their captures (time, then sender), and the rest.
    """
    pieces: list[Piece] = []
    gatherer = Gatherer(pieces.append, processors)
    for envelope in envelopes:
        gatherer.take(envelope)
    gatherer.finish()
    network = together([(gatherer.network, gatherer.looks)])
    return stories_of(pieces, network), network
