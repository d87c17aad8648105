"""The judges on a run made by hand: what they say of a shown picture is what they say of it alone."""

from dataclasses import replace

from msgspec import structs
from semcast.scenarios.metrics.alignment import Alignment, View, alignments
from semcast.scenarios.metrics.detection import object_recovery
from semcast.scenarios.metrics.judging import Recovery, Scores, judged, observe, true_boxes
from semcast.scenarios.metrics.story import collect

from ..tale import GENERATED, RECEIVED, SENT, events


def test_every_story_has_its_scores_in_order() -> None:
    stories, _ = collect(events(), {})
    good, lost = judged(stories)
    (seen,) = observe([RECEIVED])
    truth = true_boxes(stories[0])
    assert good.shown.recovery == object_recovery(truth, seen.boxes)
    assert good.count_discrepancy == abs(len(seen.boxes) - 2)
    source, shown = View(SENT, "grass", truth), View(RECEIVED, seen.background, seen.boxes)
    assert good.alignment == alignments([(source, shown)])[0]
    assert (lost.shown, lost.generated, lost.alignment, lost.count_discrepancy) == (Recovery(), Recovery(), Alignment(), None)
    assert judged([]) == []


def test_a_picture_of_a_folder_is_not_judged_as_a_scene_and_others_are() -> None:
    stories, _ = collect(events(), {})
    good, lost = judged(stories)
    mixed = [replace(stories[0], capture=structs.replace(stories[0].capture, file="a.png")), stories[1]]
    own, scene = judged(mixed)
    assert own == Scores(good.fidelity) != good and scene == lost


def test_the_received_picture_is_nearer_to_the_generated_one_than_to_the_original() -> None:
    """RECEIVED is GENERATED, a little brighter; SENT is another scene."""
    views = [
        View(raw, seen.background, seen.boxes)
        for raw, seen in zip((SENT, GENERATED, RECEIVED), observe([SENT, GENERATED, RECEIVED]), strict=True)
    ]
    other, same = alignments([(views[0], views[2]), (views[1], views[2])])
    assert same.image > other.image
    assert same.objects > other.objects
