"""Parameters of a policy: a frozen dataclass, described for people and filled from text or from a scenario's values.

The dataclass is the annotation of the constructor's ``parameters`` argument; a field may be a ``bool``, ``int``, ``float``,
``str`` or ``Literal[...]`` of strings, always with a default. ``Annotated[float, "what it means"]`` adds a line of help.
``__post_init__`` may raise ``ValueError`` for values that do not make sense.
"""

import dataclasses
import inspect
import math
import typing
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ..bus.errors import BadInput

Value = float | int | str | bool
"""What a parameter can be."""


class Parameter(Struct, frozen=True):
    """One parameter as shown to people: ``type`` (``"float"``, ``"caption | boxes"``), ``default`` and a line of help."""

    name: str
    type: str
    default: Value
    doc: str = ""


def dataclass_of(policy: type) -> type | None:
    """The dataclass that ``policy``'s constructor takes as ``parameters``; ``None`` when it takes nothing.

    Raises:
        BadInput: The constructor wants something else.
    """
    constructor = inspect.getattr_static(policy, "__init__")
    if constructor is object.__init__:
        return None
    arguments = list(inspect.signature(constructor).parameters)[1:]
    if not arguments:
        return None
    found = typing.get_type_hints(constructor).get("parameters")
    if arguments == ["parameters"] and isinstance(found, type) and dataclasses.is_dataclass(found):
        return found
    raise BadInput(
        f"the constructor of {policy.__module__}:{policy.__qualname__} takes {', '.join(arguments)}",
        "write `def __init__(self, parameters: Parameters) -> None` with a frozen dataclass `Parameters`, or no constructor",
    )


def describe(parameters: type | None) -> tuple[Parameter, ...]:
    """All fields of a parameter dataclass, in order."""
    if parameters is None:
        return ()
    hints = typing.get_type_hints(parameters, include_extras=True)
    return tuple(_parameter(field, hints[field.name], parameters) for field in dataclasses.fields(parameters))


def _parameter(field: "dataclasses.Field[Any]", hint: Any, owner: type) -> Parameter:
    doc = ""
    if typing.get_origin(hint) is typing.Annotated:
        hint, *notes = typing.get_args(hint)
        doc = next((note for note in notes if isinstance(note, str)), "")
    if typing.get_origin(hint) is typing.Literal:
        kind = " | ".join(str(choice) for choice in typing.get_args(hint))
    else:
        kind = getattr(hint, "__name__", str(hint))
    if hint not in (bool, int, float, str) and typing.get_origin(hint) is not typing.Literal:
        raise BadInput(
            f"parameter {field.name} of {owner.__module__}:{owner.__qualname__} has type {kind}",
            "use bool, int, float, str or Literal",
        )
    if field.default is dataclasses.MISSING:
        raise BadInput(f"parameter {field.name} of {owner.__module__}:{owner.__qualname__} has no default", "give it one")
    return Parameter(field.name, kind, field.default, doc)


def fill(parameters: type | None, given: Mapping[str, object], policy: str) -> dict[str, Value]:
    """All values of a policy's parameters: those ``given`` (text or typed values), checked, and defaults for the rest.

    Args:
        parameters: The dataclass, or ``None`` for a policy without parameters.
        given: Name -> value; text is read as the parameter's type.
        policy: Name of the policy, for messages.

    Raises:
        BadInput: Unknown name, wrong type or a value that the dataclass refuses; lists what the policy takes.
    """
    known = describe(parameters)
    by_name = {parameter.name: parameter for parameter in known}
    help_text = usage(known)
    values: dict[str, Value] = {parameter.name: parameter.default for parameter in known}
    for name, raw in given.items():
        if name not in by_name:
            raise BadInput(f"policy {policy} has no parameter {name!r}", help_text)
        try:
            values[name] = _read(by_name[name], raw)
        except ValueError as error:
            raise BadInput(f"parameter {name} of policy {policy}: {error}", help_text) from error
    if parameters is not None:
        try:
            parameters(**values)
        except ValueError as error:
            raise BadInput(f"parameters of policy {policy}: {error}", help_text) from error
    return values


def usage(known: tuple[Parameter, ...]) -> str:
    """One line that lists parameters with types and defaults."""
    if not known:
        return "it takes no parameters"
    return "it takes " + ", ".join(f"{p.name} ({p.type}, default {_text(p.default)})" for p in known)


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _read(parameter: Parameter, raw: object) -> Value:
    """``raw`` as the parameter's type; raises ``ValueError`` with what was expected."""
    wrong = ValueError(f"{raw!r} is not {parameter.type if ' | ' in parameter.type else 'of type ' + parameter.type}")
    if parameter.type == "bool":
        if isinstance(raw, bool):
            return raw
        if raw in ("true", "false"):
            return raw == "true"
        raise ValueError(f"{raw!r} is neither true nor false")
    if parameter.type in ("int", "float"):
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise wrong
        try:
            number = float(raw) if parameter.type == "float" else int(raw)
        except (ValueError, OverflowError):
            raise wrong from None
        if not math.isfinite(number) or (parameter.type == "int" and not isinstance(raw, str) and number != raw):
            raise wrong
        return number
    if not isinstance(raw, str):
        raise wrong
    if parameter.type != "str" and raw not in parameter.type.split(" | "):
        raise wrong
    return raw
