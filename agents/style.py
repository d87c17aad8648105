"""Style as a preference: pictures rendered in the colours that a user likes, by colour transfer without any training.

Reinhard, Ashikhmin, Gooch and Shirley, "Color Transfer between Images", IEEE Computer Graphics and Applications 21(5), 2001: in
the space l-alpha-beta (their equations 4 to 6: RGB to LMS cone responses, decimal logarithms, decorrelated axes) every channel is
shifted and scaled until its mean and standard deviation are those of a reference (equations 10 to 12). Where the paper prints a
rounded inverse (equation 8) the exact one is used, so that nothing changes a picture towards its own statistics. Left out:
swatches for parts of a picture. Added: a floor for the logarithms, one level of 255, and a limit of what a channel is stretched
by, since in pictures of nearly one colour noise would be all that one sees.

A style is six numbers, mean and standard deviation of l, alpha and beta over a user's reference pictures: what its KB holds (kind
``preference``), and all that leaves the user where somebody else is to render in it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..bus import keys
from .knowledge.retrieval import as_vector, to_float16
from .scenes.draw import draw
from .scenes.world import make_scene

NAME = "style"
"""Of the KB item."""
BYTES = 24
"""Of a packed style."""
_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_AXES = np.diag(1 / np.sqrt([3.0, 6.0, 2.0])) @ np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -2.0], [1.0, -1.0, 0.0]])
_FLOOR = 1 / 255
MOST_STRETCH = 3.0
"""Of the deviation of a channel."""
_FLAT = 1e-9
"""A channel that varies by less has nothing to scale."""
REFERENCES = 4
"""Pictures of which a user's style is the statistics."""


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of l, alpha and beta, each of shape (3,), in decades of cone response (orthonormal axes)."""

    mean: np.ndarray
    std: np.ndarray

    def packed(self) -> bytes:
        """As the 24 bytes of six float32, rounded to float16 as they travel."""
        return to_float16(np.concatenate([self.mean, self.std]).astype("<f4").tobytes())


def unpacked(style: bytes) -> Statistics:
    """Reverse of `Statistics.packed`."""
    numbers = as_vector(style).astype(np.float64)
    return Statistics(numbers[:3], np.maximum(numbers[3:6], 0.0))


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """RGB in [0, 1] of shape (pixels, 3) -> l, alpha, beta of the same shape; values below one level count as one."""
    lms = np.maximum(rgb, _FLOOR) @ _LMS.T
    return np.asarray(np.log10(lms) @ _AXES.T)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Reverse of `to_lab`, not cut to [0, 1]."""
    return np.asarray(10.0 ** (lab @ np.linalg.inv(_AXES).T) @ np.linalg.inv(_LMS).T)


def statistics(lab: np.ndarray) -> Statistics:
    """Of pixels (n, 3), over all of them."""
    return Statistics(lab.mean(axis=0), lab.std(axis=0))


def transferred(lab: np.ndarray, wanted: Statistics, most: float = np.inf) -> np.ndarray:
    """``(lab - mean) * min(wanted.std / std, most) + wanted.mean``, channel by channel; a channel that is flat only moves."""
    own = statistics(lab)
    scale = np.where(own.std > _FLAT, np.minimum(wanted.std / np.maximum(own.std, _FLAT), most), 0.0)
    return np.asarray((lab - own.mean) * scale + wanted.mean)


def pixels(picture: bytes) -> np.ndarray:
    """Raw uint8 RGB, of any number of pixels, -> (pixels, 3) in [0, 1]."""
    return np.frombuffer(picture, np.uint8).reshape(-1, 3) / 255


def restyled(picture: bytes, style: bytes) -> bytes:
    """A picture in a style.

    Args:
        picture: Raw uint8 RGB, of any number of pixels.
        style: See `Statistics.packed`.

    Returns:
        As many pixels. What leaves the range of RGB is cut and no channel is stretched by more than `MOST_STRETCH`, so that
        strong styles are met only nearly.
    """
    return _raw(to_rgb(transferred(to_lab(pixels(picture)), unpacked(style), MOST_STRETCH)))


def _raw(rgb: np.ndarray) -> bytes:
    """The nearest uint8 RGB."""
    return bytes(np.rint(np.clip(rgb, 0.0, 1.0) * 255).astype(np.uint8).tobytes())


def style_of(*pictures: bytes) -> bytes:
    """The style of reference pictures, packed."""
    return statistics(to_lab(np.concatenate([pixels(picture) for picture in pictures]))).packed()


def style_distance(picture: bytes, style: bytes) -> float:
    """How far a picture's colours are from a style: the 2-Wasserstein distance of normal distributions of these statistics.

    ``sqrt(|m1 - m2|^2 + |s1 - s2|^2)`` for independent channels (Givens and Shortt 1984), in decades; 0: the same statistics.
    """
    own, wanted = statistics(to_lab(pixels(picture))), unpacked(style)
    return float(np.sqrt(np.square(own.mean - wanted.mean).sum() + np.square(own.std - wanted.std).sum()))


# --- what users like --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How pictures of a kind are graded: ``saturation`` and ``contrast`` (1: unchanged), ``gain`` and ``lift`` of R, G, B."""

    saturation: float
    contrast: float
    gain: tuple[float, float, float]
    lift: tuple[float, float, float] = (0.0, 0.0, 0.0)


LOOKS = {
    "sunset": Look(1.1, 1.0, (1.0, 0.74, 0.5), (0.08, 0.0, 0.03)),
    "moonlight": Look(0.55, 0.95, (0.42, 0.56, 0.8), (0.0, 0.03, 0.1)),
    "sepia": Look(0.15, 0.95, (1.0, 0.84, 0.6)),
    "pastel": Look(0.75, 0.5, (0.9, 0.9, 0.95), (0.16, 0.13, 0.16)),
    "vivid": Look(1.7, 1.1, (1.0, 1.0, 1.0)),
    "forest": Look(0.8, 1.0, (0.62, 0.85, 0.55), (0.0, 0.05, 0.02)),
}
"""Name -> how the pictures that somebody likes are graded."""
_LUMA = np.array([0.299, 0.587, 0.114])


def graded(picture: bytes, look: Look) -> bytes:
    """A picture (raw uint8 RGB) as somebody who likes a look would grade it by hand."""
    rgb = pixels(picture)
    grey = (rgb @ _LUMA)[:, None]
    rgb = 0.5 + look.contrast * (grey + look.saturation * (rgb - grey) - 0.5)
    return _raw(np.array(look.lift) + np.array(look.gain) * np.clip(rgb, 0.0, 1.0))


def liked(seed: int, user: str, share: float) -> str:
    """Which look a user likes, drawn by key; empty: none. ``share``: of the users that like one."""
    if keys.uniform(seed, "style", user) >= share:
        return ""
    return tuple(LOOKS)[keys.integer(len(LOOKS), seed, "which style", user)]


def references(seed: int, user: str, look: str) -> list[bytes]:
    """The pictures in a look that a user has: raw uint8 RGB of (64, 64, 3)."""
    scenes = [make_scene("liked", seed, user, number, count=(1, 4)) for number in range(REFERENCES)]
    return [graded(draw(scene).tobytes(), LOOKS[look]) for scene in scenes]


@lru_cache(maxsize=4096)
def preferred(seed: int, user: str, share: float) -> bytes:
    """The style that a user prefers, packed; empty: none."""
    look = liked(seed, user, share)
    return style_of(*references(seed, user, look)) if look else b""
