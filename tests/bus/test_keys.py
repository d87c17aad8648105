"""Keyed randomness: equal keys, equal draws; the distributions are what they claim."""

from hashlib import blake2b

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import keys

KEY = st.lists(st.one_of(st.text(max_size=8), st.integers(-(2**70), 2**70)), max_size=5)


@given(KEY, KEY)
def test_different_keys_have_different_digests(a: list[str | int], b: list[str | int]) -> None:
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b]
    assert (keys.digest(a) == keys.digest(b)) == same


def test_known_values_never_change() -> None:
    """Golden: a change here changes every digest ever published."""
    assert keys.digest((1, "a")).hex() == "9f6d67fb719421d4ba5973bd11eec8ef"
    assert keys.uniform(1, "fading", "user.01") == 0.9679197586195889
    assert keys.complex_normal(1, "n")[0] == np.complex64(0.1049851 - 0.4551012j)


def test_uniform_is_uniform() -> None:
    draws = np.array([keys.uniform("test", i) for i in range(20_000)])
    assert draws.min() >= 0.0 and draws.max() < 1.0
    assert abs(draws.mean() - 0.5) < 4 * (1 / 12 / 20_000) ** 0.5
    assert abs(draws.var() - 1 / 12) < 0.003


def test_integer_covers_its_range() -> None:
    counts = np.bincount([keys.integer(7, "i", n) for n in range(7_000)], minlength=7)
    assert len(counts) == 7 and (abs(counts - 1000) < 150).all()


def test_complex_normal_has_unit_variance_split_over_i_and_q() -> None:
    noise = keys.complex_normal(200_000, "noise", 3)
    assert noise.dtype == np.complex64
    assert abs(noise.real.var() - 0.5) < 0.01 and abs(noise.imag.var() - 0.5) < 0.01
    assert abs((noise.real * noise.imag).mean()) < 0.01


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_shorter_stream_is_a_prefix(n: int, m: int) -> None:
    short, long = sorted((n, m))
    assert (keys.complex_normal(long, "s")[:short] == keys.complex_normal(short, "s")).all()


def test_one_shot_draws_are_those_of_a_fresh_generator() -> None:
    for key in ((1, "a"), (2**63 - 1, "b", 7)):
        fresh = keys.generator(*key).standard_normal((5, 2), dtype=np.float32) * np.float32(0.5**0.5)
        assert np.array_equal(keys.complex_normal(5, *key), fresh.view(np.complex64)[:, 0])
        assert np.array_equal(keys.uniforms((3, 4), *key), keys.generator(*key).random((3, 4)))
        held = keys.generator(*key)  # is not touched by others' draws
        first = held.random()
        keys.uniforms((2,), "else")
        assert [first, held.random()] == list(keys.generator(*key).random(2))


@given(KEY)
def test_a_key_is_hashed_with_types_and_lengths_in_bytes(key: list[str | int]) -> None:
    """Against the plain definition."""
    raw = b"".join(b"s%d:%b" % (len(part.encode()), part.encode()) if isinstance(part, str) else b"i%d;" % part for part in key)
    assert keys.digest(key, 12) == blake2b(raw, digest_size=12).digest()
