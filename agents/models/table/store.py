"""The table of measured responses: one MessagePack file beside its card, read without torch or numpy.

``semcast calibrate models`` writes it (`scenarios.tabling`); the roles of the ``table`` profile and the metrics read it.
"""

from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from ....bus.errors import BadInput
from ..cards import Card, checked, read_card
from ..codecs.library import Library, read_library

TABLE_NAME = "table.msgpack"


class Table(Struct, frozen=True):
    """What was measured.

    Attributes:
        extractions: State of a picture, what the asker knows and number of objects (`patterns.cell_name`) -> measured looks.
        outcomes: Scores of requests with what they depend on, packed rows (`outcomes.packed`).
        codecs: Names of the codecs in them.
        vectors: Word or sentence part -> embedding, float16.
        looks: Personal subject -> identifier vector, float16.
    """

    extractions: dict[str, list[bytes]]
    outcomes: bytes
    codecs: list[str]
    vectors: dict[str, bytes]
    looks: dict[str, bytes]


class Stored(Struct, frozen=True):
    """A table with its card, and what of the measured profile it goes by."""

    table: Table
    card: Card
    library: Library
    costs: dict[str, Card]
    """Role -> card of the measured profile's model, whose FLOPs calls take."""


COSTS = ("extractor", "generator", "personaliser")


@lru_cache(maxsize=4)
def read_table(folder: Path) -> Stored:
    """The table in a folder, whose neighbours are the weights of the profile that was measured.

    Raises:
        Missing: There is none, or a card of the measured profile is absent.
        BadInput: It is damaged.
    """
    card = read_card(folder)
    path = checked(card, TABLE_NAME)
    try:
        table = msgspec.msgpack.decode(path.read_bytes(), type=Table)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"{path} is no table of models ({error})", "make it again: semcast calibrate models") from None
    costs = {role: read_card(folder.parent / role) for role in COSTS}
    return Stored(table, card, read_library(folder.parent / "jscc"), costs)
