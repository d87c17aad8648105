"""Blocks of a ledger of credits, as they travel and are recorded; their rules are in ``policies/incentive/ledger.py``."""

from msgspec import Struct


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """``user`` earned ``credits`` (whole micro-credits) by ``contribution``: kinds of items joined with +, or ``validation``."""

    user: str
    contribution: str
    credits: int


class Block(Struct, frozen=True, array_like=True, gc=False):
    """One block. ``previous``: hash of the block before, zeros for number 0.

    ``ballots``: (user, whom it votes for) of all users who voted anew since the last block, in the order of users.
    ``validators``: those elected for this block, first elected first.
    """

    number: int
    previous: bytes
    ballots: tuple[tuple[str, tuple[str, ...]], ...]
    validators: tuple[str, ...]
    entries: tuple[Entry, ...]
