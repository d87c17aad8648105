"""The first policy: the cost of an action is that of its parts, and what was worth more is likelier."""

import numpy as np
import pytest
from semcast.policies.examples import prompt_context
from semcast.policies.prompt.actions import ACTIONS, FEATURES, NAMES, SHARE, features, mask, parts_of
from semcast.scenarios.learning.first import bits, first_policy
from semcast.scenarios.learning.gradient import Batch


@pytest.mark.parametrize("number", range(12))
def test_bits_are_those_of_the_parts(number) -> None:
    context = prompt_context(number)
    seen = np.array([features(context)])
    costs = {candidate.name: candidate.bits for candidate in context.candidates}
    for action, can in enumerate(mask(context)):
        if can and ACTIONS[action][1] != SHARE:
            sent = sum(min(costs[part], {"boxes": 500, "identifiers": 3000}.get(part, 300)) for part in parts_of(action, context))
            assert bits(seen, np.array([action]))[0] == pytest.approx(sent)


def test_what_was_worth_more_is_likelier() -> None:
    draw = np.random.default_rng(1)
    seen = np.zeros((400, len(FEATURES)))
    mapping = seen[:, FEATURES.index("mapping")] = draw.integers(0, 2, 400)
    caption, boxes = NAMES.index("caption"), NAMES.index("boxes")
    allowed = np.zeros((400, len(ACTIONS)), bool)
    allowed[:, [caption, boxes]] = True
    actions = np.where(draw.random(400) < 0.5, caption, boxes)
    right = (actions == boxes) == (mapping == 1)
    batch = Batch(seen, allowed, actions, np.full(400, np.log(0.5)), right - 0.5 + 0.3 * draw.standard_normal(400))
    chances = first_policy(batch)
    assert chances.sum(axis=1) == pytest.approx(1.0) and not chances[~allowed].any()
    assert (chances[mapping == 1, boxes] > 0.9).all() and (chances[mapping == 0, caption] > 0.9).all()
