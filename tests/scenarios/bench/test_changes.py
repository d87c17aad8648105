"""What has changed between two results, and the command around all benchmarks."""

import json
from pathlib import Path

import pytest
from semcast.bus.errors import BadInput
from semcast.scenarios import bench
from semcast.scenarios.bench import figures
from semcast.scenarios.bench.changes import changes, read
from semcast.scenarios.bench.turns import Result, row
from semcast.scenarios.cli import main


def result(*ratios: float) -> Result:
    return {"a": row([(ratio * 10, 10) for ratio in ratios], "s", "b", "nothing")}


def test_medians_are_of_the_turns_own_ratios() -> None:
    found = row([(2, 1), (30, 10), (8, 2)], "s", "them", "something", x=1)
    assert (found["value"], found["ratio"], found["low"], found["high"], found["turns"]) == (8, 3, 2, 4, 3)
    assert found["against"] == "them: 2 s" and found["x"] == 1


@pytest.mark.parametrize(
    ("old", "new", "beyond"),
    [((1.0, 1.2), (1.3, 1.4), True), ((1.0, 1.2), (0.8, 0.9), True), ((1.0, 1.2), (1.1, 3.0), False), ((1.0,), (9.0,), None)],
)
def test_a_change_counts_where_no_turn_of_one_lies_among_those_of_the_other(
    old: tuple[float, ...], new: tuple[float, ...], beyond: bool | None
) -> None:
    before, now = result(*old), result(*new) | {"unknown before": {"value": 1}}
    (change,) = changes(before, now)
    assert change["beyond"] is beyond and change["of"] == "ratio"
    assert change["change"] == pytest.approx(now["a"]["ratio"] / before["a"]["ratio"] - 1)


def test_values_are_compared_where_there_is_no_ratio() -> None:
    (change,) = changes({"a": {"value": 2, "ratio": None}}, {"a": {"value": 3, "ratio": 1.0}})
    assert (change["of"], change["change"], change["beyond"]) == ("value", 0.5, None)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"value": "b"}}', "\x00"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="--against"):
        read(path)
    with pytest.raises(BadInput):
        read(tmp_path / "none.json")


def test_figures_are_drawn_of_bars_and_curves(tmp_path: Path) -> None:
    curve = {f"c{x}": row([(x, 1), (x + 1, 1)], "s", "b", "", x=x, x_unit="users", series="s") for x in (1, 10)}
    figures.draw(tmp_path, "bars", result(1, 2))
    figures.draw(tmp_path, "curves", curve)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bars.png", "bars.svg", "curves.png", "curves.svg"]
    assert "users" in (tmp_path / "curves.svg").read_text()


def test_all_short_ones_go_into_one_file_and_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("semcast.scenarios.commands.bench.SHORT", {"policies": {}})
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--quick"]) == 0
    told = capsys.readouterr()
    path = Path(told.out.splitlines()[-1])
    assert path == Path("benchmarks/bench-001/bench.json") and "1/1 policies" in told.err
    assert (path.parent / "policies.svg").exists()
    assert main(["bench", "policies", "--repeats", "1", "--against", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer.keys() == json.loads(path.read_text()).keys() and answer["prompt/bandit"]["change"]["of"] == "ratio"
    assert main(["bench", "nothing"]) == 2 and set(bench.SHORT) <= set(bench.NAMES)
