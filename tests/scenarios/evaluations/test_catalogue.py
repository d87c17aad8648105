"""The catalogue's figures: bits as the prompt codec codes them, and the columns of ``semcast list models``."""

import json
from pathlib import Path

import numpy as np
import pytest
from semcast.agents.models.roles import Box, Branch, Extraction, Intent, Picture
from semcast.agents.prompt_codec import WORD_BITS
from semcast.scenarios.cli import main
from semcast.scenarios.evaluations import kept
from semcast.scenarios.evaluations.catalogue import prompt_bits
from semcast.scenarios.evaluations.score import Score


def test_prompt_bits_grow_by_what_is_said() -> None:
    box = Box("dog", "red", 10, 10, 8, 8)
    caption = prompt_bits(Extraction("a red dog on grass", "grass", []))
    assert prompt_bits(Extraction("a red dog and a red dog on grass", "grass", [])) - caption == 4 * WORD_BITS
    one, two = (prompt_bits(Extraction("a red dog on grass", "grass", [box] * n)) for n in (1, 2))
    assert two - one == 35
    assert prompt_bits(Branch("mia/dog", np.zeros(48, np.float32).tobytes())) > 48 * 16
    assert prompt_bits(Intent("show my dog", ["dog", "grass"])) > prompt_bits(Intent("show my dog", ["dog"])) > 0
    assert prompt_bits(Picture(b"")) == 0


def test_the_list_shows_size_memory_bits_and_measured_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "KEPT", tmp_path / "evaluation.json")
    figures = {"wall_ms_extractor": Score(12.5, 12, 13, 7), "prompt_bits_extractor": Score(150, 140, 160, 6)}
    kept.save("catalogue", figures, "tiny")
    assert main(["list", "models", "--json"]) == 0
    rows = {row["role"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    row = rows["extractor"]
    assert (row["measured_wall_ms"], row["prompt_bits"]) == (12.5, 150)
    assert row["memory_mb"] == round(4 * row["params"] / 1e6, 2) > row["disk_mb"] / 2 > 0
    assert rows["generator"]["measured_wall_ms"] is None
    assert rows["extractor@int8"]["memory_mb"] < row["memory_mb"] and rows["extractor@int8"]["disk_mb"] < row["disk_mb"]
    for name in ("jscc_photos", "judge", "clip_judge"):  # no agent asks them
        assert rows[name]["params"] > 0 and rows[name]["flops"] > 0 and not rows[name]["problem"]
