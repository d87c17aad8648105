"""Drawn pictures with a photograph's statistics: noise whose power falls with the square of the frequency, and edges."""

from functools import cache

import numpy as np
from semcast.agents.models.codecs.photo import PhotoCodec
from semcast.agents.models.codecs.photo_network import Decoder, Encoder, start_linear
from semcast.agents.models.codecs.photo_plan import CHANNELS
from semcast.agents.models.codecs.photo_side import succession_odds
from semcast.agents.models.training.photos_classes import classify, find_classes
from semcast.agents.models.training.photos_data import Photo, block_statistics
from semcast.bus import keys


def photo_like(height: int, width: int, *key: keys.Key) -> np.ndarray:
    """(height, width, 3) uint8."""
    rng = keys.generator("tests", "photo-like", *key)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    shape = 1 / np.maximum(frequency, 1 / max(height, width))
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((3, height, width))) * shape, (height, width))
    field = field / field.std() * [[[0.16]], [[0.05]], [[0.05]]]
    light, red, blue = field
    rows, columns = np.mgrid[:height, :width]
    for _ in range(4):
        y, x, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(0.05, 0.3) * height
        light = light + rng.uniform(-0.3, 0.3) * (np.hypot(rows - y, columns - x) < radius)
    rgb = 0.5 + light[..., None] + np.stack([red, -(red + blue) / 2, blue], -1)
    return np.asarray((rgb.clip(0, 1) * 255).round().astype(np.uint8))


def photos(count: int, side: int = 96) -> list[Photo]:
    """Some of them as training data."""
    return [Photo(f"{i}.png", f"{i * 16 % 256:02x}" + "0" * 62, photo_like(side, side, "train", i)) for i in range(count)]


@cache
def statistics() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal axes, mean and variances of the classes of their blocks."""
    given = photos(24, 160)
    axes, variances, mean = block_statistics(given, CHANNELS)
    return axes, mean, find_classes(given, axes, mean, variances)


@cache
def maps() -> list[np.ndarray]:
    """The classes of their blocks."""
    return [classify(photo, *statistics()) for photo in photos(24, 160)]


def linear_codec() -> PhotoCodec:
    """The codec as it is before training: a linear transform code."""
    encoder, decoder = Encoder(), Decoder()
    start_linear(encoder, decoder, *statistics())
    return PhotoCodec(encoder.eval(), decoder.eval(), succession_odds(maps()))
