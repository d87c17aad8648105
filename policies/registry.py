"""Where policies are found: one registry for every kind.

A policy is written as ``name``, ``package/name``, ``module:Class`` or ``path.py:Class``, each optionally followed by
``:parameter=value,parameter=value``. ``resolve`` turns that into a ``PolicySpec`` on the driver; ``load`` makes the policy
from the spec on any worker, which needs no entry points for it.

A package offers policies in the entry-point group ``semcast.policies``, under ``<kind>.<name>``::

    [project.entry-points."semcast.policies"]
    "prompt.longest" = "my_package.longest:Longest"

It is then known as ``<distribution>/<name>`` (``my-package/longest``), and imported only when it is used.
"""

import difflib
import hashlib
import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct

from ..bus.errors import BadInput, Missing
from .parameters import Parameter, Value, dataclass_of, describe, fill

logger = logging.getLogger(__name__)

GROUP = "semcast.policies"
KINDS = ("noise", "prompt", "encoder", "incentive", "scheduling", "eviction")
DEFAULTS = {
    "noise": "kb-mismatch",
    "prompt": "threshold",
    "encoder": "argmax-quality",
    "incentive": "posted",
    "scheduling": "proportional-fair",
    "eviction": "lru",
}
"""What a scenario gets that does not say."""

ASKABLE = ("rehearsal",)
"""What any policy may have in its ``needs``; the truth is for built-in oracles."""

VERBS = {
    "noise": ("estimate",),
    "prompt": ("select",),
    "encoder": ("choose",),
    "incentive": ("terms", "respond", "settle"),
    "scheduling": ("allocate",),
    "eviction": ("evict",),
}
"""The methods of each kind (see ``protocols``)."""

BUILT_IN = {
    "noise": {
        "none": "none:NoNoise",
        "kb-mismatch": "kb_mismatch:KbMismatch",
        "certainty": "certainty:Certainty",
        "self-consistency": "self_consistency:SelfConsistency",
        "regression": "regression:Regression",
        "oracle": "oracle:Oracle",
    },
    "prompt": {
        "fixed": "fixed:FixedPrompt",
        "threshold": "threshold:Threshold",
        "budget": "budget:Budget",
        "successive": "successive:Successive",
        "bandit": "bandit:Bandit",
        "rl": "learned:Learned",
    },
    "encoder": {
        "fixed": "fixed:FixedEncoder",
        "snr-table": "snr_table:SnrTable",
        "argmax-quality": "argmax_quality:ArgmaxQuality",
        "outage": "outage:Outage",
        "limited": "limited:Limited",
        "bandit": "bandit:Bandit",
        "genie": "genie:Genie",
    },
    "incentive": {
        "none": "none:NoIncentive",
        "flat": "flat:Flat",
        "posted": "posted:Posted",
        "contract": "contract:Contract",
        "reverse-auction": "reverse_auction:ReverseAuction",
        "dpos": "dpos:Dpos",
    },
    "scheduling": {
        "fifo": "fifo:Fifo",
        "round-robin": "round_robin:RoundRobin",
        "proportional-fair": "proportional_fair:ProportionalFair",
        "semantic-value": "semantic_value:SemanticValue",
    },
    "eviction": {"lru": "lru:Lru", "lfu": "lfu:Lfu", "greedy-dual": "greedy_dual:GreedyDual"},
}
"""Kind -> name -> ``module:Class`` below ``semcast.policies.<kind>``."""


class PolicySpec(Struct, frozen=True):
    """A resolved policy: ``kind``, the ``name`` the user wrote, import string ``target`` ("module:Class" or "path.py:Class").

    ``parameters`` holds every parameter, defaults filled in.
    """

    kind: str
    name: str
    target: str
    parameters: dict[str, Value] = {}


class PolicyInfo(Struct, frozen=True):
    """One known policy for ``semcast list policies``; ``problem`` says why a plug-in cannot be used, empty if it can."""

    kind: str
    name: str
    target: str
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    problem: str = ""


