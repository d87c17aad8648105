"""Training on another device: what is drawn is moved, a device that is not there is told, and no recipe is tied to the CPU."""

import ast
import importlib
import inspect
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from semcast.agents.models.training import devices, recipes
from semcast.agents.models.training.devices import checked_device, drawn, moved, working_on
from semcast.agents.models.training.loop import Settings, fit
from semcast.bus import keys
from semcast.bus.errors import BadInput
from semcast.scenarios.cli import main
from torch import nn

MODULES = sorted({recipe.module for recipe in recipes.RECIPES.values()})
Pair = namedtuple("Pair", "one other")


@dataclass
class Row:
    values: torch.Tensor
    names: list[str]


def test_everything_in_a_batch_is_moved():
    batch = (torch.ones(2), [Pair(torch.ones(1), "text"), {"a": torch.ones(3)}], Row(torch.ones(4), ["x"]), None)
    found = moved(batch, "meta")
    pair, mapping = found[1]
    assert [t.device.type for t in (found[0], pair.one, mapping["a"], found[2].values)] == ["meta"] * 4
    assert pair.other == "text" and found[2].names == ["x"] and found[3] is None
    assert isinstance(pair, Pair) and isinstance(found[2], Row)


def test_what_is_drawn_is_made_on_the_cpu_and_then_moved():
    places = []

    def draw():
        places.append(torch.zeros(1).device.type)
        return torch.from_numpy(np.ones(2, np.float32)) + torch.zeros(2)  # fails when the two are on different devices

    with working_on("meta"):
        assert drawn(draw).device.type == "meta"
        assert torch.zeros(1).device.type == "meta"
    assert drawn(draw).device.type == "cpu" and places == ["cpu", "cpu"]


def test_training_on_the_device_named_cpu_is_the_default(tmp_path):
    def train(folder, **more):
        torch.manual_seed(0)
        network = nn.Linear(3, 1)

        def loss(step):
            rng = keys.generator("devices", step)
            x = drawn(lambda: torch.from_numpy(rng.standard_normal((8, 3), dtype=np.float32)))
            return (network(x) - x.sum(dim=1, keepdim=True)).square().mean()

        steps = fit(network, loss, tmp_path / folder, 0.002, Settings(bf16=False), **more)
        return steps, network

    told, network = train("named", device="cpu")
    assert told["device"] == "cpu" and next(network.parameters()).device.type == "cpu"
    assert train("default")[0]["device"] == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:3", "tpu", "cuda:x", "cpu:1"])
def test_a_device_that_is_not_there_is_told(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(BadInput, match=name) as told:
        checked_device(name)
    assert "cpu" in told.value.hint.lower()
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    if name in ("cuda", "cuda:3"):
        assert checked_device(name) == name


def test_the_command_says_so_before_anything_is_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert main(["train", "keywords", "--device", "cuda", "--work", str(tmp_path / "work")]) == 2
    assert "sees 0 CUDA devices" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("name", MODULES)
def test_recipes_take_the_device_and_give_it_to_the_training_loop(name):
    """A linter: the recipe has the parameter, every `fit` gets it, and nothing says "cpu" itself."""
    module = importlib.import_module(f"semcast.agents.models.training.{name}")
    functions = {recipe.function for recipe in recipes.RECIPES.values() if recipe.module == name}
    for function in functions:
        parameter = inspect.signature(getattr(module, function)).parameters["device"]
        assert parameter.default == devices.CPU
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    for call in calls:
        called = ast.unparse(call.func)
        if called == "fit":
            given = [ast.unparse(argument) for argument in [*call.args, *(keyword.value for keyword in call.keywords)]]
            assert "device" in given, f"{name}: {ast.unparse(call)}"
        if called.endswith(("autocast", ".to", "torch.device")) and call.args:
            assert ast.unparse(call.args[0]) != "'cpu'", f"{name}: {ast.unparse(call)}"
        assert not called.endswith((".cuda", ".cpu")), f"{name}: {ast.unparse(call)}"
