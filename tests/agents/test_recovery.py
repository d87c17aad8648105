"""What the driver does when workers say something, end or fall silent; the workers are played by the tests."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from semcast.agents.checkpoint import Checkpoints, WorkerResult
from semcast.agents.recovery import ATTEMPTS, Gone, Line, Said, Supervisor, first_specs
from semcast.agents.worker import WorkerSpec
from semcast.bus.engine import WorkerReport
from semcast.bus.errors import RunFailed

from .networks import two_users

KILLED = Gone("ended with exit status -9", lost=True)
LEFT = Gone("ended with exit status 0", lost=False)


class Fleet:
    """Workers that say what a script has for them, one entry a call of ``listen``: (worker, what); about their latest life."""

    def __init__(self, script: Iterable[tuple[int, Line | Gone]]) -> None:
        self.script = iter(script)
        self.started: list[tuple[int, int]] = []
        self.latest: dict[int, int] = {}
        self.killed: list[tuple[int, int]] = []

    def start(self, spec: WorkerSpec) -> None:
        self.started.append((spec.index, spec.resume))
        self.latest[spec.index] = spec.incarnation

    def listen(self, timeout_s: float) -> list[Said]:
        index, what = next(self.script)
        return [Said(index, self.latest[index], what)]

    def kill(self, index: int, incarnation: int) -> None:
        self.killed.append((index, incarnation))

    def pid(self, index: int, incarnation: int) -> int:
        return 0

    def close(self) -> None:
        pass


class Server:
    def mend(self) -> bool:
        return False


def result(index: int) -> Line:
    return Line(result=WorkerResult(WorkerReport(index, {}, 0, 0, 0, 0, 0)))


def supervised(folder: Path, script: Iterable[tuple[int, Line | Gone]]) -> tuple[Fleet, Supervisor]:
    specs = [WorkerSpec(run="r", index=k, workers=2, settings=two_users(), folder=str(folder)) for k in range(2)]
    fleet = Fleet(script)
    return fleet, Supervisor(fleet, Server(), first_specs(specs), lambda index, progress: None, stall_s=1e9)


def test_all_results_end_the_run(tmp_path: Path) -> None:
    fleet, supervisor = supervised(tmp_path, [(1, Line()), (0, result(0)), (1, result(1))])
    assert [each.report.index for each in supervisor.run()] == [0, 1]
    assert fleet.started == [(0, 0), (1, 0)] and supervisor.recoveries == 0


def test_a_killed_worker_is_made_anew_also_after_its_result(tmp_path: Path) -> None:
    fleet, supervisor = supervised(tmp_path, [(1, result(1)), (1, KILLED), (0, result(0)), (1, result(1))])
    supervisor.run()
    assert fleet.started == [(0, 0), (1, 0), (1, 0)] and supervisor.recoveries == 1


def test_who_has_left_is_called_back_for_a_peer_that_was_lost_after_its_goodbye(tmp_path: Path) -> None:
    """Worker 1 had told all that it has ended and was killed; worker 0 heard it and left: nobody could send worker 1 anything."""
    script = [(1, result(1)), (0, result(0)), (1, KILLED)]
    fleet, supervisor = supervised(tmp_path, script)
    supervisor.run()  # both had told their results before anything was lost: nobody is needed
    assert fleet.started == [(0, 0), (1, 0)]
    fleet, supervisor = supervised(
        tmp_path, [(1, result(1)), (1, KILLED), (0, result(0)), (0, LEFT), (1, result(1)), (0, result(0))]
    )
    supervisor.run()
    assert fleet.started == [(0, 0), (1, 0), (1, 0), (0, 0)] and supervisor.recoveries == 2


def test_reports_in_the_folder_count_where_the_last_words_were_not_heard(tmp_path: Path) -> None:
    fleet, supervisor = supervised(tmp_path, [(0, result(0)), (1, KILLED)])
    for spec in supervisor.specs:
        Checkpoints(tmp_path).save_end(WorkerResult(WorkerReport(spec.index, {}, 7, 0, 0, 0, 0)), spec.incarnation)
    assert [each.report.records for each in supervisor.run()] == [7, 7]
    assert fleet.started == [(0, 0), (1, 0)]


def test_errors_and_workers_that_leave_early_end_the_run(tmp_path: Path) -> None:
    _, supervisor = supervised(tmp_path, [(0, Line(error=["RunFailed", "a policy broke a rule", "mend it"]))])
    with pytest.raises(RunFailed, match="a policy broke a rule"):
        supervisor.run()
    _, supervisor = supervised(tmp_path, [(0, Gone("ended with exit status 1", lost=False))])
    with pytest.raises(RunFailed, match="worker 0 ended with exit status 1"):
        supervisor.run()


def test_a_worker_that_is_lost_again_and_again_ends_the_run(tmp_path: Path) -> None:
    fleet, supervisor = supervised(tmp_path, [(0, KILLED)] * (ATTEMPTS + 1))
    with pytest.raises(RunFailed, match=f"worker 0 was lost {ATTEMPTS + 1} times at the same place"):
        supervisor.run()
    assert len(fleet.started) == 2 + ATTEMPTS


def test_what_a_predecessor_says_is_not_heard(tmp_path: Path) -> None:
    fleet, supervisor = supervised(tmp_path, [])
    old = supervisor.specs[0].incarnation

    def listen(timeout_s: float) -> list[Said]:
        if len(fleet.started) == 2:
            return [Said(0, old, KILLED)]
        return [Said(0, old, result(0).__class__(error=["RunFailed", "replaced", ""])), Said(0, old, KILLED)] + [
            Said(index, fleet.latest[index], result(index)) for index in (0, 1)
        ]

    fleet.listen = listen  # type: ignore[method-assign]
    supervisor.run()
    assert len(fleet.started) == 3
