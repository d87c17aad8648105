"""A stranger with nats-py and msgpack follows one user while a run goes on, and sees what the trace says."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import msgpack
import nats
from semcast.agents import hosting
from semcast.agents.request import RunReport, RunRequest
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import load

USER = "user.mia"


async def ignore(error: Exception) -> None:
    """The server goes when the run ends; that is no error here."""


async def follow(url_file: Path, run: str, over: threading.Event) -> list[tuple[str, list[Any]]]:
    """All messages to and from the user: (kind in the subject, decoded envelope)."""
    while not url_file.exists() or not url_file.read_text().strip():
        await asyncio.sleep(0.01)
    assert url_file.stat().st_mode & 0o077 == 0, "only the owner may read the observer's credential"
    client = await nats.connect(url_file.read_text().strip(), allow_reconnect=False, error_cb=ignore)
    seen: list[tuple[str, list[Any]]] = []

    async def take(message: Any) -> None:
        seen.append((message.subject.rsplit(".", 1)[1], msgpack.unpackb(message.data, strict_map_key=False)))

    await client.subscribe(f"semcast.v1.{run}.*.*.{USER}.>", cb=take)
    await client.subscribe(f"semcast.v1.{run}.*.*.*.*.{USER}.>", cb=take)
    await client.flush()
    while not over.is_set() and not client.is_closed and client.is_connected:
        await asyncio.sleep(0.02)
    return seen


def test_a_plain_client_sees_the_whole_life_of_a_user(tmp_path: Path) -> None:
    request = RunRequest(
        run="observed", folder=str(tmp_path), settings=network_settings(load("two-users", quick=True)), host="nats", workers=2
    )
    over, reports = threading.Event(), list[RunReport]()

    def run() -> None:
        try:
            reports.append(hosting.run(request, lambda progress: None))
        finally:
            over.set()

    thread = threading.Thread(target=run)
    thread.start()
    seen = asyncio.run(follow(tmp_path / "observer.url", "observed", over))
    thread.join()
    assert reports
    assert not (tmp_path / "observer.url").exists()
    on_the_bus = {(envelope[4], envelope[6]): (kind, envelope) for kind, envelope in seen}
    in_the_trace = {
        (record.envelope.source, record.envelope.sequence): (record.kind, msgpack.unpackb(record.raw, strict_map_key=False))
        for record in TraceReader(tmp_path).records(agent=USER, private=False)
        if record.envelope.source != record.envelope.destination
    }
    assert len(in_the_trace) > 10
    assert on_the_bus == in_the_trace
    assert len(seen) == len(on_the_bus), "nothing comes twice"
