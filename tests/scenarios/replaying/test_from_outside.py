"""Runs to which something came from outside: verified, an agent of them alone, decided anew, without anybody outside."""

import json
from pathlib import Path

import pytest
from semcast.bus.asks import FIRST_NUMBER
from semcast.bus.clock import MS, SECOND
from semcast.bus.envelope import EXOGENOUS, Codec
from semcast.bus.messages import Ask
from semcast.bus.outside import Injection
from semcast.bus.trace import TraceWriter
from semcast.scenarios.cli import main
from semcast.scenarios.folder import read_run
from semcast.scenarios.loading import load
from semcast.scenarios.metrics.table import read_rows
from semcast.scenarios.runner import resume, run

REQUESTS = [f"user.mia/{FIRST_NUMBER}", f"user.leo/{FIRST_NUMBER}"]


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run with one ask of each of its users, as if it had come in then."""
    source, folder = tmp_path_factory.mktemp("asks"), tmp_path_factory.mktemp("visited") / "run"
    writer = TraceWriter(source / "trace", 0, {})
    asks = [("user.mia", Ask(FIRST_NUMBER, "user.leo", things=2)), ("user.leo", Ask(FIRST_NUMBER, "user.mia", "mapping"))]
    for number, (user, ask) in enumerate(asks):
        envelope = Injection(2 * SECOND + number * 300 * MS, number, user, f"me:{number}", ask).envelope(5)
        writer.write(envelope, Codec().encode(envelope), False)
    writer.close()
    outcome = run(
        load("two-users", quick=True, overrides={"host": "memory"}), out=str(folder), report=False, exogenous=str(source)
    )
    assert outcome.status == "ok", outcome.error
    return folder


def test_what_was_asked_has_a_row_like_any_request(visited: Path) -> None:
    rows = {row.request: row for row in read_rows(visited / "metrics.parquet")}
    assert set(REQUESTS) < set(rows) and all(rows[request].status == "ok" for request in REQUESTS)


def test_a_verification_needs_nobody_outside(visited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(visited), "--verify", "--display", "none", "--out", str(tmp_path / "again")]) == 0
    assert "verified" in capsys.readouterr().out
    assert read_run(tmp_path / "again")["digest"] == read_run(visited)["digest"]


def test_an_agent_alone_gets_what_was_asked_of_it(visited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(visited), "--agent", "user.mia"]) == 0
    words = capsys.readouterr().out.split()
    assert words[words.index("of") - 1] == words[words.index("of") + 1]


def test_decided_anew_it_comes_again_and_is_called_open_loop(
    visited: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--policy", "encoder=fixed:codec=snr07-cbr24", "--display", "none", "--out", str(out)]
    assert main(["replay", str(visited), *options]) == 0
    found = json.loads((out / "counterfactual.json").read_text())
    assert found["open_loop"] == REQUESTS
    assert found["captures"]["same"] == found["requests"] > 2 and found["digests"][0] != found["digests"][1]
    assert {row["request"] for row in found["by_request"]} > set(REQUESTS)
    assert "open loop: 2 requests" in capsys.readouterr().out
    assert REQUESTS[0] in (out / "report.html").read_text()


def test_the_trace_tells_who_asked(visited: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(visited), "--kind", "ask", "--json"]) == 0
    told = capsys.readouterr().out
    assert EXOGENOUS in told and "me:0" in told and "me:1" in told


def test_a_run_from_outside_can_be_resumed_anywhere(visited: Path, tmp_path: Path) -> None:
    """As after a kill before the first checkpoint: run.json still says what comes again."""
    folder = tmp_path / "cut"
    folder.mkdir()
    for name in ("scenario.toml", "run.json"):
        (folder / name).write_bytes((visited / name).read_bytes())
    state = read_run(folder)
    (folder / "run.json").write_text(json.dumps(state | {"status": "interrupted"}))
    outcome = resume(folder, report=False)
    assert outcome.status == "ok", outcome.error
    assert read_run(folder)["digest"] == state["digest"]


@pytest.mark.parametrize("options", [["--external"], ["--external", "--pace", "-1", "--host", "nats"]])
def test_what_cannot_come_in_is_told_before_anything_is_made(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", "two-users", "--quick", "--host", "memory", *options, "--out", str(out)]) == 2
    assert not out.exists()
    assert ("--pace -1" if len(options) > 1 else "host memory has none") in capsys.readouterr().err
