"""Disturbances for tests: a run's digest must not notice any of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .. import keys

T = TypeVar("T")


@dataclass
class Chaos:
    """Delays, duplicates, shuffles and loses what is sent.

    Attributes:
        seed: Root of its draws, so that a failing test can be repeated.
        delay_s: Greatest delay before a swap's messages are sent, in wall-clock seconds.
        duplicate: Share of messages sent twice.
        shuffle: Whether the messages of a swap are sent in random order.
        drop: Share of messages not sent (they must be asked for again; asked-for ones can get lost again).
    """

    seed: int = 0
    delay_s: float = 0.0
    duplicate: float = 0.0
    shuffle: bool = False
    drop: float = 0.0
    _draws: int = field(default=0, repr=False)

    def _draw(self) -> float:
        self._draws += 1
        return keys.uniform("chaos", self.seed, self._draws)

    def delay(self) -> float:
        """Seconds to wait before sending."""
        return self.delay_s * self._draw() if self.delay_s else 0.0

    def lost(self) -> bool:
        """Whether one message gets lost."""
        return bool(self.drop) and self._draw() < self.drop

    def disturb(self, messages: Sequence[T]) -> list[T]:
        """The messages, some of them twice, in another order."""
        twice = [message for message in messages if self.duplicate and self._draw() < self.duplicate]
        disturbed = [*messages, *twice]
        if self.shuffle:
            draws = [self._draw() for _ in disturbed]
            disturbed = [disturbed[i] for i in sorted(range(len(disturbed)), key=draws.__getitem__)]
        return disturbed
