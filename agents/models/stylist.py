"""Role ``stylist``: a picture rendered in a style, by Reinhard's colour transfer (`agents.style`), with numpy alone."""

from collections.abc import Sequence
from pathlib import Path

from ..scenes.draw import draw
from ..scenes.world import make_scene
from ..style import LOOKS, restyled, style_of
from .cards import Card, read_card
from .roles import Picture, Restyle

FLOPS_A_PIXEL = 225
"""Two matrices forth and two back (60), three logarithms and three powers (20 each), statistics (24), shift and scale (9),
rounding (12)."""


class Stylist:
    """Implements `semcast.agents.models.roles.Model`."""

    role = "stylist"
    batch = 1

    def __init__(self, card: Card) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256

    def group(self, arguments: Restyle) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Restyle) -> int:
        """By the number of pixels."""
        return FLOPS_A_PIXEL * (len(arguments.picture) // 3)

    def run(self, arguments: Sequence[Restyle]) -> list[Picture]:
        """One after the other."""
        return [Picture(restyled(call.picture, call.style)) for call in arguments]


def load(folder: Path) -> Stylist:
    """Read the card; there are no weights."""
    return Stylist(read_card(folder))


def examples() -> list[Restyle]:
    """Scenes, each in the colours of another."""
    raw = [draw(make_scene("stylist", number, count=(1, 4))).tobytes() for number in range(len(LOOKS))]
    return [Restyle(picture, style_of(other)) for picture, other in zip(raw, raw[1:] + raw[:1], strict=True)]
