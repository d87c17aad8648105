"""Video prompts as bits: exact round trips and costs, bounded decoding."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.clips.incidents import KINDS, Incident
from semcast.agents.clips.prompt import (
    EVERY,
    LARGEST_BYTES,
    MODES,
    NO_LOOK,
    PREDICTED,
    STRIDE,
    ClipPromptContent,
    Told,
    courses_of,
    decode,
    encode,
    instants,
    told,
)
from semcast.agents.clips.tracking import Track
from semcast.agents.models.roles import Box
from semcast.agents.scenes.vocabulary import COLOUR_NAMES, LABELS
from semcast.bus.errors import BadInput

PLACES = st.tuples(*(st.integers(-64, 191).map(lambda value: value / 2) for _ in range(2)))
INCIDENTS = st.builds(
    lambda kind, frame, place: Incident(kind, frame, *place), st.sampled_from(KINDS), st.integers(0, 63), PLACES
)


@st.composite
def contents(draw: st.DrawFn) -> ClipPromptContent:
    frames, mode, step = draw(st.integers(1, 64)), draw(st.sampled_from(MODES)), draw(st.integers(1, 16))
    things = []
    for _ in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, frames - 1))
        last = draw(st.integers(first, frames - 1))
        if mode == PREDICTED:
            chosen = [first] + [frame for frame in range(first + 1, last + 1) if draw(st.booleans())]
        else:
            chosen = instants(first, last, step if mode == STRIDE else 1)
        look, size = draw(st.integers(NO_LOOK, 63)), draw(st.tuples(st.integers(1, 64), st.integers(1, 64)))
        label, colour = draw(st.sampled_from((*LABELS, ""))), draw(st.sampled_from((*COLOUR_NAMES, "")))
        points = {frame: draw(PLACES) for frame in chosen}
        things.append(Told(look, label, colour, float(size[0]), float(size[1]), first, last, points))
    events = tuple(draw(st.lists(INCIDENTS, max_size=7)))
    numbers = (draw(st.integers(0, 65535)) for _ in range(3))
    camera, fps = draw(st.integers(0, 15)), draw(st.integers(0, 63))
    return ClipPromptContent(*numbers, camera, frames, fps, mode, step, tuple(things), events)


@given(contents())
@settings(max_examples=60)
def test_round_trip(content: ClipPromptContent) -> None:
    data, bits = encode(content)
    assert decode(data) == content
    assert len(data) == -(-bits // 8)


def test_cost_is_what_the_module_says() -> None:
    empty = ClipPromptContent(1, 2, 3, 4, 16, 8, EVERY, 1, ())
    thing = Told(5, "car", "red", 20.0, 12.0, 2, 9, {frame: (float(frame), 3.5) for frame in range(2, 10)})
    _, header = encode(empty)
    assert header == 3 * 16 + 4 + 6 + 6 + 2 + 4 + 4 + 3
    assert encode(ClipPromptContent(1, 2, 3, 4, 16, 8, EVERY, 1, (thing,)))[1] == header + 10 + 1 + 6 + 14 + 12 + 8 * 16
    seen = Told(NO_LOOK, "car", "red", 20.0, 12.0, 2, 9, {2: (2.0, 3.5), 5: (9.0, 3.5)})
    assert encode(ClipPromptContent(1, 2, 3, 4, 16, 8, PREDICTED, 1, (seen,)))[1] == header + 10 + 1 + 14 + 12 + 7 + 2 * 16


@given(st.binary(max_size=80))
def test_what_is_no_prompt_is_refused_or_read(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        content = decode(data)
        assert len(content.things) <= 15 and content.frames <= 64


def test_cuts_and_lengths_are_refused() -> None:
    data, _ = encode(ClipPromptContent(1, 2, 3, 4, 16, 8, EVERY, 1, (Told(5, "car", "red", 20.0, 12.0, 0, 0, {0: (1.0, 1.0)}),)))
    with pytest.raises(BadInput):
        decode(data[:-2])
    with pytest.raises(BadInput):
        decode(bytes(LARGEST_BYTES + 1))


@pytest.mark.parametrize("mode", MODES)
def test_a_track_comes_back_within_what_was_rounded(mode: str) -> None:
    places = {frame: Box("car", "red", 10 + 2.3 * frame, 20.2, 20, 12) for frame in range(1, 15)}
    thing = told(Track("car", "red", places), 0, mode, 4, 1.5)
    ((_, back),) = courses_of(decode(encode(ClipPromptContent(0, 0, 0, 0, 16, 8, mode, 4, (thing,)))[0]))
    assert sorted(back) == sorted(places)
    worst = max(abs(back[frame].cx - places[frame].cx) for frame in places)
    assert worst <= (1.75 if mode == PREDICTED else 0.5)
    assert (len(thing.points) < 6) == (mode != EVERY)
