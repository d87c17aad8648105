"""What comes from outside: first in its window, in its agent's chain, the same again when it is given again; the pace."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import snapshot
from semcast.bus.clock import MS, NEVER, SECOND
from semcast.bus.engine import Worker, WorkerReport
from semcast.bus.envelope import EXOGENOUS, OUTSIDE, Codec, Envelope
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Tick
from semcast.bus.outside import STEP_NS, Injection, Outside, Pace

from .networks import L, digest, ping_agents, ping_world, run_in_memory

WORLD = ping_world(users=6, stations=2)
USERS = [name for name in WORLD.ids if name.startswith("user")]


class Records:
    """A trace in memory."""

    def __init__(self) -> None:
        self.all: list[Envelope] = []

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        assert not private or envelope.origin != EXOGENOUS
        self.all.append(envelope)

    @property
    def from_outside(self) -> list[Envelope]:
        return [envelope for envelope in self.all if envelope.origin == EXOGENOUS]


class Visitor:
    """An inlet by which something comes whenever it is asked, at most ``times`` times, each for the next of ``users``."""

    def __init__(self, users: Sequence[str], times: int, every: int = 3) -> None:
        self.users, self.times, self.every, self.calls, self.given = users, times, every, 0, 0

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def taken(self, t_ns: int) -> list[Injection]:
        self.calls += 1
        if self.given == self.times or self.calls % self.every:
            return []
        number, self.given = self.given, self.given + 1
        user = self.users[number % len(self.users)]
        return [Injection(t_ns, number, user, f"visitor:{number}", Tick("greeting", 10 + number))]


def run(workers: int, injections: Sequence[Injection] = (), visitors: int = 0) -> tuple[list[WorkerReport], Records]:
    hub, records = Hub(workers), Records()

    async def together() -> list[WorkerReport]:
        all_workers = []
        for k in range(workers):
            worker = Worker(
                WORLD, ping_agents(WORLD, k, workers), MemoryExchange(hub, k), index=k, workers=workers, trace=records
            )
            worker.inject([each for each in injections if each.agent in worker.homes])
            if visitors:
                mine = [name for name in USERS if name in worker.homes]
                worker.outside = Outside(Visitor(mine, visitors), Pace(0, 200 * MS) if k == 0 else None)
            all_workers.append(worker)
        return list(await asyncio.gather(*(worker.run() for worker in all_workers)))

    return asyncio.run(together()), records


def test_what_came_while_a_run_went_on_makes_the_same_run_when_it_is_given_again() -> None:
    plain = digest(run(1)[0])
    for workers in (1, 2, 3):
        reports, records = run(workers, visitors=4)
        assert len(records.from_outside) == 4 * workers
        again = [Injection.of(envelope) for envelope in records.from_outside]
        assert digest(reports) != plain
        for others in (1, 2, 3):
            assert digest(run(others, again)[0]) == digest(reports)


def test_it_is_first_in_its_window_and_a_record_of_who_gets_it() -> None:
    times = [0, 5 * L, 5 * L, 9 * L]
    given_ = [Injection(t, n, USERS[n % 2], f"me:{n}", Tick("greeting", n)) for n, t in enumerate(times)]
    _, records = run(2, given_)
    found = sorted(records.from_outside, key=lambda e: (e.t_deliver, e.in_reply_to))
    assert [(e.t_send, e.t_deliver, e.source, e.destination, e.in_reply_to, e.payload) for e in found] == [
        (i.t_ns, i.t_ns, i.agent, i.agent, i.by, i.payload) for i in given_
    ]
    assert {e.priority for e in found} == {OUTSIDE}
    for envelope in found:
        before = [e for e in records.all if e.source == envelope.source and e.sequence < envelope.sequence]
        after = [e for e in records.all if e.source == envelope.source and e.sequence > envelope.sequence]
        assert all(e.t_send < envelope.t_send or e.origin == EXOGENOUS or e.t_send == 0 for e in before)
        assert all(e.t_send >= envelope.t_send for e in after)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), max_size=8),
    st.integers(1, 3),
    st.randoms(use_true_random=False),
)
def test_neither_workers_nor_the_order_in_which_it_is_fed_matter(
    places: list[tuple[int, int]], workers: int, shuffled: Any
) -> None:
    injections = [Injection(t * L, n, USERS[user], f"me:{n}", Tick("greeting", n)) for n, (t, user) in enumerate(places)]
    expected = digest(run(1, injections)[0])
    shuffled.shuffle(injections)
    assert digest(run(workers, injections)[0]) == expected


def test_a_worker_made_anew_from_any_snapshot_is_given_the_rest_again() -> None:
    injections = [Injection(t * L, t, USERS[t % 6], f"me:{t}", Tick("greeting", t)) for t in (0, 7, 8, 16, 23, 40)]
    shots: list[bytes] = []
    first = Worker(WORLD, ping_agents(WORLD), MemoryExchange(Hub(1), 0), on_interval=lambda w: shots.append(snapshot.take(w)))
    first.inject(injections)
    expected = digest([asyncio.run(first.run())])
    assert len(shots) > 4
    for shot in shots:
        again = Worker(WORLD, ping_agents(WORLD), MemoryExchange(Hub(1), 0))
        snapshot.restore(again, shot, Codec())
        again.inject([each for each in injections if each.t_ns >= again.granted * L])
        assert digest([asyncio.run(again.run())]) == expected


def test_a_run_that_waits_for_the_outside_goes_on_to_its_time_and_does_the_same() -> None:
    windows = run_in_memory(WORLD)[0].windows
    worker = Worker(WORLD, ping_agents(WORLD), MemoryExchange(Hub(1), 0), outside=Outside(None, Pace(0, SECOND)))
    report = asyncio.run(worker.run())
    assert digest([report]) == digest(run_in_memory(WORLD))
    assert report.windows >= windows + 25  # one at least every 20 ms of the half second in which nothing else happens


@given(st.integers(0, 2 * SECOND), st.integers(0, 2 * SECOND))
def test_the_next_look_is_a_multiple_of_the_step_up_to_the_end(t_ns: int, until_ns: int) -> None:
    floor = Pace(0, until_ns).floor_ns(t_ns)
    if floor == NEVER:
        assert t_ns > until_ns - STEP_NS
    else:
        assert floor % STEP_NS == 0 and t_ns <= floor < min(t_ns + STEP_NS, until_ns)


def test_a_round_that_is_not_new_to_all_is_neither_waited_for_nor_added_to() -> None:
    visitor = Visitor(USERS, 9, every=1)

    async def ask(is_new: bool) -> tuple[Sequence[Injection], int]:
        outside = Outside(visitor, Pace(1e-9, SECOND), lambda: is_new)
        return await asyncio.wait_for(outside.at(5), 1.0)

    assert asyncio.run(ask(False)) == ([], STEP_NS) and visitor.calls == 0
    found, floor = asyncio.run(ask(True))  # the first wait is none: there is nothing that time could outrun
    assert len(found) == 1 and floor == STEP_NS


@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_simulated_time_does_not_outrun_the_wall_clock(speed: float) -> None:
    async def walk() -> float:
        pace = Pace(speed, SECOND)
        await pace.wait(7 * SECOND)
        started_s = time.monotonic()
        for step in range(1, 6):
            await pace.wait(7 * SECOND + step * STEP_NS)
        return time.monotonic() - started_s

    assert asyncio.run(walk()) >= 5 * STEP_NS / SECOND / speed * 0.98


def test_time_that_was_lost_is_not_made_good() -> None:
    async def walk() -> float:
        pace = Pace(1.0, SECOND)
        await pace.wait(0)
        await asyncio.sleep(0.1)  # as if it had computed
        await pace.wait(STEP_NS)
        started_s = time.monotonic()
        await pace.wait(2 * STEP_NS)
        return time.monotonic() - started_s

    assert asyncio.run(walk()) >= STEP_NS / SECOND * 0.95
