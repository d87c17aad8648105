"""Alarms: what raises one, how it is told, and its bits."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, LABELS
from semcast.agents.texts import alarms
from semcast.bus.errors import BadInput


def test_both_a_thing_and_its_place_are_needed() -> None:
    alarm = alarms.ALARMS["vehicle off the road"]
    things = [("car", "red"), ("tree", "green"), ("bus", "blue")]
    assert alarm.raised_by("grass", things) == [("car", "red"), ("bus", "blue")]
    assert alarm.raised_by("street", things) == []
    assert alarm.raised_by("grass", things[1:2]) == []


def test_what_is_told_is_a_sentence() -> None:
    assert alarms.sentence(alarms.phrase("grass", [("car", "red")])) == "Alarm: a red car on grass."
    assert alarms.sentence(alarms.phrase("grass", [])) == "All clear."
    assert alarms.is_alarm("Alarm: a red car on grass.") and not alarms.is_alarm("All clear.")


@given(st.sets(st.sampled_from(LABELS)), st.sets(st.sampled_from(BACKGROUND_NAMES)))
def test_what_is_watched_for_takes_a_bit_a_name(labels: set[str], backgrounds: set[str]) -> None:
    alarm = alarms.Alarm(
        tuple(name for name in LABELS if name in labels), tuple(name for name in BACKGROUND_NAMES if name in backgrounds)
    )
    data = alarms.encode(alarm)
    assert len(data) == 4 and alarms.WATCH_BITS == 28
    assert alarms.decode(data) == alarm


@given(st.binary(max_size=8))
def test_hostile_bytes_are_refused(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        assert len(data) == 4 or alarms.decode(data) is None
    if len(data) != 4:
        with pytest.raises(BadInput):
            alarms.decode(data)
