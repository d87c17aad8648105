"""Grids: their points, rows and means."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from semcast.bus.errors import BadInput
from semcast.scenarios.cli import main
from semcast.scenarios.comparison.cells import Cell
from semcast.scenarios.comparison.grid import Axis, check_metrics, grid_points, known_metrics, summary, sweep_rows, write_parquet

AXES = [
    Axis("traffic.rate_hz", (0.5, 1)),
    Axis("policies.encoder", ("fixed:codec=a", "snr-table")),
    Axis("radio.perfect_csi", (True,)),
]
POINTS = grid_points(AXES)


def cells() -> list[Cell]:
    found = []
    for p, point in enumerate(POINTS):
        for seed in (1, 2, 3):
            results = {"psnr_db": 20.0 + p + seed} | ({"only_first": 1.0} if p == 0 else {})
            found.append(Cell(point.name, seed, f"d{p}{seed}", (), {}, results))
    return found


def test_the_last_value_changes_fastest() -> None:
    assert [point.name for point in POINTS] == [
        "traffic.rate_hz=0.5, policies.encoder=fixed:codec=a, radio.perfect_csi=true",
        "traffic.rate_hz=0.5, policies.encoder=snr-table, radio.perfect_csi=true",
        "traffic.rate_hz=1, policies.encoder=fixed:codec=a, radio.perfect_csi=true",
        "traffic.rate_hz=1, policies.encoder=snr-table, radio.perfect_csi=true",
    ]
    assert POINTS[3].overrides == {"traffic.rate_hz": 1, "policies.encoder": "snr-table", "radio.perfect_csi": True}


def test_means_over_seeds_have_students_interval() -> None:
    entry = next(entry for entry in summary(POINTS, cells(), ["psnr_db"]) if entry["settings"] == POINTS[1].overrides)
    assert (entry["mean"], entry["seeds"]) == (23.0, 3)
    assert entry["high"] - entry["mean"] == pytest.approx(4.3027 / 3**0.5, abs=1e-3)  # t of 2 degrees of freedom, sd 1
    one = summary(POINTS, [cell for cell in cells() if cell.seed == 1], ["psnr_db"])
    assert one[0]["mean"] == 21.0 and one[0]["low"] is None


def test_parquet_has_a_row_a_point_and_seed(tmp_path: Path) -> None:
    write_parquet(tmp_path / "sweep.parquet", sweep_rows(POINTS, cells()))
    rows = pq.read_table(tmp_path / "sweep.parquet").to_pylist()
    assert len(rows) == 12
    assert rows[4] == {
        "traffic.rate_hz": 0.5,
        "policies.encoder": "snr-table",
        "radio.perfect_csi": True,
        "seed": 2,
        "digest": "d12",
        "psnr_db": 23.0,
        "only_first": None,
    }


def test_a_result_that_no_run_gives_is_told() -> None:
    assert known_metrics(cells(), ()) == ["psnr_db"]
    with pytest.raises(BadInput, match="psnr_bd") as told:
        known_metrics(cells(), ["psnr_bd"])
    assert "psnr_db" in told.value.hint


def test_names_are_checked_before_anything_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_metrics(["psnr_db", "latency_s_p95", "running_csi_symbols_per_request", "attacks_forge_detected"])
    words = ["sweep", "two-users", "--set", "traffic.rate_hz=1,2", "--metrics", "psnr_db,latency_p50"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "no run has a result 'latency_p50'" in told and "latency_s_p50" in told and not (tmp_path / "out").exists()
