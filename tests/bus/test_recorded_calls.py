"""A run whose models answer otherwise now comes to the same records when it takes their recorded results."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from semcast.bus.divergence import first_divergence
from semcast.bus.engine import Worker, WorkerReport
from semcast.bus.envelope import Codec
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Tick
from semcast.bus.recorded_calls import RecordedCalls, Results, recorded_results
from semcast.bus.trace import TraceWriter, trace_metadata

from .test_engine import Caller, Square, call_world

WORLD = call_world(chain_windows=2)


class Otherwise(Square):
    """The same model on another kind of CPU."""

    def run(self, arguments: Sequence[Tick]) -> list[Tick]:
        self.batches.append([a.number for a in arguments])
        return [Tick(a.name, a.number**2 + 1) for a in arguments]


def traced(folder: Path, model: Square, results: Results | None = None, numbers: Sequence[int] = (0, 10, 20)) -> WorkerReport:
    writer = TraceWriter(folder / "trace", 0, trace_metadata(WORLD))
    agents = [Caller(f"user.0{i}", number) for i, number in enumerate(numbers)]
    worker = Worker(WORLD, agents, MemoryExchange(Hub(1), 0), models={"square": model}, trace=writer)
    if results is not None:
        worker.calls = RecordedCalls({"square": model}, results)
    report = asyncio.run(worker.run())
    writer.close(worker.intervals)
    return report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WorkerReport]:
    folder = tmp_path_factory.mktemp("calls")
    return folder, traced(folder, Square())


def test_recorded_results_take_the_place_of_other_ones(run: tuple[Path, WorkerReport], tmp_path: Path) -> None:
    folder, then = run
    other, model = Otherwise(), Otherwise()
    assert traced(tmp_path / "computed", other).chains != then.chains and other.batches
    now = traced(tmp_path / "recorded", model, recorded_results(folder, WORLD.ids, Codec()))
    assert now.chains == then.chains and now.calls == then.calls == 9 and model.batches == []
    assert first_divergence(folder, tmp_path / "recorded") is None


def test_each_worker_takes_the_results_of_its_own_agents(run: tuple[Path, WorkerReport]) -> None:
    assert {agent for agent, _ in recorded_results(run[0], ["user.01"], Codec())} == {"user.01"}
    assert len(recorded_results(run[0], WORLD.ids, Codec())) == 9


def test_a_call_that_was_not_made_then_is_computed(run: tuple[Path, WorkerReport], tmp_path: Path) -> None:
    """As by an agent that does otherwise now: the run goes on, and the first difference can be named."""
    results = dict(recorded_results(run[0], WORLD.ids, Codec()))
    del results["user.01", 1]
    model = Square()
    assert traced(tmp_path, model, results).chains == run[1].chains
    assert model.batches == [[11] * 4]


def test_a_result_of_another_key_or_time_is_not_taken(run: tuple[Path, WorkerReport], tmp_path: Path) -> None:
    results = recorded_results(run[0], WORLD.ids, Codec())
    moved = {(agent, number): results[agent, 2 - number] for agent, number in results}
    model = Square()
    assert traced(tmp_path, model, moved).chains == run[1].chains
    assert sorted(number for batch in model.batches for number in set(batch)) == [0, 2, 10, 12, 20, 22]
