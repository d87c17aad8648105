"""What the denoiser learns from: scenes, the symbols that encoders send of them, and AWGN."""

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ...scenes.draw import draw
from ...scenes.world import make_scene
from ..codecs.denoiser_network import noise_std
from ..codecs.models import to_planes
from ..codecs.network import STRIDE, Encoder
from ..roles import PICTURE_SIDE

GRID = PICTURE_SIDE // STRIDE


def pictures(number: int, *key: keys.Key) -> np.ndarray:
    """uint8 (number, 64, 64, 3): scenes of 1 to 8 objects."""
    return np.stack([draw(make_scene(*key, index)) for index in range(number)])


def sent_code(encoder: Encoder, shown: np.ndarray) -> Tensor:
    """The symbols that an encoder sends, as (n, channels, 8, 8) real values."""
    with torch.inference_mode():
        symbols = encoder(to_planes(shown))
    return torch.as_tensor(symbols.reshape(len(shown), GRID, GRID, -1).permute(0, 3, 1, 2).clone())


def symbols_of(code: Tensor) -> Tensor:
    """(n, channels, 8, 8) real values -> (n, symbols, 2), the order of the codec."""
    return code.permute(0, 2, 3, 1).reshape(len(code), -1, 2)


def received(code: Tensor, snr_db: Tensor, *key: keys.Key) -> Tensor:
    """A code after AWGN at (n,) SNRs."""
    noise = torch.from_numpy(keys.generator(*key, "noise").standard_normal(tuple(code.shape), dtype=np.float32))
    return code + noise_std(snr_db)[:, None, None, None] * noise
