"""The parts of the handwritten digits, and what is said without scikit-learn."""

import sys

import numpy as np
import pytest
from semcast.agents.models.digits.data import PIXELS, SIZES, WHITE, _all, digits
from semcast.bus.errors import Missing


def test_parts_are_disjoint_and_whole() -> None:
    seen: dict[bytes, str] = {}
    for part, size in SIZES.items():
        of = digits(part)
        assert len(of) == size and of.pictures.shape == (size, PIXELS) and of.pictures.max() == WHITE
        for picture in of.pictures:
            assert seen.setdefault(picture.tobytes(), part) == part
    assert len(seen) == sum(SIZES.values()) == 1797


def test_parts_stay_the_same_and_hold_every_class() -> None:
    first = digits("test")
    _all.cache_clear()
    again = digits("test")
    assert np.array_equal(first.pictures, again.pictures) and np.array_equal(first.labels, again.labels)
    for part in SIZES:
        assert set(digits(part).labels) == set(range(10))


def test_labels_belong_to_their_pictures() -> None:
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    known = {picture.astype(np.uint8).tobytes(): label for picture, label in zip(pictures, labels, strict=True)}
    of = digits("codec")
    assert all(known[picture.tobytes()] == label for picture, label in zip(of.pictures, of.labels, strict=True))


def test_without_scikit_learn_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _all.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(Missing, match="pip install scikit-learn"):
        digits("test")
    _all.cache_clear()
