"""Checkpoints on disk: which one a run goes on from, what is kept, and what a damaged one says."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.checkpoint import ALL, Checkpoint, Checkpoints, WorkerResult
from semcast.bus.engine import WorkerReport
from semcast.bus.envelope import VERSION, Codec, Envelope
from semcast.bus.errors import BadInput, LeftBehind, RunFailed
from semcast.bus.messages import Tick
from semcast.bus.segments import segments
from semcast.bus.trace import TracePlace, TraceWriter
from semcast.bus.trace_reading import TraceReader


def checkpoint(what: bytes = b"state") -> Checkpoint:
    return Checkpoint(what, TracePlace(2, 1, {"user.0": 7}), started=3, done=1)


@pytest.fixture
def kept(tmp_path: Path) -> Checkpoints:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.prepare()
    return checkpoints


def test_what_is_saved_is_loaded_and_only_its_owner_can_read_it(kept: Checkpoints) -> None:
    kept.save(1, 0, 40, checkpoint())
    assert kept.load(1, 40) == checkpoint()
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


def test_the_newest_is_one_that_all_workers_have(kept: Checkpoints) -> None:
    assert kept.newest(2) == 0
    kept.save(0, 0, 10, checkpoint())
    assert kept.newest(2) == 0 and kept.newest(1) == 10
    kept.save(1, 0, 10, checkpoint())
    kept.save(0, 0, 20, checkpoint())
    assert kept.newest(2) == 10
    kept.save(1, 0, 20, checkpoint())
    assert kept.newest(2) == 20


@settings(deadline=None)  # the disk is waited for
@given(st.lists(st.integers(0, 2), max_size=60))
def test_workers_in_step_never_lose_the_one_that_all_have(order: list[int]) -> None:
    """Workers meet after each checkpoint: none writes the next before all have written the last but one."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        kept, done = Checkpoints(Path(name)), [0, 0, 0]
        kept.prepare()
        for worker in order:
            if done[worker] > min(done):
                continue
            done[worker] += 1
            kept.save(worker, 0, 10 * done[worker], checkpoint())
            assert kept.newest(3) == 10 * min(done)
            if min(done):
                assert all(kept.load(each, kept.newest(3)) == checkpoint() for each in range(3))
        assert len(list(kept.folder.iterdir())) <= 6


def test_a_cut_one_is_named(kept: Checkpoints) -> None:
    kept.save(0, 0, 10, checkpoint())
    path = kept.folder / "r10-w0-i0.msgpack"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(BadInput, match=r"r10-w0-i0\.msgpack cannot be read") as caught:
        kept.load(0, 10)
    assert "semcast run" in str(caught.value)


def test_one_that_a_living_predecessor_has_forgotten_is_left_behind(kept: Checkpoints) -> None:
    for round in (10, 20, 30):
        kept.save(0, 0, round, checkpoint())
    with pytest.raises(LeftBehind, match="no snapshot of worker 0 at round 10"):
        kept.load(0, 10)


def test_what_a_killed_process_left_half_written_counts_for_nothing(kept: Checkpoints) -> None:
    (kept.folder / "r30-w0-i0.msgpack.123.part").write_bytes(b"half")
    assert kept.newest(1) == 0


def test_incarnations_rise_over_all_lives_of_the_driver(tmp_path: Path) -> None:
    Checkpoints(tmp_path).prepare()
    assert [Checkpoints(tmp_path).begin(worker, 0) for worker in (ALL, 1, 1, ALL)] == [0, 1, 2, 3]


def test_what_a_replaced_worker_writes_when_it_wakes_up_does_not_count_and_it_learns_of_it(kept: Checkpoints) -> None:
    """It stood still behind round 10; its successor went on from there while it woke up and ran ahead."""
    kept.begin(ALL, 0)
    for worker in (0, 1):
        kept.save(worker, 0, 10, checkpoint())
    successor = kept.begin(1, kept.newest(2))
    kept.save(0, 0, 20, checkpoint())
    with pytest.raises(RunFailed, match="worker 1 was replaced"):
        kept.save(1, 0, 20, checkpoint(b"ahead"))
    assert kept.newest(2) == 10 and kept.load(1, 10) == checkpoint()
    kept.save(1, successor, 20, checkpoint(b"right"))
    assert kept.newest(2) == 20 and kept.load(1, 20) == checkpoint(b"right")


