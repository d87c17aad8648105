"""Role ``extractor`` of the table: a measured look (`patterns`), laid over what a sketch shows."""

from collections.abc import Sequence
from pathlib import Path

from ...scenes.caption import caption
from ...scenes.world import make_scene
from ...sketches import Hop, of_scene, read, written
from ..roles import Extract, Extraction
from . import looks, patterns
from .base import TableModel, drawn
from .store import Stored, read_table

LOOKS = 5
"""Boxes that a picture is reckoned to hold when the cost of looking at them is fixed; as the tiny profile's extractor."""


class TableExtractor(TableModel):
    """Implements `semcast.agents.models.roles.Model`."""

    role = "extractor"

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        card = stored.costs["extractor"].data
        self._flops, self._flops_per_look = int(card["flops"]), int(card["flops_per_look"])
        self._threshold = float(card["subject_threshold"])
        self._cells: dict[tuple[str, int, int], Sequence[bytes]] = {}

    def flops(self, arguments: Extract) -> int:
        """As the measured profile's."""
        return self._flops + (LOOKS * self._flops_per_look if arguments.subjects else 0)

    def answer(self, call: Extract) -> Extraction:
        """A pattern is picked by a hash of the call."""
        sketch = read(call.picture)
        asked = self._asked(call)
        things = sketch.things
        cell = (patterns.state_of(sketch, self.stored.library), patterns.knowing(things, asked), len(things))
        measured = self._cells.get(cell) or self._cell(cell)
        pattern = measured[drawn(call.picture, *(name.encode() for name in asked)) % len(measured)]
        boxes, background = patterns.laid(pattern, things, sketch.background, asked)
        said = caption(background, [(box.label, box.colour, box.subject) for box in boxes])
        return Extraction(said, background, boxes)

    def _asked(self, call: Extract) -> list[str]:
        """Subjects whose look the asker has: a vector that noise has made another one's recognises nothing."""
        return [name for name, vector in call.subjects.items() if looks.alike(self.stored, name, vector) >= self._threshold]

    def _cell(self, cell: tuple[str, int, int]) -> Sequence[bytes]:
        """Looks of a cell, or where there are none of the nearest one: fewer objects, then less known, then a better picture."""
        known = self.stored.table.extractions
        state, knows, number = cell
        states = [state, *sorted({name.partition("/")[0] for name in known} - {state}, reverse=True)]
        numbers = sorted(range(9), key=lambda other: abs(other - number))
        names = (
            patterns.cell_name(one, how, other)
            for one in states
            for how in dict.fromkeys((knows, patterns.ALONE))
            for other in numbers
        )
        found = next(known[name] for name in names if known.get(name))
        self._cells[cell] = found
        return found


def load(folder: Path) -> TableExtractor:
    """Read the table."""
    return TableExtractor(read_table(folder))


def examples() -> list[Extract]:
    """Ten different calls, some with subjects, some of received pictures."""
    known = looks.catalog(read_table(Path(__file__).resolve().parents[1] / "weights" / "table"))
    owned = {name: known[name] for name in ("mia/dog", "leo/cat")}
    calls = []
    for index in range(10):
        sketch = of_scene(make_scene("example", index, subjects=tuple(owned) if index % 2 else (), count=(2, 6)))
        hops = (Hop("snr07-cbr12", 30 * index - 50),) if index > 6 else ()
        calls.append(Extract(written(type(sketch)(sketch.things, sketch.background, sketch.grain, hops=hops)), owned))
    return calls
