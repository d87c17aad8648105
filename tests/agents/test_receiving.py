"""What a receiver does with a picture before it is shown, and what its class of device changes."""

from functools import cache

import numpy as np
import pytest
from semcast.agents.models.roles import Calibrate, Extraction, Picture
from semcast.agents.network import asked
from semcast.agents.settings import DeviceSettings, NetworkSettings, UserSettings
from semcast.bus.messages import Failure
from semcast.bus.records import Shown
from semcast.scenarios.bench.harming.network import Arithmetic

from .networks import Run, run, two_users
from .simple_models import extract, models

CALLS: list[Calibrate] = []


def calibrate(call: Calibrate) -> Picture:
    """Everything a little brighter, so that it can be seen."""
    CALLS.append(call)
    pixels = np.frombuffer(call.picture, np.uint8)
    return Picture(np.minimum(pixels.astype(int) + 9, 255).astype(np.uint8).tobytes())


def half_wit(arguments):
    """An extractor that finds one thing at most."""
    seen = extract(arguments)
    return Extraction(seen.caption, seen.background, seen.boxes[:1])


ROLES = {
    **models(),
    "calibrator": Arithmetic("calibrator", calibrate, 3 * 10**8),
    "extractor@half": Arithmetic("extractor", half_wit, 5 * 10**8),
}
SLOW = DeviceSettings("wearable", 1.0e11, 2.0e-11, {"extractor": "half"})


@cache
def network(calibrated: bool = False, wearable: tuple[str, ...] = (), workers: int = 1) -> Run:
    return run(settings(calibrated, wearable), workers, ROLES)


def settings(calibrated: bool, wearable: tuple[str, ...]) -> NetworkSettings:
    users = tuple(
        UserSettings(name, subjects, device="wearable" if name in wearable else "")
        for name, subjects in (("user.0", ("mia/dog",)), ("user.1", ("leo/cat",)))
    )
    return two_users(users=users, devices=(SLOW,), calibrate=calibrated)


def shown(result: Run) -> dict[str, Shown]:
    return {record.request: record for record in result.of(Shown)}


def test_a_calibrated_picture_is_what_is_shown_and_its_time_is_charged():
    CALLS.clear()
    plain, repaired = shown(network()), shown(network(calibrated=True))
    together = [request for request in plain if request in repaired and plain[request].codec == repaired[request].codec]
    assert len(together) >= 3
    compared = 0
    for request in together:
        before, after = (np.frombuffer(one[request].picture, np.uint8).astype(int) for one in (plain, repaired))
        if plain[request].snr_db == repaired[request].snr_db:
            compared += 1
            assert np.array_equal(np.minimum(before + 9, 255), after)
        more_ns = repaired[request].latency_ns - plain[request].latency_ns
        assert more_ns >= (10**9 + 3 * 10**8) / 2.0e11 * 1e9 * 0.999  # the extractor's look and the calibrator
    assert compared
    assert {call.background for call in CALLS} - {""} and {call.snr_db for call in CALLS} >= {
        one.snr_db for one in repaired.values()
    }
    assert not network(calibrated=True).of(Failure)


def test_without_a_class_nothing_changes():
    assert network().digest == run(two_users(), 1, models()).digest


def test_a_class_chooses_the_variant_and_the_speed():
    whole, slow = network(), network(wearable=("user.0",))
    answers = {
        name: [len(e.payload.boxes) for e in result.sent(Extraction) if e.source == "user.0" and ":share:" not in e.in_reply_to]
        for name, result in (("whole", whole), ("slow", slow))
    }
    assert max(answers["whole"]) > 1 and max(answers["slow"]) == 1
    others = [[e.payload for e in result.sent(Extraction) if e.source == "user.1"] for result in (whole, slow)]
    assert others[0] == others[1]  # the other user still runs the whole model


def test_time_follows_from_the_classs_throughput():
    result = network(wearable=("user.0",))
    took = {e.source: e.t_deliver - e.t_send for e in result.sent(Extraction) if e.in_reply_to.startswith("extractor:user")}
    assert took["user.0"] == 5 * 10**8 * 10**9 // 10**11
    assert took["user.1"] == 10**9 * 10**9 // (2 * 10**11)


@pytest.mark.parametrize("workers", [2])
def test_digest_is_the_same_for_any_number_of_workers(workers):
    one = network(True, ("user.1",))
    assert network(True, ("user.1",), workers=workers).digest == one.digest != network().digest


def test_what_is_asked_names_variants_of_roles_that_are_asked():
    found = asked(settings(True, ()))
    assert {"calibrator", "extractor", "extractor@half"} <= set(found)
    idle = DeviceSettings("idle", 1.0, 1.0, {"captioner": "small"})
    assert "captioner@small" not in asked(two_users(devices=(idle,)))
