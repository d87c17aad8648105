"""Workers that die or stand still at any round and are made anew from snapshots, over a real server: one digest, none twice."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from semcast.bus import snapshot
from semcast.bus.engine import Worker, WorkerReport
from semcast.bus.envelope import Codec
from semcast.bus.errors import LeftBehind, RunFailed
from semcast.bus.exchange.agreeing import FEW
from semcast.bus.exchange.chaos import Chaos
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.rounds import NatsExchange
from semcast.bus.server import NatsServer

from .networks import digest, ping_agents, ping_world, run_in_memory

FORMS = ("subjects", "packed")
WORLD = ping_world()
WORKERS = 3


class Died(Exception):
    """What a killed worker leaves behind: nothing."""


@pytest.fixture(scope="module")
def expected() -> list[WorkerReport]:
    return run_in_memory(WORLD)


class Run:
    """All workers of a run in one event loop; each keeps its last two snapshots, as on disk."""

    def __init__(self, server: NatsServer, form: str, chaos: Chaos | None = None, few: int = FEW) -> None:
        self.server, self.form, self.chaos, self.few = server, form, chaos, few
        self.shots: list[dict[int, bytes]] = [{} for _ in range(WORKERS)]
        self.incarnation = 0
        self.deaths: dict[int, list[int]] = {}

    def newest(self) -> int:
        """The latest round of which all have a snapshot; 0: none."""
        return max(set.intersection(*(set(shots) for shots in self.shots)), default=0)

    def worker(self, index: int) -> Worker:
        """The next incarnation of a worker, from the newest snapshot."""
        resume, own = self.newest(), self.shots[index]
        options: dict[str, Any] = {"incarnation": self.incarnation, "recovers": True, "ask_again_s": 0.02, "patience_s": 20.0}
        options["few"] = self.few
        exchange = nats_exchange(self.form, WORLD, index, WORKERS, self.server.driver, chaos=self.chaos, **options)
        self.incarnation += 1
        worker = Worker(WORLD, ping_agents(WORLD, index, WORKERS), exchange, index=index, workers=WORKERS)
        if resume:
            snapshot.restore(worker, own[resume], Codec())

        def keep(worker: Worker) -> None:
            own[worker.round] = snapshot.take(worker)
            for old in sorted(own)[:-2]:
                del own[old]
            exchange.saved(worker.round)

        def die(t_ns: int, events: int) -> None:
            deaths = self.deaths.get(index, [])
            if deaths and worker.windows >= deaths[0]:
                deaths.pop(0)
                raise Died

        worker.on_interval, worker.on_window = keep, die
        return worker

    async def to_the_end(self, index: int) -> WorkerReport:
        """Run a worker, again and again where it dies."""
        while True:
            try:
                return await self.worker(index).run()
            except (Died, LeftBehind):
                continue

    async def whole(self) -> list[WorkerReport]:
        """Run all of them."""
        return list(await asyncio.wait_for(asyncio.gather(*(self.to_the_end(index) for index in range(WORKERS))), 30))


def same(reports: Sequence[WorkerReport], expected: Sequence[WorkerReport]) -> None:
    """Same digest; every event handled once, every record emitted once."""
    assert digest(reports) == digest(expected)
    for count in ("events", "records"):
        assert sum(getattr(each, count) for each in reports) == sum(getattr(each, count) for each in expected)


deaths = st.dictionaries(st.integers(0, WORKERS - 1), st.lists(st.integers(1, 55), min_size=1, max_size=3).map(sorted))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(FORMS), deaths=deaths, disturbed=st.booleans(), few=st.sampled_from([FEW, 0]))
def test_whoever_dies_whenever(
    server: NatsServer, expected: list[WorkerReport], form: str, deaths: dict[int, list[int]], disturbed: bool, few: int
) -> None:
    chaos = Chaos(seed=1, delay_s=0.001, duplicate=0.2, shuffle=True, drop=0.005) if disturbed else None
    run = Run(server, form, chaos, few)
    run.deaths = {index: list(windows) for index, windows in deaths.items()}
    same(asyncio.run(run.whole()), expected)
    assert not any(run.deaths.values()), "nobody died so late"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", [1, 20, 50])
def test_one_that_stood_still_is_refused_when_it_comes_back(
    server: NatsServer, expected: list[WorkerReport], form: str, window: int
) -> None:
    run = Run(server, form)

    async def work() -> list[WorkerReport]:
        awake = asyncio.Event()
        asleep = asyncio.Event()
        stalled = run.worker(0)
        exchange = stalled.exchange
        assert isinstance(exchange, NatsExchange)
        swap = exchange.swap

        async def drowsy(*arguments: Any) -> Any:
            if stalled.windows == window:
                asleep.set()
                await awake.wait()
            return await swap(*arguments)

        exchange.swap = drowsy  # type: ignore[method-assign]
        old = asyncio.create_task(stalled.run())
        others = [asyncio.create_task(run.to_the_end(index)) for index in (1, 2)]
        await asleep.wait()
        anew = asyncio.create_task(run.to_the_end(0))
        await asyncio.sleep(0.05)
        awake.set()
        with pytest.raises(RunFailed, match="was replaced"):
            await old
        return list(await asyncio.gather(anew, *others))

    same(asyncio.run(asyncio.wait_for(work(), 30)), expected)


def test_all_at_once_go_on_from_the_snapshots(server: NatsServer, expected: list[WorkerReport]) -> None:
    run = Run(server, "packed")
    run.deaths = {index: [40] for index in range(WORKERS)}

    async def twice() -> list[WorkerReport]:
        first = await asyncio.gather(*(run.worker(index).run() for index in range(WORKERS)), return_exceptions=True)
        assert all(isinstance(each, Died) for each in first)
        assert run.newest() > 0
        return await run.whole()

    same(asyncio.run(twice()), expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("deaths", [{0: [45]}, {0: [45], 1: [45]}, {0: [45], 1: [44], 2: [46]}])
@pytest.mark.parametrize("few", [FEW, 0])
def test_a_snapshot_that_peers_have_left_behind_is_given_up(
    server: NatsServer, expected: list[WorkerReport], form: str, deaths: dict[int, list[int]], few: int
) -> None:
    """The predecessor did more, while the worker was started, than its peers remember."""
    run = Run(server, form, few=few)
    run.deaths = {index: list(windows) for index, windows in deaths.items()}

    async def work() -> list[WorkerReport]:
        first, late = run.worker(0), run.worker(0)
        assert late.round == 0
        others = [asyncio.create_task(run.to_the_end(index)) for index in (1, 2)]
        with pytest.raises(Died):
            await first.run()
        assert run.newest() > 0
        with pytest.raises(LeftBehind, match="worker 0 misses what worker [12] has forgotten"):
            await late.run()
        return list(await asyncio.gather(run.to_the_end(0), *others))

    same(asyncio.run(asyncio.wait_for(work(), 30)), expected)


def test_a_worker_that_starts_while_the_server_is_away_waits_for_it(expected: list[WorkerReport]) -> None:
    async def work(server: NatsServer) -> list[WorkerReport]:
        os.kill(server.pid, signal.SIGKILL)
        run = asyncio.create_task(Run(server, "packed").whole())
        await asyncio.sleep(0.2)
        assert server.mend()
        return await run

    with NatsServer("test", WORKERS) as server:
        same(asyncio.run(work(server)), expected)
