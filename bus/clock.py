"""Simulated time: ints of nanoseconds, cut into windows of one lookahead (DESIGN section 2)."""

US = 1_000
MS = 1_000_000
SECOND = 1_000_000_000

NEVER = 2**63 - 1
"""Later than any event; the floor of a worker that has nothing left to do."""


def ns(seconds: float) -> int:
    """Seconds to whole nanoseconds, rounded half to even."""
    return round(seconds * SECOND)
