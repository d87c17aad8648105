"""What must fit together between the sections of a scenario."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..agents.models.codecs.classical import FORMATS
from ..agents.models.codecs.library import read_library
from ..agents.models.hub.table import ADAPTER, JUDGE, PARTS, names, pick
from ..agents.models.loading import TABLE, WEIGHTS, variants
from ..agents.own_pictures import Album
from ..agents.picture_files import LOSSLESS
from ..agents.scenes.vocabulary import SUBJECTS
from ..agents.scenes.world import MAX_OBJECTS
from ..agents.settings import AT_RECEIVERS, FILES, GENERATING
from ..bus.channel.mcs import MCS_BY_NAME
from ..bus.errors import BadInput, SemcastError
from ..policies.registry import KINDS, needs, resolve
from .clip_checks import clip_mistakes
from .group_checks import group_mistakes
from .mistakes import Mistake, nearest
from .schema import ModelsSection, Scenario
from .text_checks import text_mistakes

OF_ANY_PICTURE = ("semcom", "traditional")
"""Schemes whose models take any picture."""
ROLES = ("user", "bs", "edge", "cloud")


def cross_checks(scenario: Scenario, folder: Path | None = None) -> list[Mistake]:
    """All mistakes that no single field shows. ``folder``: where paths of policy files start (default: the current one)."""
    return [
        *_latencies(scenario),
        *_network(scenario),
        *_subjects(scenario),
        *_ranges(scenario),
        *_radio(scenario),
        *_hub(scenario),
        *_images(scenario),
        *_processors(scenario),
        *_devices(scenario),
        *_generator(scenario),
        *_files(scenario),
        *_uplink(scenario),
        *_table(scenario),
        *_styles(scenario),
        *group_mistakes(scenario),
        *clip_mistakes(scenario),
        *text_mistakes(scenario),
        *_adversary(scenario),
        *_policies(scenario, folder),
    ]


def _images(scenario: Scenario) -> Iterator[Mistake]:
    """Pictures of one's own: they must be there, and the models must be able to do something with them."""
    folder, models = scenario.traffic.images, scenario.models
    if not folder:
        return
    if scenario.traffic.content != "pictures":
        yield Mistake("traffic.images", f"no pictures are sent where users send {scenario.traffic.content}: leave it out")
    try:
        Album(folder)
    except BadInput as error:
        yield Mistake("traffic.images", error.message)
    if models.profile == TABLE:
        yield Mistake("traffic.images", "the table of models was measured of scenes: --models tiny, or hub")
    elif models.profile != "hub" and scenario.scheme not in OF_ANY_PICTURE:
        schemes = " or ".join(OF_ANY_PICTURE)
        reason = f"the tiny extractor and generator know scenes alone: --scheme {schemes}, or --models hub"
        yield Mistake("traffic.images", reason)
    if models.goals == "inferred":
        yield Mistake("models.goals", "what users want is said of scenes: with traffic.images goals are given")


def _latencies(scenario: Scenario) -> Iterator[Mistake]:
    network = scenario.network
    for pair, latency_ms in network.latency_ms.items():
        path = f'network.latency_ms."{pair}"'
        source, arrow, destination = pair.partition(">")
        if not arrow or source not in ROLES or destination not in ROLES:
            yield Mistake(path, f'is no pair of roles "role>role" of {", ".join(ROLES)}')
        elif latency_ms < network.lookahead_ms:
            yield Mistake(
                path,
                f"{latency_ms:g} ms is below network.lookahead_ms = {network.lookahead_ms:g} ms: raise one or lower the other",
            )
    if not network.latency_ms:
        yield Mistake("network.latency_ms", "names no pair of roles")


def _network(scenario: Scenario) -> Iterator[Mistake]:
    network = scenario.network
    edges = [f"edge.{i}" for i in range(network.edges)]
    if isinstance(network.users, tuple):
        if len(network.users) < 2:
            yield Mistake("network.users", f"{len(network.users)} users: a sender needs somebody to send to")
        if network.subjects:
            yield Mistake("network.subjects", "users are listed: give each its own subjects")
        yield from _twice("network.users", [user.id for user in network.users])
    if isinstance(network.stations, tuple):
        if not network.stations:
            yield Mistake("network.stations", "no base station")
        yield from _twice("network.stations", [station.id for station in network.stations])
        for i, station in enumerate(network.stations):
            if station.edge not in edges:
                reason = f"no edge {station.edge!r}: network.edges = {network.edges} makes {edges[0]} to {edges[-1]}"
                yield Mistake(f"network.stations[{i}].edge", reason, nearest(station.edge, edges))


