"""Measured looks: laid over the picture that they were measured on, they say what was seen there."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.roles import Box
from semcast.agents.models.table import patterns
from semcast.agents.models.table.store import read_table
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from semcast.agents.scenes.world import make_scene
from semcast.agents.sketches import Hop, of_scene

LIBRARY = read_table(WEIGHTS / "table").library


@given(st.integers(0, 10**6), st.sampled_from(["", "mia/dog"]), st.booleans(), st.integers(0, 3))
def test_a_look_comes_back(seed: int, own: str, asks: bool, lost: int) -> None:
    sketch = of_scene(make_scene("pattern", seed, subjects=(own,) if own else ()))
    asked = ["mia/dog"] if asks else []
    seen = []
    for place, thing in enumerate(sketch.things[lost:]):
        box = thing.box()
        named = thing.subject if thing.subject in asked else ""
        label = "dog" if named else LABELS[(thing.label + place) % len(LABELS)]
        colour = COLOUR_NAMES[(thing.colour + seed) % len(COLOUR_NAMES)]
        seen.append(Box(label, colour, box.cx + 0.25, box.cy - 0.5, box.width, box.height + 1.0, (900 - place) / 1000, named))
    pattern = patterns.measured(sketch.things, sketch.background, asked, seen, BACKGROUND_NAMES[seed % 4])
    boxes, background = patterns.laid(pattern, sketch.things, sketch.background, asked)
    assert background == BACKGROUND_NAMES[seed % 4]
    # overlapping things may have been taken for each other: what was seen is the same all the same
    assert sorted((box.label, box.colour, box.cx, box.cy) for box in boxes) == sorted(
        (box.label, box.colour, box.cx, box.cy) for box in seen
    )
    assert [box.score for box in boxes] == sorted((box.score for box in seen), reverse=True)


def test_a_pattern_of_fewer_or_more_things_can_be_laid() -> None:
    one, many = (of_scene(make_scene("pattern", "n", count=count)) for count in (1, 6))
    pattern = patterns.measured(many.things, many.background, [], [thing.box() for thing in many.things], "snow")
    assert len(patterns.laid(pattern, one.things, one.background, [])[0]) == 1
    assert patterns.laid(pattern, (), 0, [])[0] == []


def test_states_follow_what_happened_to_a_picture() -> None:
    photograph = of_scene(make_scene("state", 1))
    assert patterns.state_of(photograph, LIBRARY) == "photograph"
    assert patterns.state_of(replace(photograph, made=2), LIBRARY) == "drawn"
    good, bad = (replace(photograph, hops=(Hop("snr07-cbr12", snr),)) for snr in (200, -50))
    assert patterns.state_of(good, LIBRARY) > patterns.state_of(bad, LIBRARY)
    assert patterns.state_of(replace(photograph, hops=(*good.hops, *bad.hops)), LIBRARY) == patterns.state_of(bad, LIBRARY)
    assert patterns.predicted_db("coded-q85", 0.0, LIBRARY) > 24
