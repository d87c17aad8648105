"""Shadow: another policy is asked what the recorded one was asked, without effect, and the answers are compared."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..bus import keys
from ..bus.errors import BadInput, RunFailed
from ..bus.records import Decision
from ..bus.trace_reading import TraceReader
from ..policies.protocols import CONTEXTS
from ..policies.registry import load, resolve
from .folder import read_run
from .replaying.recorded import refuse_newer

MOST_DIFFERENCES = 8


@dataclass(frozen=True)
class Agreement:
    """How two policies agree on one verb.

    Attributes:
        verb: What they were asked.
        recorded: The policy of the run.
        decisions: How often it was asked.
        same: How often the other answers the same, its reason aside.
        differences: (recorded answer, other answer, how often) as JSON, most frequent first, at most 8.
    """

    verb: str
    recorded: str
    decisions: int
    same: int
    differences: tuple[tuple[str, str, int], ...]


def shadow(run: Path, kind: str, policy: str) -> list[Agreement]:
    """Ask a policy everything that the run's policy of the same kind was asked, with the same draws.

    The contexts are those of the run: what would have followed from other decisions is not played.

    Args:
        run: Run folder; its private records must be readable.
        kind: Policy kind.
        policy: As ``--policy`` names it.

    Returns:
        One entry for each verb of the kind that was asked.

    Raises:
        BadInput: No run, one of a newer semcast, no such policy, or no decision of this kind was recorded.
        RunFailed: The policy fails on a recorded context, which is named.
    """
    seed = int(read_run(run)["seed"])
    other = load(resolve(kind, policy))
    pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    reader = TraceReader(run)
    refuse_newer(run, reader)
    for record in reader.records(kind="decision"):
        decision = record.envelope.payload
        if not isinstance(decision, Decision) or decision.policy_kind != kind:
            continue
        try:
            answer = _answer(other, decision, seed)
        except Exception as error:
            where = f"{record.envelope.source} record {record.envelope.sequence}, {decision.verb} about {decision.about!r}"
            raise RunFailed(
                f"{policy} fails on {where}: {type(error).__name__}: {error}", "semcast check policy tests it"
            ) from error
        counter = pairs.setdefault((decision.verb, decision.policy), Counter())
        counter[_shown(decision.choice), _shown(answer)] += 1
    if not pairs:
        raise BadInput(f"{run} has no decisions of kind {kind}", f"its trace: semcast trace {run} --kind decision --private")
    return [_agreement(verb, name, counter) for (verb, name), counter in pairs.items()]


def _answer(policy: Any, decision: Decision, seed: int) -> dict[str, Any]:
    context = msgspec.convert(decision.context, CONTEXTS[decision.verb])

    def rng(what: str) -> float:
        return keys.uniform(seed, "policy", decision.policy_kind, decision.verb, decision.about, what)

    method = getattr(policy, decision.verb)
    answer = method(context) if decision.policy_kind == "noise" else method(context, rng)
    found: dict[str, Any] = msgspec.to_builtins(answer)
    return found


def _shown(choice: dict[str, Any]) -> str:
    """A choice without its reason, numbers to six digits."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rounded(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [rounded(each) for each in value]
        return float(f"{value:.6g}") if isinstance(value, float) else value

    return json.dumps({key: rounded(value) for key, value in choice.items() if key != "reason"}, sort_keys=True)


def _agreement(verb: str, recorded: str, counter: Counter[tuple[str, str]]) -> Agreement:
    differences = sorted(((a, b, n) for (a, b), n in counter.items() if a != b), key=lambda row: (-row[2], row[:2]))
    same = sum(n for (a, b), n in counter.items() if a == b)
    return Agreement(verb, recorded, counter.total(), same, tuple(differences[:MOST_DIFFERENCES]))
