"""A run folder -> rows, counts and samples, in memory that does not grow with the trace.

Two passes. First the segments of each worker are read, one worker after the other or side by side, and what belongs to requests
is put into piles by request. Then one pile after the other, or side by side, becomes stories, and these become rows. What comes
out does not depend on the number of piles and processes: rows are in the order of their captures, sums exact.
"""

import logging
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ...agents.settings import NetworkSettings
from ...bus.envelope import VERSION
from ...bus.records import Attack, Verdict
from ...bus.segments import parse
from ...bus.trace_reading import TraceReader
from .alignment import Features
from .gather import WHAT, Gatherer, Piece, Place
from .lean import readers
from .network import Network, together
from .reduce import rows_of
from .row import Row
from .samples import Samples
from .story import Story, stories_of

log = logging.getLogger(__name__)

PILE_BYTES = 8 << 20
"""Of a trace, packed, for each pile."""
MOST_PILES = 128
SIDE_BY_SIDE_BYTES = 96 << 20
"""A smaller trace is read by this process alone: it is done before others have started."""
STORIES = 256
"""Judged at a time."""
HELD = 1 << 14
"""Pieces that wait in memory for their piles."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Reduction:
    """A run, reduced."""

    rows: list[Row]
    network: Network
    settings: NetworkSettings
    samples: Samples = field(default_factory=Samples)


@dataclass(frozen=True)
class _Part:
    """What came of one pile."""

    rows: list[tuple[Place, Row]]
    samples: Samples
    network: Network


def reduce_stories(stories: Sequence[Story], network: Network, settings: NetworkSettings, rows: Sequence[Row]) -> Reduction:
    """A reduction of what is all in memory; ``rows[i]`` is of ``stories[i]``."""
    samples = Samples()
    for row, story in zip(rows, stories, strict=True):
        samples.offer(row, story)
    return Reduction(list(rows), network, settings, samples)


def reduce_run(folder: Path, settings: NetworkSettings, features: Features | None = None, processes: int = 0) -> Reduction:
    """Read the trace of a run folder and reduce it.

    Args:
        folder: The run folder; piles lie there meanwhile.
        settings: Of its network.
        features: Judge alignments, see `alignments`; then, or for a small trace, all is done by this process.
        processes: How many work side by side; 0: one a core.

    Raises:
        BadInput: The folder has no trace, or one of another version.
        Missing: The judge's weights are not there.
    """
    reader = TraceReader(folder)
    size = sum(path.stat().st_size for path in reader.paths)
    workers = sorted({segment.worker for path in reader.paths if (segment := parse(path.name))})
    piles = min(1 + size // PILE_BYTES, MOST_PILES)
    users = tuple(user for user in settings.users if user.device)  # nothing else is asked of users, and there may be a million
    lean = msgspec.structs.replace(settings, users=users)
    alone = processes == 1 or features is not None or (not processes and (size < SIDE_BY_SIDE_BYTES or not _helpers_are_safe()))
    with tempfile.TemporaryDirectory(prefix=".piles-", dir=folder) as place, _workers(0 if alone else processes or None) as each:
        gathered = list(each(partial(_gather, folder, Path(place), piles, lean), workers))
        parts = list(each(partial(_reduce_pile, Path(place), lean, features), range(piles)))
    network, samples = together(gathered), Samples()
    for part in parts:
        network.add(part.network)
        samples.add(part.samples)
    placed = sorted((pair for part in parts for pair in part.rows), key=lambda pair: pair[0])
    return Reduction([row for _, row in placed], network, settings, samples)


def _helpers_are_safe() -> bool:
    """Whether processes can be spawned: each imports the main module, and somebody's script may then simulate all over again."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return file is None or (spec.name if spec else Path(file).name).startswith(("semcast", "pytest"))


class _workers:
    """Maps a function over arguments, in their order: in this process (0), or in so many others (None: one a core)."""

    def __init__(self, processes: int | None) -> None:
        self._pool = None if processes == 0 else ProcessPoolExecutor(processes, get_context("spawn"))

    def __enter__(self) -> Callable[[Callable[[Given], Made], Iterable[Given]], Iterator[Made]]:
        return map if self._pool is None else self._pool.map

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class _Piles:
    """Puts pieces into files, one for each pile and worker: all of a request are in piles of one number."""

    def __init__(self, place: Path, worker: int, number: int) -> None:
        self._paths = [place / f"{pile}-w{worker}" for pile in range(number)]
        self._held: list[list[Piece]] = [[] for _ in self._paths]
        self._count = 0
        self._encode = msgspec.msgpack.Encoder().encode

    def put(self, piece: Piece) -> None:
        """Keep a piece."""
        self._held[zlib.crc32(piece.request.encode()) % len(self._held)].append(piece)
        self._count += 1
        if self._count >= HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        for path, pieces in zip(self._paths, self._held, strict=True):
            if pieces:
                raw = self._encode(pieces)
                with path.open("ab") as file:
                    file.write(len(raw).to_bytes(8, "little") + raw)
                pieces.clear()
        self._count = 0


_Typed = msgspec.defstruct(
    "_Typed",
    [(each.name, WHAT if each.name == "what" else each.type) for each in msgspec.structs.fields(Piece)],
    bases=(Piece,),
    frozen=True,
    array_like=True,
    gc=False,
)


def _pile(place: Path, number: int) -> Iterator[Piece]:
    decoder = msgspec.msgpack.Decoder(list[_Typed])  # type: ignore[valid-type]
    for path in sorted(place.glob(f"{number}-w*")):
        with path.open("rb") as file:
            while size := file.read(8):
                yield from decoder.decode(file.read(int.from_bytes(size, "little")))


def _gather(
    folder: Path, place: Path, piles: int, settings: NetworkSettings, worker: int
) -> tuple[Network, list[tuple[Place, Attack | Verdict]]]:
    """The first pass over the segments of one worker; what belongs to requests goes into piles."""
    sorter = _Piles(place, worker, piles)
    gatherer = Gatherer(sorter.put, {"cloud": settings.compute.cloud_accelerators})
    read = readers(vectors=settings.knowledge.privacy_epsilon > 0.0)
    reader = TraceReader(folder)
    for path in reader.paths:
        segment = parse(path.name)
        if segment is None or segment.worker != worker:
            continue
        for kind, _, raw in reader.skim(path, read):
            try:
                envelope = read[kind](raw)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                log.warning("a record of %d bytes is left out: %s", len(raw), error)
                continue
            if envelope.version != VERSION:
                raise reader.other_version(envelope)
            gatherer.take(envelope)
    gatherer.finish()
    sorter.flush()
    return gatherer.network, gatherer.looks


def _reduce_pile(place: Path, settings: NetworkSettings, features: Any, number: int) -> _Part:
    """The second pass over one pile."""
    network, samples = Network(), Samples()
    stories = stories_of(_pile(place, number), network)
    placed: list[tuple[Place, Row]] = []
    for start in range(0, len(stories), STORIES):
        some = stories[start : start + STORIES]
        for story, row in zip(some, rows_of(some, settings, features), strict=True):
            samples.offer(row, story)
            placed.append((story.place, row))
    return _Part(placed, samples, network)
