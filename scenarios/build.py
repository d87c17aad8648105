"""A scenario as the agents are told it: ``Scenario`` -> ``NetworkSettings``, a pure function."""

import math
from pathlib import Path

from msgspec import structs

from ..agents.granularity import Granularity
from ..agents.models.hub.settings import HubSettings
from ..agents.models.hub.table import FOLDER_STARTS, JUDGE, PARTS
from ..agents.models.loading import TABLE
from ..agents.settings import (
    AdversarySettings,
    AigcSettings,
    ClipSettings,
    ComputeSettings,
    DeviceSettings,
    KnowledgeSettings,
    NetworkSettings,
    PolicySettings,
    RadioSettings,
    SecuritySettings,
    StationSettings,
    TrafficSettings,
    UserSettings,
    tapped,
)
from ..agents.sketches import RAW, SKETCH
from ..bus import keys
from ..policies.registry import KINDS, resolve
from .schema import NetworkSection, Scenario


def network_settings(scenario: Scenario) -> NetworkSettings:
    """Turn a checked scenario into settings, with policies resolved to import strings.

    Raises:
        BadInput: A policy is unknown or has wrong parameters (a checked scenario has none such).
    """
    network = scenario.network
    return NetworkSettings(
        seed=scenario.seed,
        scheme=scenario.scheme,
        users=_with_devices(users_of(network), scenario),
        stations=_stations(network),
        edges=tuple(f"edge.{i}" for i in range(network.edges)),
        area_m=network.area_m,
        lookahead_ns=round(network.lookahead_ms * 1e6),
        latency_ms=tapped(network.latency_ms) if scenario.adversary.stations else dict(network.latency_ms),
        radio=RadioSettings(**scenario.radio.model_dump()),
        compute=ComputeSettings(**scenario.compute.model_dump()),
        knowledge=KnowledgeSettings(**scenario.knowledge.model_dump()),
        traffic=TrafficSettings(**scenario.traffic.model_dump()),
        policies=policies(scenario),
        generator=scenario.models.generator,
        generator_steps=scenario.models.generator_steps,
        best_of=scenario.models.best_of,
        caption=scenario.models.caption,
        goals=scenario.models.goals,
        codecs=scenario.models.codecs,
        coded_fallback=scenario.models.coded_fallback,
        uplink_codec=scenario.models.uplink_codec,
        file_codec=scenario.models.file_codec,
        file_quality=scenario.models.file_quality,
        text_link=scenario.models.text_link,
        denoise=scenario.models.denoise,
        calibrate=scenario.models.calibrate,
        restyle=scenario.models.restyle,
        pictures=SKETCH if scenario.models.profile == TABLE else RAW,
        devices=_devices(scenario),
        aigc=AigcSettings(**scenario.aigc.model_dump()),
        clips=ClipSettings(**scenario.clips.model_dump()),
        security=SecuritySettings(**scenario.security.model_dump()),
        adversary=AdversarySettings(**scenario.adversary.model_dump()),
        granularity=Granularity(scenario.models.keywords, scenario.models.boxes),
    )


def hub_settings(scenario: Scenario) -> HubSettings:
    """What the scenario says of the hub profile; paths become absolute, as workers may live in other folders."""
    said = scenario.models.hub.model_dump()
    said |= {part: _absolute(said[part]) for part in (*PARTS, JUDGE)}
    said["folder"] = str(Path(said["folder"]).expanduser().resolve()) if said["folder"] else ""
    said["adapters"] = {subject: _absolute(text) for subject, text in said["adapters"].items()}
    return HubSettings(**said)


def _absolute(text: str) -> str:
    return str(Path(text).expanduser().resolve()) if text.startswith(FOLDER_STARTS) else text


def policies(scenario: Scenario) -> tuple[PolicySettings, ...]:
    """The scenario's policies, resolved, in the order of the kinds."""
    return tuple(resolve(kind, getattr(scenario.policies, kind)) for kind in KINDS)


def users_of(network: NetworkSection) -> tuple[UserSettings, ...]:
    """The users of a network, listed or made, with all but their devices."""
    if isinstance(network.users, tuple):
        return tuple(
            UserSettings(user.id, user.subjects, network.speed_mps if user.speed_mps is None else user.speed_mps)
            for user in network.users
        )
    digits = max(2, len(str(network.users - 1)))
    own = [(name,) for name in network.subjects] + [()] * (network.users - len(network.subjects))
    return tuple(UserSettings(f"user.{i:0{digits}d}", own[i], network.speed_mps) for i in range(network.users))


def _devices(scenario: Scenario) -> tuple[DeviceSettings, ...]:
    compute = scenario.compute
    return tuple(
        DeviceSettings(
            name,
            device.flops or compute.user_flops,
            device.joule_per_flop or compute.joule_per_flop_user,
            dict(device.variants),
            device.generates,
        )
        for name, device in scenario.devices.items()
    )


def _with_devices(users: tuple[UserSettings, ...], scenario: Scenario) -> tuple[UserSettings, ...]:
    """Classes by share: in an order drawn by the seed the first users have the first class, and so on."""
    order = sorted(users, key=lambda user: keys.uniform(scenario.seed, "device", user.id))
    having: dict[str, str] = {}
    before = 0.0
    for name, device in scenario.devices.items():
        first, last = round(before * len(users)), round((before + device.share) * len(users))
        having |= {user.id: name for user in order[first:last]}
        before += device.share
    return tuple(structs.replace(user, device=having.get(user.id, "")) for user in users)


def _stations(network: NetworkSection) -> tuple[StationSettings, ...]:
    if isinstance(network.stations, tuple):
        return tuple(StationSettings(station.id, station.x_m, station.y_m, station.edge) for station in network.stations)
    number, (width, height) = network.stations, network.area_m
    columns = min(number, max(1, round(math.sqrt(number * width / height))))
    rows = math.ceil(number / columns)
    stations = []
    for i in range(number):
        row, column = divmod(i, columns)
        in_row = min(columns, number - row * columns)
        place = (width * (column + 0.5) / in_row, height * (row + 0.5) / rows)
        stations.append(StationSettings(f"bs.{i}", *place, f"edge.{i * network.edges // number}"))
    return tuple(stations)
