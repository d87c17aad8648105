"""The README's program acts as a user while a run goes on; replays have what it asked; nothing acknowledged is lost."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import nats
import pytest
from semcast.agents import hosting
from semcast.agents.base import PAYLOADS
from semcast.agents.participants import PLACE
from semcast.agents.recovery import Supervisor
from semcast.agents.request import RunReport, RunRequest
from semcast.bus.envelope import EXOGENOUS, Codec, Envelope
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.records import Capture
from semcast.bus.trace_reading import TraceReader
from semcast.bus.verification import check_trace
from semcast.scenarios.bench.harming.network import MODELS, network

README = (Path(__file__).resolve().parent.parent.parent / "README.md").read_text()
SPEED = 4.0


def request(folder: Path, **options: Any) -> RunRequest:
    folder.mkdir(exist_ok=True)
    where = {"host": "nats", "workers": 2, "external": True, "pace": SPEED, "spacing": 1} | options
    return RunRequest(run="visited", folder=str(folder), settings=network(), models=MODELS, **where)


def visited(
    wanted: RunRequest, program: Callable[[Path], object], watch: Callable[[Supervisor], None] | None = None
) -> RunReport | Exception:
    """Run, and meanwhile, as soon as participants may come, a program of theirs."""
    ended: list[RunReport | Exception] = []

    def run() -> None:
        try:
            ended.append(hosting.run(wanted, lambda progress: None, watch=watch))
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        place = Path(wanted.folder) / PLACE
        until = time.monotonic() + 60
        while not place.exists() and not ended and time.monotonic() < until:
            time.sleep(0.01)
        if place.exists():
            program(place)
    finally:
        thread.join()
    return ended[0]


def ask(place: Path, user: str, counters: range) -> list[dict[str, Any]]:
    """Ask a user for one picture after the other; who gets no answer asks again."""
    told = msgspec.json.decode(place.read_bytes())

    async def together() -> list[dict[str, Any]]:
        client = await nats.connect(told["url"], error_cb=_ignore)
        answers = []
        for counter in counters:
            wanted = {"participant": "eve", "counter": counter, "recipient": "user.5", "task": "mapping"}
            answers.append(await _answered(client, told["asks"][user], msgpack.packb(wanted)))
        await client.close()
        return answers

    return asyncio.run(together())


async def _answered(client: Any, subject: str, raw: bytes) -> dict[str, Any]:
    until = time.monotonic() + 30
    while True:
        try:
            answer: dict[str, Any] = msgpack.unpackb((await client.request(subject, raw, timeout=2)).data)
            return answer
        except (
            nats.errors.TimeoutError,
            nats.errors.NoRespondersError,
        ):  # nobody is there just now, or was lost
            assert time.monotonic() < until
            await asyncio.sleep(0.05)


async def _ignore(error: Exception) -> None:
    """The server goes when the run ends."""


def replayed(folder: Path, out: Path, **where: Any) -> str:
    """Digest of the same network, given again what came from outside."""
    return hosting.run(request(out, external=False, pace=0.0, exogenous=str(folder), **where), lambda progress: None).digest


def records(folder: Path) -> list[Envelope]:
    return [record.envelope for record in TraceReader(folder, Codec(PAYLOADS)).records()]


# --- the README's program ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport, list[str], int]:
    """Run folder, its report, what the README's program printed, and the mode of the file that told it where."""
    code = next(code for code in re.findall(r"```python\n(.*?)```", README, flags=re.S) if "participant.json" in code)
    folder = tmp_path_factory.mktemp("visit") / "run"
    program = folder.parent / "act.py"
    program.write_text(code.replace("user.03", "user.3").replace("user.05", "user.5"))
    said, modes = [], []

    def act(place: Path) -> None:
        modes.append(place.stat().st_mode)
        done = subprocess.run([sys.executable, program, place.parent], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        said.extend(done.stdout.splitlines())

    report = visited(request(folder), act)
    assert isinstance(report, RunReport)
    return folder, report, said, modes[0]


def test_the_program_of_the_readme_acts_as_a_user(visit: tuple[Path, RunReport, list[str], int]) -> None:
    folder, report, said, mode = visit
    assert "'accepted': True" in said[0] and "user.3/32768" in said[0]
    assert re.fullmatch(r"user\.3/32768 reached user\.5 0\.\d{3} s after it was asked for", said[1])
    assert mode & 0o077 == 0 and not (folder / PLACE).exists()
    all_of_them = records(folder)
    (asked,) = [envelope for envelope in all_of_them if envelope.origin == EXOGENOUS]
    assert (asked.source, asked.kind, asked.in_reply_to) == ("user.3", "ask", "alice:0")
    assert (asked.payload.recipient, asked.payload.things) == ("user.5", 3)
    (taken,) = [e for e in all_of_them if isinstance(e.payload, Capture) and e.payload.request == "user.3/32768"]
    assert taken.t_send == asked.t_deliver and taken.payload.recipient == "user.5" and len(taken.payload.truth) == 3
    assert report.rejected == 0
    checked = check_trace(folder, Codec(PAYLOADS))
    assert (checked.digest, list(checked.problems)) == (report.digest, [])


@pytest.mark.parametrize(
    "where",
    [
        {"host": "memory", "workers": 1},
        {"host": "memory", "workers": 3},
        {"host": "nats", "workers": 1},
        {"host": "nats", "workers": 2, "exchange": "packed"},
    ],
    ids=str,
)
def test_a_replay_is_identical_without_it(
    visit: tuple[Path, RunReport, list[str], int], tmp_path: Path, where: dict[str, Any]
) -> None:
    folder, report, _, _ = visit
    assert replayed(folder, tmp_path / "again", **where) == report.digest


def test_a_replay_of_a_replay_is_identical_too_and_a_run_without_what_was_asked_is_not(
    visit: tuple[Path, RunReport, list[str], int], tmp_path: Path
) -> None:
    folder, report, _, _ = visit
    replayed(folder, tmp_path / "again", host="memory")
    assert replayed(tmp_path / "again", tmp_path / "once more", host="memory", workers=2) == report.digest
    plain = request(tmp_path / "plain", host="memory", external=False, pace=0.0)
    assert hosting.run(plain, lambda progress: None).digest != report.digest


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("exchange", "index"), [("packed", 1), pytest.param("subjects", 0, marks=pytest.mark.slow)])
def test_a_killed_worker_forgets_nothing_that_it_has_acknowledged(tmp_path: Path, exchange: str, index: int) -> None:
    users = [f"user.{number}" for number in range(5)]
    acknowledged: list[tuple[str, int]] = []
    killed = threading.Event()

    def act(place: Path) -> None:
        for user in users:
            acknowledged.extend((answer["request"], answer["t_ns"]) for answer in ask(place, user, range(2)))
        due.set()
        killed.wait(30)
        again = [(answer["request"], answer["t_ns"]) for user in users for answer in ask(place, user, range(2))]
        assert again == acknowledged

    due = threading.Event()

    def watch(supervisor: Supervisor) -> None:
        if due.is_set() and not killed.is_set():
            os.kill(supervisor.fleet.pid(index, supervisor.specs[index].incarnation), signal.SIGKILL)
            killed.set()

    report = visited(request(tmp_path / "run", exchange=exchange, pace=2.0), act, watch)
    assert isinstance(report, RunReport) and report.recoveries == 1
    found = [envelope for envelope in records(tmp_path / "run") if envelope.origin == EXOGENOUS]
    assert sorted((f"{e.source}/{e.payload.number}", e.t_deliver) for e in found) == sorted(acknowledged)
    assert replayed(tmp_path / "run", tmp_path / "again", host="memory") == report.digest


def test_a_run_that_was_cut_off_and_goes_on_has_what_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: list[str] = []

    def act(place: Path) -> None:
        acknowledged.extend(answer["request"] for answer in ask(place, "user.1", range(3)))

    def watch(supervisor: Supervisor) -> None:
        if len(acknowledged) == 3:
            raise RunFailed("cut off")

    assert isinstance(visited(request(tmp_path / "run"), act, watch), RunFailed)
    rest = hosting.run(request(tmp_path / "run", host="memory", external=False, pace=0.0), lambda progress: None)
    found = [envelope for envelope in records(tmp_path / "run") if envelope.origin == EXOGENOUS]
    assert [f"{e.source}/{e.payload.number}" for e in found] == acknowledged
    assert replayed(tmp_path / "run", tmp_path / "again", host="memory", workers=3) == rest.digest


def test_host_memory_has_no_outside(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="host memory has none"):
        hosting.run(request(tmp_path / "run", host="memory"), lambda progress: None)
    with pytest.raises(BadInput, match="--pace -1"):
        hosting.run(request(tmp_path / "run", pace=-1.0), lambda progress: None)
