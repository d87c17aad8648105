"""Pictures as coded bits beside JSCC: what the cards promise, and the whole way from edge to display."""

from collections import Counter

import msgspec
import numpy as np
import pytest
from semcast.agents.accounting import body_bits
from semcast.agents.coded_pictures import FORMATS, card
from semcast.agents.models.training.jscc_export import scene_pictures
from semcast.agents.pictures import compress, decompress
from semcast.agents.satisfaction import quality
from semcast.agents.settings import RadioSettings
from semcast.bus.messages import Content, Failure, Feedback, JsccPicture, Uplink
from semcast.bus.records import AirRecord, Capture, Decision, Shown
from semcast.policies.registry import resolve

from .networks import run, two_users


def coded(encoder, **radio):
    settings = two_users(coded_fallback=True, policies=(resolve("encoder", encoder),))
    return run(msgspec.structs.replace(settings, radio=RadioSettings(**radio)))


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_format_is_what_it_is_on_validation_scenes(form) -> None:
    files, psnr_db = [], []
    for picture in scene_pictures("validation", 200):
        files.append(compress(picture.tobytes(), form.quality))
        shown = np.frombuffer(decompress(files[-1]), np.uint8).reshape(picture.shape)
        psnr_db.append(10 * np.log10(255**2 / np.square(picture.astype(float) - shown).mean()))
    assert np.mean([8 * len(file) for file in files]) == pytest.approx(form.bits, rel=0.02)
    assert np.mean(psnr_db) == pytest.approx(form.psnr_db, abs=0.1)


def test_its_symbols_fall_as_the_mean_snr_rises() -> None:
    cards = [card(FORMATS["coded-q50"], two_users(), snr_db) for snr_db in (-5.0, 5.0, 15.0, 25.0, 35.0)]
    symbols = [each.symbols for each in cards]
    assert symbols == sorted(symbols, reverse=True) and symbols[0] > 10 * symbols[-1]
    best = FORMATS["coded-q50"].bits / (6 * 0.86)  # 64QAM at its highest rate
    assert best * 1.08 < symbols[-1] < best * 1.2  # checksums and repeats
    assert all(each.joules > 0 and each.encode_s > 0 and each.decode_s > 0 for each in cards)


def test_the_file_crosses_the_air_and_is_shown() -> None:
    result = coded("fixed:codec=coded-q50")
    shown, content = result.of(Shown), {content.request: content.picture for content in result.of(Content)}
    assert shown and {record.codec for record in shown} == {"coded-q50"}
    for record in shown:
        assert record.picture == decompress(compress(content[record.request], 50))
    airs = {air.request: air for air in result.of(AirRecord) if air.purpose == "features"}
    for record in shown:
        air, file = airs[record.request], compress(content[record.request], 50)
        header = body_bits(JsccPicture(record.request, "user.0", 0, "x")) + 16  # the length of the file
        assert air.payload_bits == header + 8 * len(file)
        assert air.jscc_symbols == 0 and air.coded_bits > air.payload_bits and air.delivered
    told = [up.body for up in result.of(Uplink) if isinstance(up.body, Feedback)]
    assert {feedback.quality for feedback in told} == {quality(FORMATS["coded-q50"].psnr_db)}
    assert Counter(capture.request for capture in result.of(Capture)) == Counter(
        end.request for end in [*result.of(Shown), *result.of(Failure)]
    )


def test_argmax_takes_coded_bits_on_good_channels_only() -> None:
    good = coded("argmax-quality", model="awgn", fixed_snr_db=30.0)
    bad = coded("argmax-quality", model="awgn", fixed_snr_db=4.0)
    assert {record.codec for record in good.of(Shown)} == {"coded-q85"}
    assert bad.of(Shown) and not any(record.codec.startswith("coded-") for record in bad.of(Shown))


def test_nobody_is_offered_them_unless_the_scenario_says_so() -> None:
    result = run(two_users())
    decisions = [decision for decision in result.of(Decision) if decision.verb == "choose"]
    assert decisions
    assert not any(each["name"].startswith("coded-") for decision in decisions for each in decision.context["codecs"])
