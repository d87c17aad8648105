"""Latents as bits: the quantiser against Max's table, prompts there and back."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from semcast.agents.models.digits.prompts import (
    LABEL_BITS,
    LATENTS,
    LAYERS,
    PARTS,
    bits_of,
    place,
    read_labels,
    read_layer,
    write_labels,
    write_layer,
)
from semcast.agents.models.digits.quantiser import levels, quantise, restore, within
from semcast.bus import keys
from semcast.bus.errors import BadInput

MAX_TABLE = {1: (0.3634, 1.0), 2: (0.1175, 1.911), 3: (0.03454, 2.825), 4: (0.009497, 3.765)}
"""Squared error and entropy of the indices (Max 1960, table I)."""


@pytest.mark.parametrize("bits", MAX_TABLE)
def test_error_and_rate_are_those_of_the_table(bits: int) -> None:
    values = keys.generator("test", "quantiser").standard_normal(1_000_000)
    cells = quantise(values, bits)
    error = np.mean((restore(cells, bits) - values) ** 2)
    shares = np.bincount(cells, minlength=1 << bits) / len(values)
    assert len(shares) == 1 << bits
    assert error == pytest.approx(MAX_TABLE[bits][0], rel=0.01)
    assert -np.sum(shares * np.log2(shares)) == pytest.approx(MAX_TABLE[bits][1], abs=0.005)


def test_one_bit_is_the_closed_form() -> None:
    assert levels(1) == pytest.approx([-np.sqrt(2 / np.pi), np.sqrt(2 / np.pi)])


@pytest.mark.parametrize("bits", [0, 7])
def test_bits_that_there_are_not(bits: int) -> None:
    with pytest.raises(BadInput):
        levels(bits)


@given(cells=st.lists(st.integers(0, 7), min_size=1, max_size=20), at=st.floats(1e-6, 1 - 1e-6))
def test_draws_stay_in_their_cell(cells: list[int], at: float) -> None:
    drawn = within(np.array(cells), 3, np.full(len(cells), at))
    assert np.array_equal(quantise(drawn, 3), np.array(cells))


@given(labels=st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_labels_there_and_back(labels: list[int]) -> None:
    raw = write_labels(np.array(labels))
    assert len(raw) == -(-len(labels) * LABEL_BITS // 8)
    assert read_labels(raw, len(labels)).tolist() == labels


@settings(max_examples=50)
@given(latents=arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(LATENTS)), elements=st.floats(-9, 9)))
def test_layers_there_and_back(latents: np.ndarray) -> None:
    for part in range(1, len(PARTS)):
        raw, layer = write_layer(latents, part), LAYERS[part - 1]
        assert len(raw) == -(-len(latents) * bits_of(part) // 8)
        got = read_layer(raw, part, len(latents))
        assert np.array_equal(got, restore(quantise(latents[:, place(part)], layer.bits), layer.bits))


@given(raw=st.binary(max_size=12))
def test_any_bytes_are_labels_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert (read_labels(raw, 4) < 10).all()


def test_parts_cover_all_latents_once() -> None:
    covered = np.zeros(LATENTS, int)
    for part in range(1, len(PARTS)):
        covered[place(part)] += 1
    assert (covered == 1).all()
