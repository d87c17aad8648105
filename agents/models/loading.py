"""Models by role: which module and which weights a profile uses, read when a role is first asked for.

Importing this module, `model_table` and a set whose roles are never asked for do not import torch.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import cast

from ...bus.errors import BadInput, SemcastError
from .cards import CARD_NAME, Card, read_card
from .hub.models import ROLES as HUB_ROLES
from .hub.models import check, loaders, row
from .hub.settings import HubSettings
from .roles import Model, ModelSet

log = logging.getLogger(__name__)

CPU = "cpu"
WEIGHTS = Path(__file__).resolve().parent / "weights"


@dataclass(frozen=True)
class Source:
    """Where a role's model comes from.

    Attributes:
        module: Below ``semcast.agents.models``; it may import torch.
        folder: Below the weights folder.
        function: Of the module: ``folder -> Model``.
        examples: Of the module: ``() -> list of arguments``, at least a batch of different ones.
        card: File name of the card in the folder.
        torch: Whether it computes with torch.
    """

    module: str
    folder: str
    function: str = "load"
    examples: str = "examples"
    card: str = CARD_NAME
    torch: bool = True


def _measured(module: str, function: str = "load", examples: str = "examples") -> Source:
    return Source(f"table.{module}", "table", function, examples, torch=False)


PROFILES: Mapping[str, Mapping[str, Source]] = {
    "tiny": {
        "calibrator": Source("tiny.calibrator", "calibrator"),
        "captioner": Source("tiny.captioner", "captioner"),
        "denoiser": Source("codecs.denoiser", "denoiser"),
        "embedder": Source("tiny.embedder", "embedder"),
        "extractor": Source("tiny.extractor", "extractor"),
        "extractor@int8": Source("tiny.int8", "extractor_int8", "load_extractor", "extractor_examples"),
        "extractor@small": Source("tiny.small_extractor", "extractor_small"),
        "generator": Source("tiny.generator", "generator"),
        "generator@flow": Source("tiny.families.flow", "flow"),
        "generator@gan": Source("tiny.families.gan", "gan"),
        "generator@int8": Source("tiny.int8", "generator_int8", "load_generator", "generator_examples"),
        "generator@small": Source("tiny.small_generator", "generator_small"),
        "generator@vae": Source("tiny.families.vae", "vae"),
        "jscc_decoder": Source("codecs.models", "jscc", "load_decoder", "decoder_examples", "library.json"),
        "jscc_decoder@int8": Source("codecs.int8", "jscc_decoder_int8", "load_decoder", "decoder_examples"),
        "jscc_encoder": Source("codecs.models", "jscc", "load_encoder", "encoder_examples", "library.json"),
        "keywords": Source("tiny.keywords", "keywords"),
        "personaliser": Source("tiny.personaliser", "personaliser"),
        "restorer": Source("tiny.restorer", "restorer"),
        "stylist": Source("stylist", "stylist", torch=False),
    },
    "table": {
        "embedder": _measured("embedder"),
        "extractor": _measured("extractor"),
        "generator": _measured("generator"),
        "jscc_decoder": _measured("codecs", "load_decoder", "decoder_examples"),
        "jscc_encoder": _measured("codecs", "load_encoder", "encoder_examples"),
        "personaliser": _measured("personaliser"),
    },
}

TABLE = "table"
"""The profile whose models answer with what was measured of another one's; its networks pass sketches instead of pixels."""


OTHERS = ("jscc_photos", "judge", "clip_judge")
"""Folders of models that no agent asks: the codec for photographs, and the judges of reports."""

HUB = "hub"
"""The profile whose models are published checkpoints (`hub/`); roles that it does not have are the tiny profile's."""


@dataclass(frozen=True)
class ModelRow:
    """A row of ``semcast list models``.

    Attributes:
        role: What it does for an agent.
        name: From the card; empty where there is none.
        params: Number of weights.
        flops: Floating-point operations of one typical call.
        sha256: Hash of the card, which holds the hashes of the weights.
        weights_bytes: Size of the weights as files (those of a dependency count zero): what a device downloads.
        memory_bytes: Size of the weights in use: float32, less where they are computed with in 8 bits.
        problem: Why it cannot be used, or empty.
    """

    role: str
    name: str
    params: int
    flops: int
    sha256: str
    weights_bytes: int
    memory_bytes: int
    problem: str = ""


class LazyModels(Mapping[str, Model]):
    """A `ModelSet` that reads a role's weights when the role is first asked for, and keeps them.

    ``reading_s``: the wall time that this has taken, imports included.
    """

    def __init__(self, loaders: Mapping[str, Callable[[], Model]]) -> None:
        self._loaders = loaders
        self._loaded: dict[str, Model] = {}
        self.reading_s = 0.0

    def __getitem__(self, role: str) -> Model:
        if role not in self._loaded:
            started_s = time.monotonic()
            self._loaded[role] = self._loaders[role]()
            self.reading_s += time.monotonic() - started_s
        return self._loaded[role]

    def __contains__(self, role: object) -> bool:
        return role in self._loaders  # the inherited one would read the model

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)


def _load(source: Source, weights: Path, threads: int, device: str = CPU, batch: int = 0) -> Model:
    folder = weights / source.folder
    recipe = read_card(folder, source.card).recipe  # an absent card is told before torch is imported
    if source.torch:
        import torch

        torch.set_num_threads(threads)  # more threads would change the last bits of a result
    log.debug("loading %s from %s", source.module, folder)
    module = import_module(f".{source.module}", __package__)
    read: Callable[[], Model] = partial(getattr(module, source.function), folder)
    try:
        if device == CPU or not source.torch or source.module.endswith(".int8"):  # torch has 8-bit kernels for CPUs alone
            return read()
        from .device import OnDevice

        return OnDevice(read, device, batch)
    except SemcastError:
        raise
    except Exception as error:  # whatever a library says about a broken file, the user needs path and command
        raise BadInput(
            f"cannot read the weights in {folder}: {type(error).__name__}: {error}",
            f"train them again: semcast train {recipe}, or reinstall the package",
        ) from error


