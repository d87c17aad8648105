"""The CLIP-class judge: what ``transformers`` makes of the same weights, what it tells apart, and that it is nobody else's."""

import ast
from pathlib import Path

import numpy as np
import pytest
import semcast
import torch
from safetensors.torch import load_file
from semcast.agents.models.cards import read_card
from semcast.agents.models.clip_judge import CROP_SIDE, ClipJudge, rows_of
from semcast.agents.models.clip_words import LENGTHS, OWNER, UNKNOWN, WORDS, padded, place_phrase, tokens
from semcast.agents.models.loading import PROFILES, WEIGHTS
from semcast.agents.models.tiny.subjects import crop
from semcast.agents.scenes.caption import caption
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput

FOLDER = WEIGHTS / "clip_judge"
SCENES = [make_scene("test", "clip-judge", i, count=(1, 4)) for i in range(11)]
PICTURES = np.stack([draw(scene) for scene in SCENES])
PLACES = np.array([[b.cx, b.cy, b.width, b.height] for b in (scene.boxes()[0] for scene in SCENES)], np.float32)
TEXTS = [caption(scene.background, [(box.label, box.colour, "") for box in scene.boxes()]) for scene in SCENES]
JUDGE = ClipJudge.load()


@pytest.fixture(scope="module")
def reference():
    """The shipped folder, read by ``transformers``; its halves are computed with in float32."""
    from transformers import CLIPConfig, CLIPModel

    model = CLIPModel(CLIPConfig.from_pretrained(FOLDER))
    given = {name: value.float() for name, value in load_file(FOLDER / "model.safetensors").items()}
    missing = model.load_state_dict(given, strict=False).missing_keys
    assert all("position_ids" in name for name in missing)
    return model.eval()


def unit(x: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(x, dim=1).numpy()


def test_features_are_those_of_transformers(reference):
    planes = torch.from_numpy(PICTURES.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        images = unit(reference.visual_projection(reference.vision_model(pixel_values=planes).pooler_output))
        pieces = crop(planes, torch.from_numpy(PLACES), CROP_SIDE)
        seen = reference.vision_model(pixel_values=pieces, interpolate_pos_encoding=True).pooler_output
        objects = unit(reference.visual_projection(seen))
        rows = rows_of([tokens(text) for text in TEXTS], 64)
        texts = unit(reference.text_projection(reference.text_model(input_ids=rows).pooler_output))
    assert JUDGE.images(PICTURES) == pytest.approx(images, abs=2e-5)
    assert JUDGE.objects(PICTURES, PLACES) == pytest.approx(objects, abs=2e-5)
    assert JUDGE.texts(TEXTS) == pytest.approx(texts, abs=2e-5)


def test_flops_are_those_that_pytorch_counts(reference):
    from torch.utils.flop_counter import FlopCounterMode

    reference.set_attn_implementation("eager")  # the counter sees these products
    counted = []
    for run in (
        lambda: reference.visual_projection(reference.vision_model(torch.zeros(1, 3, 64, 64)).pooler_output),
        lambda: reference.text_projection(reference.text_model(rows_of([tokens("a dog")], 16)).pooler_output),
    ):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            run()
        counted.append(counter.get_total_flops())
    flops = JUDGE.flops()
    assert (flops["picture"], flops["text"]) == tuple(counted)
    assert read_card(FOLDER).data["flops"] == flops["picture"]


def test_features_have_unit_norm_and_do_not_depend_on_companions():
    for features, alone in (
        (JUDGE.images(PICTURES), [JUDGE.images(PICTURES[i : i + 1])[0] for i in range(11)]),
        (JUDGE.objects(PICTURES, PLACES), [JUDGE.objects(PICTURES[i : i + 1], PLACES[i : i + 1])[0] for i in range(11)]),
        (JUDGE.texts(TEXTS), [JUDGE.texts([text])[0] for text in TEXTS]),
    ):
        assert features.shape == (11, JUDGE.size) and features.dtype == np.float32
        assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(11), abs=1e-5)
        assert np.array_equal(features, np.stack(alone))
    assert JUDGE.images(PICTURES[:0]).shape == (0, JUDGE.size)
    assert JUDGE.texts([]).shape == (0, JUDGE.size)


def test_every_word_of_the_scene_world_is_known():
    for background in BACKGROUND_PHRASES:
        for label in LABELS:
            for colour in COLOUR_NAMES:
                text = caption(background, [(label, colour, ""), (label, colour, ""), ("dog", "red", "mia/dog")])
                row = tokens(text)
                assert UNKNOWN not in row, text
                assert OWNER in row
    assert UNKNOWN not in tokens("a red dog" + place_phrase(3, 60))
    assert place_phrase(3, 60) == " bottom left"
    assert tokens("A red Dog.") == tokens("a red dog") != tokens("a red zebra")
    assert tuple(read_card(FOLDER).data["words"]) == WORDS


def test_long_texts_are_cut_and_still_end():
    row = tokens("dog " * 100)
    assert len(row) == LENGTHS[-1] == padded(row)
    assert row[-1] == tokens("")[-1]


def test_wrong_input_is_refused():
    with pytest.raises(BadInput, match="clip_judge: pictures"):
        JUDGE.images(PICTURES.astype(np.float32))
    with pytest.raises(BadInput, match="clip_judge: places"):
        JUDGE.objects(PICTURES, PLACES[:3])


def test_it_is_nobody_elses():
    """No profile offers it, its weights are its own, and no agent or policy imports it; only its training does."""
    assert all(source.folder != "clip_judge" for profile in PROFILES.values() for source in profile.values())
    own = (FOLDER / "model.safetensors").read_bytes()
    assert all(path.read_bytes() != own for path in WEIGHTS.rglob("*.safetensors") if path.parent != FOLDER)
    root = Path(semcast.__file__).resolve().parent
    allowed = {root / "agents/models/training/clip_judge.py", root / "agents/models/training/clip_eval.py"}
    for path in [*root.glob("agents/**/*.py"), *root.glob("policies/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and path not in allowed:
                assert (node.module or "").split(".")[-1] != "clip_judge", path
                assert all(alias.name not in ("clip_judge", "ClipJudge") for alias in node.names), path
