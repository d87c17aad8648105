"""Jobs of benchmarks side by side, each in a process of its own (process.py), beside a server of their own."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from ...bus.errors import RunFailed
from ...bus.server import NatsServer
from .process import Answer, Job

TIMEOUT_S = 600.0


def server(workers: int = 2, shards: int = 2) -> NatsServer:
    """An embedded server, not started."""
    return NatsServer("bench", workers, shards)


def run_side_by_side(*jobs: Job) -> list[Answer]:
    """Run jobs at the same time; those that say when they are ready are waited for before the next is started.

    Raises:
        RunFailed: One of them failed.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for job in jobs:
            processes.append(_started(job))
        return [_answer(job, process) for job, process in zip(jobs, processes, strict=True)]
    finally:
        for process in processes:  # an interrupt, or the failure of another one
            if process.poll() is None:
                process.kill()
                process.wait()


def _started(job: Job) -> subprocess.Popen[bytes]:
    """A process with its job; one that subscribes has done so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "semcast.scenarios.bench.process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    process.stdin.flush()
    if "subscribe" in job.what:
        process.stdout.readline()
    return process


def _answer(job: Job, process: subprocess.Popen[bytes]) -> Answer:
    out, _ = process.communicate(timeout=TIMEOUT_S)
    if process.returncode:
        raise RunFailed(f"the benchmark's process {job.what!r} ended with exit status {process.returncode}")
    return msgspec.json.decode(out.splitlines()[-1], type=Answer)