def _twice(path: str, ids: Sequence[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for i, id in enumerate(ids):
        if id in first:
            yield Mistake(f"{path}[{i}].id", f"{id!r} is already {path}[{first[id]}]")
        first.setdefault(id, i)


def _subjects(scenario: Scenario) -> Iterator[Mistake]:
    network = scenario.network
    named = [(f"network.subjects[{i}]", name) for i, name in enumerate(network.subjects)]
    if isinstance(network.users, tuple):
        named += [
            (f"network.users[{i}].subjects[{j}]", name) for i, u in enumerate(network.users) for j, name in enumerate(u.subjects)
        ]
    elif len(network.subjects) > network.users:
        yield Mistake("network.subjects", f"{len(network.subjects)} subjects for {network.users} users")
    owned: dict[str, str] = {}
    for path, name in named:
        if name not in SUBJECTS:
            yield Mistake(path, f"no subject {name!r} in the scene world", nearest(name, list(SUBJECTS)))
        elif name in owned:
            yield Mistake(path, f"{name!r} already belongs to {owned[name]}")
        owned.setdefault(name, path)


def _ranges(scenario: Scenario) -> Iterator[Mistake]:
    traffic, knowledge = scenario.traffic, scenario.knowledge
    low, high = traffic.objects
    if not 1 <= low <= high <= MAX_OBJECTS:
        yield Mistake("traffic.objects", f"[{low}, {high}] is no range within 1 to {MAX_OBJECTS}")
    if traffic.start_s >= traffic.duration_s:
        yield Mistake("traffic.start_s", f"{traffic.start_s:g} s is not before traffic.duration_s = {traffic.duration_s:g} s")
    if traffic.shape and not any(traffic.shape):
        yield Mistake("traffic.shape", "has traffic in no part of the day: traffic.rate_hz = 0 says so")
    if not 0 <= knowledge.privacy_cost[0] <= knowledge.privacy_cost[1]:
        yield Mistake("knowledge.privacy_cost", f"{list(knowledge.privacy_cost)} is no range [low, high] of credits")


def _radio(scenario: Scenario) -> Iterator[Mistake]:
    name = scenario.radio.fixed_mcs
    if name and name not in MCS_BY_NAME:
        reason = f"no modulation and coding scheme {name!r}: {', '.join(MCS_BY_NAME)}"
        yield Mistake("radio.fixed_mcs", reason, nearest(name, list(MCS_BY_NAME)))


def _hub(scenario: Scenario) -> Iterator[Mistake]:
    for part in (*PARTS, JUDGE):
        text = getattr(scenario.models.hub, part)
        try:
            pick(part, text)
        except BadInput as error:
            yield Mistake(f"models.hub.{part}", f"{error.message}: {error.hint}", nearest(text, names(part)))
    for subject, text in scenario.models.hub.adapters.items():
        path = f'models.hub.adapters."{subject}"'
        if subject not in SUBJECTS:
            yield Mistake(path, f"no subject {subject!r} in the scene world", nearest(subject, list(SUBJECTS)))
        try:
            pick(ADAPTER, text)
        except BadInput as error:
            yield Mistake(path, f"{error.message}: {error.hint}")


def _processors(scenario: Scenario) -> Iterator[Mistake]:
    models, cuda = scenario.models, scenario.models.device == "cuda"
    if cuda and models.profile == "table":
        yield Mistake("models.device", 'the table has nothing for a GPU: models.device = "cpu"')
    if models.batch and not cuda:
        yield Mistake("models.batch", 'batches of another size are for models.device = "cuda"')
    if scenario.cluster.gpus_per_worker % 1 and scenario.cluster.gpus_per_worker > 1:
        yield Mistake("cluster.gpus_per_worker", f"{scenario.cluster.gpus_per_worker:g}: a share of one GPU, or a whole number")


ON_DEVICES = ("extractor", "captioner", "keywords", "jscc_encoder", "jscc_decoder", "denoiser", "calibrator")
"""Roles that users' devices run; content is generated by the cloud, but with scheme ``aigc-scm``."""


def _generator(scenario: Scenario) -> Iterator[Mistake]:
    models = scenario.models
    if models.generator != "diffusion":
        there = variants(models.profile).get("generator", ())
        if models.profile == "tiny" and models.generator not in there:
            yield Mistake("models.generator", f"{models.generator!r} has no weights yet: diffusion, {', '.join(there)}")
        if models.profile == "hub":
            yield Mistake("models.generator", f'{models.generator!r} is a tiny model: models.profile = "tiny", or leave it out')
        if scenario.knowledge.branch == "adapter":
            reason = f"adapters are made for the diffusion generator, {models.generator!r} would not read them"
            yield Mistake("knowledge.branch", reason)
    if models.best_of > 1 and scenario.scheme not in GENERATING:
        yield Mistake("models.best_of", f"nothing is generated with scheme {scenario.scheme}: leave it out")


def _files(scenario: Scenario) -> Iterator[Mistake]:
    """The quality must be in the scale of its format; whether that is installed, `runner.check_models` sees."""
    models = scenario.models
    if scenario.scheme not in FILES or models.file_codec == LOSSLESS:
        return
    qualities = FORMATS[models.file_codec].qualities
    if models.file_quality not in qualities:
        reason = f"{models.file_quality} is no quality of {models.file_codec}: {qualities[0]} to {qualities[-1]}"
        yield Mistake("models.file_quality", reason)


def _uplink(scenario: Scenario) -> Iterator[Mistake]:
    name = scenario.models.uplink_codec
    if not name:
        return
    if scenario.scheme != "semcom":
        yield Mistake("models.uplink_codec", f"no JSCC goes up with scheme {scenario.scheme}: leave it out")
    there = list(read_library(WEIGHTS / "jscc").chosen(scenario.models.codecs))
    if name not in there:
        reason = f'no codec {name!r} with models.codecs = "{scenario.models.codecs}": {", ".join(there)}'
        yield Mistake("models.uplink_codec", reason, nearest(name, there))


def _table(scenario: Scenario) -> Iterator[Mistake]:
    """What nobody has measured, the table cannot tell."""
    models, defaults = scenario.models, ModelsSection()
    if models.profile != TABLE:
        return
    if scenario.scheme in FILES:
        yield Mistake("scheme", f'the table profile has not measured {scenario.scheme}: models.profile = "tiny"')
    for name in ("generator", "best_of", "caption", "goals", "denoise", "calibrate", "restyle"):
        if getattr(models, name) != getattr(defaults, name):
            yield Mistake(f"models.{name}", 'the table profile has not measured this: models.profile = "tiny", or leave it out')
    if scenario.knowledge.branch == "adapter":
        yield Mistake("knowledge.branch", 'the table profile makes no adapters: "reference", or models.profile = "tiny"')
    with suppress(SemcastError):  # an unknown policy is told elsewhere
        if "rehearsal" in needs(resolve("noise", scenario.policies.noise)):
            reason = 'it rehearses prompts on a small generator, which the table profile has not: models.profile = "tiny"'
            yield Mistake("policies.noise", reason)


def _styles(scenario: Scenario) -> Iterator[Mistake]:
    """Rendering in styles wants something generated, and somebody who likes a style."""
    knowledge = scenario.knowledge
    if not scenario.models.restyle:
        return
    if scenario.scheme not in GENERATING:
        yield Mistake("models.restyle", f"nothing is generated with scheme {scenario.scheme}: leave it out")
    if not knowledge.style_share:
        yield Mistake("models.restyle", "nobody prefers a style: knowledge.style_share = 1 gives everybody one")
    if knowledge.privacy_epsilon and scenario.scheme not in AT_RECEIVERS:
        reason = "there is no noise for styles, which users would share as they are: leave it out, or models.restyle = false"
        yield Mistake("knowledge.privacy_epsilon", reason)


def _devices(scenario: Scenario) -> Iterator[Mistake]:
    total = sum(device.share for device in scenario.devices.values())
    if total > 1 + 1e-9:
        yield Mistake("devices", f"the shares add up to {total:g}, more than all users")
    here = (*ON_DEVICES, "generator") if scenario.scheme in AT_RECEIVERS else ON_DEVICES
    known = {role: found for role, found in variants(scenario.models.profile).items() if role in here}
    for name, device in scenario.devices.items():
        path = f"devices.{name}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            yield Mistake(path, "is no name of small letters, digits, - and _")
        for role, variant in device.variants.items():
            there = known.get(role, ())
            if not there:
                reason = f"the role {role!r} has no variants; those that have: {', '.join(known)}"
                yield Mistake(f"{path}.variants.{role}", reason, nearest(role, list(known)))
            elif variant not in there:
                reason = f"{role} has no variant {variant!r}: {', '.join(there)}"
                yield Mistake(f"{path}.variants.{role}", reason, nearest(variant, list(there)))


def _adversary(scenario: Scenario) -> Iterator[Mistake]:
    network, wires = scenario.network, scenario.adversary.stations
    if isinstance(network.stations, tuple):
        there = [station.id for station in network.stations]
    else:
        there = [f"bs.{i}" for i in range(network.stations)]
    for i, station in enumerate(wires):
        path = f"adversary.stations[{i}]"
        if station not in there:
            yield Mistake(
                path, f"no base station {station!r}: {there[0]} to {there[-1]}" if there else "none", nearest(station, there)
            )
        if station in wires[:i]:
            yield Mistake(path, f"{station!r} is already adversary.stations[{wires.index(station)}]")
    if wires and scenario.scheme not in GENERATING:
        yield Mistake("adversary.stations", f"it falsifies prompts, and scheme {scenario.scheme} sends none: leave it out")
    if wires and network.latency_ms:
        for pair in ("bs>edge", "edge>bs"):
            latency_ms = network.latency_ms.get(pair, max(network.latency_ms.values()))
            if latency_ms < 2 * network.lookahead_ms:
                reason = f"{latency_ms:g} ms is too short for an adversary in the middle: at least twice network.lookahead_ms"
                yield Mistake(f'network.latency_ms."{pair}"', reason)


def _policies(scenario: Scenario, folder: Path | None) -> Iterator[Mistake]:
    for kind in KINDS:
        text = getattr(scenario.policies, kind)
        try:
            resolve(kind, text, folder=folder)
        except SemcastError as error:
            yield Mistake(f"policies.{kind}", error.message + (f" ({error.hint})" if error.hint else ""))
