"""Sends hostile messages to readers and watches what becomes of them; a message is named by its target and number."""

from __future__ import annotations

import logging
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from ....bus import keys
from ....bus.errors import RunFailed
from .mutations import mutations
from .targets import Target

SLOWEST_S = 1.0
"""CPU time that one message may take."""
HANGS_S = 10.0
"""CPU time after which a message is given up."""
MEMORY_BYTES = 256 << 20
"""By how much the process may grow."""
_LOOK = 500


class Hangs(BaseException):
    """A message was being read for too long."""


@dataclass
class Tally:
    """What became of the messages to one target.

    Attributes:
        sent: By mutation.
        refused: By mutation; the others were taken, and what was taken encodes and decodes to itself.
        slowest_s: CPU time of the slowest.
        grown_bytes: By how much the process's largest resident size grew meanwhile.
        seconds: CPU time of all, without making the messages.
    """

    sent: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    grown_bytes: int = 0
    seconds: float = 0.0


def message(target: Target, seed: int, number: int) -> tuple[str, bytes]:
    """Hostile message ``number`` for a target, the same whenever it is asked for: its mutation and its bytes."""
    rng = keys.generator("fuzz", seed, target.name, number)
    all_mutations = mutations(target.form)
    name = list(all_mutations)[int(rng.integers(len(all_mutations)))]
    return name, all_mutations[name](rng, target.good)


def attack(target: Target, seed: int, count: int, progress: Callable[[int], None] = lambda done: None) -> Tally:
    """Send a target ``count`` messages.

    Raises:
        RunFailed: One was neither taken nor refused with an error of the target's, or took too much time or memory.
    """
    tally = Tally()
    before = peak_bytes()
    with _alarm(), silence():
        for number in range(count):
            mutation, raw = message(target, seed, number)
            tally.sent[mutation] += 1
            _give(target, seed, number, mutation, raw, tally)
            if number % _LOOK == 0 or number == count - 1:
                progress(number)
                tally.grown_bytes = peak_bytes() - before
                if tally.grown_bytes > MEMORY_BYTES:
                    reason = f"one of the last {_LOOK} made the process grow by {tally.grown_bytes >> 20} MiB"
                    raise _broken(target, seed, number, mutation, raw, reason)
    return tally


def _give(target: Target, seed: int, number: int, mutation: str, raw: bytes, tally: Tally) -> None:
    start = time.thread_time()
    signal.setitimer(signal.ITIMER_PROF, HANGS_S)
    try:
        target.read(raw)
    except target.refusals:
        tally.refused[mutation] += 1
    except (Exception, Hangs) as error:
        raise _broken(target, seed, number, mutation, raw, f"{type(error).__name__}: {str(error)[:200]}") from error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    took_s = time.thread_time() - start
    tally.seconds += took_s
    tally.slowest_s = max(tally.slowest_s, took_s)
    if took_s > SLOWEST_S:
        raise _broken(target, seed, number, mutation, raw, f"it took {took_s:.1f} s")


def _broken(target: Target, seed: int, number: int, mutation: str, raw: bytes, reason: str) -> RunFailed:
    shown = raw[:60].hex() + ("..." if len(raw) > 60 else "")
    return RunFailed(
        f"{target.name}: message {number} of seed {seed} ({mutation}, {len(raw)} bytes, {shown}): {reason}",
        f"it is message(target, {seed}, {number}) of semcast.scenarios.bench.fuzzing.campaign",
    )


@contextmanager
def limited_growth(what: str) -> Iterator[list[int]]:
    """In a list the bytes by which the process has grown meanwhile.

    Raises:
        RunFailed: That is too much.
    """
    before, grown = peak_bytes(), [0]
    yield grown
    grown[0] = peak_bytes() - before
    if grown[0] > MEMORY_BYTES:
        raise RunFailed(f"{what}: the process grew by {grown[0] >> 20} MiB")


@contextmanager
def _alarm() -> Iterator[None]:
    """Interrupts a message that takes too long; only the main thread can be interrupted."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"read for more than {HANGS_S:.0f} s")

    old = signal.signal(signal.SIGPROF, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, old)


@contextmanager
def silence() -> Iterator[None]:
    """What readers have to say of hostile messages would fill the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def peak_bytes() -> int:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
