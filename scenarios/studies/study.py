"""What the module of a study is given, and what it must have."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from .. import folder as folders
from ..metrics.row import Row
from ..schema import Section
from .findings import Findings

Overlay = dict[str, Any]
"""Tables of a scenario to be laid over others."""


@dataclass(frozen=True)
class Views:
    """What people can look at of one request: pictures as raw uint8 RGB bytes, empty where there was none."""

    original: bytes
    generated: bytes
    shown: bytes


@dataclass(frozen=True)
class Arm:
    """One finished run of a study: a run folder like any other, below ``arms/``."""

    name: str
    folder: Path

    @cached_property
    def run(self) -> dict[str, Any]:
        """Its ``run.json``."""
        return folders.read_run(self.folder)

    @cached_property
    def results(self) -> dict[str, float]:
        """Its headline results."""
        return self.run["results"]  # type: ignore[no-any-return]

    @cached_property
    def rows(self) -> list[Row]:
        """One a request, in the order of their captures."""
        from ..metrics.table import read_rows

        return read_rows(self.folder / folders.ROWS_FILE)

    def stories(self) -> list[Any]:
        """All that its trace holds of each request (`metrics.story.Story`), in the order of the captures. Read anew each time."""
        from ...agents.base import PAYLOADS
        from ...bus.envelope import Codec
        from ...bus.trace_reading import TraceReader
        from ..metrics.story import collect

        reader = TraceReader(self.folder, Codec(PAYLOADS))
        return collect((record.envelope for record in reader.records()), {})[0]

    def views(self, requests: Sequence[str]) -> dict[str, Views]:
        """Pictures of some requests."""
        return {
            story.request: Views(
                story.capture.picture,
                story.content.picture if story.content else b"",
                story.shown.picture if story.shown else b"",
            )
            for story in self.stories()
            if story.request in requests
        }


@dataclass(frozen=True)
class Study:
    """What a study's module measures with.

    Attributes:
        name: Of the study, as in the catalog.
        seed: Of all randomness.
        options: The module's own ``Options``.
        arms: Name -> finished run; empty where the module asks for none.
        figures: Folder for `report.theme.figure`; exists.
        images: Folder of the user's own pictures (``--images``), or None.
        quick: Whether this is the short form.
        tell: ``tell(done, all, what)``: progress of the module's own measurements.
    """

    name: str
    seed: int
    options: Any
    arms: Mapping[str, Arm]
    figures: Path
    images: Path | None = None
    quick: bool = False
    tell: Callable[[int, int, str], None] = lambda done, all, what: None


class StudyModule(Protocol):
    """A module ``scenarios/studies/<name>.py``.

    ``Options`` is a `schema.Section` with the keys of the file's ``[options]`` table and their defaults. ``arms(options)`` gives
    further arms by name (overlays on ``[base]``), where options decide about them; those of the file's ``[arms]`` come first.
    """

    Options: type[Section]

    def arms(self, options: Any) -> dict[str, Overlay]:
        """Optional."""

    def find(self, study: Study) -> Findings:
        """Measure, or read what the arms measured."""
