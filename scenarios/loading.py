"""From a name or TOML file, with overlays, to a checked scenario; and back to TOML."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from ..bus.errors import BadInput
from .checks import cross_checks
from .mistakes import Mistake, ScenarioMistakes, from_pydantic, nearest, without
from .schema import PROFILE_DEFAULTS, Scenario

MOST_LIKE = 8
"""Scenarios that may be like each other."""
LARGEST_BYTES, DEEPEST = 1 << 20, 32
"""Size of a scenario's file and nesting of its tables, at most."""
_LONG_KEY = re.compile(r"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){32}")
"""A key with more parts than that, or what looks like one."""
CATALOG = Path(__file__).parent / "catalog"


_STUDY = re.compile(r"^study\s*=", re.MULTILINE)
_LIKE = re.compile(r"""^like\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


def catalog() -> list[str]:
    """Names of the scenarios that come with semcast."""
    return sorted(path.stem for path in CATALOG.glob("*.toml") if not is_study(path))


def studies() -> list[str]:
    """Names of the studies that come with semcast: files that say ``study = ...`` (`scenarios.studies`)."""
    return sorted(path.stem for path in CATALOG.glob("*.toml") if is_study(path))


def is_study(path: Path) -> bool:
    """Whether a file describes a study (several runs, and what is found in them), or is like one."""
    for _ in range(MOST_LIKE):
        head = path.read_text(encoding="utf-8", errors="replace").partition("\n[")[0]
        like = _LIKE.search(head)
        if _STUDY.search(head) or like is None:
            return _STUDY.search(head) is not None
        try:
            path = liked_file(like[1], path)
        except BadInput:
            break  # who reads the file says what is wrong
    return False


def liked_file(name: str, path: Path) -> Path:
    """The file that the one at ``path`` is like: a ``.toml`` file beside it, or what `find` finds."""
    beside, shipped = path.parent / name, CATALOG / f"{name}.toml"
    if beside.suffix == ".toml" and beside.is_file():
        return beside
    return shipped if shipped.is_file() else find(name)


def find(scenario: str) -> Path:
    """The file of a scenario: a path to a TOML file (or to a run folder), or a name from the catalog.

    Raises:
        BadInput: There is neither such a file nor such a name.
    """
    path = Path(scenario)
    if path.is_dir() and (path / "scenario.toml").is_file():
        return path / "scenario.toml"
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise BadInput(f"no scenario file {scenario}", "the catalog's names: semcast list scenarios")
        return path
    there = [*catalog(), *studies()]
    if scenario not in there:
        close = nearest(scenario, there)
        known = ", ".join(there)
        raise BadInput(
            f"no scenario {scenario!r} in the catalog ({known})",
            f"did you mean {close}?" if close else "give a name or a .toml file",
        )
    return CATALOG / f"{scenario}.toml"


def read(scenario: str) -> dict[str, Any]:
    """The raw tables of a scenario's file, laid over those of the scenario that it is ``like`` (a name, or a file beside it).

    Raises:
        BadInput: No such scenario, its file is no TOML (the message has line and column), or it is like itself.
    """
    path = find(scenario)
    return liked(_absolute(tables(path), path.parent), path, scenario)


def liked(own: Mapping[str, Any], path: Path, scenario: str) -> dict[str, Any]:
    """Tables of a file laid over those of the scenario that they are ``like``; raises as `read`."""
    data, names = dict(own), [path.stem]
    while "like" in data:
        base = data.pop("like")
        if not isinstance(base, str):
            raise BadInput(f"{path}: like = {base!r} is no name", "a scenario of the catalog, or a .toml file beside this one")
        try:
            path = liked_file(base, path)
        except BadInput as error:
            there = path.parent / f"{base}.toml"
            raise BadInput(f"{path}: like: {error.message}", f'like = "{base}.toml"' if there.is_file() else error.hint) from None
        names.append(path.stem)
        if len(names) > MOST_LIKE:
            raise BadInput(f"{scenario}: {' is like '.join(names[:4])} ...", f"at most {MOST_LIKE} scenarios are read")
        data = merged(_absolute(tables(path), path.parent), data)
    return data


def tables(path: Path) -> dict[str, Any]:
    """The tables of a file as they are; raises as `read`."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise BadInput(f"{path}: {path.stat().st_size} bytes, a scenario has at most {LARGEST_BYTES}")
        text = path.read_text(encoding="utf-8")
        if _LONG_KEY.search(text):  # tomllib's time for a key grows with the square of its parts
            raise BadInput(f"{path}: a key with more than {DEEPEST} parts")
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError, too
        raise BadInput(f"{path}: no valid TOML: {error}", 'text goes in quotes: name = "two-users"') from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None


def load(
    scenario: str, *, quick: bool = False, settings: Sequence[str] = (), overrides: Mapping[str, Any] | None = None
) -> Scenario:
    """Read and check a scenario.

    Args:
        scenario: Name from the catalog, TOML file or run folder.
        quick: Apply the file's ``[quick]`` overlay.
        settings: ``"a.b=v"`` as on the command line; ``v`` is a TOML value, or else text.
        overrides: Dotted path -> value, applied last.

    Raises:
        ScenarioMistakes: All mistakes of the scenario.
        BadInput: The file cannot be found or read, or a setting is malformed.
    """
    data = read(scenario)
    if "study" in data:
        raise BadInput(f"{scenario} is a study of several runs, no scenario", f"semcast run {scenario}")
    overlay = data.pop("quick", None)
    if quick:
        if not isinstance(overlay, dict):
            raise BadInput(
                f"{scenario}: --quick, but it has no [quick] table", "add a [quick] table with the settings of a short run"
            )
        data = merged(data, overlay)
    for setting in settings:
        path, value = parse_setting(setting)
        put(data, path, value)
    for path, value in (overrides or {}).items():
        put(data, path, value)
    return validated(data, scenario, find(scenario).parent)


def merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``overlay``, table by table."""
    result = dict(base)
    for key, value in overlay.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) and key != "latency_ms" else value
    return result


def parse_setting(text: str) -> tuple[str, Any]:
    """``"traffic.rate_hz=0.5"`` -> ``("traffic.rate_hz", 0.5)``; what is no TOML value is text.

    Raises:
        BadInput: There is no ``=``, or nothing before it.
    """
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise BadInput(f"--set {text}: expected a.b=value", "for instance --set traffic.rate_hz=0.5")
    try:
        return path.strip(), tomllib.loads(f"v = {value}")["v"]
    except (ValueError, RecursionError, KeyError):
        return path.strip(), value.strip()


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set ``data`` at a dotted path (numbers index lists); missing tables are made.

    Raises:
        BadInput: The path goes through something that is no table, or beyond the end of a list.
    """
    node: Any = data
    parts = path.split(".")
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if isinstance(node, list):
            if not part.isdigit() or int(part) >= len(node):
                raise BadInput(f"--set {path}: {'.'.join(parts[:i])} is a list of {len(node)}; {part!r} is no index of it")
            key: Any = int(part)
        elif isinstance(node, dict):
            key = part
        else:
            raise BadInput(f"--set {path}: {'.'.join(parts[:i])} is no table")
        if last:
            node[key] = value
        else:
            node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]