def resolve(kind: str, text: str, parameters: Mapping[str, object] | None = None, folder: Path | None = None) -> PolicySpec:
    """Find the policy that ``text`` names and check its parameters.

    Args:
        kind: One of ``KINDS``.
        text: ``name``, ``package/name``, ``module:Class`` or ``path.py:Class``, then optionally ``:parameter=value,...``.
        parameters: Typed values, e.g. from a scenario file; those in ``text`` win.
        folder: What a path in ``text`` is relative to; the working folder by default.

    Raises:
        BadInput: Unknown kind, name or parameter, or a class that is no policy of this kind.
        Missing: A module that the policy needs is not installed.
    """
    _check_kind(kind)
    name, written = _split(text)
    target = _target(kind, name, folder or Path.cwd())
    policy = _import(target, kind, name)
    return PolicySpec(kind, name, target, fill(dataclass_of(policy), {**(parameters or {}), **written}, name))


def load(spec: PolicySpec) -> Any:
    """The policy itself; has the verbs of ``spec.kind`` (see ``protocols``)."""
    policy = _import(spec.target, spec.kind, spec.name)
    takes = dataclass_of(policy)
    if takes is None:
        fill(None, spec.parameters, spec.name)
        return policy()
    return policy(takes(**fill(takes, spec.parameters, spec.name)))


def names(kind: str) -> tuple[str, ...]:
    """Built-in names, then those of installed packages; nothing is imported."""
    _check_kind(kind)
    return (*BUILT_IN[kind], *sorted(_offered(kind)))


def known(kind: str | None = None) -> tuple[PolicyInfo, ...]:
    """All known policies of one or every kind. Plug-ins are imported for their help; a broken one is listed with its problem."""
    return tuple(_info(each, name) for each in ((kind,) if kind else KINDS) for name in names(each))


def needs(spec: PolicySpec) -> frozenset[str]:
    """What a policy asks of its agent besides the context: its ``needs``, ``"outcome"`` to learn, ``"truth"`` as an oracle."""
    return needs_of(_import(spec.target, spec.kind, spec.name))


def needs_of(policy: Any) -> frozenset[str]:
    """The same of a policy or its class."""
    found = {need for need in getattr(policy, "needs", ()) if need in ASKABLE}
    if hasattr(policy, "learn"):
        found.add("outcome")
    if getattr(policy, "privileged", False):
        found.add("truth")
    return frozenset(found)


def fingerprint(spec: PolicySpec) -> str:
    """Hash (blake2b, 32 hex digits) of the policy's source file, so that a trace tells which version decided.

    A class with a static method ``files(parameters)`` has the files that it names hashed along: its weights, for instance.
    """
    policy = _import(spec.target, spec.kind, spec.name)
    h = hashlib.blake2b(Path(sys.modules[policy.__module__].__file__ or "").read_bytes(), digest_size=16)
    takes, files = dataclass_of(policy), getattr(policy, "files", None)
    if takes is not None and files is not None:
        for path in files(takes(**fill(takes, spec.parameters, spec.name))):
            h.update(path.read_bytes())
    return h.hexdigest()


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise BadInput(f"there is no policy kind {kind!r}{_nearest(kind, KINDS)}", f"kinds are {', '.join(KINDS)}")