def load_models(
    profile: str = "tiny",
    roles: Iterable[str] | None = None,
    threads: int = 1,
    weights: Path = WEIGHTS,
    hub: HubSettings | None = None,
    device: str = CPU,
    batch: int = 0,
) -> ModelSet:
    """The models of a profile.

    Args:
        profile: ``"tiny"``, ``"hub"``, or ``"module:function"``: a function without arguments that makes a set of one's own.
        roles: Those that will be used; their cards or checkpoints are looked for at once, so that a missing one is told early.
            Default: all, unchecked.
        threads: Threads of a model call; results of different numbers may differ in the last bits. (`hub` has its own.)
        weights: Folder with one folder of weights a model.
        hub: Which checkpoints the hub profile uses.
        device: Of torch, on which the tiny profile's models run but for those in 8 bits; `hub` has its own.
        batch: Calls that run together on a device other than the CPU; 0 for each model's own number.

    Returns:
        Role name -> model; a model is read, and its weights' hashes checked, when it is first asked for.

    Raises:
        BadInput: Unknown profile or role, or a card that cannot be read.
        Missing: A card of one of `roles` is absent; later, when a model is read, the device.
    """
    module, _, function = profile.partition(":")
    if function:
        return cast(ModelSet, getattr(import_module(module), function)())
    sources, hub = _sources(profile), hub or HubSettings()
    if roles is not None:
        wanted = sorted(dict.fromkeys(roles))
        for role in wanted:
            if role not in sources:
                raise BadInput(f"profile {profile!r} has no model for the role {role!r}", "roles: " + ", ".join(sources))
        sources = {role: sources[role] for role in wanted}
        for source in sources.values():
            if source:
                read_card(weights / source.folder, source.card)
        check((role for role, source in sources.items() if not source), hub)
    published, threads = loaders(hub), hub.threads if profile == HUB else threads  # one number for all roles of a run
    return LazyModels(
        {
            role: partial(_load, source, weights, threads, device, batch) if source else published[role]
            for role, source in sources.items()
        }
    )


def variants(profile: str) -> dict[str, tuple[str, ...]]:
    """Role -> names of its variants in a profile; roles that have none are left out."""
    found: dict[str, tuple[str, ...]] = {}
    for name in _sources(profile):
        role, _, variant = name.partition("@")
        if variant:
            found[role] = (*found.get(role, ()), variant)
    return found


def model_table(profile: str = "tiny", weights: Path = WEIGHTS, hub: HubSettings | None = None) -> list[ModelRow]:
    """One row a role, without importing torch; a role whose card, checkpoints or files are absent has a `problem`."""
    rows = []
    for role, source in _sources(profile).items():
        if source is None:
            found = row(role, hub or HubSettings())
            sizes = (found.weights_bytes, 4 * found.params)
            rows.append(ModelRow(role, found.name, found.params, found.flops, found.sha256, *sizes, found.problem))
            continue
        try:
            card = read_card(weights / source.folder, source.card)
        except SemcastError as error:
            rows.append(ModelRow(role, "", 0, 0, "", 0, 0, str(error)))
            continue
        rows.append(_row(role, card))
    return rows


def other_models(weights: Path = WEIGHTS) -> list[ModelRow]:
    """One row for each of `OTHERS`, under the name of its folder; without importing torch."""
    rows = []
    for folder in OTHERS:
        try:
            rows.append(_row(folder, read_card(weights / folder)))
        except SemcastError as error:
            rows.append(ModelRow(folder, "", 0, 0, "", 0, 0, str(error)))
    return rows


def _row(role: str, card: Card) -> ModelRow:
    data = card.data
    sizes = {name: (card.folder / name).stat().st_size for name in data["files"] if (card.folder / name).is_file()}
    absent = [] if "mend" in data else [name for name in data["files"] if name not in sizes]
    problem = f"no weights at {card.folder / absent[0]}: {card.mend}" if absent else _outdated(role, card)
    download_bytes, memory_bytes = data.get("download_bytes", sum(sizes.values())), data.get("memory_bytes", 4 * data["params"])
    flops = data.get("flops_by_role", {}).get(role, data["flops"])
    return ModelRow(role, data["name"], data["params"], flops, card.sha256, download_bytes, memory_bytes, problem)


def _outdated(role: str, card: Card) -> str:
    """Of a role of the table: whether what was measured is not what is there now."""
    source, then = PROFILES["tiny"].get(role), card.data.get("measured_cards", {})
    if role not in then or source is None:
        return ""
    try:
        now = read_card(card.folder.parent / source.folder, source.card).sha256
    except SemcastError:
        now = ""
    return "" if now == then[role] else f"measured of another {role} than the tiny profile's: semcast calibrate models"


def _sources(profile: str) -> Mapping[str, Source | None]:
    """Role -> where its model comes from; None: published checkpoints."""
    if profile == HUB:
        own = {name: source for name, source in PROFILES["tiny"].items() if name.partition("@")[0] not in HUB_ROLES}
        roles: dict[str, Source | None] = {**own, **dict.fromkeys(HUB_ROLES)}
        return dict(sorted(roles.items()))
    if profile not in PROFILES:
        raise BadInput(f"unknown model profile {profile!r}", "profiles: " + ", ".join((*PROFILES, HUB)))
    return PROFILES[profile]
