"""Colour transfer against its definition (Reinhard et al. 2001), and styles as they are preferred."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.agents.style import (
    BYTES,
    LOOKS,
    Statistics,
    graded,
    liked,
    preferred,
    references,
    restyled,
    statistics,
    style_distance,
    style_of,
    to_lab,
    to_rgb,
    transferred,
    unpacked,
)

SCENES = [draw(make_scene("style test", number, count=(1, 4))).tobytes() for number in range(6)]
COLOURS = arrays(np.float64, (40, 3), elements=st.floats(1 / 255, 1.0))


def test_the_space_is_that_of_the_paper():
    """Against a scalar evaluation of its equations 4 to 6, with the matrices as printed there."""
    red, green, blue = 0.8, 0.3, 0.1
    l, m, s = (  # noqa: E741
        np.log10(0.3811 * red + 0.5783 * green + 0.0402 * blue),
        np.log10(0.1967 * red + 0.7244 * green + 0.0782 * blue),
        np.log10(0.0241 * red + 0.1288 * green + 0.8444 * blue),
    )
    expected = [(l + m + s) / np.sqrt(3), (l + m - 2 * s) / np.sqrt(6), (l - m) / np.sqrt(2)]
    assert to_lab(np.array([[red, green, blue]]))[0] == pytest.approx(expected, abs=1e-12)


def test_the_inverse_is_near_the_one_that_the_paper_prints():
    printed = np.array([[4.4679, -3.5873, 0.1193], [-1.2186, 2.3809, -0.1624], [0.0497, -0.2439, 1.2045]])
    basis = np.array([to_rgb(to_lab_of_lms(unit))[0] for unit in np.eye(3) + 1e-9])
    assert pytest.approx(printed, abs=0.02) == basis.T  # its last row is off by that much


def to_lab_of_lms(lms):
    axes = np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]) / np.sqrt([[3], [6], [2]])
    return (axes @ np.log10(lms))[None]


@settings(max_examples=50, deadline=None)
@given(COLOURS)
def test_there_and_back_is_nothing(rgb):
    assert to_rgb(to_lab(rgb)) == pytest.approx(rgb, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(COLOURS, st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_the_statistics_are_those_that_were_wanted(rgb, mean, std):
    lab = to_lab(rgb + np.linspace(0, 0.1, 120).reshape(40, 3))  # no channel is flat
    found = statistics(transferred(lab, Statistics(np.array(mean), np.array(std))))
    assert found.mean == pytest.approx(mean, abs=1e-9) and found.std == pytest.approx(std, rel=1e-6)


def test_a_transfer_in_closed_form():
    """Two values a channel: mean 0, deviation 1 -> mean 5, deviation 2."""
    lab = np.array([[-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]])
    assert transferred(lab, Statistics(np.full(3, 5.0), np.full(3, 2.0))).tolist() == [[3.0, 7.0, 3.0], [7.0, 3.0, 7.0]]


def test_stretching_has_a_limit():
    lab = np.array([[-1.0, 1.0, -1.0], [1.0, -1.0, 1.0]])
    moved = transferred(lab, Statistics(np.zeros(3), np.array([2.0, 9.0, 0.5])), most=3.0)
    assert moved.tolist() == [[-2.0, 3.0, -0.5], [2.0, -3.0, 0.5]]


def test_flat_channels_only_move():
    assert transferred(np.zeros((4, 3)), Statistics(np.ones(3), np.ones(3))).tolist() == np.ones((4, 3)).tolist()


def test_own_statistics_change_nothing():
    for picture in SCENES:
        own = statistics(to_lab(np.frombuffer(picture, np.uint8).reshape(-1, 3) / 255))
        style = np.concatenate([own.mean, own.std]).astype("<f4").tobytes()
        off = np.frombuffer(restyled(picture, style), np.uint8).astype(int) - np.frombuffer(picture, np.uint8)
        assert np.abs(off).max() <= 1  # black is one level, float32 the last digit


def test_a_packed_style_is_six_numbers_as_they_travel():
    style = style_of(*SCENES)
    assert len(style) == BYTES
    assert np.frombuffer(style, "<f4").astype("<f2").astype("<f4").tobytes() == style
    pixels = np.frombuffer(b"".join(SCENES), np.uint8).reshape(-1, 3) / 255
    assert unpacked(style).mean == pytest.approx(to_lab(pixels).mean(axis=0), abs=1e-3)


def test_distances_are_those_of_the_statistics():
    flat = np.full((4096, 3), 128, np.uint8).tobytes()
    lab = to_lab(np.full((1, 3), 128 / 255))[0]
    moved = np.concatenate([lab + [0.3, 0.0, 0.0], [0.0, 0.4, 0.0]]).astype("<f4").tobytes()
    assert style_distance(flat, moved) == pytest.approx(0.5, abs=1e-6)
    assert style_distance(SCENES[0], style_of(SCENES[0])) < 1e-3 < style_distance(SCENES[0], style_of(SCENES[1]))


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_is_met_much_better_after_the_transfer(look):
    style = style_of(*references(1, "user.00", look))
    before = np.mean([style_distance(picture, style) for picture in SCENES])
    after = np.mean([style_distance(restyled(picture, style), style) for picture in SCENES])
    assert after < before / 3


def test_a_look_that_changes_nothing_grades_nothing():
    from semcast.agents.style import Look

    assert graded(SCENES[0], Look(1.0, 1.0, (1.0, 1.0, 1.0))) == SCENES[0]


def test_what_users_like_is_keyed_by_user_and_share():
    users = [f"user.{number:02d}" for number in range(200)]
    looks = [liked(1, user, 0.5) for user in users]
    assert 70 < sum(map(bool, looks)) < 130 and set(looks) == {"", *LOOKS}
    assert not any(liked(1, user, 0.0) for user in users) and all(liked(1, user, 1.0) for user in users)
    assert all(liked(1, user, 1.0) == look for user, look in zip(users, looks, strict=True) if look)
    assert preferred(1, "user.00", 0.0) == b"" and len(preferred(1, "user.00", 1.0)) == BYTES
    assert preferred(1, "user.00", 1.0) != preferred(1, "user.01", 1.0)