def _nearest(word: str, choices: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, choices, 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _split(text: str) -> tuple[str, dict[str, object]]:
    """``"a:B:x=1,y=2"`` -> ``("a:B", {"x": "1", "y": "2"})``."""
    before, equals, after = text.strip().partition("=")
    if not equals:
        return before, {}
    name, colon, first = before.rpartition(":")
    if not colon or not name:
        raise BadInput(f"cannot read policy {text!r}", "write `name:parameter=value,parameter=value`")
    written: dict[str, object] = {}
    for pair in f"{first}={after}".split(","):
        parameter, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not parameter or parameter in written:
            what = f"parameter {parameter} is given twice" if parameter in written else f"{pair!r} is not `parameter=value`"
            raise BadInput(f"cannot read policy {text!r}: {what}", "write `name:parameter=value,parameter=value`")
        written[parameter] = value
    return name, written


def _target(kind: str, name: str, folder: Path) -> str:
    if name in BUILT_IN[kind]:
        return f"{__package__}.{kind}.{BUILT_IN[kind][name]}"
    place, colon, after = name.rpartition(":")
    if colon and place not in BUILT_IN[kind]:
        if not place or not after.isidentifier():
            raise BadInput(f"{kind} policy {name!r}: {after!r} is no class name", "write `module:Class` or `path.py:Class`")
        return f"{(folder / place).resolve()}:{after}" if place.endswith(".py") else name
    if colon:
        raise BadInput(f"{kind} policy {name!r}: {after!r} is not `parameter=value`", f"write `{place}:parameter=value`")
    offered = _offered(kind)
    if name in offered:
        return offered[name]
    choices = names(kind)
    raise BadInput(
        f"there is no {kind} policy {name!r}{_nearest(name, choices)}",
        f"{kind} policies are {', '.join(choices)}; your own is written module:Class or path.py:Class",
    )


def _offered(kind: str) -> dict[str, str]:
    """``package/name`` -> target, of every installed distribution's entry points for ``kind``."""
    from importlib.metadata import entry_points  # takes longer to import than this whole module

    found = {}
    for point in entry_points(group=GROUP):
        its_kind, dot, name = point.name.partition(".")
        if not dot or its_kind not in KINDS or point.dist is None:
            logger.warning("entry point %s of group %s is not named <kind>.<name>: ignored", point.name, GROUP)
        elif its_kind == kind:
            found[f"{point.dist.name}/{name}"] = point.value
    return found


def _import(target: str, kind: str, name: str) -> type:
    """The class at ``target``, checked to have the verbs of ``kind``."""
    place, _, class_name = target.rpartition(":")
    where = f"{kind} policy {name!r}"
    try:
        module = _from_file(Path(place), where) if place.endswith(".py") else importlib.import_module(place)
    except ImportError as error:
        missing = error.name or place
        raise Missing(
            f"{where}: cannot import {place}: {error}", f"install the package of {missing}, or name a file as path.py:Class"
        ) from error
    except (BadInput, Missing):
        raise
    except Exception as error:
        raise BadInput(
            f"{where}: {place} fails when it is imported: {type(error).__name__}: {error}", "mend that file"
        ) from error
    policy = getattr(module, class_name, None)
    if not isinstance(policy, type):
        classes = tuple(
            key for key, value in vars(module).items() if isinstance(value, type) and value.__module__ == module.__name__
        )
        raise BadInput(
            f"{where}: {place} has no class {class_name}{_nearest(class_name, classes)}",
            f"its classes are {', '.join(classes) or 'none'}",
        )
    lacking = [verb for verb in VERBS[kind] if not callable(getattr(policy, verb, None))]
    if lacking:
        raise BadInput(
            f"{where}: class {class_name} has no {' and no '.join(lacking)}", f"see {__package__}.protocols for the methods"
        )
    if unknown := [need for need in getattr(policy, "needs", ()) if need not in ASKABLE]:
        why = "the truth is for built-in oracles" if unknown[0] == "truth" else "nobody can answer it"
        raise BadInput(f"{where}: the need {unknown[0]!r} is not to be had: {why}", f"needs are {', '.join(ASKABLE)}")
    if getattr(policy, "privileged", False) and not place.startswith(f"{__package__}."):
        raise BadInput(f"{where}: only built-in oracles may be privileged", "take `privileged` away: no agent knows the truth")
    return policy


def _from_file(path: Path, where: str) -> ModuleType:
    """The module in a file, once a process; named after the path so that instances can be pickled within the process."""
    name = f"semcast_plugin_{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"{where}: there is no file {path}", "give a path relative to the scenario file, or an absolute one")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _info(kind: str, name: str) -> PolicyInfo:
    target = _target(kind, name, Path())
    try:
        policy = _import(target, kind, name)
        doc = (policy.__doc__ or "").strip().partition("\n")[0]
        return PolicyInfo(kind, name, target, doc, describe(dataclass_of(policy)))
    except (BadInput, Missing) as error:
        return PolicyInfo(kind, name, target, problem=error.message)
