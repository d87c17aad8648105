"""Names of a trace's segments, and which of them count when workers were made anew.

``[private-]w<worker>-<number>[-i<incarnation>].mcap``: a worker that was made anew from a snapshot goes on behind the segments
that were there at the snapshot, under its own incarnation. What earlier incarnations wrote from there on is superseded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(private-)?w(\d{1,6})-(\d{1,9})(?:-i(\d{1,9}))?\.mcap")


@dataclass(frozen=True, order=True)
class Segment:
    """A segment's name taken apart; in the order in which segments are read."""

    private: bool
    worker: int
    number: int
    incarnation: int = 0

    @property
    def name(self) -> str:
        """The file's name."""
        life = f"-i{self.incarnation}" if self.incarnation else ""
        return f"{series(self.worker, self.private)}-{self.number}{life}.mcap"


def series(worker: int, private: bool) -> str:
    """The part of a name that all segments of one worker and level of access share."""
    return f"private-w{worker}" if private else f"w{worker}"


def parse(name: str) -> Segment | None:
    """A file's name taken apart; None if it is no segment's."""
    match = _NAME.fullmatch(name)
    return match and Segment(bool(match[1]), int(match[2]), int(match[3]), int(match[4] or 0))


def segments(folder: Path) -> tuple[list[Path], list[Path]]:
    """The segments in a folder: those that count, in order, and those that are superseded."""
    found = sorted(segment for path in folder.glob("*.mcap") if (segment := parse(path.name)))
    count = {segment for segment in found if not _superseded(segment, found)}
    return [folder / s.name for s in found if s in count], [folder / s.name for s in found if s not in count]


def _superseded(segment: Segment, all_of_them: Iterable[Segment]) -> bool:
    """Whether a later incarnation of the worker began at this number or before."""
    return any(
        (other.private, other.worker) == (segment.private, segment.worker)
        and other.incarnation > segment.incarnation
        and other.number <= segment.number
        for other in all_of_them
    )
