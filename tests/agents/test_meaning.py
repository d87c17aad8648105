"""Semantic error against brute force over all assignments, and by hand."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.meaning import recognised, semantic_error
from semcast.agents.models.boxes import iou
from semcast.agents.models.roles import Box

PLACES = st.integers(0, 3)
THINGS = st.lists(st.tuples(st.sampled_from(["dog", "cat"]), PLACES, st.sampled_from(["", "mia/dog"])), max_size=4)


def things(drawn):
    return [Box(label, "", 8.0 + 6 * x, 20.0, 12.0, 12.0, 1.0, name) for label, x, name in drawn]


def brute_force(true, found, task, likeness):
    """The best of all ways to give every true thing another slot, where slots beyond those found are empty."""
    slots = list(range(len(found))) + [None] * len(true)

    def worth(i, j):
        if j is None or true[i].label != found[j].label or (task == "mapping" and iou(true[i], found[j]) < 0.5):
            return 0.0
        return likeness[i][j] if true[i].subject else 1.0

    best = max(sum(worth(i, j) for i, j in enumerate(order)) for order in permutations(slots, len(true)))
    return 1.0 - best / len(true)


@given(THINGS, THINGS, st.sampled_from(["mapping", "greeting"]), st.lists(st.floats(0, 1), min_size=16, max_size=16))
def test_the_best_assignment_is_found(true, found, task, values) -> None:
    true, found = things(true), things(found)
    likeness = [[values[4 * i + j] for j in range(len(found))] for i in range(len(true))]
    error = semantic_error(true, found, task, likeness)
    assert 0.0 <= error <= 1.0
    if true:
        assert abs(error - brute_force(true, found, task, likeness)) < 1e-9
    else:
        assert error == 0.0


def test_by_hand() -> None:
    dog, cat = Box("dog", "", 20, 20, 10, 10, 1.0, "mia/dog"), Box("cat", "", 40, 40, 10, 10)
    elsewhere = Box("cat", "", 10, 50, 10, 10)
    assert semantic_error([dog, cat], [], "greeting") == 1.0
    assert semantic_error([dog, cat], [dog, elsewhere], "greeting") == 0.0
    assert semantic_error([dog, cat], [dog, elsewhere], "mapping") == 0.5
    looks = [[0.4, 0.0], [0.0, 0.1]]  # only a subject has one
    assert semantic_error([dog, cat], [dog, cat], "greeting", looks) == 1 - 1.4 / 2
    stranger = Box("dog", "", 20, 20, 10, 10)
    assert semantic_error([dog], [stranger], "greeting", recognised([dog], [stranger])) == 1.0
    assert semantic_error([cat, cat], [cat], "greeting") == 0.5  # each found thing is used once
