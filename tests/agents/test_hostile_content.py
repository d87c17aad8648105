"""Well-formed messages with contents that make no sense reach the cloud, and it goes on."""

import struct

import pytest
from msgspec.structs import replace
from semcast.agents.base import make_agents, make_world
from semcast.agents.cloud import Cloud
from semcast.agents.pictures import compress, sound
from semcast.agents.settings import UserSettings
from semcast.agents.user import User
from semcast.bus.messages import Arrived, Forwarded, Knowledge, Share, SharedItem

from .networks import two_users

PICTURE = compress(bytes(64 * 64 * 3))
ITEM = SharedItem("subject", "mia/dog", "dog", struct.pack("<2f", 0.5, -0.5), [PICTURE, PICTURE], [(1.0, 2.0, 3.0, 4.0)] * 2)
UNSOUND = [
    replace(ITEM, vector=struct.pack("<2f", 0.5, float("nan"))),
    replace(ITEM, vector=struct.pack("<2f", float("inf"), 1.0)),
    replace(ITEM, vector=b"abc"),
    replace(ITEM, pictures=[PICTURE, b"GIF89a"]),
    replace(ITEM, pictures=[PICTURE, PICTURE[:50]]),
    replace(ITEM, pictures=[PICTURE]),
    replace(ITEM, boxes=[(1.0, 2.0, 3.0, 4.0)] * 3),
]


@pytest.mark.parametrize("item", UNSOUND)
def test_what_cannot_be_used_is_not_taken(item: SharedItem) -> None:
    """It would end the run where the pictures are opened, or fill vectors with what is no number."""
    assert sound(ITEM) and sound(replace(ITEM, boxes=[])) and sound(replace(ITEM, vector=b"", pictures=[], boxes=[]))
    assert not sound(item)
    settings = two_users()
    make_world(settings, "test")
    (cloud,) = make_agents(settings, [settings.cloud])
    assert isinstance(cloud, Cloud)
    share = Share("user.0", [item, ITEM], 1.0)
    message = Forwarded("user.0", "bs.0", "", share)
    cloud.got_share(share, message, None)  # type: ignore[arg-type]  # neither needs the context
    assert cloud.state.shares["user.0"].items == [ITEM]
    cloud.got_knowledge(Knowledge("user.0", [item]), message, None)  # type: ignore[arg-type]
    assert cloud.state.subjects == {} and cloud.state.kb.items == {}


@pytest.mark.parametrize("speaker", ["user.1", "user.9"])
def test_a_history_tells_of_the_speakers_own_subjects_alone(speaker: str) -> None:
    """Else whoever speaks first decides what somebody else's dog looks like."""
    settings = two_users(scheme="aigc-scm", users=(UserSettings("user.0", ("mia/dog",)), UserSettings("user.1")))
    (user,) = make_agents(settings, ["user.1"])
    assert isinstance(user, User)
    history = Knowledge(speaker, [replace(ITEM, vector=b"")])
    user.got_knowledge(history, Arrived("bs.0", "", history), None)  # type: ignore[arg-type]  # it would ask it for a model
    with pytest.raises(AttributeError, match="infer"):
        mias = replace(history, user="user.0")
        user.got_knowledge(mias, Arrived("bs.0", "", mias), None)  # type: ignore[arg-type]
