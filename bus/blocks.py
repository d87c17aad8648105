"""Blocks of a ledger of credits and what is said about them; their rules are in ``policies/incentive/ledger.py``."""

from msgspec import Struct

from .payload import Count, Message


class Entry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """``user`` earned ``credits`` (whole micro-credits) by ``contribution``: kinds of items joined with +, or ``validation``."""

    user: str
    contribution: str
    credits: Count


class Block(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One block. ``previous``: hash of the block before, zeros for number 0.

    ``ballots``: (user, whom it votes for) of all users who voted anew since the last block, in the order of users.
    ``validators``: those elected for this block, first elected first.
    """

    number: Count
    previous: bytes
    ballots: tuple[tuple[str, tuple[str, ...]], ...]
    validators: tuple[str, ...]
    entries: tuple[Entry, ...]


class Ballot(Message, frozen=True):
    """User -> cloud: whom it wants to validate blocks of the ledger from now on (``policies/incentive/ledger.py``)."""

    votes: list[str]


class Proposal(Message, frozen=True):
    """Cloud -> elected validators: a block to be attested."""

    block: Block


class Attestation(Message, frozen=True):
    """Validator -> cloud: block ``number`` follows; ``tag``: keyed hash of its hash. Any user, empty ``tag``: it lacks it."""

    number: Count
    tag: bytes


class SealedBlock(Message, frozen=True):
    """Cloud -> users, multicast, and a record: a block of the ledger with its attestations as (validator, tag)."""

    block: Block
    seal: list[tuple[str, bytes]]
