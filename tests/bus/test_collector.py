"""The collector is calm within and as before afterwards, and cycles are still found."""

import gc
import weakref

import pytest
from semcast.bus.collector import seldom_collecting


class Knot:
    """An object that holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_settings_are_given_back_also_after_an_error() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(KeyError), seldom_collecting():
        assert gc.get_threshold()[0] > before[0][0] and gc.get_freeze_count() > before[1]
        raise KeyError
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_cycles_are_found_in_the_end() -> None:
    with seldom_collecting():
        knot = weakref.ref(Knot())
        kept = []
        for _ in range(1_000_000):
            kept.append([])
            if knot() is None:
                break
        assert knot() is None
