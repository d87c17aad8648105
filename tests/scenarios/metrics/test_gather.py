"""What takes a request on its way, and what goes ahead of it."""

import pytest
from semcast.bus.content_messages import ClipKnowledge, GroupPrompt, Profile
from semcast.bus.envelope import Envelope
from semcast.bus.messages import Body, Forwarded
from semcast.scenarios.metrics.gather import Gatherer, Link, Piece


@pytest.mark.parametrize(
    ("body", "links"),
    [
        (ClipKnowledge("user.a/0", "user.a", 0, ["user.b"], b"", []), 0),
        (Profile("user.a", b""), 0),
        (GroupPrompt("user.a/0", "user.a", ["user.b"], 0, ["clip"], b"", 8), 1),
    ],
)
def test_what_goes_ahead_of_a_request_is_no_link_of_its_way(body: Body, links: int) -> None:
    pieces: list[Piece] = []
    gatherer = Gatherer(pieces.append, {})
    payload = Forwarded("user.a", "bs.0", "user.a/0", body)
    gatherer.take(Envelope(0, 5, 5, 1, "bs.0", "edge.0", 0, "", "", payload))
    assert sum(isinstance(piece.what, Link) for piece in pieces) == links
