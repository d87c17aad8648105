"""The three alignments: closed forms on chosen vectors, and order on real scenes."""

import numpy as np
import pytest
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.scenarios.metrics.alignment import View, alignments, cosine, likeness_of, object_alignment

E = np.eye(4, dtype=np.float32)


def view(index: int) -> View:
    scene = make_scene("test", "alignment", index, count=(2, 4))
    return View(draw(scene).tobytes(), scene.background, scene.boxes())


def test_cosine() -> None:
    assert cosine(np.array([3.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(0.5**0.5)
    assert cosine(E[0], E[1]) == 0
    assert cosine(E[0], -2 * E[0]) == -1
    assert cosine(E[0], np.zeros(4)) == 0


def test_objects_are_paired_for_the_largest_sum() -> None:
    half = (E[0] + E[1]) / 2**0.5
    assert object_alignment(likeness_of(E[:3], E[[2, 0, 1]])) == 1  # order does not matter
    # greedily, E0 would take `half` from E1's side: the best pairing gives E0-E0 and E1-half
    assert object_alignment(likeness_of(E[:2], np.stack([half, E[0]]))) == pytest.approx((1 + 0.5**0.5) / 2)


def test_lost_and_invented_objects_count_nothing() -> None:
    assert object_alignment(likeness_of(E[:2], E[:1])) == 0.5
    assert object_alignment(likeness_of(E[:1], E[:2])) == 0.5
    assert object_alignment(likeness_of(E[:1], -E[:1])) == 0  # not -1
    assert (
        object_alignment(likeness_of(E[:0], E[:0])),
        object_alignment(likeness_of(E[:2], E[:0])),
        object_alignment(likeness_of(E[:0], E[:2])),
    ) == (1, 0, 0)


def test_a_picture_is_aligned_with_itself_and_more_than_with_others() -> None:
    same, other = alignments([(view(0), view(0)), (view(0), view(1))])
    assert (same.image, same.objects, same.text) == pytest.approx((1, 1, 1), abs=1e-6)
    assert other.image < same.image
    assert other.objects < same.objects
    assert other.text < same.text
    assert alignments([]) == []


def test_an_alignment_does_not_depend_on_companions() -> None:
    pairs = [(view(i), view(i + 1)) for i in range(4)]
    assert alignments(pairs[2:3]) == alignments(pairs)[2:3]


def test_captions_do_not_depend_on_the_order_of_boxes_or_on_owners() -> None:
    scene = make_scene("test", "alignment", 7, count=3, subjects=("mia/dog",))
    one, two = View(b"", "sand", scene.boxes()), View(b"", "sand", scene.boxes()[::-1])
    assert one.caption == two.caption
    assert "mia" not in one.caption
    assert View(b"", "sand", []).caption == "nothing on sand"
