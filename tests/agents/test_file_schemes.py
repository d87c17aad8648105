"""Schemes that send pictures as files: what is charged, what is shown, and who needs no codec."""

from collections import Counter
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.accounting import body_bits
from semcast.agents.picture_files import FILE_CODECS, LOSSLESS, opened, prescribed, written
from semcast.agents.satisfaction import quality
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.agents.settings import RadioSettings
from semcast.bus.errors import BadInput
from semcast.bus.messages import CodedPicture, Content, Downlink, Failure, Feedback, GenerateOrder, Uplink
from semcast.bus.records import AirRecord, Capture, Decision, Shown

from .networks import run, town, two_users

GOOD = {"model": "awgn", "fixed_snr_db": 20.0}
PICTURES = [draw(make_scene("files", number, count=(1, 8))).tobytes() for number in range(3)]


def filed(scheme, radio=GOOD, **changes):
    return run(two_users(scheme=scheme, radio=RadioSettings(**radio), **changes))


@pytest.mark.parametrize("codec", FILE_CODECS)
def test_files_open_as_pictures_and_better_ones_are_longer(codec) -> None:
    for picture in PICTURES:
        files = [written(picture, codec, each) for each in ((140, 220) if codec == "jpeg2000" else (20, 90))]
        assert all(len(opened(file)) == len(picture) for file in files)
        if codec == LOSSLESS:
            assert opened(files[0]) == picture
        else:
            assert len(files[1]) > len(files[0])


def test_a_prescribed_format_tells_what_it_is_worth() -> None:
    forms = [prescribed("webp", each) for each in (10, 50, 90)]
    assert [form.name for form in forms] == ["coded-webp-q10", "coded-webp-q50", "coded-webp-q90"]
    assert sorted(form.psnr_db for form in forms) == [form.psnr_db for form in forms]
    assert sorted(form.bits for form in forms) == [form.bits for form in forms]
    assert prescribed(LOSSLESS, 0).psnr_db == 60.0


@given(st.binary(max_size=400))
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        opened(data)
    file = bytearray(written(PICTURES[0], "webp", 50))
    file[: len(data)] = data[: len(file)]
    with suppress(BadInput):
        assert len(opened(bytes(file))) == len(PICTURES[0])


def test_the_picture_itself_goes_up_and_down_as_one_file_that_is_charged_twice() -> None:
    result = filed("traditional", file_codec="jpeg", file_quality=75)
    captures = {capture.request: capture.picture for capture in result.of(Capture)}
    shown = result.of(Shown)
    assert shown and not result.of(GenerateOrder)
    airs = [air for air in result.of(AirRecord) if air.purpose == "features"]
    for record in shown:
        file = written(captures[record.request], "jpeg", 75)
        assert record.picture == opened(file) and record.codec == "coded-jpeg-q75"
        bits = body_bits(CodedPicture(record.request, "", 0, "", file))
        assert bits > 8 * len(file)
        mine = [air for air in airs if air.request == record.request]
        assert [(air.direction, air.payload_bits) for air in mine] == [("up", bits), ("down", bits)]
        assert all(air.jscc_symbols == 0 and air.coded_bits > bits for air in mine)
    told = [up.body for up in result.of(Uplink) if isinstance(up.body, Feedback)]
    assert {feedback.quality for feedback in told} == {quality(prescribed("jpeg", 75).psnr_db)}


def test_generated_pictures_come_down_as_the_prescribed_file() -> None:
    result = filed("gai-traditional")
    drawn = {content.request: content.picture for content in result.of(Content)}
    shown = result.of(Shown)
    assert shown and result.of(GenerateOrder)
    for record in shown:
        assert record.picture == opened(written(drawn[record.request], "webp", 50))
    up = [air for air in result.of(AirRecord) if air.direction == "up" and air.request]
    assert {air.purpose for air in up} == {"prompt", "kb", "feedback"} or {air.purpose for air in up} == {"prompt", "feedback"}


@pytest.mark.parametrize("scheme", ["gai-traditional", "traditional"])
def test_nobody_gets_decoders_or_asks_for_csi_or_chooses_a_codec(scheme) -> None:
    result = filed(scheme)
    assert not [air for air in result.of(AirRecord) if air.purpose == "installation"]
    assert not [down for down in result.of(Downlink) if down.purpose == "csi"]
    assert not [decision for decision in result.of(Decision) if decision.verb == "choose"]


@pytest.mark.parametrize("scheme", ["gai-traditional", "traditional"])
def test_every_request_ends_once_where_the_air_loses_files_and_users_move(scheme) -> None:
    radio = RadioSettings(model="rayleigh", fixed_snr_db=-4.0, max_attempts=2)
    result = run(town(scheme=scheme, radio=radio))
    ends = Counter(end.request for end in [*result.of(Shown), *result.of(Failure)])
    assert ends == Counter(capture.request for capture in result.of(Capture))
    assert result.of(Shown) and result.of(Failure)


def test_several_workers_give_one_digest() -> None:
    settings = town(scheme="traditional")
    assert run(settings).digest == run(settings, workers=3).digest
    other = msgspec.structs.replace(settings, file_quality=30)
    assert run(other).digest != run(settings).digest
