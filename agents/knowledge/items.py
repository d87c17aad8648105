"""What a knowledge base holds: typed, versioned items that know where they come from and who may see them."""

from msgspec import Struct

SUBJECT, PREFERENCE, HISTORY, TERM, TASK, NETWORK, LOOK = "subject", "preference", "history", "term", "task", "network", "look"
KINDS = (SUBJECT, PREFERENCE, HISTORY, TERM, TASK, NETWORK, LOOK)
"""Item kinds: a personal subject with its look, what somebody likes, a past picture, a word of the shared vocabulary,
a communication goal, a parameter of the network (a codec held, the serving station), and what stands or moves before a camera."""

OWN, CLOUD, PUBLIC = "private", "cloud", "public"
SHARING = (OWN, CLOUD, PUBLIC)
"""Sharing levels, rising: stays with its agent, may be shared with the cloud, everybody may see it."""


class KbItem(Struct, frozen=True):
    """One item.

    Attributes:
        kind: One of `KINDS`.
        name: Unique within the kind, such as ``"mia/dog"``.
        version: Counts the changes of this item from 1.
        provenance: Agent id or process that the item comes from, such as ``"user.03"`` or ``"branch"``.
        sharing: One of `SHARING`.
        text: The item in words.
        vector: Unit-norm float32 embedding of ``text``; empty where none was made.
        data: The item's bytes of its own kind, for instance a subject's identifier vector.
    """

    kind: str
    name: str
    version: int
    provenance: str
    sharing: str
    text: str
    vector: bytes = b""
    data: bytes = b""


def key_of(kind: str, name: str) -> str:
    """The key of an item in a knowledge base."""
    return f"{kind}:{name}"
