"""The judge: how good it is, also on worn pictures, and that no agent can ask it."""

import ast
from pathlib import Path

import numpy as np
import pytest
import semcast
from semcast.agents.models.judge import Judge
from semcast.agents.models.loading import PROFILES, WEIGHTS
from semcast.agents.models.training.data import to_pixels, wear
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput
from semcast.scenarios.metrics.detection import detection_score, object_recovery

SCENES = [make_scene("judge test", index, count=(1, 4)) for index in range(120)]
PICTURES = np.stack([draw(scene) for scene in SCENES])


def scores(pictures):
    found = Judge.load().detect(pictures)
    truth = [scene.boxes() for scene in SCENES]
    recovered = float(np.mean([object_recovery(t, f) for t, f in zip(truth, found, strict=True)]))
    return detection_score(zip(truth, found, strict=True)).f1, recovered


def test_clean_pictures():
    f1, recovered = scores(PICTURES)
    assert f1 >= 0.97 and recovered >= 0.97


def test_worn_pictures():
    f1, recovered = scores(to_pixels(wear(PICTURES, "judge test")))
    assert f1 >= 0.92 and recovered >= 0.92


def test_nothing_is_seen_in_noise_and_grey():
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    assert Judge.load().detect(grey) == [[], [], [], []]


def test_boxes_do_not_depend_on_companions():
    judge = Judge.load()
    together = judge.detect(PICTURES[:11])
    assert [judge.detect(PICTURES[i : i + 1])[0] for i in range(11)] == together
    assert judge.detect(PICTURES[:0]) == []


def test_wrong_pictures_are_refused():
    with pytest.raises(BadInput, match="judge"):
        Judge.load().detect(PICTURES.astype(np.float32))


def test_it_is_nobody_elses():
    """Apart from extractor and profiles by weights, and not imported by any file of agents or policies but its own."""
    assert all(source.folder != "judge" for source in PROFILES["tiny"].values())
    assert (WEIGHTS / "judge" / "model.safetensors").read_bytes() != (WEIGHTS / "extractor" / "model.safetensors").read_bytes()
    root = Path(semcast.__file__).resolve().parent
    for path in [*root.glob("agents/**/*.py"), *root.glob("policies/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[-1] != "judge", path
                assert all(alias.name not in ("judge", "Judge") for alias in node.names), path
