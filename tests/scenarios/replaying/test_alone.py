"""``semcast replay RUN --agent ID``: every agent does again what it did; what is done otherwise now is named."""

import io
import json
import shutil
from pathlib import Path

import pytest
from semcast.agents.user import User
from semcast.bus.calls import ModelCalls, PendingCall
from semcast.bus.engine import Context
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.messages import Tick
from semcast.bus.records import Capture
from semcast.scenarios.cli import main
from semcast.scenarios.folder import read_run
from semcast.scenarios.replaying.alone import LoneAgent

AGENTS = ("bs.0", "cloud.0", "edge.0", "user.leo", "user.mia")


def test_every_agent_of_a_run_does_again_what_it_did(recorded: Path) -> None:
    for agent in AGENTS:
        found = LoneAgent(recorded, agent).replay()
        assert found.difference is None and found.error is None, agent
        assert found.agreed == found.records > 10 and found.handled > 10, agent


def test_live_models_give_the_recorded_results(recorded: Path) -> None:
    lone = LoneAgent(recorded, "user.mia", live_models=True)
    found = lone.replay()
    assert any(record.envelope.origin == "activity" for record in lone.records)
    assert found.difference is None and found.agreed == found.records


def test_models_are_only_run_when_they_are_live(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def told(self: ModelCalls, call: PendingCall) -> object:
        asked.append(call.role)
        return run(self, call)

    run = ModelCalls.result
    monkeypatch.setattr(ModelCalls, "result", told)
    LoneAgent(recorded, "user.leo").replay()
    assert not asked
    LoneAgent(recorded, "user.leo", live_models=True).replay()
    assert "extractor" in asked


def test_a_policy_that_was_changed_is_named_by_its_first_decision(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = LoneAgent(changed, "user.mia").replay()
    assert found.difference is not None and found.during is not None
    assert found.difference.kind == "decision" and found.difference.field.startswith("payload.")
    assert found.during.destination == "user.mia"
    assert found.agreed < found.records
    assert LoneAgent(changed, "bs.0").replay().difference is None  # it only sees what was recorded
    assert main(["replay", str(changed), "--agent", "user.mia", "--json"]) == 1
    told = capsys.readouterr()
    shown = json.loads(told.out)
    assert shown["difference"]["sequence"] == found.difference.sequence and shown["agreed"] == found.agreed
    assert f"user.mia record {found.difference.sequence} (decision)" in told.err and "--pdb" in told.err


def test_code_that_was_changed_is_named_by_what_it_makes(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that keeps another recipient in its state than before: its next capture tells."""
    monkeypatch.setattr(User, "recipient", lambda self, number, ctx: "user.mia")
    found = LoneAgent(recorded, "user.mia").replay()
    assert found.difference is not None and found.during is not None
    assert (found.difference.kind, found.difference.field) == ("capture", "payload.recipient")
    assert (found.difference.a, found.difference.b) == ("user.leo", "user.mia")
    assert isinstance(found.during.payload, Tick) and found.during.payload.name == "picture"
    first = next(record for record in LoneAgent(recorded, "user.mia").records if isinstance(record.envelope.payload, Capture))
    assert first.envelope.sequence == found.difference.sequence


def test_code_that_fails_is_named_by_what_it_handles(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: User, tick: Tick, ctx: Context) -> None:
        raise ValueError("broken camera")

    monkeypatch.setattr(User, "tick_picture", broken)
    assert main(["replay", str(recorded), "--agent", "user.mia"]) == 1
    told = capsys.readouterr()
    assert "fails with ValueError: broken camera (handling user.mia:" in told.err and "records as recorded" in told.out


def test_the_debugger_stops_before_the_message(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("p event.kind, ctx.id\nc\n"))
    assert main(["replay", str(recorded), "--agent", "bs.0", "--pdb", "--at", "3"]) == 0
    out = capsys.readouterr().out
    assert "handling user." in out and "-> self.method(" in out and "'bs.0')" in out


def test_friendly_errors(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadInput, match=r"no agent 'user.mai' \(bs.0, .*\)") as told:
        LoneAgent(recorded, "user.mai")
    assert "user.mia" in str(told.value.hint)
    with pytest.raises(BadInput, match="no trace"):
        bare = tmp_path / "bare"
        shutil.copytree(recorded, bare, ignore=shutil.ignore_patterns("trace"))
        LoneAgent(bare, "bs.0")
    for wrong in (["--at", "3"], ["--pdb", "--at", "9999"], ["--pdb", "--at", "user.mia:9999"], ["--pdb"], ["--pdb", "--json"]):
        assert main(["replay", str(recorded), "--agent", "bs.0", *wrong]) == 2, wrong
    assert main(["replay", str(recorded), "--verify", "--pdb"]) == 2
    assert main(["replay", str(recorded), "--verify", "--agent", "bs.0"]) == 2
    capsys.readouterr()


def test_a_damaged_trace_is_told_with_its_chunk(damaged: Path) -> None:
    with pytest.raises(RunFailed, match="w0-0.mcap: chunk 0"):
        LoneAgent(damaged, "bs.0")


def test_only_a_run_that_ended_well_is_replayed(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "failed"
    shutil.copytree(recorded, copy)
    (copy / "run.json").write_text(json.dumps(read_run(copy) | {"status": "failed"}))
    with pytest.raises(BadInput, match="failed"):
        LoneAgent(copy, "bs.0")
