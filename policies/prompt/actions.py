"""What a trained prompt policy sees and may do: shared by the policy `learned`, the environment and its training.

An action is a description (keywords, caption, boxes, or caption and boxes) with an extra: nothing more, references, identifiers
(and references, where there are some), or knowledge shared first (likewise; the agent then refers to what was shared). A
picture does not offer them all: ``mask`` says which, and ``standing_for`` gives each action one that can be done.

Features are what a ``PromptContext`` holds, each scaled into [0, 1]; no other agent's knowledge and no outcome is among them.
"""

from collections.abc import Sequence
from itertools import product

from ..protocols import PromptContext

DESCRIPTIONS = (("keywords",), ("caption",), ("boxes",), ("caption", "boxes"))
PLAIN, REFERENCES, IDENTIFIERS, SHARE = "", "references", "identifiers", "share"
EXTRAS = (PLAIN, REFERENCES, IDENTIFIERS, SHARE)
"""In rising order: where one cannot be done, the one before it stands for it."""
ACTIONS = tuple(product(DESCRIPTIONS, EXTRAS))
"""(description, extra) of every action; its index is the action of the environment."""
NAMES = tuple("+".join((*description, extra) if extra else description) for description, extra in ACTIONS)

LARGEST_BITS = {"keywords": 200, "caption": 300, "boxes": 500, "references": 100, "identifiers": 3000}
"""Part -> bits from which on its feature is 1."""
LARGEST_KNOWLEDGE_BITS = 12_000
LARGEST_BUDGET_BITS = 2000
FEATURES = (
    "noise",
    "uncovered",  # concepts, of 3
    "mapping",  # 1: places count
    "snr",  # -10 dB is 0, 40 dB is 1
    "labels",  # different things seen, of 8
    *(f"{part} bits" for part in LARGEST_BITS),  # 0: not on offer
    *(f"{part} offered" for part in LARGEST_BITS),
    "knowledge bits",
    "knowledge offered",
    "budget",  # 1: none
)
"""Names of the numbers that `features` gives, in order."""


def features(context: PromptContext) -> list[float]:
    """The numbers of `FEATURES`, each in [0, 1]."""
    noise = context.noise
    bits = {candidate.name: candidate.bits for candidate in context.candidates}
    labels = max((len(c.concepts) for c in context.candidates if c.name in ("keywords", "caption", "boxes")), default=0)
    return [
        min(max(noise.value, 0.0), 1.0),
        min(len(noise.uncovered) / 3.0, 1.0),
        1.0 if context.task == "mapping" else 0.0,
        min(max((context.snr_db + 10.0) / 50.0, 0.0), 1.0),
        min(labels / 8.0, 1.0),
        *[min(bits.get(part, 0) / largest, 1.0) for part, largest in LARGEST_BITS.items()],
        *[1.0 if part in bits else 0.0 for part in LARGEST_BITS],
        min(context.knowledge_bits / LARGEST_KNOWLEDGE_BITS, 1.0),
        1.0 if _may_share(context) else 0.0,
        min(context.budget_bits / LARGEST_BUDGET_BITS, 1.0) if context.budget_bits else 1.0,
    ]


def _may_share(context: PromptContext) -> bool:
    return context.knowledge_bits > 0 and bool(context.noise.uncovered)


def parts_of(action: int, context: PromptContext) -> tuple[str, ...]:
    """The parts that an action sends of this picture, in the candidates' order; see the module."""
    description, extra = ACTIONS[action]
    wanted = (*description, *((REFERENCES,) if extra else ()), extra)
    return tuple(candidate.name for candidate in context.candidates if candidate.name in wanted)


def mask(context: PromptContext) -> list[bool]:
    """Which actions can be done, and differ from each other: at least one.

    All parts must be on offer, what is shared must be uncovered and allowed; a budget must hold the prompt (knowledge besides).
    Where no description fits, the cheapest is all that can be done.
    """
    bits = {candidate.name: candidate.bits for candidate in context.candidates}
    described = [all(part in bits for part in description) for description in DESCRIPTIONS]
    added = [True, REFERENCES in bits, IDENTIFIERS in bits, _may_share(context)]
    found = [one and other for one in described for other in added]
    budget = context.budget_bits
    if budget:
        costs = [sum(bits[part] for part in parts_of(i, context)) if can else 0 for i, can in enumerate(found)]
        if not any(within := [can and cost <= budget for can, cost in zip(found, costs, strict=True)]):
            cheapest = min((cost, i) for i, (can, cost) in enumerate(zip(found, costs, strict=True)) if can)[1]
            within = [i == cheapest for i in range(len(found))]
        found = within
    return found


def standing_for(action: int, allowed: Sequence[bool]) -> int:
    """The action itself where it can be done; else its description with a smaller extra, else the first that can be done."""
    first = action - action % len(EXTRAS)
    for one in range(action, first - 1, -1):
        if allowed[one]:
            return one
    return next(one for one, can in enumerate(allowed) if can)


def action_of(parts: Sequence[str], share: bool) -> int:
    """The action that comes nearest to a choice of parts: how another policy's choice reads here."""
    description = next((each for each in reversed(DESCRIPTIONS) if all(part in parts for part in each)), DESCRIPTIONS[1])
    extra = SHARE if share else next((each for each in (IDENTIFIERS, REFERENCES) if each in parts), PLAIN)
    return ACTIONS.index((description, extra))
