"""Retrieval by cosine, and what a summary costs."""

import numpy as np
import pytest
from semcast.agents.knowledge import KbItem, KnowledgeBase, change, nearest, summary_bits, summary_of
from semcast.agents.knowledge.retrieval import to_float16


def unit(*values: float) -> bytes:
    vector = np.array(values, dtype="<f4")
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def item(name: str, vector: bytes) -> KbItem:
    return KbItem("term", name, 1, "test", "public", name, vector)


def test_nearest_orders_by_cosine_and_passes_over_items_without_embedding() -> None:
    items = [item("across", unit(0, 1)), item("none", b""), item("along", unit(1, 0)), item("between", unit(1, 1))]
    found = nearest(unit(1, 0), items, 2)
    assert [each.name for _, each in found] == ["along", "between"]
    assert [score for score, _ in found] == pytest.approx([1.0, 0.5**0.5], abs=1e-6)
    assert nearest(b"", items) == [] and nearest(unit(1, 0), []) == []


def test_equal_items_keep_their_order() -> None:
    items = [item(name, unit(1, 2)) for name in "abc"]
    assert [each.name for _, each in nearest(unit(1, 2), items, 3)] == ["a", "b", "c"]


def test_float16_is_idempotent_and_near() -> None:
    vector = unit(0.3, -0.7, 0.1)
    once = to_float16(vector)
    assert to_float16(once) == once
    assert np.abs(np.frombuffer(once, "<f4") - np.frombuffer(vector, "<f4")).max() < 1e-3


def test_a_summary_names_what_has_a_look_and_costs_20_bits_each() -> None:
    base = KnowledgeBase()
    for name, data in (("b/cat", b"1234"), ("a/dog", b"1234"), ("c/car", b"")):
        base.apply(change(base, "subject", name, name, provenance="user.0", data=data))
    summary = summary_of(base, 3)
    assert summary.subjects == ["a/dog", "b/cat"]
    assert summary_bits(summary) == 8 + 16 + 2 * 20
