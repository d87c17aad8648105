"""Models on another device: the same code path on a CPU gives the same bits; a GPU that is not there is told."""

from functools import partial
from importlib import import_module

import numpy as np
import pytest
import torch
from semcast.agents.models.cpu import cpu_kind
from semcast.agents.models.device import Elsewhere, OnDevice, check_device
from semcast.agents.models.loading import PROFILES, WEIGHTS, load_models
from semcast.bus.errors import Missing

ROLES = ("calibrator", "embedder", "extractor", "generator", "jscc_decoder", "jscc_encoder", "personaliser")


@pytest.mark.parametrize("role", ROLES)
def test_the_same_results_on_the_same_processor(role: str) -> None:
    source = PROFILES["tiny"][role]
    module = import_module(f"semcast.agents.models.{source.module}")
    plain = load_models("tiny", [role])[role]
    moved = OnDevice(partial(getattr(module, source.function), WEIGHTS / source.folder), "cpu")
    calls = getattr(module, source.examples)()
    group = [call for call in calls if plain.group(call) == plain.group(calls[0])]
    batch = (group * plain.batch)[: plain.batch]
    if role == "embedder":  # attention has a faster path, which torch does not take while somebody listens
        found, expected = (np.stack([np.frombuffer(a.vectors[0], "<f4") for a in m.run(batch)]) for m in (moved, plain))
        assert np.allclose(found, expected, atol=1e-6)
    else:
        assert moved.run(batch) == plain.run(batch)
    assert (moved.name, moved.sha256, moved.batch) == (plain.name, plain.sha256, plain.batch)
    assert moved.flops(calls[0]) == plain.flops(calls[0]) and moved.group(calls[0]) == plain.group(calls[0])


def test_whatever_is_computed_with_goes_to_the_device() -> None:
    """On ``meta``, which like a GPU refuses to compute with tensors of the CPU."""
    kept = torch.ones(3, 4)  # from before
    with Elsewhere("meta"):
        layer = torch.nn.Linear(4, 2)
        from_numpy = torch.from_numpy(np.ones((3, 4), np.float32))
        found = layer(from_numpy * torch.arange(4.0) + kept)
        joined = torch.cat([found, torch.zeros(3, 2)])
        assert {each.device.type for each in (layer.weight, found, joined)} == {"meta"} and joined.shape == (6, 2)
    assert torch.zeros(1).device.type == "cpu"


def test_a_batch_of_another_size_is_what_the_engine_fills() -> None:
    source = PROFILES["tiny"]["personaliser"]
    module = import_module(f"semcast.agents.models.{source.module}")
    assert OnDevice(partial(module.load, WEIGHTS / source.folder), "cpu", batch=7).batch == 7


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told_when_a_model_is_read() -> None:
    with pytest.raises(Missing, match="sees no GPU"):
        check_device("cuda")
    assert load_models("tiny", ["extractor@int8"], device="cuda")["extractor@int8"].batch >= 1  # stays on the CPU
    models = load_models("tiny", ["extractor"], device="cuda")
    with pytest.raises(Missing, match=r"models.device = 'cuda'"):
        models["extractor"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("role", ROLES)
def test_on_a_gpu_results_are_alike_and_do_not_depend_on_companions(role: str) -> None:
    module = import_module(f"semcast.agents.models.{PROFILES['tiny'][role].module}")
    model = load_models("tiny", [role], device="cuda", batch=4)[role]
    calls = getattr(module, PROFILES["tiny"][role].examples)()
    group = ([call for call in calls if model.group(call) == model.group(calls[0])] * 8)[:8]
    assert model.run(group[:4])[0] == model.run([group[0], *group[5:8]])[0]


def test_another_device_is_another_kind_of_machine() -> None:
    assert cpu_kind("cuda") == f"{cpu_kind()} cuda"
