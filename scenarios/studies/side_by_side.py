"""Arms of a study side by side: a few processes that each run one arm after the other, and that end when they are told to."""

import tomllib
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from ...bus.errors import RunFailed

GRACE_S = 3.0
"""How long a process may take to end by itself."""


class Ended(NamedTuple):
    """How an arm went: ``ok``, ``failed`` or ``interrupted``; what failed, and what mends it."""

    name: str
    status: str
    message: str
    hint: str


Tell = Callable[[list[str]], None]
"""Hears every while which arms are under way."""


def run_arms(jobs: Mapping[str, tuple[str, Path]], together: int, every_s: float, tell: Tell) -> Generator[Ended, None, None]:
    """Run scenarios in processes of their own and yield each as it ends; leaving the loop, however, ends all of them.

    Args:
        jobs: Name of the arm -> (resolved scenario as TOML, its run folder).
        together: How many at once.
        every_s: How often ``tell`` hears which arms are under way.
        tell: See there.

    Raises:
        RunFailed: A process has died.
    """
    context, left = get_context("spawn"), dict(jobs)
    workers: dict[Connection, BaseProcess] = {}
    busy: dict[Connection, str] = {}
    try:
        for _ in range(min(together, len(jobs))):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there,))
            process.start()
            there.close()
            workers[here] = process
        for connection in workers:
            _give(connection, left, busy)
        while busy:
            heard = wait(list(busy), timeout=every_s)
            for connection in [each for each in busy if each in heard]:
                name = busy.pop(connection)
                try:
                    ended = Ended(name, *connection.recv())
                except EOFError:
                    hint = f"often for want of memory: --jobs 1; see {jobs[name][1] / 'run.log'}"
                    raise RunFailed(f"arm {name}: its process has died", hint) from None
                if left:
                    _give(connection, left, busy)
                yield ended
            tell(list(busy.values()))
    finally:
        _end(workers)


def _give(connection: Connection, left: dict[str, tuple[str, Path]], busy: dict[Connection, str]) -> None:
    name = next(iter(left))
    text, folder = left.pop(name)
    connection.send((text, str(folder)))
    busy[connection] = name


def _end(workers: Mapping[Connection, BaseProcess]) -> None:
    """No process outlives this: each may end by itself, then is asked to, then killed; at once, if somebody is impatient."""
    try:
        for connection in workers:
            connection.close()
        for end in (lambda process: None, BaseProcess.terminate):
            for process in workers.values():
                end(process)
            for process in workers.values():
                process.join(GRACE_S)
    finally:
        for process in workers.values():
            process.kill()


def _serve(connection: Connection) -> None:
    """One process: arms as they come, until there are no more."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            connection.send(_run(*connection.recv()))


def _run(text: str, folder: str) -> tuple[str, str, str]:
    from ..loading import validated
    from ..runner import run

    outcome = run(validated(tomllib.loads(text), folder), out=folder, show="none", report=False)
    error = outcome.error
    return outcome.status, error.message if error else "", (error.hint or "") if error else ""
