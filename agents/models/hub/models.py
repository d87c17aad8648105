"""The hub profile as models by role: which parts a role needs, how it is made, its row in ``semcast list models`` (no torch)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module

from ....bus.errors import BadInput, Missing, SemcastError
from ..roles import Model
from .settings import HubSettings
from .snapshot import Snapshot, cache_folder, digest, find, find_all
from .table import JUDGE, PARTS, Pick, pick


@dataclass(frozen=True)
class Role:
    """How a role is made of parts: ``kind`` is a class of the module below this folder, called with snapshots and settings."""

    module: str
    kind: str
    parts: tuple[str, ...]


ROLES: Mapping[str, Role] = {
    "captioner": Role("saying", "HubCaptioner", ("captioner",)),
    "embedder": Role("embedder", "HubEmbedder", ("embedder",)),
    "extractor": Role("extractor", "HubExtractor", ("captioner", "detector", "clip")),
    "generator": Role("generator", "HubGenerator", ("generator",)),
    "keywords": Role("keywords", "HubKeywords", ("language",)),
    "personaliser": Role("personaliser", "HubPersonaliser", ("clip",)),
}
"""All other roles (the JSCC codecs) are those of the tiny profile, also in the hub profile."""


@dataclass(frozen=True)
class HubRow:
    """What is known of a role's model: see `semcast.agents.models.loading.ModelRow`."""

    name: str
    params: int
    flops: int
    sha256: str
    weights_bytes: int
    problem: str


def check(roles: Iterable[str], settings: HubSettings) -> None:
    """See that all checkpoints of some roles are here and may be read.

    Raises:
        Missing: Some are not here: all of them are named.
        BadInput: One cannot be used.
    """
    find_all(list(dict.fromkeys(wanted for role in sorted(roles) for wanted in picks(role, settings))), settings.folder)


def picks(role: str, settings: HubSettings) -> list[Pick]:
    """The checkpoints of a role; those of the generator's adapters come last, by subject."""
    found = [settings.pick(part) for part in ROLES[role].parts]
    return found + (list(settings.adapter_picks.values()) if role == "generator" else [])


def check_judge(settings: HubSettings) -> Snapshot | None:
    """See that the published judge, if one is named, is here and is none of the parts that it would judge.

    Raises:
        Missing: It is not here.
        BadInput: It cannot be used, or has the weights of another part.
    """
    if not settings.judge:
        return None
    chosen = pick(JUDGE, settings.judge)
    same = [part for part in PARTS if settings.pick(part).id == chosen.id]
    if same:
        raise BadInput(f"models.hub.judge: {chosen} is also the {same[0]}", "a judge never shares weights with what it judges")
    return find(chosen, settings.folder)


def judge_sha256(settings: HubSettings) -> str:
    """Hash of the published judge, as its `Clip` has it; empty where none is named."""
    snapshot = check_judge(settings)
    return digest([snapshot], settings.kept("clip")) if snapshot else ""


def loaders(settings: HubSettings) -> dict[str, Callable[[], Model]]:
    """Role -> what reads its model when it is first asked for."""
    return {role: _loader(role, settings) for role in ROLES}


def _loader(role: str, settings: HubSettings) -> Callable[[], Model]:
    def load() -> Model:
        about = ROLES[role]
        parts = find_all(picks(role, settings), settings.folder)
        import torch

        if settings.device != "cpu" and not torch.cuda.is_available():
            raise BadInput(f"models.hub.device = {settings.device!r}: torch finds no such device", 'set it to "cpu"')
        torch.set_num_threads(settings.threads)
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        kind: Callable[[list[Snapshot], HubSettings], Model] = getattr(import_module(f".{about.module}", __package__), about.kind)
        return kind(parts, settings)

    return load


def row(role: str, settings: HubSettings) -> HubRow:
    """What can be said of a role without torch; sizes and costs of checkpoints that are not here are the table's."""
    wanted = picks(role, settings)
    entries = [one.entry for one in wanted]
    flops = sum(entry.flops for entry in entries if entry)
    name = " + ".join(one.short for one in wanted)
    found: list[Snapshot] = []
    problems, absent = [], []
    for one in wanted:
        try:
            found.append(find(one, settings.folder))
        except Missing:
            absent.append(one.part)
        except SemcastError as error:
            problems.append(error.message)
    if absent:
        problems.append(f"not in {cache_folder(settings.folder)}: {', '.join(absent)}")
    size = sum(part.size_bytes for part in found)
    if problems:
        return HubRow(name, sum(entry.params for entry in entries if entry), flops, "", size, "; ".join(problems))
    return HubRow(name, sum(part.params for part in found), flops, digest(found, settings.kept(role)), size, "")
