"""How far a result of benchmarks is from an earlier one, and whether that is more than their turns differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...bus.errors import BadInput
from .turns import Result


def read(path: Path) -> Result:
    """A result that was kept.

    Raises:
        BadInput: The file is none.
    """
    hint = "give the file of an earlier `semcast bench`, such as FOLDER/bench.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"--against {path}: {error}", hint) from None
    if not isinstance(found, dict) or not all(isinstance(each, dict) and _number(each.get("value")) for each in found.values()):
        raise BadInput(f"--against {path}: holds no results of benchmarks", hint)
    return found


def changes(old: Result, new: Result) -> list[dict[str, Any]]:
    """What has changed: by ratios, which do not depend on the machine's speed, where both results have them.

    Returns:
        One row a name that both know: ``of`` (``ratio`` or ``value``), ``before``, ``now``, ``change`` (now / before - 1), and
        whether it is ``beyond`` the spread: no turn of the one lies within the turns of the other. None where there are no turns.
    """
    rows = []
    for name in new:
        if name not in old:
            continue
        of = "ratio" if _number(old[name].get("ratio")) and _number(new[name].get("ratio")) else "value"
        before, now = float(old[name][of]), float(new[name][of])
        rows.append(
            {
                "name": name,
                "of": of,
                "before": before,
                "now": now,
                "change": now / before - 1 if before else None,
                "beyond": _beyond(old[name], new[name]) if of == "ratio" else None,
            }
        )
    return rows


def _beyond(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool | None:
    if not all(_number(each.get(name)) for each in (old, new) for name in ("low", "high", "turns")):
        return None
    if min(old["turns"], new["turns"]) < 2:
        return None
    return bool(new["low"] > old["high"] or new["high"] < old["low"])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
