"""Several Ray nodes on this machine, as processes of their own, so that one can be lost and another one come."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from ....agents import ray_hosting
from ....bus.errors import RunFailed
from .family import descendants, signal_all

NODES = 2
PROCESSORS = 2
"""Of a node. One node alone has no room for all workers of a run: the lost one must be replaced."""
_UP_S = 60.0


class Cluster:
    """A head without processors, and nodes.

    Attributes:
        address: For ``--address``.
    """

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._head = _start(["--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false"])
        _wait_for(port)
        self._nodes = [self._node() for _ in range(NODES)]

    def lose(self) -> None:
        """Kill the oldest node with all its processes, and start another one."""
        _kill(self._nodes.pop(0))
        self._nodes.append(self._node())

    def close(self) -> None:
        """End all nodes."""
        for each in [*self._nodes, self._head]:
            _kill(each)

    def _node(self) -> subprocess.Popen[bytes]:
        return _start([f"--address={self.address}", f"--num-cpus={PROCESSORS}"])


@contextmanager
def joined() -> Iterator[Cluster]:
    """A cluster of our own that this process has joined."""
    before = dict(os.environ)
    os.environ |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_failure_threshold": "3",
    }
    cluster = Cluster()
    try:
        with redirect_stdout(sys.stderr), ray_hosting.connected(address=cluster.address):  # Ray tells there what was lost
            yield cluster
    finally:
        cluster.close()
        os.environ.clear()
        os.environ |= before


def _start(options: list[str]) -> subprocess.Popen[bytes]:
    common = ["--object-store-memory=80000000", "--disable-usage-stats", "--block"]
    return subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", *options, *common],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill(node: subprocess.Popen[bytes]) -> None:
    signal_all([*descendants(node.pid), node.pid], signal.SIGKILL)
    node.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _UP_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RunFailed(f"the head of the Ray cluster did not come up within {_UP_S:.0f} s")
