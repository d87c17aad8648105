"""What users want to be alarmed of, and the sentence that says so instead of a picture.

An alarm is a set of classes of things and a set of backgrounds: one of the things on one of the backgrounds raises it.
"""

from collections.abc import Sequence

from msgspec import Struct

from ...bus import keys
from ...bus.errors import BadInput
from ..bits import BitReader, BitWriter
from ..scenes.caption import caption
from ..scenes.vocabulary import BACKGROUND_NAMES, LABELS

WATCH_BITS = len(LABELS) + len(BACKGROUND_NAMES)
ALARM, CLEAR = "Alarm: ", "All clear."


class Alarm(Struct, frozen=True):
    """A situation: ``labels`` on ``backgrounds``."""

    labels: tuple[str, ...]
    backgrounds: tuple[str, ...]

    def raised_by(self, background: str, things: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of the things (label, colour) that raise it."""
        return [(label, colour) for label, colour in things if label in self.labels] if background in self.backgrounds else []


ALARMS = {
    "vehicle off the road": Alarm(("car", "bus", "bicycle"), ("grass", "sand", "snow")),
    "animal on the road": Alarm(("dog", "cat", "bird", "butterfly"), ("street",)),
    "thing lost outdoors": Alarm(("key", "hat", "shoe", "umbrella", "bottle"), ("sand", "snow")),
    "boat or plane down": Alarm(("boat", "plane"), ("grass", "snow", "street")),
}
"""Name -> situation; every user watches for one."""


def watched(seed: int, user: str) -> Alarm:
    """What a user wants to be alarmed of; it follows from the run's seed."""
    return ALARMS[tuple(ALARMS)[keys.integer(len(ALARMS), seed, "watched", user)]]


def encode(alarm: Alarm) -> bytes:
    """One bit a class and a background: `WATCH_BITS`, filled up to whole bytes."""
    out = BitWriter()
    for name in LABELS:
        out.write(name in alarm.labels, 1)
    for name in BACKGROUND_NAMES:
        out.write(name in alarm.backgrounds, 1)
    return out.bytes()


def decode(data: bytes) -> Alarm:
    """The other way round.

    Raises:
        BadInput: The bytes are too few, or too many.
    """
    if len(data) != -(-WATCH_BITS // 8):
        raise BadInput(f"{len(data)} bytes are no situation to watch for", f"send {WATCH_BITS} bits")
    source = BitReader(data)
    labels = tuple(name for name in LABELS if source.read(1))
    return Alarm(labels, tuple(name for name in BACKGROUND_NAMES if source.read(1)))


def phrase(background: str, things: Sequence[tuple[str, str]]) -> str:
    """What raises an alarm, in words: ``"a red car on grass"``; "" for nothing."""
    return caption(background, [(label, colour, "") for label, colour in things]) if things else ""


def sentence(said: str) -> str:
    """A phrase as its receiver reads it."""
    return f"{ALARM}{said}." if said else CLEAR


def is_alarm(text: str) -> bool:
    """Whether a text is an alarm."""
    return text.startswith(ALARM)
