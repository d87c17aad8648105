"""Workers as processes of this machine: started with their orders on standard input, heard line by line."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from .recovery import Gone, Line, Said
from .worker import TERMINATED, WorkerSpec


class ProcessFleet:
    """See ``recovery.Fleet``."""

    def __init__(self) -> None:
        self._said: queue.Queue[Said] = queue.Queue()
        self._processes: dict[tuple[int, int], subprocess.Popen[bytes]] = {}

    def start(self, spec: WorkerSpec) -> None:
        """Start a process and listen to it."""
        log_file = open(Path(spec.folder) / "run.log", "ab") if spec.folder else subprocess.DEVNULL  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-m", "semcast.agents.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,  # a Ctrl-C reaches the driver only, which then ends its workers in order
        )
        if not isinstance(log_file, int):
            log_file.close()
        self._processes[spec.index, spec.incarnation] = process
        threading.Thread(target=self._listen, args=(spec.index, spec.incarnation, process), daemon=True).start()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is gone already, as the listener will tell
            process.stdin.write(msgspec.json.encode(spec) + b"\n")
            process.stdin.flush()

    def listen(self, timeout_s: float) -> list[Said]:
        """What processes have said."""
        try:
            said = [self._said.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        with contextlib.suppress(queue.Empty):
            while True:
                said.append(self._said.get_nowait())
        return said

    def kill(self, index: int, incarnation: int) -> None:
        """End a process at once."""
        self._processes[index, incarnation].kill()

    def pid(self, index: int, incarnation: int) -> int:
        """Process id of a worker."""
        return self._processes[index, incarnation].pid

    def close(self) -> None:
        """End all processes, in order where they still listen."""
        alive = [process for process in self._processes.values() if process.poll() is None]
        for process in alive:
            process.terminate()
        until = time.monotonic() + 5
        for process in alive:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _listen(self, index: int, incarnation: int, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            with contextlib.suppress(msgspec.MsgspecError):  # its last line may be cut
                self._said.put(Said(index, incarnation, msgspec.json.decode(raw, type=Line)))
        status = process.wait()
        killed = status < 0 or status == TERMINATED
        self._said.put(Said(index, incarnation, Gone(f"ended with exit status {status}", lost=killed)))