def validated(data: Mapping[str, Any], source: str, folder: Path | None = None) -> Scenario:
    """Check raw tables.

    Args:
        data: The tables, without ``quick``.
        source: What the messages call the scenario.
        folder: Where paths of policy files start; they become absolute, so that the resolved scenario runs from anywhere.

    Raises:
        ScenarioMistakes: All mistakes: of keys, types and values, and those between sections.
        BadInput: The tables cannot be looked at.
    """
    _check_depth(data, source)
    mistakes: list[Mistake] = []
    rest: Mapping[str, Any] = merged(_profile_defaults(data), _absolute(data, folder))
    for _ in range(2):  # a second look, without what is wrong, finds the mistakes between the sections
        try:
            scenario = Scenario.model_validate_json(_as_json(rest, source))
        except ValidationError as error:
            found = from_pydantic(error)
            mistakes += [mistake for _, mistake in found]
            for location, _ in sorted(found, key=lambda item: (len(item[0]), str(item[0])), reverse=True):
                rest = without(rest, location)
            rest = _filled(rest)
            continue
        mistakes += [mistake for mistake in cross_checks(scenario) if all(mistake.path != old.path for old in mistakes)]
        if not mistakes:
            return scenario
        break
    raise ScenarioMistakes(source, list(dict.fromkeys(mistakes)))


def _check_depth(data: Mapping[str, Any], source: str) -> None:
    layer: list[Any] = [data]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in layer]
        layer = [value for values in inner for value in values if isinstance(value, dict | list)]
        if not layer:
            return
    raise BadInput(f"{source}: tables are nested more than {DEEPEST} deep")


def _as_json(data: Mapping[str, Any], source: str) -> str:
    try:
        return json.dumps(data, default=str)
    except ValueError as error:  # a hexadecimal number can be longer than what can be printed
        raise BadInput(f"{source}: {error}") from None


def _profile_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    models = data.get("models")
    return PROFILE_DEFAULTS.get(str(models.get("profile")), {}) if isinstance(models, dict) else {}


def _absolute(data: Mapping[str, Any], folder: Path | None) -> Mapping[str, Any]:
    """Policies written ``path.py:Class``, and the folder of one's own pictures, with their full paths."""
    if folder is None:
        return data
    traffic = data.get("traffic")
    if isinstance(traffic, dict) and isinstance(images := traffic.get("images"), str) and images and (folder / images).is_dir():
        data = {**data, "traffic": {**traffic, "images": str((folder / images).resolve())}}
    policies = data.get("policies")
    if not isinstance(policies, dict):
        return data
    full = dict(policies)
    for kind, text in policies.items():
        file, colon, rest = str(text).partition(".py:")
        if colon and (folder / f"{file}.py").is_file():
            full[kind] = f"{(folder / file).resolve()}.py:{rest}"
    return {**data, "policies": full}


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """Required things that are missing get a harmless value, so that the other checks can go on."""
    harmless = {
        "name": "unnamed",
        "title": "",
        "network": {"users": 2, "stations": 1, "edges": 1},
        "policies": dict.fromkeys(("noise", "prompt", "encoder", "incentive", "scheduling"), ""),
    }
    return merged(harmless, data)


def dumps(scenario: Scenario) -> str:
    """The resolved scenario as TOML; reading it gives an equal scenario."""
    return tomli_w.dumps(scenario.model_dump(mode="json", exclude_none=True))
