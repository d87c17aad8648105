"""A conformance kit for authors of policies: ``check_policy("prompt", MyPolicy(...))``.

The policy meets ``ROUNDS`` generated contexts. It must answer validly, with a reason; give the same answer to the same context,
asked again, in another order, and after pickling; leave the context as it was; and touch no files, sockets or processes.
One that learns is taught by generated lessons between the contexts: ``learn`` must be as pure, and its memory stay small.
"""

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import isfinite
from typing import Any

import msgspec

from ..bus import keys
from ..bus.errors import BadInput
from .examples import contexts, lesson, told
from .incentive.markets import broken_claims
from .prompt.parts import CORE
from .protocols import (
    LESSONS,
    Allocation,
    EncoderChoice,
    Eviction,
    IncentiveTerms,
    Memory,
    PromptChoice,
    Response,
    SemanticNoise,
    Settlement,
)
from .registry import KINDS, VERBS, needs_of

ROUNDS = 64
TAUGHT = 4
"""Lessons between two stages of what a policy has learned; the generated contexts meet four stages."""
MOST_NUMBERS = 4096
"""What a memory may hold after `MANY_LESSONS` lessons: it travels with every context."""
MANY_LESSONS = 200
Answer = tuple[str, Any, Any]
"""(verb, context, decision)."""


def check_policy(kind: str, policy: Any) -> None:
    """Check that ``policy`` keeps the rules of its kind.

    Raises:
        BadInput: It does not; the message lists what is wrong.
    """
    problems = find_problems(kind, policy)
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise BadInput(f"{type(policy).__qualname__} is no valid {kind} policy:{listed}", "see semcast/policies/README.md")


def find_problems(kind: str, policy: Any) -> tuple[str, ...]:
    """What is wrong with ``policy``, one line each, without repeats; empty if nothing is.

    Raises:
        BadInput: ``kind`` is no policy kind.
    """
    if kind not in KINDS:
        raise BadInput(f"there is no policy kind {kind!r}", f"kinds are {', '.join(KINDS)}")
    lacking = [verb for verb in VERBS[kind] if not callable(getattr(policy, verb, None))]
    if lacking:
        return tuple(f"has no method {verb}" for verb in lacking)
    try:
        again = pickle.loads(pickle.dumps(policy))
    except Exception as error:
        return (f"cannot be pickled: {error}",)
    try:
        decide(kind, policy, 0)  # whatever it loads at first use is its own affair
        touched: list[str] = []
        with _watched(touched):
            answers = [answer for number in range(ROUNDS) for answer in decide(kind, policy, number)]
    except Exception as error:
        return (f"fails on a valid context: {type(error).__name__}: {error}",)
    problems = [f"does I/O: {event}" for event in touched]
    problems += [problem for verb, context, decision in answers for problem in _wrong(verb, context, decision)]
    problems += _changes(kind, policy, again, answers)
    if "outcome" in needs_of(policy):
        problems += _learning(kind, policy)
    if kind == "incentive" and not problems:
        problems += broken_claims(policy)
    return tuple(dict.fromkeys(problems))


def decide(kind: str, policy: Any, number: int) -> list[Answer]:
    """What ``policy`` answers to generated context ``number``; an incentive is asked all three questions in turn."""
    return _answers(policy, questions(kind, policy, number), number)


def questions(kind: str, policy: Any, number: int) -> list[tuple[str, Any]]:
    """Generated context ``number`` as ``policy`` is asked it: (verb, context), with what it was taught and is told besides."""
    teachable = kind in LESSONS and "outcome" in needs_of(policy)
    return _posed(kind, policy, number, learned(kind, policy, TAUGHT * (number % 4)) if teachable else {})


def learned(kind: str, policy: Any, lessons: int) -> Memory:
    """The memory of a policy after that many generated lessons, each on a decision of its own."""
    memory: Memory = {}
    for number in range(lessons):
        memory = policy.learn(memory, _lesson(kind, policy, number, memory))
    return memory


def _posed(kind: str, policy: Any, number: int, memory: Memory) -> list[tuple[str, Any]]:
    asked = [(verb, told(kind, context, needs_of(policy), number)) for verb, context in contexts(kind, number)]
    return [(verb, msgspec.structs.replace(context, memory=memory)) for verb, context in asked] if memory else asked


