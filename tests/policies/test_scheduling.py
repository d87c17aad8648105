"""Schedulers: order of waiting, turns, and proportional fairness over a fading cell."""

from math import log10

from semcast.bus import keys
from semcast.policies.protocols import QueuedTransfer, ScheduleContext
from semcast.policies.registry import load, resolve


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
