"""The file of a study: options of its module, a base, arms that are laid over it, and the short form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import Field, ValidationError

from ...bus.errors import BadInput
from ..loading import find, liked, merged, parse_setting, put, tables, validated
from ..mistakes import Mistake, ScenarioMistakes, from_pydantic, nearest
from ..schema import Scenario, Section
from .study import Overlay, StudyModule

_PLACES = ("options", "base", "arms")
_FOLDER = Path(__file__).parent
_NO_STUDY = ("findings", "inference", "reading", "running", "side_by_side", "study")


class StudyFile(Section):
    """What the file of a study may say."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    study: str
    """Module of this folder."""
    seed: int = Field(default=1, ge=0, lt=2**63)
    options: dict[str, Any] = {}
    """Keys of the module's ``Options``."""
    images: str = ""
    """Folder of pictures in place of the scene world's (``--images``)."""
    base: dict[str, Any] = {}
    """Tables of a scenario, for all arms; may be ``like`` one."""
    arms: dict[str, dict[str, Any]] = {}
    """Name -> tables laid over the base."""


@dataclass(frozen=True)
class Plan:
    """A checked study: its file, the module's ``options`` and the scenario of each arm."""

    file: StudyFile
    module: StudyModule
    options: Any
    arms: dict[str, Scenario]

    def text(self) -> str:
        """The resolved study as TOML; reading it gives an equal plan."""
        told = self.file.model_dump(mode="json") | {"options": self.options.model_dump(mode="json", exclude_none=True)}
        arms = {}
        for name, scenario in self.arms.items():
            arms[name] = scenario.model_dump(mode="json", exclude_none=True)
            if scenario.seed == self.file.seed:
                del arms[name]["seed"]  # so that another seed of the study is the arm's, too
        return tomli_w.dumps(told | {"base": {}, "arms": arms})


def known_modules() -> list[str]:
    """Modules that a study may name: those of this folder with ``find``."""
    names = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem not in _NO_STUDY)
    return [name for name in names if "\ndef find(" in (_FOLDER / f"{name}.py").read_text(encoding="utf-8")]


def load_study(
    name: str, *, quick: bool = False, settings: Sequence[str] = (), overrides: Mapping[str, Any] | None = None
) -> Plan:
    """Read and check a study.

    Args:
        name: Of the catalog, a TOML file, or the folder of a study.
        quick: Apply the file's ``[quick]`` table.
        settings: ``options.x=v``, ``base.a.b=v`` or ``arms.NAME.a.b=v``.
        overrides: Dotted path -> value, likewise.

    Raises:
        ScenarioMistakes: All mistakes, each arm's with its name before it.
        BadInput: The file cannot be found or read, or a setting goes nowhere.
    """
    path = find(name)
    data = liked(tables(path), path, name)
    overlay = data.pop("quick", None)
    base = data.get("base")
    if isinstance(base, dict):  # what it is like has a short form of its own, which is not this one's
        data["base"] = liked(base, path, name)
        data["base"].pop("quick", None)
    if quick:
        if not isinstance(overlay, dict):
            raise BadInput(f"{name}: --quick, but it has no [quick] table", "add [quick.options] or [quick.base]")
        data = merged(data, overlay)
    for setting in settings:
        _put(data, *parse_setting(setting))
    for dotted, value in (overrides or {}).items():
        _put(data, dotted, value)
    file = _file(data, name)
    module = _module(file, name)
    options = _options(file, module, name)
    return Plan(file, module, options, _arms(file, module, options, name, path.parent))


def _put(data: dict[str, Any], path: str, value: Any) -> None:
    if path not in ("seed", "images") and path.partition(".")[0] not in _PLACES:
        close = f"base.{path}"
        raise BadInput(f"--set {path}: a study has options.*, base.* and arms.NAME.*", f"for all arms: --set {close}=...")
    put(data, path, value)


def _file(data: Mapping[str, Any], source: str) -> StudyFile:
    try:
        return StudyFile.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        raise ScenarioMistakes(source, [mistake for _, mistake in from_pydantic(error)]) from None


def _module(file: StudyFile, source: str) -> StudyModule:
    known = known_modules()
    if file.study not in known:
        what = Mistake("study", f"{file.study!r} is none of {', '.join(known)}", nearest(file.study, known))
        raise ScenarioMistakes(source, [what])
    return import_module(f".{file.study}", __package__)


def _options(file: StudyFile, module: StudyModule, source: str) -> Any:
    try:
        return module.Options.model_validate_json(json.dumps(file.options, default=str))
    except ValidationError as error:
        found = []
        for detail in error.errors():
            key = ".".join(map(str, detail["loc"]))
            unknown = detail["type"] == "extra_forbidden"
            reason = "there is no such option" if unknown else f"{detail['msg']}, not {detail['input']!r}"
            found.append(Mistake(f"options.{key}", reason, nearest(key, list(module.Options.model_fields)) if unknown else ""))
        raise ScenarioMistakes(source, found) from None


def _arms(file: StudyFile, module: StudyModule, options: Any, source: str, folder: Path) -> dict[str, Scenario]:
    more: dict[str, Overlay] = getattr(module, "arms", lambda options: {})(options)
    arms: dict[str, Scenario] = {}
    mistakes: dict[str, list[Mistake]] = {}
    told = {arm: merged(more.get(arm, {}), overlay) for arm, overlay in file.arms.items()}  # of a resolved file: all of it
    for arm, overlay in (told | {arm: overlay for arm, overlay in more.items() if arm not in told}).items():
        named = {"name": f"{file.name}-{arm}", "title": f"{file.title}: {arm}", "seed": file.seed, "host": "memory", "workers": 1}
        data = merged(merged(named | {k: v for k, v in file.base.items() if k not in ("name", "title", "host")}, {}), overlay)
        data["seed"] = overlay.get("seed", file.seed)
        try:
            arms[arm] = validated(data, f"{source}, arm {arm}", folder)
        except ScenarioMistakes as error:
            mistakes[arm] = list(error.mistakes)
    if mistakes:
        raise ScenarioMistakes(source, _once(mistakes, len(file.arms | more)))
    return arms


def _once(mistakes: Mapping[str, Sequence[Mistake]], arms: int) -> list[Mistake]:
    """What all arms have wrong is the base's, and told once; the rest with the arm's name before it."""
    first = next(iter(mistakes.values()))
    shared = [each for each in first if len(mistakes) == arms > 1 and all(each in listed for listed in mistakes.values())]
    told = [Mistake(f"base.{each.path}", each.reason, each.nearest) for each in shared]
    own = [(arm, each) for arm, listed in mistakes.items() for each in listed if each not in shared]
    return told + [Mistake(f"{arm}: {each.path}", each.reason, each.nearest) for arm, each in own]