def _lesson(kind: str, policy: Any, number: int, memory: Memory) -> Any:
    [(_, context, decision)] = _answers(policy, _posed(kind, policy, number, memory), number)
    return lesson(kind, context, decision, number)


def _answers(policy: Any, asked: list[tuple[str, Any]], number: int) -> list[Answer]:
    def draw(name: str) -> float:
        if not isinstance(name, str):
            raise TypeError(f"rng takes a name, got {name!r}")
        return keys.uniform("policy check", number, name)

    return [_ask(policy, verb, context, draw) for verb, context in asked]


def decisions(kind: str, policy: Any) -> bytes:
    """All decisions on the generated contexts as MessagePack, to compare processes or versions of a policy."""
    return msgspec.msgpack.encode([decision for n in range(ROUNDS) for _, _, decision in decide(kind, policy, n)])


def _ask(policy: Any, verb: str, context: Any, draw: Callable[[str], float]) -> Answer:
    before = msgspec.msgpack.encode(context)
    arguments = (context,) if verb == "estimate" else (context, draw)
    decision = getattr(policy, verb)(*arguments)
    if msgspec.msgpack.encode(context) != before:
        raise ValueError(f"{verb} changes its context")
    return verb, context, decision


def _changes(kind: str, policy: Any, again: Any, answers: list[Answer]) -> list[str]:
    """Problems of repeatability: the same policy asked everything twice again, and a pickled copy asked in reverse order."""
    first = [decision for _, _, decision in answers]
    twice = [[[decision for _, _, decision in decide(kind, policy, number)] for _ in range(2)] for number in range(ROUNDS)]
    backwards = [[decision for _, _, decision in decide(kind, again, number)] for number in reversed(range(ROUNDS))]
    found = []
    if any([decision for pair in twice for decision in pair[turn]] != first for turn in range(2)):
        found.append("answers the same context differently when asked again: it keeps state or draws without rng")
    elif [decision for group in reversed(backwards) for decision in group] != first:
        found.append("a pickled copy, asked in another order, answers differently")
    return found


def _learning(kind: str, policy: Any) -> list[str]:
    """Problems of ``learn``."""
    if kind not in LESSONS:
        return [f"has learn, but nobody teaches policies of kind {kind}"]
    memory: Memory = {}
    for number in range(MANY_LESSONS):
        taught = _lesson(kind, policy, number, memory)
        before = msgspec.msgpack.encode((memory, taught))
        try:
            new, again = policy.learn(memory, taught), policy.learn(memory, taught)
        except Exception as error:
            return [f"fails to learn a valid lesson: {type(error).__name__}: {error}"]
        if msgspec.msgpack.encode((memory, taught)) != before:
            return ["learn changes its memory or its lesson in place"]
        if problem := _bad_memory(new):
            return [f"learn answers {problem}"]
        if again != new:
            return ["learns differently from the same lesson: it keeps state"]
        memory = new
    if sum(map(len, memory.values())) > MOST_NUMBERS:
        return [f"its memory holds more than {MOST_NUMBERS} numbers after {MANY_LESSONS} lessons"]
    return []


def _bad_memory(memory: Any) -> str:
    """What is wrong with a memory; empty if nothing is."""
    if not isinstance(memory, dict) or not all(isinstance(key, str) for key in memory):
        return "no dict with names as keys"
    if not all(isinstance(value, tuple) for value in memory.values()):
        return "a value that is no tuple"
    if not all(isinstance(x, float) and isfinite(x) for value in memory.values() for x in value):
        return "a number that is no finite float"
    return ""


_AUDIT = ("open", "os.", "socket.", "subprocess.", "shutil.", "urllib.")
_listening: list[list[str]] = []


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening and event.startswith(_AUDIT):
        _listening[-1].append(event)


@cache
def _install() -> None:
    """Start to listen, once: Python cannot remove an audit hook."""
    sys.addaudithook(_listen)


@contextmanager
def _watched(touched: list[str]) -> Iterator[None]:
    """Collect what the block does to files, sockets and processes."""
    _install()
    _listening.append(touched)
    try:
        yield
    finally:
        _listening.pop()


def broken_rules(verb: str, context: Any, decision: Any) -> list[str]:
    """What is invalid about one decision, cheaply enough to be asked of every decision of a run."""
    expected, rule = _RULES[verb]
    if not isinstance(decision, expected):
        return [f"{verb} answers {type(decision).__name__}, not {expected.__name__}"]
    return [f"{verb}: {problem}" for problem in rule(context, decision)]


