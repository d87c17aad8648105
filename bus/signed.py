"""Messages that carry a content signature where the scenario asks for one; how they are signed is in ``agents/signatures.py``."""

from msgspec import UNSET, Struct, UnsetType

from .payload import Count, Message, Vector


class Signature(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """``counter``: the signer's own, so that nothing is taken twice; ``tag``: 64 bytes over signer, counter and content."""

    counter: Count
    tag: Vector


class Signable(Message, frozen=True, kw_only=True):
    """Base of what is signed. Without a signature the field is not on the wire at all."""

    signature: Signature | UnsetType = UNSET


class Refusal(Signable, frozen=True):
    """To a sender: what came as your ``message`` (a kind) for ``request`` was refused: send it again, newly signed.

    From the cloud to a user about prompts and what it shared, from a user to the cloud about adapters.
    """

    request: str
    message: str
