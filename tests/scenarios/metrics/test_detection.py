"""Recovery metrics against hand-made cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.models.boxes import iou
from semcast.agents.models.roles import Box
from semcast.scenarios.metrics.detection import (
    detection_score,
    matches,
    object_count_discrepancy,
    object_recovery,
    object_recovery_iou50,
)


def box(label, cx=20.0, cy=20.0, width=10.0, height=10.0):
    return Box(label, "red", cx, cy, width, height)


def test_iou_closed_forms():
    assert iou(box("dog"), box("dog")) == 1.0
    assert iou(box("dog"), box("dog", cx=25.0)) == pytest.approx(50 / 150)
    assert iou(box("dog"), box("dog", cx=30.0)) == 0.0
    assert iou(box("dog"), box("dog", width=5.0, height=5.0)) == pytest.approx(25 / 100)


def test_recovery_counts_classes_as_a_multiset():
    truth = [box("dog"), box("dog", cx=40.0), box("cup")]
    assert object_recovery(truth, [box("dog", cx=60.0)]) == pytest.approx(1 / 3)
    assert object_recovery(truth, [box("dog"), box("dog"), box("dog")]) == pytest.approx(2 / 3)
    assert object_recovery(truth, truth + [box("key")]) == 1.0
    assert object_recovery(truth, []) == 0.0
    assert object_recovery([], [box("dog")]) == 1.0


def test_count_discrepancy_is_of_numbers_whatever_the_class():
    dog, cup = box("dog"), box("cup")
    assert object_count_discrepancy([dog, cup], [cup, cup]) == 0
    assert object_count_discrepancy([dog, cup], []) == object_count_discrepancy([], [dog, cup]) == 2
    assert object_count_discrepancy([dog], [dog, dog, cup]) == 2


def test_place_counts_in_iou50_only():
    truth, moved = [box("dog"), box("cup", cx=50.0)], [box("dog", cx=40.0), box("cup", cx=51.0)]
    assert object_recovery(truth, moved) == 1.0
    assert object_recovery_iou50(truth, moved) == 0.5
    assert object_recovery_iou50(truth, [box("cat"), box("cup", cx=50.0)]) == 0.5


def test_overlap_of_exactly_one_half_matches():
    assert matches([box("dog")], [box("dog", width=5.0)]) == [(0, 0)]
    assert matches([box("dog")], [box("dog", width=4.9)]) == []


def test_number_of_matches_comes_before_their_overlap():
    """A greedy choice would pair the second truth with the first find (overlap 1) and leave the other pair without."""
    truth = [box("dog", cx=20.0), box("dog", cx=22.0)]
    found = [box("dog", cx=22.0), box("dog", cx=25.0)]
    assert matches(truth, found) == [(0, 0), (1, 1)]


def test_score_pools_pictures():
    score = detection_score([([box("dog"), box("cup")], [box("dog")]), ([box("key")], [box("key"), box("hat")])])
    assert (score.hits, score.found, score.truth) == (2, 3, 3)
    assert score.precision == score.recall == score.f1 == pytest.approx(2 / 3)
    assert detection_score([([], [])]).f1 == 1.0


labels = st.lists(st.sampled_from(["dog", "cat", "cup"]), max_size=6)


@given(labels, labels)
def test_place_never_helps(truth, found):
    a = [box(label, cx=10.0 + 7 * i) for i, label in enumerate(truth)]
    b = [box(label, cx=10.0 + 7 * i) for i, label in enumerate(found)]
    assert 0.0 <= object_recovery_iou50(a, b) <= object_recovery(a, b) <= 1.0
    assert object_recovery(a, a) == object_recovery_iou50(a, a) == 1.0
