"""Schedules of faults: what is done to which worker, server or node, and when; drawn by key, so that a number names one."""

from __future__ import annotations

from msgspec import Struct

from ....bus import keys
from ....bus.exchange.chaos import Chaos

ON_WORKERS = ("kill", "terminate", "pause", "stall", "kill all", "worker and server")
ON_SERVER = ("server", "pause server")
ON_DRIVER = ("driver", "interrupt")
NATS_FAULTS = (*ON_WORKERS, *ON_SERVER, "cut", *ON_DRIVER, "batches")
RAY_FAULTS = ("kill", "terminate", "pause", "stall", "node", "server", "kill all", "driver")
"""``kill``: SIGKILL. ``terminate``: SIGTERM. ``pause``: SIGSTOP, SIGCONT a moment later. ``stall``: SIGSTOP, SIGCONT when it has
been replaced. ``kill all``: all workers at once. ``cut``: all connections to the server. ``node``: of Ray; another one comes.
``driver``: it is killed and started again. ``interrupt``: Ctrl-C, started again. ``batches``: lost, repeated, late and shuffled
ones all the time."""
_RECOVERED = ("kill", "terminate", "stall", "kill all", "worker and server", "server", "node")
"""Faults after which something is made anew."""
WORKERS = 3
RAY_EVERY = 5
"""Every so-manyth schedule is for Ray."""


class Moment(Struct, frozen=True):
    """When something is done. ``after`` is what is waited for, ``value`` how much of it.

    ``time``: share of the wall time of an undisturbed run. ``checkpoint``: the so-manyth that some worker has written since the
    fault before. ``report``: the first worker has ended, ``value`` is of no account. ``recovery``: ``value`` seconds after
    something was made anew.
    """

    after: str
    value: float = 0.0


class Fault(Struct, frozen=True):
    """One fault. ``worker``: whom it meets, where it meets one; ``for_s``: length of a pause, or until a server is back."""

    what: str
    when: Moment
    worker: int = 0
    for_s: float = 0.0


class Schedule(Struct, frozen=True):
    """One run and what is done to it.

    ``proxy``: workers reach their server through a proxy that can cut connections, ``delay_s`` further away in each direction.
    """

    number: int
    host: str
    exchange: str
    faults: tuple[Fault, ...]
    workers: int = WORKERS
    chaos: bool = False
    proxy: bool = False
    delay_s: float = 0.0

    @property
    def names(self) -> list[str]:
        """What is done, in order."""
        return ["batches"] * self.chaos + [fault.what for fault in self.faults]

    def disturbances(self) -> Chaos | None:
        """For the exchange."""
        return Chaos(seed=self.number, delay_s=0.002, duplicate=0.2, shuffle=True, drop=0.001) if self.chaos else None


def schedule(seed: int, number: int) -> Schedule:
    """Schedule ``number`` of a campaign: one to three faults, of which the first are taken in turn."""
    host = "ray" if number % RAY_EVERY == RAY_EVERY - 1 else "nats"
    known = RAY_FAULTS if host == "ray" else NATS_FAULTS
    turn = number // RAY_EVERY if host == "ray" else number - number // RAY_EVERY
    first = known[turn % len(known)]
    draw = _Draw(seed, number)
    if first in ON_DRIVER:  # the driver is a process of its own, and only it is met
        names = [first] + [_pick(draw, ON_DRIVER[: 1 if host == "ray" else 2]) for _ in range(draw.integer(2))]
    else:
        others = [name for name in known if name not in ON_DRIVER and name != "cut"] + ["cut"] * (first == "cut")
        names = [first] + [_pick(draw, others) for _ in range(draw.integer(3))]
    ways = ["", *(name for name in names if name != "batches"), ""]
    faults = [_fault(draw, *ways[place : place + 3]) for place in range(len(ways) - 2)]
    return Schedule(
        number=number,
        host=host,
        exchange=_pick(draw, ("subjects", "packed")),
        faults=tuple(faults),
        chaos="batches" in names or draw.uniform() < 0.1,
        proxy="cut" in names,
    )


def _fault(draw: _Draw, before: str, name: str, behind: str) -> Fault:
    """A fault between two others, or at the start or end."""
    kinds = ["time", "time", "checkpoint", "checkpoint"]
    if before in _RECOVERED:
        kinds += ["recovery"] * 3
    if not behind and name not in {"stall", *ON_DRIVER}:  # nothing else follows a report
        kinds += ["report"] * 2
    after = _pick(draw, kinds if name not in ON_DRIVER else kinds[:4])
    value = {"time": 0.9 * draw.uniform(), "checkpoint": 1.0 + draw.integer(6), "report": 0.0, "recovery": 1.5 * draw.uniform()}
    return Fault(name, Moment(after, round(value[after], 3)), draw.integer(WORKERS), round(0.1 + draw.uniform(), 3))


class _Draw:
    """Draws one after the other."""

    def __init__(self, seed: int, number: int) -> None:
        self._key: tuple[int, int] = (seed, number)
        self._count = 0

    def integer(self, high: int) -> int:
        """From {0, ..., high - 1}."""
        self._count += 1
        return keys.integer(high, "faults", *self._key, self._count)

    def uniform(self) -> float:
        """From U[0, 1)."""
        self._count += 1
        return keys.uniform("faults", *self._key, self._count)


def _pick(draw: _Draw, names: tuple[str, ...] | list[str]) -> str:
    return names[draw.integer(len(names))]
