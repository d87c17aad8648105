"""What a trace holds that belongs to no single request, counted: it does not grow with the number of users' records."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...bus.clock import MS
from ...bus.records import AirRecord, Attack, Verdict

STEP_NS = 10 * MS
"""How finely the growth of KBs is kept."""


@dataclass
class SharedAir:
    """Transfers of one purpose and direction, added up."""

    complex_symbols: int = 0
    signature_bits: int = 0


@dataclass
class Network:
    """Counts of a whole run, or of a part of it (see `add`)."""

    airs: dict[tuple[str, str], SharedAir] = field(default_factory=dict)
    """(Purpose, direction) -> its transfers."""
    held: dict[str, dict[int, int]] = field(default_factory=dict)
    """Role -> time in steps of ``STEP_NS`` -> by how many items the KBs of its agents grew then."""
    shares: dict[str, bool] = field(default_factory=dict)
    """User -> whether its answer to the cloud's terms was to share something."""
    paid: dict[str, float] = field(default_factory=dict)
    """User -> credits."""
    told: dict[str, dict[bytes, None]] = field(default_factory=dict)
    """User -> the different vectors that it sent, where noise was added to them (see `privacy`)."""
    branches: dict[str, None] = field(default_factory=dict)
    """Subjects with a branch model that a user learned of."""
    handovers: int = 0
    updates: dict[int, None] = field(default_factory=dict)
    """Versions of the cloud's stage 3 updates."""
    attacks: list[Attack] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    forgeries_shown: int = 0
    """Pictures shown that nobody had taken and sent."""
    end_ns: int = 0

    def charge(self, air: AirRecord) -> None:
        """Count a transfer that belongs to no request."""
        total = self.airs.setdefault((air.purpose, air.direction), SharedAir())
        total.complex_symbols += air.complex_symbols
        total.signature_bits += air.signature_bits

    def grow(self, role: str, t_ns: int, items: int) -> None:
        """Note that an agent's KB grew (or shrank) by so many items."""
        steps = self.held.setdefault(role, {})
        steps[t_ns // STEP_NS] = steps.get(t_ns // STEP_NS, 0) + items

    def add(self, other: "Network") -> None:
        """Count what another part of the run counted; an agent's records are all in one part."""
        for key, air in other.airs.items():
            total = self.airs.setdefault(key, SharedAir())
            total.complex_symbols += air.complex_symbols
            total.signature_bits += air.signature_bits
        for role, steps in other.held.items():
            for step, items in steps.items():
                self.grow(role, step * STEP_NS, items)
        self.shares |= other.shares
        for user, credits in other.paid.items():
            self.paid[user] = self.paid.get(user, 0.0) + credits
        for user, vectors in other.told.items():
            self.told.setdefault(user, {}).update(vectors)
        self.branches |= other.branches
        self.handovers += other.handovers
        self.updates |= other.updates
        self.forgeries_shown += other.forgeries_shown
        self.end_ns = max(self.end_ns, other.end_ns)


def together(parts: Iterable[tuple[Network, list[tuple[Any, Attack | Verdict]]]]) -> Network:
    """The sum of parts; with each its attacks and verdicts, and their places in the order of the run, which sorts them."""
    whole, looks = Network(), []
    for part, found in parts:
        whole.add(part)
        looks += found
    looks.sort(key=lambda look: look[0])
    whole.attacks = [look for _, look in looks if isinstance(look, Attack)]
    whole.verdicts = [look for _, look in looks if isinstance(look, Verdict)]
    return whole
