"""Several Ray nodes on this machine, as processes of their own, so that one can be lost and another one come."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from ....agents import ray_hosting
from ....bus.errors import RunFailed
from .family import descendants, signal_all

NODES = 2
PROCESSORS = 2
"""Of a node. One node alone has no room for all workers of a run: the lost one must be replaced."""
_UP_S, _UP, _STARTS = 120.0, b"Ray runtime started", 4


class Cluster:
    """A head without processors, and nodes.

    Attributes:
        address: For ``--address``.
    """

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._head = _Node(["--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false"])
        self._nodes: list[_Node] = []
        try:
            self._head.wait()
            self._nodes = [self._node() for _ in range(NODES)]
            for node in self._nodes:
                node.wait()
        except BaseException:
            self.close()
            raise

    def lose(self) -> None:
        """Kill the oldest node with all its processes, and start another one."""
        self._nodes.pop(0).kill()
        self._nodes.append(self._node())

    def close(self) -> None:
        """End all nodes."""
        for each in [*self._nodes, self._head]:
            each.kill()

    def _node(self) -> _Node:
        return _Node([f"--address={self.address}", f"--num-cpus={PROCESSORS}"])


@contextmanager
def running() -> Iterator[Cluster]:
    """A cluster of our own, with a token that this process and those that it starts have."""
    before = dict(os.environ)
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_failure_threshold": "3",
    }
    cluster = None
    try:
        cluster = Cluster()
        yield cluster
    finally:
        if cluster is not None:
            cluster.close()
        os.environ.clear()
        os.environ |= before


@contextmanager
def joined() -> Iterator[Cluster]:
    """A cluster of our own that this process has joined."""
    # Ray tells on stdout what was lost.
    with running() as cluster, redirect_stdout(sys.stderr), ray_hosting.connected(address=cluster.address):
        yield cluster


class _Node:
    """One node: ``ray start`` and all that it starts."""

    def __init__(self, options: list[str]) -> None:
        self._options = options
        self._said = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self._process = self._start()

    def wait(self) -> None:
        """Until it says that it is up; one that could not join is started once more.

        Raises:
            RunFailed: It does not come up.
        """
        until, starts = time.monotonic() + _UP_S, 1
        while _UP not in self._read():
            if self._process.poll() is not None and starts < _STARTS:
                self._process, starts = self._start(), starts + 1
            if time.monotonic() > until:
                raise RunFailed(f"a node of the Ray cluster did not come up within {_UP_S:.0f} s: {self._read()[-500:]!r}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it with all its processes at once."""
        signal_all([*descendants(self._process.pid), self._process.pid], signal.SIGKILL)
        self._process.wait()
        self._said.close()

    def _start(self) -> subprocess.Popen[bytes]:
        common = ["--object-store-memory=80000000", "--disable-usage-stats", "--block"]
        return subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", *self._options, *common],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def _read(self) -> bytes:
        return os.pread(self._said.fileno(), 1 << 20, 0)
