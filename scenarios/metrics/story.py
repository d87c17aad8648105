"""All that a run holds of each request, in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from ...bus.envelope import Envelope
from ...bus.messages import Content, Failure, Feedback
from ...bus.records import AirRecord, Capture, Shown
from .gather import Call, Gatherer, Link, Piece, Place
from .network import Network, together


@dataclass
class Story:
    """All that the trace holds of one request, in time order."""

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
    shown: Shown | None = None
    failures: list[Failure] = field(default_factory=list)
    feedback: Feedback | None = None

    def take(self, what: Any) -> None:
        """The next piece."""
        if isinstance(what, AirRecord):
            self.airs.append(what)
        elif isinstance(what, Call):
            self.calls.append(what)
        elif isinstance(what, Link):
            if not self.shown:
                self.links.append(what)
        elif isinstance(what, Content):
            self.content = what
        elif isinstance(what, Shown):
            self.shown = what
        elif isinstance(what, Failure):
            self.failures.append(what)
        elif isinstance(what, Feedback):
            self.feedback = what
        else:
            self.choices[what.policy_kind] = what


def stories_of(pieces: Iterable[Piece], network: Network) -> list[Story]:
    """Stories in the order of their captures; what names a request whose picture nobody has taken (yet) counts to the network."""
    groups: dict[str, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.request, []).append(piece)
    stories = []
    for request, group in groups.items():
        group.sort(key=attrgetter("place"))
        story: Story | None = None
        for piece in group:
            what = piece.what
            if isinstance(what, Capture):
                story = Story(request, piece.place, piece.source, what)
            elif story is not None:
                story.take(what)
            elif isinstance(what, AirRecord):
                network.charge(what)
            else:
                network.forgeries_shown += isinstance(what, Shown)
        if story is not None:
            stories.append(story)
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
