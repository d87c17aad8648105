"""Every registered policy keeps the rules of its kind, with default and with other parameters, in any process."""

import os
import subprocess
import sys
from hashlib import blake2b

import pytest
from semcast.bus.errors import BadInput
from semcast.policies.checks import check_policy, decisions, find_problems
from semcast.policies.protocols import (
    Allocation,
    EncoderChoice,
    Eviction,
    IncentiveTerms,
    PromptChoice,
    Response,
    SemanticNoise,
    Settlement,
)
from semcast.policies.registry import BUILT_IN, DEFAULTS, KINDS, known, load, resolve

EVERY = [(info.kind, info.name) for info in known() if "/" not in info.name]
VARIANTS = [
    ("noise", "certainty:doubt=0.5,alike=0.7"),
    ("prompt", "fixed:parts=all,share=true"),
    ("prompt", "threshold:more=0,share=0"),
    ("prompt", "budget:symbols=50"),
    ("encoder", "fixed:codec=jscc-7dB-256"),
    ("encoder", "snr-table:cbr=0.1,margin_db=3,hysteresis_db=0"),
    ("encoder", "argmax-quality:db_per_ksymbol=8,risk=1"),
    ("encoder", "outage:probability=0.4"),
    ("encoder", "limited:deadline_s=0,joules=0.005"),
    ("encoder", "bandit:prior=1,doubt_db=4"),
    ("incentive", "posted:overbook=9"),
    ("incentive", "reverse-auction:reserve=1"),
    ("incentive", "dpos:validators=1,fee=1"),
    ("scheduling", "proportional-fair:alpha=0"),
]


@pytest.mark.parametrize(("kind", "text"), EVERY + VARIANTS)
def test_built_in_policies_conform(kind: str, text: str) -> None:
    check_policy(kind, load(resolve(kind, text)))


def test_each_kind_has_a_baseline_and_two_real_policies() -> None:
    assert tuple(BUILT_IN) == KINDS == tuple(DEFAULTS)
    assert all(len(BUILT_IN[kind]) >= 3 and DEFAULTS[kind] in BUILT_IN[kind] for kind in KINDS)


def test_choices_of_one_kind_decide_differently() -> None:
    for kind in KINDS:
        answers = [decisions(kind, load(resolve(kind, name))) for name in BUILT_IN[kind]]
        assert len(set(answers)) == len(answers), kind


SCRIPT = """
from hashlib import blake2b
from semcast.policies.checks import decisions
from semcast.policies.registry import BUILT_IN, load, resolve
h = blake2b()
for kind, names in BUILT_IN.items():
    for name in names:
        h.update(decisions(kind, load(resolve(kind, name))))
print(h.hexdigest())
"""


def test_decisions_do_not_depend_on_the_process() -> None:
    ours = blake2b()
    for kind, policies in BUILT_IN.items():
        for name in policies:
            ours.update(decisions(kind, load(resolve(kind, name))))
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ours.hexdigest()


def test_importing_the_registry_is_light() -> None:
    script = "import sys, semcast.policies.registry as r; r.load(r.resolve('prompt', 'budget')); print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "False"


class Prompt:
    """A right one, for the wrong ones to differ from."""

    def select(self, context, rng):
        return PromptChoice((next(c.name for c in context.candidates if c.name in ("caption", "boxes")),), False, "first")


class Silent(Prompt):
    def select(self, context, rng):
        return PromptChoice(super().select(context, rng).parts, False, " ")


class Inventive(Prompt):
    def select(self, context, rng):
        return PromptChoice(("caption", "boxes", "melody"), False, "more")


class Coreless(Prompt):
    def select(self, context, rng):
        return PromptChoice(tuple(c.name for c in context.candidates if c.name == "references"), False, "who")


class Counting(Prompt):
    count = 0

    def select(self, context, rng):
        self.count += 1
        return PromptChoice(super().select(context, rng).parts, self.count % 2 == 0, "by turns")


class Forgetful(Prompt):
    """Answers by what it was asked before, the same way each time the whole round is asked."""

    last = 0.0

    def select(self, context, rng):
        share, self.last = context.snr_db > self.last, context.snr_db
        return PromptChoice(super().select(context, rng).parts, share, "by comparison")


class Reader(Prompt):
    def select(self, context, rng):
        with open(__file__) as file:
            return PromptChoice(super().select(context, rng).parts, False, file.readline().strip())


