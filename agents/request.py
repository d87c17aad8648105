"""What a host is asked to run, what it tells meanwhile, and what it answers."""

import os

from msgspec import Struct

from .models.hub.settings import HubSettings
from .settings import NetworkSettings


class RunRequest(Struct, frozen=True):
    """One run: a network and where its workers live.

    ``run`` is the run id in subjects; ``models`` is a profile, ``hub`` says what the hub profile is made of, ``device`` and
    ``batch`` see `load_models`; ``folder`` exists, its ``trace/`` is the host's. ``host``: ``memory``, ``nats`` or ``ray``;
    ``exchange``: ``subjects`` or ``packed``; ``nats``: URL of a server (``bus.access``), empty for an embedded one;
    ``address``: Ray cluster, empty for a local one; ``placement`` of its workers: ``any``, ``pack`` (on few nodes) or
    ``spread`` (over many); ``gpus_per_worker``: what Ray keeps for each; ``tap``: agents whose messages are republished in the
    packed form. ``metadata`` (scenario, versions) is written into the trace as it is. ``spacing``: a checkpoint at every so
    many intervals of the hash chains (of 256 windows); ``stall_s``: wall-clock time after which a worker that gives no sign of
    life is made anew from one. ``profile``: whether to report where the wall time goes. ``external``: programs outside may act
    as users; ``pace``: simulated seconds in a second at most, 0 as fast as possible; ``exogenous``: folder of a run whose
    messages from outside come again; ``recorded``: folder of a run from whose trace the results of model calls are taken.
    """

    run: str
    folder: str
    settings: NetworkSettings
    models: str = "tiny"
    hub: HubSettings = HubSettings()
    device: str = "cpu"
    batch: int = 0
    host: str = "ray"
    workers: int = 1
    exchange: str = "subjects"
    nats: str = ""
    address: str = ""
    placement: str = "any"
    gpus_per_worker: float = 0.0
    tap: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    spacing: int = 8
    stall_s: float = 120.0
    profile: bool = False
    external: bool = False
    pace: float = 0.0
    exogenous: str = ""
    recorded: str = ""


def worker_count(host: str, asked: int) -> int:
    """How many workers a run has: those asked for; where none are, one in memory and else one a core."""
    return asked or (1 if host == "memory" else os.cpu_count() or 1)


class Progress(Struct, frozen=True):
    """How far a run is: simulated time, windows, events handled by role, requests ``started`` and ``done`` (shown or failed).

    ``memory_bytes``: of the workers' processes, at most so far.
    """

    sim_ns: int
    windows: int
    events: dict[str, int]
    started: int = 0
    done: int = 0
    memory_bytes: int = 0


class RunReport(Struct, frozen=True):
    """A finished run: digest, the agents' chain values, counts, times in seconds, and how many messages were refused.

    ``recoveries``: how often a worker or the server was lost and made anew. ``seconds``: where the workers' wall time went, added
    up, if that was asked for; ``start_s``: what the host had to start first, such as Ray, and what the slowest worker did then
    (see ``WorkerResult``). ``memory_bytes``: of each worker's process at most; of one process, where it has all workers.
    """

    digest: str
    chains: dict[str, str]
    windows: int
    events: int
    wall_s: float
    sim_s: float
    rejected: int = 0
    recoveries: int = 0
    seconds: dict[str, float] = {}
    start_s: dict[str, float] = {}
    memory_bytes: list[int] = []
