"""A folder's trace reduced in piles and by several processes: the same rows and results as all at once."""

import sys
import types
from pathlib import Path

import pytest
from semcast.agents.base import PAYLOADS
from semcast.bus.envelope import Codec
from semcast.bus.trace import TraceWriter
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.metrics import reduction
from semcast.scenarios.metrics.gather import Gatherer, Piece
from semcast.scenarios.metrics.lean import readers
from semcast.scenarios.metrics.reduce import rows_of
from semcast.scenarios.metrics.reduction import Reduction, reduce_run, reduce_stories
from semcast.scenarios.metrics.story import collect
from semcast.scenarios.metrics.summary import results

from ..tale import SETTINGS, events, write_tale


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tale's records in the segments of three workers, an agent's all in those of one."""
    place = tmp_path_factory.mktemp("run")
    codec, workers = Codec(PAYLOADS), {"user": 0, "bs": 1, "edge": 1, "cloud": 2}
    writers = [TraceWriter(place / "trace", worker, {"run": "tale"}) for worker in range(3)]
    for envelope in events():
        writer = writers[workers[envelope.source.partition(".")[0]]]
        writer.write(envelope, codec.encode(envelope), envelope.origin == "private")
    for writer in writers:
        writer.close()
    return place


@pytest.fixture(scope="module")
def at_once() -> Reduction:
    stories, network = collect(events(), {"cloud": SETTINGS.compute.cloud_accelerators})
    return reduce_stories(stories, network, SETTINGS, rows_of(stories, SETTINGS))


def same(one: Reduction, other: Reduction) -> bool:
    return one.rows == other.rows and results(one) == results(other) and one.samples == other.samples


def test_piles_by_worker_give_what_all_at_once_gives(folder: Path, at_once: Reduction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "PILE_BYTES", 100)
    found = reduce_run(folder, SETTINGS)
    assert same(found, at_once)
    assert found.network == at_once.network
    assert not list(folder.glob(".piles*"))


@pytest.mark.slow
def test_processes_give_what_one_gives(folder: Path, at_once: Reduction) -> None:
    assert same(reduce_run(folder, SETTINGS, processes=2), at_once)


def test_lean_records_give_the_pieces_of_whole_ones(tmp_path: Path) -> None:
    write_tale(tmp_path)
    reader = TraceReader(tmp_path)
    read = readers(vectors=True)
    whole: list[Piece] = []
    lean: list[Piece] = []
    one, other = Gatherer(whole.append, {}), Gatherer(lean.append, {})
    for record in reader.records():
        one.take(record.envelope)
    for path in reader.paths:
        for kind, _, raw in reader.skim(path, read):
            other.take(read[kind](raw))
    one.finish()
    other.finish()
    assert sorted(whole, key=lambda piece: piece.place) == sorted(lean, key=lambda piece: piece.place)
    assert one.network == other.network
    assert any(piece.what.__class__.__name__ == "LeanDecision" for piece in whole)


def test_what_names_a_request_that_nobody_took_counts_to_the_network(at_once: Reduction) -> None:
    without = [each for each in events() if each.kind != "capture"]
    stories, network = collect(without, {})
    assert stories == []
    assert network.forgeries_shown == 1
    own = {("prompt", "up"): 500, ("features", "down"): 1100, ("feedback", "up"): 50}
    assert {key: air.complex_symbols for key, air in network.airs.items() if key in own} == own
    assert not set(own) & set(at_once.network.airs)


def test_scripts_are_not_run_again_by_helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    def main(**about: object) -> None:
        monkeypatch.setitem(sys.modules, "__main__", types.SimpleNamespace(**about))  # type: ignore[arg-type]

    main(__spec__=None, __file__="/somewhere/study.py")
    assert not reduction._helpers_are_safe()
    main(__spec__=None, __file__="/somewhere/bin/semcast")
    assert reduction._helpers_are_safe()
    main(__spec__=types.SimpleNamespace(name="study.tool"), __file__="/somewhere/tool.py")
    assert not reduction._helpers_are_safe()
    main(__spec__=types.SimpleNamespace(name="semcast.__main__"), __file__="/somewhere/__main__.py")
    assert reduction._helpers_are_safe()