class Unpicklable(Prompt):
    def __init__(self):
        self.rule = lambda: 1


class Tuple(Prompt):
    def select(self, context, rng):
        return ("caption",)


class Failing(Prompt):
    def select(self, context, rng):
        return PromptChoice((context.candidates[2].name,), False, "third")


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (Silent(), "gives no reason"),
        (Inventive(), "no candidate"),
        (Coreless(), "neither caption, boxes nor keywords"),
        (Counting(), "differently"),
        (Forgetful(), "differently"),
        (Reader(), "does I/O: open"),
        (Unpicklable(), "cannot be pickled"),
        (Tuple(), "answers tuple, not PromptChoice"),
        (Failing(), "fails on a valid context: IndexError"),
        (object(), "has no method select"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_kit_finds_what_is_wrong(policy: object, problem: str) -> None:
    assert find_problems("prompt", Prompt()) == ()
    assert any(problem in found for found in find_problems("prompt", policy))
    with pytest.raises(BadInput, match="no valid prompt policy"):
        check_policy("prompt", policy)


class Learner(Prompt):
    """A right one that learns: how often it was told of each part."""

    def learn(self, memory, lesson):
        part = lesson.choice.parts[0]
        return {**memory, part: (memory.get(part, (0.0,))[0] + 1.0,)}


class InPlace(Learner):
    def learn(self, memory, lesson):
        memory["count"] = (1.0,)
        return memory


class Listing(Learner):
    def learn(self, memory, lesson):
        return {"quality": [lesson.outcome.quality]}


class Moody(Learner):
    turns = 0

    def learn(self, memory, lesson):
        self.turns += 1
        return {"turns": (float(self.turns),)}


class Hoarder(Learner):
    def learn(self, memory, lesson):
        return {**memory, f"lesson {len(memory)}": (1.0,) * 32}


class Dunce(Learner):
    def learn(self, memory, lesson):
        return {"error": (1.0 / lesson.outcome.quality,)}


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (InPlace(), "in place"),
        (Listing(), "no tuple"),
        (Moody(), "learns differently"),
        (Hoarder(), "more than 4096 numbers"),
        (Dunce(), "ZeroDivisionError"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_the_kit_tests_learning(policy: object, problem: str) -> None:
    assert find_problems("prompt", Learner()) == ()
    assert problem in "\n".join(find_problems("prompt", policy))


class BadNoise:
    def estimate(self, context):
        context.similarity.clear()
        return SemanticNoise(0.0, (), "tidy")


class WideNoise:
    def estimate(self, context):
        return SemanticNoise(1.5, ("unicorn",), "large")


class BadEncoder:
    def choose(self, context, rng):
        return EncoderChoice("h264", "modern")


class Hoarding:
    def evict(self, context, rng):
        return Eviction(("codec.new",), "not me") if context.level else Eviction((), "nothing", float("inf"))


class BadScheduler:
    def allocate(self, context, rng):
        return Allocation(0, "lucky")


class Spendthrift:
    def terms(self, context, rng):
        return IncentiveTerms("gift", {"gold": 1.0}, "generous")

    def respond(self, context, rng):
        return Response(("crown",), -1.0, "generous")

    def settle(self, context, rng):
        paid = tuple((user, context.budget) for user, _, _ in context.shared)
        return Settlement(paid, "generous", tuple((user, (7,)) for user, _ in paid))


@pytest.mark.parametrize(
    ("kind", "policy", "problems"),
    [
        ("noise", BadNoise(), ["changes its context"]),
        ("noise", WideNoise(), ["not in [0, 1]", "none of the context's"]),
        ("encoder", BadEncoder(), ["none of the context's"]),
        ("scheduling", BadScheduler(), ["not in the queue"]),
        ("eviction", Hoarding(), ["not held", "not enough room", "level is not finite"]),
        (
            "incentive",
            Spendthrift(),
            ["not asked for", "no offer", "asked is negative", "exceed the budget", "shared nothing is paid", "out of range"],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_kit_knows_every_kind(kind: str, policy: object, problems: list[str]) -> None:
    found = "\n".join(find_problems(kind, policy))
    for problem in problems:
        assert problem in found


def test_unknown_kind() -> None:
    with pytest.raises(BadInput, match="no policy kind"):
        find_problems("prompts", Prompt())
