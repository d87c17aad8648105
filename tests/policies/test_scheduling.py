"""Schedulers: order of waiting, turns, and proportional fairness over a fading cell."""

from math import log10

from semcast.bus import keys
from semcast.bus.channel.mcs import MCS_TABLE
from semcast.policies.protocols import QueuedTransfer, ScheduleContext
from semcast.policies.registry import load, resolve
from semcast.policies.scheduling.semantic_value import MOST_ROBUST


def transfer(number, user, snr_db=10.0, waited_ns=0, mean=None):
    return QueuedTransfer(number, user, "down", "picture", 500, snr_db, waited_ns, mean)


def allocate(text, queue, served=(), last=""):
    return load(resolve("scheduling", text)).allocate(ScheduleContext(tuple(queue), tuple(served), last), lambda name: 0.5).number


def test_fifo() -> None:
    assert allocate("fifo", [transfer(1, "a", waited_ns=5), transfer(2, "b", waited_ns=9)]) == 2
    assert allocate("fifo", [transfer(4, "a", waited_ns=9), transfer(3, "b", waited_ns=9)]) == 3


def test_round_robin_takes_turns() -> None:
    queue = [transfer(1, "a"), transfer(2, "a", waited_ns=3), transfer(3, "b"), transfer(4, "c")]
    assert [allocate("round-robin", queue, last=last) for last in ("a", "b", "bb", "c", "z")] == [3, 4, 4, 2, 2]


def test_round_robin_without_memory_serves_the_least_served() -> None:
    queue = [transfer(1, "a"), transfer(2, "b"), transfer(3, "c")]
    assert allocate("round-robin", queue, served=[("a", 10), ("b", 3), ("c", 5)]) == 2
    assert allocate("round-robin", queue, served=[("a", 10), ("b", 3)]) == 3


def run(text, rounds=3000):
    """Air share and mean rate gain of a near and a far user under Rayleigh fading, one transfer of each always waiting."""
    means = {"far": 3.0, "near": 20.0}
    served = dict.fromkeys(means, 0)
    fades = dict.fromkeys(means, 0.0)
    for t in range(rounds):
        fade = {user: 10 * log10(sum(abs(keys.complex_normal(1, "fade", user, t)) ** 2)) for user in means}
        queue = [transfer(i, user, mean + fade[user], 0, mean) for i, (user, mean) in enumerate(means.items())]
        user = queue[allocate(text, queue, served.items())].user
        served[user] += 500
        fades[user] += fade[user] * 500
    return served, {user: fades[user] / served[user] for user in means}


def test_proportional_fair_shares_air_evenly_and_rides_the_peaks() -> None:
    served, fade_db = run("proportional-fair")
    assert 0.45 < served["far"] / sum(served.values()) < 0.62
    plain_db = -2.507  # E[10 log10 |h|^2] of Rayleigh fading
    assert all(value > plain_db + 0.4 for value in fade_db.values())


def test_alpha_zero_starves_the_far_user() -> None:
    served, _ = run("proportional-fair:alpha=0", rounds=500)
    assert served["far"] < 0.1 * served["near"]


def test_a_large_alpha_serves_the_least_served() -> None:
    queue = [transfer(1, "a", 30.0, mean=30.0), transfer(2, "b", 5.0, mean=30.0)]
    assert allocate("proportional-fair:alpha=1000", queue, [("a", 10**9), ("b", 10**8)]) == 2


def test_proportional_fair_without_means_serves_the_least_served() -> None:
    queue = [transfer(1, "a", 30.0), transfer(2, "b", -5.0)]
    assert allocate("proportional-fair", queue, [("a", 900), ("b", 100)]) == 2


def queued(number, purpose, symbols, snr_db=10.0, waited_ns=0):
    return QueuedTransfer(number, "a", "down", purpose, symbols, snr_db, waited_ns, None)


def test_semantic_value_weighs_purpose_against_air() -> None:
    assert allocate("semantic-value", [queued(1, "features", 1000), queued(2, "features", 500)]) == 2
    assert allocate("semantic-value", [queued(1, "feedback", 1000), queued(2, "features", 1000)]) == 2
    assert (
        allocate("semantic-value", [queued(1, "prompt", 900, 20.0), queued(2, "prompt", 900, 0.0)]) == 1
    )  # fewer symbols up there
    # features take as many symbols on any channel
    assert allocate("semantic-value", [queued(1, "features", 900, 0.0), queued(2, "features", 900, 20.0)]) == 1


def test_semantic_value_lets_nothing_starve() -> None:
    queue = [queued(1, "feedback", 1000, waited_ns=int(20e9)), queued(2, "features", 500)]
    assert allocate("semantic-value", queue) == 1
    assert allocate("semantic-value:half_s=200", queue) == 2


def test_the_most_robust_scheme_is_the_links_own() -> None:
    assert abs(MOST_ROBUST - MCS_TABLE[0].efficiency) < 0.05
