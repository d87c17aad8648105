"""Benchmarks of engine, exchange and workers do the same work on both sides (their figures are the machine's affair)."""

import asyncio
import subprocess

import pytest
from semcast.bus.engine import Worker
from semcast.bus.errors import RunFailed
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.scenarios.bench import children, engine, exchange, simpy_ping, workers
from semcast.scenarios.bench.process import Job
from semcast.scenarios.bench.turns import Result
from semcast.scenarios.bench.workloads import ping_network, seldom_network


def checked(results: Result, names: list[str]) -> None:
    assert list(results) == names
    for each in results.values():
        assert each["value"] > 0 and each["low"] <= each["ratio"] <= each["high"] and each["turns"] == 1
        assert each["unit"] in str(each["against"]) and each["workload"]


def test_simpy_and_the_engine_handle_the_same_messages() -> None:
    """100 pings and answers of each user; the engine has a first timer for each besides, SimPy a first timeout."""
    world, agents = ping_network(20, 3, 100)
    report = asyncio.run(Worker(world, agents, MemoryExchange(Hub(1), 0)).run())
    assert simpy_ping.run(20, 3, 100) == 2 * 20 * 100 == report.events - 20


def test_who_wakes_up_seldom_has_three_events_a_second() -> None:
    world, agents = seldom_network(200, 5)
    report = asyncio.run(Worker(world, agents, MemoryExchange(Hub(1), 0)).run())
    assert len(agents) == 202 and report.events == 200 * (5 * 3) and report.t_ns < 6e9


def test_engine() -> None:
    checked(engine.run(1, quick=True), ["engine_events_per_s", "event_s", "agent_bytes"])


@pytest.mark.slow
def test_exchange_and_workers_run() -> None:
    checked(exchange.run(1, quick=True), ["packed_messages_per_s", "packed_of_ceiling", "barrier_s"])
    checked(workers.run(1, quick=True), ["speedup_two_workers_50us", "two_processes_bare_50us"])


def test_who_fails_leaves_no_process_behind() -> None:
    """The second knows no such job; the first would wait for messages forever."""
    with children.server() as server:
        jobs = (Job("subscribe", server.driver, messages=10), Job("nothing", server.driver))
        started: list[subprocess.Popen[bytes]] = []
        with pytest.MonkeyPatch.context() as patch, pytest.raises(RunFailed, match="'nothing' ended"):
            real = children._started

            def noted(job: Job) -> subprocess.Popen[bytes]:
                started.append(real(job))
                return started[-1]

            patch.setattr(children, "_started", noted)
            children.run_side_by_side(*reversed(jobs))
    assert len(started) == 2 and all(process.poll() is not None for process in started)
