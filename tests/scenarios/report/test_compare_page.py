"""The pages of comparisons and sweeps, from invented outcomes."""

from pathlib import Path

import pytest
from semcast.scenarios.comparison.grid import Axis, grid_points, summary, sweep_rows
from semcast.scenarios.comparison.judgement import Judgement
from semcast.scenarios.report.compare_page import write_compare_report
from semcast.scenarios.report.sweep_page import write_sweep_report

from ..comparison.test_grid import cells as swept_cells
from ..comparison.worlds import prompt_contest

PNG = b"\x89PNG"


def test_a_comparison_shows_verdicts_differences_and_the_plane(tmp_path: Path) -> None:
    page = write_compare_report(tmp_path, Judgement(prompt_contest()).answer(), "semcast compare <here>")
    text = page.read_text()
    assert "adaptive is better than best fixed of no higher cost (parts=boxes)" in text
    assert "semcast compare &lt;here&gt;" in text and "<script" not in text
    for name in ("compare", "plane", "tuning"):
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(PNG)
    assert text.count("data:image/png;base64,") == 3


@pytest.mark.parametrize("first", ["policies.encoder", "traffic.rate_hz"])
def test_a_sweep_has_a_line_for_each_other_setting(tmp_path: Path, first: str) -> None:
    axes = [Axis(first, ("a", "b") if "policies" in first else (0.5, 50.0)), Axis("radio.perfect_csi", (True, False))]
    points = grid_points(axes)
    old = swept_cells()
    cells = [type(cell)(points[i // 3].name, cell.seed, cell.digest, (), {}, cell.results) for i, cell in enumerate(old)]
    answer = {
        "scenario": "quickstart",
        "axes": [{"path": axis.path, "values": list(map(str, axis.values))} for axis in axes],
        "seeds": [1, 2, 3],
        "metrics": ["psnr_db"],
        "points": summary(points, cells, ["psnr_db"]),
        "rows": sweep_rows(points, cells),
    }
    page = write_sweep_report(tmp_path, answer, [{first: "a", "psnr_db": 21.0}], "semcast sweep")
    assert (tmp_path / "figures" / "sweep.png").read_bytes().startswith(PNG)
    svg = (tmp_path / "figures" / "sweep.svg").read_text()
    assert "radio.perfect_csi=True" in svg and first in svg
    assert "only_first" in page.read_text()
