"""Runs that are harmed end as the undisturbed one: each kind of fault once; ``pytest -m faults``: the whole campaign."""

import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from semcast.agents.request import RunReport
from semcast.scenarios.bench import faults
from semcast.scenarios.bench.harming.cluster import joined
from semcast.scenarios.bench.harming.family import descendants, left
from semcast.scenarios.bench.harming.proxy import Proxy
from semcast.scenarios.bench.harming.schedule import NATS_FAULTS, RAY_FAULTS, Fault, Moment, Schedule, schedule
from semcast.scenarios.bench.harming.trial import Reference, carry_out, differences, reference

FIRST, LATER, REPORT = Moment("checkpoint", 1), Moment("checkpoint", 3), Moment("report")
SHORT = [
    (Fault("kill", FIRST, 1), Fault("kill", Moment("recovery", 0.3), 1), Fault("worker and server", REPORT, 2)),
    (Fault("stall", FIRST, 0, 0.3), Fault("terminate", LATER, 2), Fault("pause server", FIRST, for_s=0.3)),
    (Fault("terminate", Moment("time", 0.0), 0), Fault("kill all", FIRST), Fault("server", Moment("recovery", 0.8))),
    (Fault("cut", FIRST, for_s=0.2), Fault("pause", FIRST, 1, 0.3), Fault("cut", LATER, for_s=0.2)),
    (Fault("driver", FIRST), Fault("interrupt", FIRST)),
]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def expected(work: Path) -> Reference:
    return reference(work / "reference")


def assert_recovers(one: Schedule, expected: Reference, folder: Path) -> None:
    trial = carry_out(one, expected, folder)
    assert not trial.problem
    assert trial.missed == 0 and trial.faults == one.names
    assert trial.recoveries > 0 or one.proxy  # a cut connection is made again, nothing anew


@pytest.mark.parametrize("number", range(len(SHORT)))
def test_each_kind_of_fault(number: int, expected: Reference, tmp_path: Path) -> None:
    form = ("packed", "subjects")[number % 2]
    proxy = any(fault.what == "cut" for fault in SHORT[number])
    assert_recovers(Schedule(number, "nats", form, SHORT[number], chaos=proxy, proxy=proxy), expected, tmp_path / "run")


def test_a_killed_actor_of_ray(expected: Reference, tmp_path: Path) -> None:
    assert_recovers(Schedule(0, "ray", "packed", (Fault("kill", FIRST, 1),), workers=2), expected, tmp_path / "run")


def test_a_killed_worker_over_a_longer_way(expected: Reference, tmp_path: Path) -> None:
    assert_recovers(
        Schedule(0, "nats", "packed", (Fault("kill", FIRST, 0),), proxy=True, delay_s=0.0005), expected, tmp_path / "run"
    )


@pytest.mark.slow
def test_a_lost_and_replaced_node_of_ray_over_a_longer_way(expected: Reference, tmp_path: Path) -> None:
    fault = Fault("node", FIRST)
    one = Schedule(0, "ray", "packed", (fault,), proxy=True, delay_s=0.0005)
    with joined() as cluster:
        trial = carry_out(one, expected, tmp_path / "run", cluster)
    assert not trial.problem and trial.faults == ["node"] and trial.recoveries > 0


def test_the_short_form_has_all_kinds() -> None:
    assert {fault.what for faults in SHORT for fault in faults} == set(NATS_FAULTS) - {"batches"}


def test_schedules_are_named_by_seed_and_number_and_have_all_kinds() -> None:
    drawn = [schedule(1, number) for number in range(200)]
    assert drawn == [schedule(1, number) for number in range(200)] != [schedule(2, number) for number in range(200)]
    for host, known in (("nats", NATS_FAULTS), ("ray", RAY_FAULTS)):
        counts = Counter(name for one in drawn if one.host == host for name in one.names)
        assert all(counts[name] >= 5 for name in known)
    assert {fault.when.after for one in drawn for fault in one.faults} == {"time", "checkpoint", "recovery", "report"}


def test_what_is_lost_or_repeated_is_seen(expected: Reference, work: Path, tmp_path: Path) -> None:
    report = RunReport(expected.digest, {}, 0, expected.events, 0.0, 0.0)
    run = tmp_path / "run"
    shutil.copytree(work / "reference" / "nats", run)
    assert differences(report, expected, run) == ""
    first = sorted((run / "trace").glob("w0-*.mcap"))[0]
    shutil.copy(first, run / "trace" / "w3-0.mcap")
    assert "records twice" in differences(report, expected, run)
    (run / "trace" / "w3-0.mcap").unlink()
    first.unlink()
    assert "problems of the trace" in differences(report, expected, run)


def test_a_cut_connection_is_cut_and_later_ones_pass() -> None:
    import socket
    import threading

    server, accepted = socket.create_server(("127.0.0.1", 0)), []

    def greet() -> None:
        while len(accepted) < 2:
            accepted.append(server.accept()[0])
            accepted[-1].sendall(b"hello")

    threading.Thread(target=greet, daemon=True).start()
    with Proxy(server.getsockname()[1]) as proxy:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
                assert client.recv(5) == b"hello"
                assert proxy.cut(0.05) == 1
                assert client.recv(5) == b""
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as refused:
                assert refused.recv(5) == b""
            time.sleep(0.06)
    for each in (server, *accepted):
        each.close()


def test_a_longer_way_delays_all_and_changes_nothing() -> None:
    import socket
    import threading

    def echo(connection: socket.socket) -> None:
        while data := connection.recv(1 << 16):
            connection.sendall(data)

    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: echo(server.accept()[0]), daemon=True).start()
    sent = bytes(range(256)) * 4000
    with Proxy(server.getsockname()[1], delay_s=0.05) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        started = time.monotonic()
        threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
        got = b""
        while len(got) < len(sent):
            got += client.recv(1 << 16)
        assert got == sent and 0.1 <= time.monotonic() - started < 2.0  # much is under way at once
    server.close()


def test_processes_that_are_left_are_seen() -> None:
    import os
    import subprocess
    import sys

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in descendants(os.getpid())
        assert left([child.pid, os.getpid()], 0.0) == [child.pid, os.getpid()]
        assert child.stdin is not None
        child.stdin.close()
        assert left([child.pid], 5.0) == []


@pytest.mark.faults
def test_the_campaign() -> None:
    assert faults.run()["all"]["ratio"] == 1.0