def test_a_replaced_worker_cannot_end(kept: Checkpoints) -> None:
    report = WorkerReport(1, {}, 5, 4, 3, 2, 1)
    kept.begin(ALL, 0)
    successor = kept.begin(1, 0)
    with pytest.raises(RunFailed, match="worker 1 was replaced"):
        kept.save_end(WorkerResult(report), 0)
    assert kept.end(1) is None and kept.end(1, 0) is None
    kept.save_end(WorkerResult(report), successor)
    assert kept.end(1) == WorkerResult(report)


@settings(deadline=None)  # the disk is waited for
@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=40))
def test_the_newest_of_a_worker_was_written_by_it_or_before_it_began(steps: list[tuple[int, bool]]) -> None:
    """Predecessors live on: each step one of two incarnations writes its next checkpoint, or a successor of the latest begins."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        kept = Checkpoints(Path(name))
        kept.prepare()
        lives = {kept.begin(ALL, 0): 0}
        for who, anew in steps:
            if anew:
                newest = kept.newest(1)
                lives[kept.begin(0, newest)] = newest
                continue
            number = sorted(lives)[-1 - who % len(lives)]
            lives[number] += 10
            try:
                kept.save(0, number, lives[number], checkpoint(b"%d" % number))
            except RunFailed:
                assert number != max(lives)
                del lives[number]
            assert kept.newest(1) <= lives[max(lives)]
            if kept.newest(1):
                assert int(kept.load(0, kept.newest(1)).worker) <= max(lives)


def test_reports_of_workers_that_have_ended(kept: Checkpoints) -> None:
    report = WorkerReport(1, {"user.0": "ab"}, 5, 4, 3, 2, 1)
    assert kept.end(1) is None
    kept.save_end(WorkerResult(report, rejected=2), 0)
    assert kept.end(1) == WorkerResult(report, rejected=2) and kept.end(0) is None
    kept.remove()
    assert not kept.folder.exists()


class Life:
    """An incarnation of a worker that writes a trace of ``LAST`` records, with a checkpoint after every fourth."""

    LAST = 20

    def __init__(self, run: Path, kept: Checkpoints, number: int, start: int) -> None:
        place = kept.load(0, start).trace if start else None
        self.kept, self.number, self.done = kept, number, start
        self.trace = TraceWriter(run / "trace", 0, {}, incarnation=number, after=place, segment_bytes=1)

    def step(self) -> bool:
        """Write a record; whether it is still its turn."""
        envelope = Envelope(VERSION, self.done, self.done, 2, "user.0", "user.0", self.done, "", "agent", Tick("x", self.done))
        self.trace.write(envelope, CODEC.encode(envelope), self.done % 3 == 0)
        self.done += 1
        try:
            if self.done % 4 == 0:
                self.kept.save(0, self.number, self.done, Checkpoint(b"", self.trace.rotate()))
            if self.done == self.LAST:
                self.trace.close(chains={})
                self.kept.save_end(WorkerResult(WorkerReport(0, {}, 0, 0, 0, 0, 0)), self.number)
        except RunFailed:
            return False
        return True


CODEC = Codec()


@given(st.lists(st.integers(0, 5), max_size=120))
def test_whoever_wakes_up_whenever_the_trace_is_that_of_one_life(steps: list[int]) -> None:
    """0: the worker is taken for lost and made anew; else one of its incarnations, living or replaced, takes a step."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        kept = Checkpoints(Path(name))
        kept.prepare()
        lives = [Life(Path(name), kept, kept.begin(ALL, 0), 0)]
        for what in steps:
            if kept.end(0):
                break
            if what == 0:
                newest = kept.newest(1)
                lives.append(Life(Path(name), kept, kept.begin(0, newest), newest))
                continue
            who = lives[-1 - what % len(lives)]
            if who.done == Life.LAST or not who.step():
                lives.remove(who)
        while not kept.end(0):
            assert lives[-1].step()
        counting, _ = segments(Path(name) / "trace")
        assert [record.envelope.sequence for record in TraceReader(Path(name), CODEC).records()] == list(range(Life.LAST))
        assert len(counting) == len({path.name.partition("-i")[0] for path in counting})
