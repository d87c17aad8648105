"""The mistakes of a scenario file, all at once: where (TOML path), what, and the nearest name that exists."""

import difflib
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..bus.errors import BadInput
from ..policies.registry import DEFAULTS
from .schema import Scenario

UNITS = {
    "ns": "nanoseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "us": "microseconds",
    "min": "minutes",
    "hz": "hertz",
    "khz": "kilohertz",
    "mhz": "megahertz",
    "ghz": "gigahertz",
    "m": "metres",
    "km": "kilometres",
    "kmh": "kilometres an hour",
    "mps": "metres a second",
    "db": "dB",
    "dbm": "dBm",
    "bits": "bits",
    "bytes": "bytes",
    "flops": "FLOP/s",
}
"""Last part of a key -> its unit in words."""
_TAGS = {"count", "list"}
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")


@dataclass(frozen=True)
class Mistake:
    """One mistake: ``path`` such as ``network.users[0].id``, the ``reason``, and what is ``nearest`` to what was written."""

    path: str
    reason: str
    nearest: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" + (f"; did you mean {self.nearest}?" if self.nearest else "")


class ScenarioMistakes(BadInput):
    """A scenario that cannot be used. ``mistakes`` holds all of them; the message lists them."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        number = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "1 mistake"
        lines = "".join(f"\n  {mistake}" for mistake in mistakes)
        hint = f"mend them where they are (--set and --policy count, too), then: semcast check {source}"
        super().__init__(f"{source}: {number}{lines}", hint)
        self.mistakes = tuple(mistakes)


def from_pydantic(error: ValidationError) -> list[tuple[tuple[str | int, ...], Mistake]]:
    """The errors of pydantic as (location in the data, mistake), in the order of the model."""
    found = []
    for detail in error.errors():
        location = _without_tags(detail["loc"])
        found.append((location, _mistake(location, detail)))
    return found


def _without_tags(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the names of union branches that pydantic puts behind ``users`` and ``stations``."""
    return tuple(
        part for i, part in enumerate(location) if not (part in _TAGS and i and location[i - 1] in ("users", "stations"))
    )


def path_text(location: Sequence[str | int]) -> str:
    """``("network", "users", 0, "id")`` -> ``"network.users[0].id"``; parts that are no bare TOML keys are quoted."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return text


def _mistake(location: tuple[str | int, ...], detail: ErrorDetails) -> Mistake:
    path, kind, value = path_text(location), detail["type"], detail["input"]
    key = str(location[-1])
    if kind == "extra_forbidden":
        return _unknown_key(path, location)
    if kind == "missing":
        return Mistake(path, "is missing" + _example(location))
    if kind == "literal_error":
        choices = [str(choice) for choice in detail["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")]
        return Mistake(path, f"{value!r} is none of {', '.join(choices)}", nearest(str(value), choices))
    if isinstance(value, str) and kind in ("float_type", "int_type"):
        unit = unit_of(key)
        wanted = f"a plain number in {unit} is expected (the unit is in the key)" if unit else "a number is expected"
        return Mistake(path, f"{value!r} is text, {wanted}")
    return Mistake(path, f"{detail['msg'][0].lower()}{detail['msg'][1:]}, not {value!r}".replace("input should", "should"))


def _example(location: Sequence[str | int]) -> str:
    if location[0] == "policies" and len(location) == 2:
        return f': every kind of policy is named, for instance {location[1]} = "{DEFAULTS[str(location[1])]}"'
    return ": every kind of policy is named" if location[0] == "policies" else ""


def _unknown_key(path: str, location: tuple[str | int, ...]) -> Mistake:
    key = str(location[-1])
    known = known_keys(location[:-1])
    same_quantity = [name for name in known if unit_of(name) and unit_of(key) and _quantity(name) == _quantity(key)]
    if same_quantity:
        return Mistake(path, f"unknown key: this quantity is given in {unit_of(same_quantity[0])}", same_quantity[0])
    if len(location) == 1 and not nearest(key, known):
        for section, model in _sections().items():
            if key in model.model_fields:
                return Mistake(path, "unknown key here", f"{section}.{key}")
    return Mistake(path, "unknown key", nearest(key, known) or _listing(known))


def _listing(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}" if 0 < len(names) <= 8 else ""


def _sections() -> dict[str, type[BaseModel]]:
    return {
        name: field.annotation
        for name, field in Scenario.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def unit_of(key: str) -> str:
    """``"duration_s"`` -> ``"seconds"``; empty where the key names no unit."""
    return UNITS.get(key.rsplit("_", 1)[-1], "") if "_" in key else ""


def _quantity(key: str) -> str:
    return key.rsplit("_", 1)[0]


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like ``name``, or empty; ``user.7`` is most like ``user.007``."""
    same = _LEADING_ZEROS.sub("", name)
    padded = next((each for each in known if _LEADING_ZEROS.sub("", each) == same), "")
    return padded or next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), "")


def some_of(known: Sequence[str], most: int = 12) -> str:
    """The first of all known names, for a hint that can be read."""
    return ", ".join(known[:most]) + (f" ... ({len(known):,} in all)" if len(known) > most else "")


def known_keys(location: Sequence[str | int]) -> list[str]:
    """The keys that a table of the scenario may have, for instance at ``("network", "users", 0)``."""
    model: type[BaseModel] | None = Scenario
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if model and part in model.model_fields else None
        model = next(_models(annotation), None)
    return list(model.model_fields) if model else []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """All section models inside a type annotation."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def without(data: Mapping[str, Any], location: Sequence[str | int]) -> dict[str, Any]:
    """A copy of the data without what lies at the location (used to look for further mistakes beside the known ones)."""
    copy: Any = _copied(data)
    node = copy
    for part in location[:-1]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return typing.cast("dict[str, Any]", copy)
    if isinstance(node, dict):
        node.pop(location[-1], None)
    elif isinstance(node, list):
        node.clear()
    return typing.cast("dict[str, Any]", copy)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list | tuple) else value