def _wrong(verb: str, context: Any, decision: Any) -> list[str]:
    """What is invalid about one decision."""
    expected, _ = _RULES[verb]
    if not isinstance(decision, expected):
        return broken_rules(verb, context, decision)
    try:
        same = bool(msgspec.convert(msgspec.to_builtins(decision), expected) == decision)
    except msgspec.ValidationError as error:
        return [f"{verb} answers a wrong type: {error}"]
    found = [] if same else [f"{verb} answers what a message cannot carry"]
    if not decision.reason.strip() or "\n" in decision.reason or len(decision.reason) > 300:
        found.append(f"{verb} gives no reason in one line of at most 300 characters")
    return found + broken_rules(verb, context, decision)


def _noise(context: Any, decision: SemanticNoise) -> Iterator[str]:
    if not 0.0 <= decision.value <= 1.0:
        yield "the value is not in [0, 1]"
    if not set(decision.uncovered) <= set(context.concepts):
        yield "an uncovered concept is none of the context's"


def _prompt(context: Any, decision: PromptChoice) -> Iterator[str]:
    offered = [candidate.name for candidate in context.candidates]
    if not set(decision.parts) <= set(offered):
        yield "a part is no candidate"
    if len(set(decision.parts)) != len(decision.parts):
        yield "a part is selected twice"
    if not set(decision.parts) & {*CORE, "keywords"}:
        yield "neither caption, boxes nor keywords are selected"


def _encoder(context: Any, decision: EncoderChoice) -> Iterator[str]:
    if decision.codec not in [card.name for card in context.codecs]:
        yield "the codec is none of the context's"


def _terms(context: Any, decision: IncentiveTerms) -> Iterator[str]:
    if not set(decision.rewards) <= set(context.kinds):
        yield "a reward is for a kind that is not asked for"
    if not all(0.0 <= reward < float("inf") for reward in decision.rewards.values()):
        yield "a reward is negative or not finite"


def _respond(context: Any, decision: Response) -> Iterator[str]:
    if not set(decision.items) <= {offer.name for offer in context.offers} or len(set(decision.items)) != len(decision.items):
        yield "an item is no offer, or is shared twice"
    if not 0.0 <= decision.asked < float("inf"):
        yield "what is asked is negative or not finite"


def _settle(context: Any, decision: Settlement) -> Iterator[str]:
    users = [user for user, _, _ in context.shared]
    if [user for user, _ in decision.payments] != users:
        yield "payments are not one for each user in the context's order"
    if any(not credits >= 0.0 for _, credits in decision.payments):
        yield "a payment is negative"
    if sum(credits for _, credits in decision.payments) > context.budget + 1e-9:
        yield "payments exceed the budget"
    items = {user: len(kinds) for user, kinds, _ in context.shared}
    if any(credits > 0.0 and not items.get(user) for user, credits in decision.payments):
        yield "a user who shared nothing is paid"
    if decision.accepted is not None:
        if [user for user, _ in decision.accepted] != users:
            yield "accepted is not one entry for each user in the context's order"
        elif any(list(rows) != sorted({i for i in rows if 0 <= i < items[user]}) for user, rows in decision.accepted):
            yield "accepted has indices that are out of range, repeated or out of order"


def _allocate(context: Any, decision: Allocation) -> Iterator[str]:
    if decision.number not in [transfer.number for transfer in context.queue]:
        yield "the transfer is not in the queue"


def _evict(context: Any, decision: Eviction) -> Iterator[str]:
    bits = {codec.name: codec.bits for codec in context.held}
    if not set(decision.names) <= set(bits) or len(set(decision.names)) != len(decision.names):
        yield "a codec is not held, or goes twice"
    elif sum(bits[name] for name in decision.names) < context.room_bits:
        yield "not enough room is freed"
    if not isfinite(decision.level):
        yield "the level is not finite"


_RULES: dict[str, tuple[Any, Callable[[Any, Any], Iterator[str]]]] = {
    "estimate": (SemanticNoise, _noise),
    "select": (PromptChoice, _prompt),
    "choose": (EncoderChoice, _encoder),
    "terms": (IncentiveTerms, _terms),
    "respond": (Response, _respond),
    "settle": (Settlement, _settle),
    "allocate": (Allocation, _allocate),
    "evict": (Eviction, _evict),
}
