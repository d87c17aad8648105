"""Real handwritten digits: the 1,797 pictures of 8x8 pixels and 17 levels that scikit-learn carries, in disjoint parts.

They are the test set of Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits" (UCI, 1998): 32x32 bitmaps of
13 writers, whose black pixels were counted in blocks of 4x4. Who wrote which is not told, so the parts share writers.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from ....bus import keys
from ....bus.errors import Missing

SIDE = 8
PIXELS = SIDE * SIDE
WHITE = 16
"""The greatest level: a pixel is a count of 0 to 16 black dots."""
CLASSES = 10
Part = Literal["codec", "judge", "verifier", "validation", "test"]
SIZES: dict[Part, int] = {"test": 400, "validation": 97, "judge": 270, "verifier": 270, "codec": 760}
"""Pictures in each part; the codec's are those that the autoencoders are trained on."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures, uint8 ``(n, 64)`` of levels 0 to 16 in rows, with what they show, int64 ``(n,)`` of 0 to 9."""

    pictures: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@lru_cache(maxsize=1)
def _all() -> Digits:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise Missing(
            "the handwritten digits come with scikit-learn, which is not installed", "pip install scikit-learn"
        ) from None
    pictures, labels = load_digits(return_X_y=True)
    whole = np.asarray(pictures, np.uint8)
    _, first = np.unique(whole, axis=0, return_index=True)  # the same picture in two parts would be seen in training
    first.sort()
    return Digits(whole[first], np.asarray(labels, np.int64)[first])


def digits(part: Part) -> Digits:
    """The pictures of one part, always the same ones in the same order; no picture is in two parts.

    Raises:
        Missing: scikit-learn is not installed.
    """
    whole = _all()
    order = keys.generator("digits", "parts").permutation(len(whole))
    start = 0
    for name, size in SIZES.items():
        if name == part:
            picked = order[start : start + size]
            return Digits(whole.pictures[picked], whole.labels[picked])
        start += size
    raise KeyError(part)
