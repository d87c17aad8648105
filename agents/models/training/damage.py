"""What the calibrator learns to repair and is measured on: wrong colours, blur, lost tiles, and JSCC at a low SNR."""

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ..codecs.library import Library
from ..codecs.models import load_codec, to_bytes
from ..roles import PICTURE_SIDE
from ..tiny.calibrator import TILES
from .denoiser_data import received, sent_code, symbols_of

BLUR_PX = (0.5, 1.6)
"""Standard deviation of the Gaussian kernel in pixels."""
GAIN, SHIFT = 0.12, 0.15
"""Standard deviations of each colour's factor (about 1) and offset (pictures in [-1, 1])."""


def tinted(pictures: Tensor, *key: keys.Key) -> Tensor:
    """Each colour of each picture (n, 3, 64, 64) times a factor plus an offset, cut to [-1, 1]."""
    rng = keys.generator(*key, "tint")
    shape = (len(pictures), 3, 1, 1)
    gain = torch.from_numpy(rng.normal(1, GAIN, shape).astype(np.float32))
    shift = torch.from_numpy(rng.normal(0, SHIFT, shape).astype(np.float32))
    return (pictures * gain + shift).clamp(-1, 1)


def blurred(pictures: Tensor, *key: keys.Key) -> Tensor:
    """Each picture (n, 3, 64, 64) under its own Gaussian, cut at the edges and scaled up there."""
    sigma = torch.from_numpy(keys.generator(*key, "blur").uniform(*BLUR_PX, len(pictures)).astype(np.float32))
    place = torch.arange(PICTURE_SIDE, dtype=torch.float32)
    kernel = torch.exp(-((place[:, None] - place) ** 2) / (2 * sigma[:, None, None] ** 2))
    kernel = (kernel / kernel.sum(dim=2, keepdim=True)).unsqueeze(1)
    return torch.matmul(torch.matmul(kernel, pictures), kernel.transpose(2, 3))


def lost_tiles(number: int, *key: keys.Key) -> list[list[int]]:
    """For each of `number` pictures the tiles (row-major, 0 to 63) that are lost: 1 to 3 packets.

    A packet is a run of 2 to 5 tiles in reading order, or (one time in three) a block of 2x2.
    """
    rng = keys.generator(*key, "lost")
    found = []
    for _ in range(number):
        gone: set[int] = set()
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < 1 / 3:
                row, column = (int(value) for value in rng.integers(0, TILES - 1, 2))
                gone |= {(row + i) * TILES + column + j for i in (0, 1) for j in (0, 1)}
            else:
                length = int(rng.integers(2, 6))
                first = int(rng.integers(0, TILES**2 - length + 1))
                gone |= set(range(first, first + length))
        found.append(sorted(gone))
    return found


def through_codec(library: Library, codec: str, pictures: np.ndarray, snr_db: Tensor, *key: keys.Key) -> np.ndarray:
    """uint8 (n, 64, 64, 3) pictures as a receiver decodes them after AWGN at (n,) SNRs (Es/N0, dB)."""
    encoder, decoder = load_codec(library.card.folder, codec)
    code = received(sent_code(encoder, pictures), snr_db, *key)
    with torch.inference_mode():
        return to_bytes(decoder(symbols_of(code), snr_db, PICTURE_SIDE, PICTURE_SIDE))
