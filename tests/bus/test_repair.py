"""A trace cut anywhere is made whole again with all that could be read; a whole one is left alone."""

import logging
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus.errors import BadInput
from semcast.bus.repair import repair
from semcast.bus.trace import TraceWriter
from semcast.bus.trace_reading import TraceReader
from semcast.bus.verification import check_trace

from .test_trace import record, traced_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two workers; worker 0 has several segments and private records."""
    folder = tmp_path_factory.mktemp("whole")
    writer = TraceWriter(folder / "trace", 0, {"run": "x"})
    for n in range(1500):
        writer.write(*record(n), private=n % 5 == 0)
        if n == 800:
            writer.rotate()
    writer.close()
    return folder


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), name=st.sampled_from(["w0-0.mcap", "w0-1.mcap", "private-w0-0.mcap"]))
def test_what_can_be_read_is_whole_again(run: Path, share: float, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("cut")
    shutil.copytree(run / "trace", folder / "trace")
    path = folder / "trace" / name
    mode, cut = path.stat().st_mode, path.read_bytes()[: int(share * path.stat().st_size)]
    path.write_bytes(cut)
    before = [(r.raw, r.private, r.number) for r in TraceReader(folder).records()]
    (repaired,) = repair(folder)
    assert repaired.segment == name and repaired.reason and repaired.old.read_bytes() == cut
    after = TraceReader(folder)
    assert [(r.raw, r.private, r.number) for r in after.records()] == before and after.cut == []
    assert after.metadata == {"run": "x"} and path.stat().st_mode == mode
    assert repair(folder) == () and sorted(p.name for p in path.parent.iterdir() if p.suffix == ".part") == []


def test_a_whole_trace_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    traced_run(tmp_path, workers=2)
    before = {path: path.read_bytes() for path in (tmp_path / "trace").iterdir()}
    with caplog.at_level(logging.WARNING):
        assert repair(tmp_path) == ()
    assert {path: path.read_bytes() for path in (tmp_path / "trace").iterdir()} == before and not caplog.records
    assert check_trace(tmp_path).problems == ()


def test_without_a_trace_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no trace"):
        repair(tmp_path)
