"""``semcast train``: one recipe, all of them, and going on where it stopped."""

import json
from pathlib import Path

import pytest
from semcast.agents.models.cards import read_card
from semcast.agents.models.loading import PROFILES
from semcast.agents.models.training.recipes import RECIPES
from semcast.scenarios.cli import main


def test_trains_what_was_asked_for_and_goes_on_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "tiny", "--only", "keywords", "--only", "jscc-photos", "--json"]
    command += ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "weights")]
    steps = []
    for minutes in ("0.02", "0.04"):
        assert main([*command, "--minutes", minutes]) == 0
        trained = json.loads(capsys.readouterr().out)["trained"]
        assert "--photos" in trained["jscc-photos"]["skipped"]
        card = read_card(Path(trained["keywords"]["card"]))
        assert card.folder == tmp_path / "weights" / "keywords" and card.sha256 == trained["keywords"]["sha256"]
        steps.append(json.loads(next((tmp_path / "work").rglob("progress.json")).read_text())["steps"])
    assert 0 < steps[0] < steps[1]


def test_every_model_of_the_tiny_profile_has_a_recipe() -> None:
    """All but the embedder, whose weights come from a package, and the stylist, which has none."""
    made = {recipe.folder for recipe in RECIPES.values()}
    assert {source.folder for source in PROFILES["tiny"].values()} - made == {"embedder", "stylist"}


def test_unknown_recipes_are_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tiny", "--only", "jsc"]) == 2
    assert "jscc-photos" in capsys.readouterr().err
