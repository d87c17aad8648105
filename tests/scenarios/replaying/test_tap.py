"""``semcast replay RUN --tap``: a stranger with nats-py sees what the trace says, in its order; Ctrl-C ends it."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
import pytest
from semcast.bus.server import NatsServer
from semcast.bus.trace_reading import TraceReader, TraceRecord
from semcast.scenarios.cli import main
from semcast.scenarios.replaying.tap import Stage, tap

Heard = list[tuple[str, bytes]]


async def ignore(error: Exception) -> None:
    """The server goes when the play has ended; that is no error here."""


async def listen(url: str, subject: str, over: threading.Event) -> Heard:
    """(subject, data) of everything on a subject until it is over."""
    heard: Heard = []

    async def take(message: Any) -> None:
        heard.append((message.subject, message.data))

    client = await nats.connect(url, allow_reconnect=False, error_cb=ignore)
    await client.subscribe(subject, cb=take)
    await client.flush()
    while not over.is_set() and client.is_connected:
        await asyncio.sleep(0.02)
    return heard


def listening(play: Callable[[Callable[[Stage], None]], Any], url: str = "") -> tuple[Any, Stage, Heard]:
    """Play with somebody who listens to everything."""
    over, stages, threads = threading.Event(), list[Stage](), list[threading.Thread]()
    heard: Heard = []

    def come(stage: Stage) -> None:
        stages.append(stage)
        place = url
        if stage.credential is not None:
            assert stage.credential.stat().st_mode & 0o077 == 0, "only the owner may read the observer's credential"
            place = stage.credential.read_text().strip()
        threads.append(threading.Thread(target=lambda: heard.extend(asyncio.run(listen(place, stage.everything, over)))))
        threads[0].start()

    try:
        found = play(come)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return found, stages[0], heard


def sent(run: Path) -> list[TraceRecord]:
    """What went from one agent to another."""
    records = TraceReader(run).records(private=False)
    return [record for record in records if record.envelope.source != record.envelope.destination]


def test_a_subscriber_sees_the_run_again(recorded: Path) -> None:
    found, stage, heard = listening(lambda come: tap(recorded, speed=20.0, on_stage=come))
    records, name = sent(recorded), json.loads((recorded / "run.json").read_text())["run"]
    assert [data for _, data in heard] == [record.raw for record in records] and len(records) > 50
    for (subject, _), record in zip(heard, records, strict=True):
        assert subject.startswith(f"semcast.v1.{name}.")
        assert subject.endswith(f".{record.envelope.destination}.{record.envelope.source}.{record.kind}")
    assert found.played.messages == stage.messages == len(records) and found.subscribers == 1
    simulated_s = (stage.end_ns - stage.start_ns) / 1e9
    assert simulated_s > 2 and simulated_s / 20 <= found.played.wall_s < simulated_s / 20 + 3
    private = {record.raw for record in TraceReader(recorded).records() if record.private}
    assert private and not private & {data for _, data in heard}
    assert stage.credential == recorded / "observer.url" and not stage.credential.exists()


def test_somebody_elses_server_will_do(recorded: Path) -> None:
    with NatsServer(json.loads((recorded / "run.json").read_text())["run"], workers=0) as other:
        driver, observer = other.driver.url_with_password, other.observer.url_with_password
        found, stage, heard = listening(
            lambda come: tap(recorded, speed=0.0, wait_s=1.0, nats=driver, on_stage=come), url=observer
        )
    assert [data for _, data in heard] == [record.raw for record in sent(recorded)]
    assert stage.credential is None and found.subscribers is None and "@" not in stage.url


def test_a_trace_that_was_cut_is_played_to_the_cut(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cut"
    shutil.copytree(recorded, copy)
    path = max((path for path in TraceReader(copy).paths if not path.name.startswith("private-")), key=lambda p: p.stat().st_size)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])  # its last half is what the end of an MCAP file repeats
    found = tap(copy, speed=0.0, wait_s=0.0)
    assert found.played.messages == len(sent(copy)) < len(sent(recorded)) and found.subscribers == 0


def test_the_command_says_how_to_subscribe_and_ends_with_the_run(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded), "--tap", "--speed", "max", "--wait", "0"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert f"""nats sub --server "$(cat {recorded / "observer.url"})" 'semcast.v1.""" in out[1] and out[2].endswith(".>'")
    assert (
        "user." in out[2] and "starts at once" in out[4] and "subscribers at the end: 0" in out[-2] and out[-1] == str(recorded)
    )
    assert main(["replay", str(recorded), "--tap", "--speed", "max", "--wait", "0", "--json"]) == 0
    told = capsys.readouterr()
    shown = json.loads(told.out)
    assert shown["messages"] == len(sent(recorded)) and shown["subscribers"] == 0 and "nats sub" in told.err


def test_an_interruption_ends_it(recorded: Path) -> None:
    command = [sys.executable, "-m", "semcast", "replay", str(recorded), "--tap", "--display", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert "waits for a first subscriber" in lines[-1] and (recorded / "observer.url").exists()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (130, "semcast: interrupted\n")
    assert not (recorded / "observer.url").exists()


@pytest.mark.parametrize(
    ("options", "told_what"),
    [
        (["--tap", "--speed", "-1"], "--speed -1"),
        (["--tap", "--speed", "inf"], "--speed inf"),
        (["--tap", "--speed", "fast"], "or max"),
        (["--tap", "--wait", "-3"], "--wait -3"),
        (["--tap", "--verify"], "one, please"),
        (["--verify", "--speed", "2"], "belong to --tap"),
    ],
)
def test_mistakes_are_told(options: list[str], told_what: str, recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded), *options]) == 2
    assert told_what in capsys.readouterr().err


def test_a_folder_without_a_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path), "--tap"]) == 2 and "no run folder" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_told(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(recorded), "--tap", "--nats", "nats://127.0.0.1:1"]) == 3
    assert "cannot connect" in capsys.readouterr().err


@pytest.mark.parametrize("speed", ["max", "1"])
def test_a_server_that_takes_nothing_is_told(recorded: Path, capsys: pytest.CaptureFixture[str], speed: str) -> None:
    """An observer may publish nothing."""
    with NatsServer("somebody-elses", workers=0) as other:
        observer = other.observer.url_with_password
        assert main(["replay", str(recorded), "--tap", "--speed", speed, "--nats", observer]) == 1
    told = capsys.readouterr().err
    assert "refuses what is played" in told and "'semcast.v1.>'" in told and "unexpected" not in told
