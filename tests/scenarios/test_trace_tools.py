"""``semcast trace RUN --export`` and ``--repair``: what others read is what was recorded; nothing is overwritten."""

import json
from pathlib import Path

import msgpack
import pyarrow.parquet as pq
import pytest
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.cli import main
from semcast.scenarios.folder import held


def test_exported_records_are_the_recorded_ones(told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trace.parquet"
    assert main(["trace", str(told), "--export", str(file)]) == 0
    records = list(TraceReader(told).records(private=False))
    assert capsys.readouterr().out.splitlines() == [f"{len(records)} records", str(file)]
    rows = pq.read_table(file).to_pylist()
    assert [row["raw"] for row in rows] == [record.raw for record in records] and len(rows) > 5
    for row, record in zip(rows, records, strict=True):
        values = msgpack.unpackb(row["raw"])
        assert [row[name] for name in ("t_send_ns", "t_deliver_ns", "priority", "source", "destination", "sequence")] == values[
            1:7
        ]
        assert row["kind"] == record.kind == json.loads(row["payload"])["type"] and not row["private"]
    assert {row["kind"] for row in rows if row["source"].startswith("user")}


def test_filters_choose_what_is_exported(told: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "all.parquet", tmp_path / "part.parquet"
    assert main(["trace", str(told), "--private", "--export", str(whole)]) == 0
    kind = pq.read_table(whole).column("kind")[0].as_py()
    assert main(["trace", str(told), "--kind", kind, "--export", str(part)]) == 0
    assert set(pq.read_table(part).column("kind").to_pylist()) == {kind}
    assert any(pq.read_table(whole).column("private").to_pylist())


def test_a_cut_trace_is_repaired(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(told), "--repair"]) == 0
    assert "no segment is cut" in capsys.readouterr().out
    path = sorted((told / "trace").glob("w*.mcap"))[0]
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["trace", str(told), "--repair", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["repaired"]
    assert row["segment"] == path.name and row["records"] > 0 and Path(row["old"]).is_file()
    assert TraceReader(told).cut == [] and main(["trace", str(told)]) == 0


def test_a_run_that_goes_on_is_not_repaired(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it has not written yet looks like a cut."""
    path = sorted((told / "trace").glob("w*.mcap"))[0]
    path.write_bytes(half := path.read_bytes()[:-20])
    with held(told):
        assert main(["trace", str(told), "--repair"]) == 2
    assert "still goes on" in capsys.readouterr().err and path.read_bytes() == half
    assert not list(path.parent.glob("*.cut"))


@pytest.mark.parametrize(
    ("name", "told_what"), [("a.csv", "only Parquet"), ("run.parquet", "exists"), ("no/a.parquet", "written")]
)
def test_mistakes_are_told(name: str, told_what: str, told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.parquet").write_text("mine")
    assert main(["trace", str(told), "--export", str(tmp_path / name)]) == 2
    assert told_what in capsys.readouterr().err and (tmp_path / "run.parquet").read_text() == "mine"


def test_filters_that_nothing_can_have_are_told(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(told), "--agent", "user.aa"]) == 2
    assert "did you mean 'user.a'?" in capsys.readouterr().err
    assert main(["trace", str(told), "--kind", "decison"]) == 2
    assert "did you mean 'decision'?" in capsys.readouterr().err


def test_a_report_is_not_made_of_a_damaged_trace(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sorted((told / "trace").glob("w*.mcap"))[0]
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["report", str(told)]) == 1
    assert "its trace is damaged" in capsys.readouterr().err and not (told / "report.html").exists()
