"""mAP50: closed forms, and agreement with pycocotools."""

import contextlib
import io

import numpy as np
import pytest
from semcast.agents.models.roles import Box
from semcast.bus import keys
from semcast.scenarios.metrics.precision import average_precision, map50, rankings


def box(label, x, score=1.0, size=10.0):
    return Box(label, "red", float(x), 20.0, size, size, score)


def test_hand_made_ranking():
    """Hit, miss, hit of 2 objects: precision 1 up to recall 0.5 (51 of 101 recalls), then 2/3 at the other 50."""
    truth = [box("dog", 10), box("dog", 40)]
    found = [box("dog", 10, 0.9), box("dog", 25, 0.8), box("dog", 40, 0.7)]
    assert map50([(truth, found)])[0] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_one_object_is_matched_once_and_other_classes_are_false():
    truth = [box("dog", 10)]
    twice = [box("dog", 10, 0.9), box("dog", 10.5, 0.8)]
    assert map50([(truth, twice)])[0] == pytest.approx(1.0)  # the second is behind full recall
    assert map50([(truth, list(reversed([box("dog", 10, 0.7), box("dog", 30, 0.9)])))])[0] == pytest.approx(0.5)
    assert map50([(truth, [box("cat", 10)])])[0] == 0.0
    assert map50([([*truth, box("cat", 40)], [box("dog", 10)])])[0] == pytest.approx(0.5)
    assert map50([(truth, [])])[0] == 0.0


def test_overlap_decides_at_one_half():
    """Two squares of side 10 shifted by d share (10 - d) / (10 + d): 0.5 at d = 10/3."""
    truth = [box("dog", 20)]
    assert map50([(truth, [box("dog", 20 + 3.3)])])[0] == pytest.approx(1.0)
    assert map50([(truth, [box("dog", 20 + 3.4)])])[0] == 0.0


def random_pairs(n):
    rng = keys.generator("mAP", n)
    pairs = []
    for _ in range(n):
        truth = [box(("dog", "cat", "cup")[rng.integers(3)], 12 * i + 6) for i in range(rng.integers(0, 6))]
        found = [box(b.label if rng.random() < 0.8 else "cat", b.cx + rng.normal(0, 2.5), float(rng.random())) for b in truth * 2]
        pairs.append((truth, found[: rng.integers(0, len(found) + 1)]))
    return pairs


def test_weights_count_pictures():
    pairs = random_pairs(12)
    twice = map50(pairs, np.array([[2] * 12, [1] * 6 + [0] * 6]))
    assert twice[0] == pytest.approx(map50(pairs)[0], abs=1e-9)
    assert twice[1] == pytest.approx(map50(pairs[:6])[0], abs=1e-9)
    assert np.isnan(average_precision(rankings(pairs)[0], np.zeros((1, 12))))[0]


@pytest.mark.parametrize("n", [10, 40])
def test_same_as_pycocotools(n):
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    pairs = random_pairs(n)
    names = ("dog", "cat", "cup")

    def row(picture, b):
        area = {"area": b.width * b.height, "bbox": [b.cx - b.width / 2, b.cy - b.height / 2, b.width, b.height], "iscrowd": 0}
        return {"image_id": picture, "category_id": names.index(b.label) + 1, **area}

    truth = [row(i, b) for i, (true, _) in enumerate(pairs) for b in true]
    data = {
        "images": [{"id": i} for i in range(n)], "categories": [{"id": i + 1, "name": name} for i, name in enumerate(names)],
        "annotations": [{"id": i + 1, **a} for i, a in enumerate(truth)], "info": {},
    }  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        known = coco.COCO()
        known.dataset = data
        known.createIndex()
        seen = known.loadRes([{**row(i, b), "score": b.score} for i, (_, found) in enumerate(pairs) for b in found])
        run = evaluation.COCOeval(known, seen, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    assert map50(pairs)[0] == pytest.approx(run.stats[1], abs=1e-9)
