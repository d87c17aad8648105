"""Identifier vectors: equal subjects near, twins with other markings far, also for markings that training never saw."""

import numpy as np
import pytest
from semcast.agents.models.cards import read_card
from semcast.agents.models.loading import WEIGHTS, load_models
from semcast.agents.models.roles import Box, Personalise
from semcast.agents.models.tiny.adapters import AdapterSettings
from semcast.agents.models.tiny.personaliser import catalog, shared_pictures
from semcast.agents.models.tiny.subjects import IDENTIFIER_SIZE, MARGIN, as_tensor, crop, identifier
from semcast.agents.models.training.subjects import SubjectEye, evaluate
from semcast.agents.pictures import cut
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.bus.errors import BadInput

MODEL = load_models()["personaliser"]


def branch(name, number=4):
    pictures, boxes = shared_pictures(name, number)
    return np.frombuffer(MODEL.run([Personalise(name, SUBJECTS[name].label, pictures, boxes)])[0].identifier, "<f4")


def test_an_identifier_is_a_unit_vector():
    vector = branch("mia/dog")
    assert vector.shape == (IDENTIFIER_SIZE,) and np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_catalog_identifiers_are_told_apart_and_made_again():
    """Other pictures of a subject give nearly the shipped vector, and no other subject's."""
    shipped = catalog()
    assert list(shipped) == list(SUBJECTS)
    known = np.stack([np.frombuffer(shipped[name], "<f4") for name in SUBJECTS])
    near = np.stack([branch(name) for name in SUBJECTS]) @ known.T
    assert near.diagonal().min() > 0.9
    assert (near - 2 * np.eye(len(known))).max() < 0.6


def test_unseen_twins():
    eye: SubjectEye = MODEL._eye
    metrics = evaluate(eye, families=12)
    assert metrics["twin_accuracy"] >= 0.95
    assert metrics["own_similarity"] > metrics["twin_similarity"] + 0.4


def test_more_pictures_cost_more():
    few, many = (Personalise("mia/dog", "dog", *shared_pictures("mia/dog", n)) for n in (3, 6))
    assert MODEL.flops(many) == 2 * MODEL.flops(few)


def test_function_and_model_agree():
    pictures, boxes = shared_pictures("leo/cat", 3)
    assert identifier(pictures, boxes).tobytes() == MODEL.run([Personalise("leo/cat", "cat", pictures, boxes)])[0].identifier


def test_crop_takes_the_enlarged_box():
    """A picture whose red value is the column: the crop's ends lie at the box's ends, margin included."""
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None], (64, 64, 3)).tobytes()
    import torch

    cut = (crop(as_tensor([ramp]), torch.tensor([[32.0, 32.0, 20.0, 20.0]]))[0, 0, 0] + 1) * 127.5
    step = 20 * MARGIN / 24
    assert cut.numpy() == pytest.approx(31.5 + step * (np.arange(24) - 11.5), abs=1e-3)


def test_the_reference_is_the_most_typical_cut_out_and_an_adapter_comes_only_when_asked_for():
    pictures, boxes = shared_pictures("leo/cat", 4)
    boxes[1] = Box("cat", "", 32.0, 32.0, 64.0, 64.0)  # a box that missed it
    branch = MODEL.run([Personalise("leo/cat", "cat", pictures, boxes)])[0]
    assert branch.reference in [cut(pictures[index], boxes[index]) for index in (0, 2, 3)]
    assert branch.adapter == b""


def test_an_adapter_costs_its_training():
    pictures, boxes = shared_pictures("leo/cat", 4)
    without = MODEL.flops(Personalise("leo/cat", "cat", pictures, boxes))
    cost = MODEL.flops(Personalise("leo/cat", "cat", pictures, boxes, adapter=True)) - without
    assert cost == AdapterSettings().passes * read_card(WEIGHTS / "generator").data["flops_per_step"]


def test_bad_calls_are_refused():
    pictures, boxes = shared_pictures("leo/cat", 3)
    for wrong in ((pictures, boxes[:2]), ([], []), ([b"x"], boxes[:1])):
        with pytest.raises(BadInput, match="leo/cat"):
            MODEL.run([Personalise("leo/cat", "cat", *wrong)])
