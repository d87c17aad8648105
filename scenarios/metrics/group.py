"""Requests to a group: one story and one row for each receiver, and what was sent once for all of them charged once.

A transfer or model call that serves several receivers is shared out among their rows. Counts are whole numbers: each row gets the
quotient, the first ones one more each until the remainder is used up, so that the sum over rows is the cost itself. Times are
not shared: everybody has waited all of it.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UnsetType
from msgspec.structs import replace

from ...bus.messages import Failure, Feedback
from ...bus.records import AirRecord, Capture, Shown
from .gather import Call, Link

COUNTS = (
    *("payload_bits", "coded_bits", "complex_symbols", "jscc_symbols", "pilot_symbols", "feedback_symbols"),
    *("attempts", "signature_bits"),
)
"""Fields of an air record that are shared out."""


def captures(capture: Capture) -> list[tuple[str, Capture]]:
    """The names of a capture's stories and the capture as each has it, one recipient in it; a group's say for whom they are."""
    if not capture.further:
        return [(capture.request, capture)]
    group = (capture.recipient, *capture.further)
    return [(f"{capture.request}>{user}", replace(capture, recipient=user, further=[])) for user in group]


def sharers(agents: Sequence[str], group: Sequence[str]) -> list[str]:
    """Those of a group whom something served that these agents did or heard: the ones among them, or else all."""
    return [user for user in group if user in agents] or list(group)


def part_of(what: Any, source: str, receiver: str, group: Sequence[str]) -> Any:
    """What of a piece belongs to one receiver of a group; None: nothing. ``source``: whose record it is."""
    if isinstance(what, AirRecord):
        among = sharers(what.users, group)
        return portion(what, among.index(receiver), len(among)) if receiver in among else None
    if isinstance(what, Call):
        return what if receiver in sharers([what.agent], group) else None
    if isinstance(what, Failure):
        return what if isinstance(what.receiver, UnsetType) or what.receiver == receiver else None
    if isinstance(what, Shown | Feedback):
        return what if source == receiver else None
    return what


def path(links: Sequence[Link], receiver: str) -> list[Link]:
    """Those of a group's links, in time order, that led to one receiver: found backwards from it; none where nothing arrived."""
    found, at = [], receiver
    for link in reversed(links):
        if link.destination == at:
            found.append(link)
            at = link.source
    return found[::-1]


def portion(air: AirRecord, rank: int, number: int) -> AirRecord:
    """A transfer with one row's share of its counts; ``rank``: that row's, of ``number``, from 0."""
    shares = {name: divmod(getattr(air, name), number) for name in COUNTS}
    return replace(air, **{name: each + (rank < rest) for name, (each, rest) in shares.items()})
