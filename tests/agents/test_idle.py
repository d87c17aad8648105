"""Users that go idle: they cost nothing while they have no traffic, and lose nothing by it."""

from semcast.agents.settings import RadioSettings, TrafficSettings
from semcast.bus.messages import Attach, Failure, Tick
from semcast.bus.records import Capture, Shown

from .networks import Run, run, town

TRAFFIC = TrafficSettings(duration_s=12.0, start_s=2.0, rate_hz=0.2, feedback_sync_s=2.0)
IDLE_S = 0.5


def idle(workers: int = 1, **radio: float) -> Run:
    return run(town(traffic=TRAFFIC, radio=RadioSettings(idle_s=IDLE_S, **radio)), workers)


def measured(result: Run) -> list[tuple[int, str]]:
    return [
        (e.t_deliver, e.destination) for e in result.sent(Tick) if isinstance(e.payload, Tick) and e.payload.name == "measure"
    ]


def test_they_measure_only_around_their_traffic_and_every_request_ends() -> None:
    result, awake = idle(), run(town(traffic=TRAFFIC))
    assert 0 < len(measured(result)) < len(measured(awake)) / 2
    ended = sorted(end.request for end in [*result.of(Shown), *result.of(Failure)])
    assert ended == sorted(capture.request for capture in result.of(Capture)) != []
    for t_ns, user in measured(result):
        near = [e for e, _ in result.records if e.source != e.destination and user in (e.source, e.destination)]
        assert any(t_ns - (IDLE_S + 0.2) * 1e9 <= e.t_send <= t_ns for e in near)


def test_idle_users_hand_over_when_they_have_moved() -> None:
    never = idle(idle_move_m=1e6)
    often = idle(idle_move_m=10.0)  # at 25 m/s every 0.4 s

    def moved(result: Run) -> int:
        return sum(bool(attach.previous) for attach in result.of(Attach))

    assert moved(often) > moved(never)
    assert not any(e.payload.name == "moved" for e in never.sent(Tick) if e.t_deliver < 12 * 10**9)


def test_the_same_digest_on_any_number_of_workers() -> None:
    assert idle(3).digest == idle().digest
