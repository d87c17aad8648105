"""Eviction: the order of each policy, room exactly as needed, and what it costs to fetch again under a skewed demand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.codec_store import CodecStore
from semcast.bus import keys
from semcast.policies.protocols import EvictionContext, StoredCodec
from semcast.policies.registry import BUILT_IN, load, resolve

POLICIES = list(BUILT_IN["eviction"])
SIZES = {f"codec.{i:02d}": (1 + 3 * (i % 5)) * 1_000_000 for i in range(30)}


def codec(name, bits=10, uses=1, idle_s=1.0, fetch_s=0.01, level=0.0):
    return StoredCodec(name, bits, uses, idle_s, fetch_s, level)


def evict(policy, held, room_bits, level=0.0):
    return load(resolve("eviction", policy)).evict(EvictionContext(tuple(held), "new", room_bits, level), lambda name: 0.5)


def test_lru_takes_the_order_of_last_use() -> None:
    assert evict("lru", [codec("a", uses=9), codec("b"), codec("c")], 11).names == ("a", "b")


def test_lfu_takes_the_least_used_and_of_equals_the_longest_unused() -> None:
    assert evict("lfu", [codec("a", uses=9), codec("b", uses=2), codec("c", uses=2)], 10).names == ("b",)


def test_greedy_dual_weighs_uses_and_cost_against_size() -> None:
    """Worth 0.1 + 2 * 0.02 / 1 Mbit = 0.14, 1 * 0.06 / 4 = 0.015, and 0.05 + 1 * 0.06 / 1 = 0.11."""
    held = [codec("a", 1_000_000, 2, fetch_s=0.02, level=0.1), codec("b", 4_000_000, fetch_s=0.06)]
    held.append(codec("c", 1_000_000, 0, fetch_s=0.06, level=0.05))
    found = evict("greedy-dual", held, 4_500_000)
    assert found.names == ("b", "c") and found.level == pytest.approx(0.11)
    assert evict("greedy-dual", held, 1, level=0.3).level == 0.3  # it never falls


@given(
    st.sampled_from(POLICIES),
    st.lists(st.tuples(st.integers(1, 99), st.integers(0, 5), st.floats(0, 9), st.floats(0, 1)), min_size=1, max_size=8),
    st.floats(0.01, 1),
)
def test_just_enough_goes(policy, held, share) -> None:
    codecs = [codec(str(i), bits, uses, idle, 0.01, level) for i, (bits, uses, idle, level) in enumerate(held)]
    room_bits = max(1, int(share * sum(each.bits for each in codecs)))
    sizes = [codecs[int(name)].bits for name in evict(policy, codecs, room_bits).names]
    assert sum(sizes) >= room_bits > sum(sizes[:-1])


def fetched_s(policy, requests=4000):
    """Seconds of fetching under a Zipf demand whose favourites change once; a store of 40 Mbit for 210 Mbit of codecs."""
    store, own, total = CodecStore(capacity_bits=40_000_000), load(resolve("eviction", policy)), 0.0
    weights = [1 / (rank + 1) for rank in range(len(SIZES))]
    bounds = [sum(weights[: rank + 1]) / sum(weights) for rank in range(len(weights))]

    def fetch_s(bits):
        return 0.01 + bits / 1e9

    for number in range(requests):
        rank = next(i for i, bound in enumerate(bounds) if keys.uniform("eviction", number) <= bound)
        place = rank * 7 + (11 if number > requests // 2 else 0)
        name = list(SIZES)[place % len(SIZES)]
        now_ns, bits = number * 1_000_000_000, SIZES[name]
        if not store.use(name, now_ns):
            total += fetch_s(bits)
            if not store.fits(bits):
                choice = own.evict(store.question(name, bits, now_ns, fetch_s), lambda name: 0.5)
                store.evict(choice.names, choice.level)
            store.put(name, bits, now_ns)
            assert store.used_bits <= store.capacity_bits
            store.use(name, now_ns)
    return total


def test_greedy_dual_fetches_least_under_a_skewed_changing_demand() -> None:
    costs = {policy: fetched_s(policy) for policy in ("lru", "lfu", "greedy-dual")}
    assert all(cost > 1.0 for cost in costs.values())
    assert costs["greedy-dual"] < 0.92 * min(costs["lru"], costs["lfu"]), costs


def test_the_default_does_what_the_store_did_before_there_was_a_choice() -> None:
    """Against a plain list in the order of last use."""
    store, own, plain = CodecStore(capacity_bits=20_000_000), load(resolve("eviction", "lru")), []
    for number in range(500):
        name = f"codec.{keys.integer(30, 'lru', number):02d}"
        if not store.use(name, number):
            while sum(SIZES[each] for each in plain) + SIZES[name] > 20_000_000:
                plain.pop(0)
            if not store.fits(SIZES[name]):
                choice = own.evict(store.question(name, SIZES[name], number, lambda bits: 0.01), lambda name: 0.5)
                store.evict(choice.names, choice.level)
            store.put(name, SIZES[name], number)
        else:
            plain.remove(name)
        plain.append(name)
        assert list(store.held) == plain
    assert all(a.last_ns <= b.last_ns for a, b in pairwise(store.held.values()))
