"""The server program, tied to this process: it never outlives it."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from .errors import RunFailed

_PR_SET_PDEATHSIG = 1


def _tuning() -> dict[str, str]:
    """Settings of the server's runtime, measured with ``semcast bench engine``.

    Its heap is small: collecting it four times as rarely saves CPU. It shares the machine with the workers: with as many
    threads as cores, those that only look for work take the workers' time.
    """
    return {"GOGC": "400", "GOMAXPROCS": str(max(1, (os.cpu_count() or 1) // 2))}


def start_tied(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own that ends when this process does, even by SIGKILL (Linux).

    The kernel's parent-death signal is sent when the *thread* that started the program ends, so a thread is kept for it.
    Elsewhere than on Linux only an orderly end of this process stops the program.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def tie() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)

    started: list[subprocess.Popen[bytes] | OSError] = []
    ready = threading.Event()

    def keep() -> None:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=_tuning() | os.environ,
                preexec_fn=tie,
            )
        except OSError as error:
            started.append(error)
            ready.set()
            return
        started.append(process)
        ready.set()
        process.wait()

    threading.Thread(target=keep, name="nats-server", daemon=True).start()
    ready.wait()
    if isinstance(started[0], OSError):
        raise RunFailed(f"{command[0]} cannot be started: {started[0]}")
    return started[0]
