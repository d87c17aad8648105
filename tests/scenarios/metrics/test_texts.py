"""Rows, results and page of runs that send texts."""

from pathlib import Path

import pytest
from semcast.scenarios.folder import read_run
from semcast.scenarios.loading import load
from semcast.scenarios.metrics import facts, texts
from semcast.scenarios.metrics.row import PICTURE_COLUMNS, Row
from semcast.scenarios.metrics.table import read_rows
from semcast.scenarios.runner import run

CHANGES = {"host": "memory", "traffic.rate_hz": 1.0, "traffic.duration_s": 5.0}


def ran(folder: Path, changes: dict[str, object]) -> tuple[list[Row], dict[str, float], str]:
    outcome = run(load("two-users", quick=True, overrides=CHANGES | changes), out=str(folder / "run"))
    assert outcome.status == "ok", outcome.error
    rows = read_rows(outcome.folder / "metrics.parquet")
    return rows, read_run(outcome.folder)["results"], (outcome.folder / "report.html").read_text()


def test_a_run_of_texts(tmp_path: Path) -> None:
    changes = {"traffic.content": "text", "policies.prompt": "fixed:parts=all,share=true", "models.calibrate": True}
    rows, results, page = ran(tmp_path, changes)
    assert rows and {row.content for row in rows} == {"text"}
    for row in rows:
        assert all(getattr(row, column) is None for column in PICTURE_COLUMNS)
        assert row.facts is not None and row.facts >= 16
        if row.status == "ok":
            assert row.fact_recovery == row.generated_fact_recovery == row.wording == 1.0 and row.false_facts == 0
            assert row.text_similarity is not None and 0.5 < row.text_similarity < 1.0
            assert row.prompt_bits > 0 < row.symbols_jscc
    assert {"fact_recovery", "wording", "text_similarity", "prompt_bits_per_request"} <= results.keys()
    assert not {"object_recovery", "psnr_db", "cbr"} & results.keys()
    assert "Written, composed, read" in page and "in Paris" in page and "CBR" not in page


def test_a_run_of_alarms_has_a_floor_and_compares_source_and_sentence(tmp_path: Path) -> None:
    changes = {"traffic.content": "alarms", "policies.prompt": "fixed:parts=caption", "traffic.rate_hz": 3.0}
    rows, _, page = ran(tmp_path, changes)
    assert {row.facts for row in rows} == {0, 1}
    for row in rows:
        told = row.fact_recovery == 1.0 or row.false_facts == 1
        assert (row.cross_alignment is not None) == told
        assert (row.fact_recovery is None) == (row.facts == 0)
    assert "Seen, said, read" in page


def test_similarity_is_of_whole_texts() -> None:
    one = "Day one begins at the Louvre. For lunch there is duck confit."
    assert texts.similarity(one, one) == pytest.approx(1.0, abs=1e-6)
    assert texts.similarity(one, "") == 0.0
    near, far = "In the morning of day one we visit the Louvre.", "The budget is small."
    assert texts.similarity(one, near) > texts.similarity(one, far)


def test_recovery_counts_true_facts_alone() -> None:
    truth = frozenset(["a", "b", "c", "d"])
    assert texts.recovery(truth, frozenset(["a", "x"])) == 0.25
    assert texts.recovery(frozenset(), truth) is None


def test_the_judge_takes_contradictions_and_damage_as_they_are() -> None:
    text = "In the morning of day one we visit the Louvre. In the morning of day one we visit Notre-Dame."
    assert facts.facts(text) == {"1.morning=the Louvre", "1.morning=Notre-Dame"}
    assert facts.wording("In the morning of … … one we visit the Louvre. The budget is small.") == 0.5
    assert "budget=small" in facts.facts("In the morning of … … one we visit the Louvre. The budget is small.")
    assert facts.facts("In the morning of day two we visit some place.") == frozenset()
    assert facts.wording("In the morning of day two we visit some place.") == 1.0
    assert facts.wording("") == 0.0
