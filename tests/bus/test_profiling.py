"""Where wall time is counted to."""

import asyncio
import time

from semcast.bus.engine import Worker
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.profiling import Stopwatch, TimedModels, watch_worker

from .networks import digest, ping_agents, ping_world, run_in_memory


def test_each_moment_counts_to_the_innermost_name_and_to_one_only() -> None:
    started = time.perf_counter()
    watch = Stopwatch("engine")
    inner = watch.timed("inner", lambda: time.sleep(0.02))
    outer = watch.timed("outer", lambda: (time.sleep(0.01), inner(), time.sleep(0.01)))
    outer()
    watch.enter("last")
    watch.leave()
    all_s = time.perf_counter() - started
    assert 0.02 <= watch.seconds["inner"] < 0.04 and 0.02 <= watch.seconds["outer"] < 0.04
    assert abs(sum(watch.seconds.values()) - all_s) < 0.005


def test_what_runs_while_a_coroutine_waits_counts_to_its_own_name() -> None:
    async def work() -> dict[str, float]:
        watch = Stopwatch("engine")
        asyncio.get_running_loop().call_later(0.01, watch.timed("callback", lambda: time.sleep(0.02)))
        await watch.awaited("idle", asyncio.sleep)(0.05)
        return watch.seconds

    seconds = asyncio.run(work())
    assert 0.02 <= seconds["callback"] < 0.04 and 0.02 <= seconds["idle"] < 0.05


def test_an_error_leaves_the_clock_with_whoever_ran_before() -> None:
    watch = Stopwatch("engine")
    failing = watch.timed("failing", lambda: 1 // 0)
    try:
        failing()
    except ZeroDivisionError:
        time.sleep(0.01)
    watch.enter("end")
    assert watch.seconds["engine"] >= 0.01 > watch.seconds["failing"]


def test_a_watched_worker_does_the_same() -> None:
    world = ping_world()
    worker = Worker(world, ping_agents(world), MemoryExchange(Hub(1), 0))
    watch = Stopwatch("engine")
    watch_worker(worker, watch)
    assert digest([asyncio.run(worker.run())]) == digest(run_in_memory(world))
    assert {"engine", "idle", "codec", "agents user", "agents bs"} <= watch.seconds.keys()
    assert all(watch.seconds[name] > 0 for name in ("engine", "codec", "agents user", "agents bs"))


class Doubler:
    role, batch = "doubler", 1

    def run(self, arguments: list[int]) -> list[int]:
        return [2 * each for each in arguments]


def test_models_keep_what_they_are() -> None:
    watch = Stopwatch("engine")
    models = TimedModels({"doubler": Doubler()}, watch)  # type: ignore[dict-item]
    assert list(models) == ["doubler"] and models["doubler"].batch == 1 and models["doubler"].run([4]) == [8]
    assert {"start: models", "model doubler"} <= watch.seconds.keys()
