"""Classical pictures over coded links: the budget is exact, what does not fit is infeasible, what is damaged is grey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.codecs.classical import FORMATS, Files
from semcast.agents.models.codecs.classical_link import GREY, Budget, coded, fit, send, shown
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.bus.channel import MCS_TABLE, Air, Area, Link, Radio, segment
from semcast.bus.channel.mcs import MCS_BY_NAME, WIFI_TABLE, Mcs

from .photo_like import photo_like

PICTURE = photo_like(96, 128, "link")
FILES = {codec: Files(PICTURE, codec) for codec in FORMATS}
SCHEMES = (*MCS_TABLE, *WIFI_TABLE)


def link(snr_db: float) -> Link:
    radio = Radio(fixed_snr_db=snr_db, fading="awgn", pilots=None, max_attempts=1)
    return Air(1, radio, Area(10, 10), {"bs": (0.0, 0.0)}).link("bs", "user.1")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(FORMATS)),
    st.sampled_from(SCHEMES),
    st.integers(200, 12_000),
    st.sampled_from((0, 4, 16)),
    st.integers(1, 3),
    st.sampled_from((0, 6)),
)
def test_all_that_is_sent_is_paid_from_the_budget(
    codec: str, mcs: Mcs, symbols: int, pilots: int, rounds: int, feedback: int
) -> None:
    budget = Budget(symbols, pilots, rounds, feedback)
    found = fit(FILES[codec], mcs, budget)
    smallest = [len(FILES[codec].file(FORMATS[codec].qualities[0], v)) for v in range(len(FORMATS[codec].variants))]
    least = segment(8 * min(smallest), mcs)
    if found is None:
        assert rounds * (least.complex_symbols + pilots + feedback * least.count) > symbols
        return
    assert found.blocks == segment(8 * len(found.file), mcs)
    assert found.symbols == found.blocks.complex_symbols + pilots + feedback * found.blocks.count
    assert found.padding >= 0 and rounds * found.symbols + found.padding == symbols


def test_a_scene_of_64_pixels_does_not_hold_its_headers_at_one_in_twenty_four() -> None:
    files = Files(draw(make_scene("header")), "jpeg")
    budget = Budget(3 * 64 * 64 // 24)
    assert budget.symbols == 512 and all(fit(files, mcs, budget) is None for mcs in SCHEMES if mcs.bits_per_symbol < 6)


def test_a_fixed_quality_says_what_it_takes() -> None:
    file, blocks = coded(PICTURE, "jpeg", 50, MCS_BY_NAME["802.11n 16QAM 0.50"])
    assert file == FILES["jpeg"].file(50) and blocks.payload_bits == 8 * len(file)
    assert blocks.coded_bits == 4 * blocks.complex_symbols > 2 * 8 * len(file)


@pytest.mark.parametrize("mcs", [MCS_TABLE[3], WIFI_TABLE[1]], ids=lambda mcs: mcs.name)
def test_bits_arrive_above_the_cliff_and_are_lost_below(mcs: Mcs) -> None:
    pytest.importorskip("sionna")
    found = fit(FILES["webp"], mcs, Budget(4608))
    assert found is not None
    there, transfer = send(found.file, link(8.0), mcs, 0, "down", ("r",))
    assert there == found.file and transfer.account.complex_symbols == found.symbols
    assert shown(there, 96, 128).shape == PICTURE.shape
    gone, lost = send(found.file, link(0.0), mcs, 0, "down", ("r",))
    assert gone is None and lost.account.complex_symbols == found.symbols
    assert np.array_equal(shown(gone, 96, 128), np.full_like(PICTURE, GREY))
