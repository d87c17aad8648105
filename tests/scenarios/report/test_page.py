"""The report of a run: complete, self-contained, escaped."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from semcast.scenarios.metrics.judging import Recovery, Scores, fidelity_of
from semcast.scenarios.metrics.reduce import row_of
from semcast.scenarios.metrics.reduction import Reduction, reduce_stories
from semcast.scenarios.metrics.story import collect
from semcast.scenarios.metrics.summary import results
from semcast.scenarios.report import figures
from semcast.scenarios.report.html import document, number, table
from semcast.scenarios.report.page import jscc_only_symbols, write_report

from ..tale import SETTINGS, events


@pytest.fixture
def reduction() -> Reduction:
    stories, network = collect(events(), {})
    good, lost = (fidelity_of(story) for story in stories)
    scores = [Scores(good, Recovery(0.5, 0.5), Recovery(1.0, 0.5)), Scores(lost)]
    rows = [row_of(s, x, SETTINGS) for s, x in zip(stories, scores, strict=True)]
    return reduce_stories(stories, network, SETTINGS, rows)


def run(reduction: Reduction) -> dict[str, Any]:
    return {
        "scenario": "tale",
        "title": "A <b>tale</b>",
        "scheme": "gai-scn",
        "seed": 1,
        "host": "memory",
        "workers": 1,
        "requests": 2,
        "sim_s": 0.2,
        "command": "semcast run tale",
        "digest": "00ff",
        "policies": {"encoder": "fixed"},
        "versions": {"semcast": "0"},
        "results": results(reduction),
    }


def test_the_page_is_self_contained_and_complete(reduction: Reduction, tmp_path: Path) -> None:
    page = write_report(tmp_path, reduction, run(reduction)).read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r"data:[^\"]*", "", page)
    for part in (
        "semcast run tale",
        "00ff",
        "Sent, generated, received",
        "prompt lost at bs.0",
        "Cells are orthogonal",
        "All results",
    ):
        assert part in page
    assert "A &lt;b&gt;tale&lt;/b&gt;" in page
    assert {path.name for path in (tmp_path / "figures").iterdir()} >= {"row.png", "row.svg", "latency.png", "symbols.png"}


def test_a_run_without_requests_still_has_a_page(tmp_path: Path) -> None:
    empty = Reduction([], collect([], {})[1], SETTINGS)
    assert "No picture was shown" in write_report(tmp_path, empty, run(empty)).read_text()


def test_figures_are_the_same_bytes_again(reduction: Reduction, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(tmp_path / name, reduction, run(reduction))
    for path in (tmp_path / "a" / "figures").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / "figures" / path.name).read_bytes(), path.name


def test_jscc_only_doubles_the_downlink_of_shown_requests(reduction: Reduction) -> None:
    assert jscc_only_symbols(reduction) == 2 * 1100


def test_html_pieces_escape() -> None:
    assert "&lt;i&gt;" in table([{"a<i>": "<i>"}])
    assert "<title>&amp;</title>" in document("&", [])
    assert [number(value) for value in (3, 12345.6, 0.12345, None, "x")] == ["3", "12,346", "0.123", "", "x"]


def test_privacy_is_told_where_vectors_had_noise(reduction: Reduction, tmp_path: Path) -> None:
    knowledge = structs.replace(SETTINGS.knowledge, privacy_epsilon=8.0)
    noisy = replace(reduction, settings=structs.replace(SETTINGS, knowledge=knowledge))
    assert "Privacy of shared" not in write_report(tmp_path, reduction, run(reduction)).read_text()
    page = write_report(tmp_path, noisy, run(noisy)).read_text()
    assert "each release is (8, 1e-05)-differentially private" in page
    assert "Pictures, captions and boxes are not covered" in page


def test_of_many_requests_some_are_drawn_and_the_page_says_so(
    reduction: Reduction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "DOTS", 10)
    rows = [structs.replace(reduction.rows[0], snr_db=float(i % 20), psnr_db=20.0 + i % 7) for i in range(40)]
    many = replace(reduction, rows=rows + 30 * [reduction.rows[1]])
    page = write_report(tmp_path, many, run(many)).read_text()
    assert "At most 10 evenly spaced ones are drawn as dots" in page
    assert "10 more are in metrics.parquet" in page
    assert "At most" not in write_report(tmp_path, reduction, run(reduction)).read_text()


def test_few_keeps_both_ends_and_order() -> None:
    assert figures.few(list(range(100)), 4) == [0, 33, 66, 99]
    assert figures.few(np.arange(100), 4).tolist() == [0, 33, 66, 99]
    assert figures.few([3, 1], 4) == [3, 1]
