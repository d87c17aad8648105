"""``semcast replay RUN --shadow``: the recorded policy agrees with itself, another where it should, and nothing is changed."""

import json
from pathlib import Path

import pytest
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.records import Decision
from semcast.bus.trace_reading import TraceReader
from semcast.policies.protocols import CONTEXTS
from semcast.policies.registry import KINDS, VERBS
from semcast.scenarios.cli import main
from semcast.scenarios.shadow import shadow


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shadow") / "run"
    options = ["--quick", "--host", "memory", "--display", "none", "--no-report"]
    assert main(["run", "two-users", *options, "--policy", "encoder=snr-table", "--out", str(folder)]) == 0
    return folder


def test_every_verb_has_a_context() -> None:
    assert sorted(CONTEXTS) == sorted(verb for kind in KINDS for verb in VERBS[kind])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "scheduling"])
def test_the_recorded_policy_agrees_with_itself(recorded: Path, kind: str) -> None:
    """Draws included: they are keyed by what the record says."""
    name = json.loads((recorded / "run.json").read_text())["policies"][kind]
    found = shadow(recorded, kind, name)
    assert found and {one.verb for one in found} <= set(VERBS[kind])
    assert all(one.same == one.decisions > 0 and one.differences == () for one in found)


def test_another_policy_is_told_apart(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: a fixed codec agrees where the recorded choice was that codec."""
    chosen = [
        record.envelope.payload.choice["codec"]
        for record in TraceReader(recorded).records(kind="decision")
        if isinstance(record.envelope.payload, Decision) and record.envelope.payload.policy_kind == "encoder"
    ]
    assert main(["replay", str(recorded), "--shadow", "encoder=fixed", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["agreement"]
    (instead,) = {json.loads(b)["codec"] for _, b, _ in row["differences"]} or {chosen[0]}
    assert row["decisions"] == len(chosen) and row["same"] == chosen.count(instead) and row["recorded"] == "snr-table"
    assert sum(n for _, _, n in row["differences"]) == row["decisions"] - row["same"]
    assert main(["replay", str(recorded), "--shadow", "encoder=fixed"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(recorded)


def test_a_policy_that_fails_is_named_with_the_record(recorded: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("class Mine:\n    def choose(self, context, rng):\n        return 1 / 0\n")
    with pytest.raises(RunFailed, match=r"record \d+, choose about '.*': ZeroDivisionError"):
        shadow(recorded, "encoder", f"{mine}:Mine")


def test_mistakes_are_told(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded), "--shadow", "encodr=fixed"]) == 2
    assert main(["replay", str(recorded), "--shadow", "encoder=fixed", "--verify"]) == 2
    assert "--verify and --shadow: one, please" in capsys.readouterr().err
    with pytest.raises(BadInput, match="no decisions of kind scheduling"):  # two users never wait for each other
        shadow(recorded, "scheduling", "fifo")
    with pytest.raises(BadInput, match="no run folder"):
        shadow(tmp_path, "encoder", "fixed")


def test_a_policy_that_breaks_a_rule_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from semcast.policies.protocols import PromptChoice\n\n\nclass Mine:\n    def select(self, context, rng):\n"
        "        return PromptChoice(('boxesx',), False, 'wrong')\n"
    )
    options = ["--quick", "--host", "memory", "--display", "none", "--no-report", "--policy", f"prompt={mine}:Mine"]
    assert main(["run", "two-users", *options, "--out", str(tmp_path / "run")]) == 1
    assert "select: a part is no candidate" in capsys.readouterr().err
