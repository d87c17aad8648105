"""Contexts as a network would ask them, drawn by key: for checks, tests and trying a policy by hand."""

from typing import Any

from msgspec.structs import replace

from ..bus import keys
from .protocols import (
    Candidate,
    CodecCard,
    EncoderContext,
    EncoderLesson,
    EvictionContext,
    IncentiveTerms,
    NoiseContext,
    NoiseLesson,
    Offer,
    Outcome,
    PromptContext,
    PromptLesson,
    QueuedTransfer,
    RespondContext,
    ScheduleContext,
    SemanticNoise,
    SettleContext,
    StoredCodec,
    TermsContext,
)

LABELS = ("tree", "car", "house", "boat", "lamp", "cat", "mia/dog", "tom/mug")
KINDS = ("subject", "preference", "history")
RECEIVERS = ("user.00", "user.01", "user.02", "user.03")


def contexts(kind: str, number: int) -> list[tuple[str, Any]]:
    """Example ``number`` of what a ``kind`` of policy is asked: (verb, context) pairs. Some are extreme, all are valid."""
    if kind == "noise":
        return [("estimate", noise_context(number))]
    if kind == "prompt":
        return [("select", prompt_context(number))]
    if kind == "encoder":
        return [("choose", encoder_context(number))]
    if kind == "scheduling":
        return [("allocate", schedule_context(number))]
    if kind == "eviction":
        return [("evict", eviction_context(number))]
    return incentive_contexts(number)


def told(kind: str, context: Any, needs: frozenset[str], number: int) -> Any:
    """The context with what a policy that ``needs`` it is told besides: the truth (an oracle), a rehearsal's error."""
    if "rehearsal" in needs:
        context = replace(context, rehearsed=_draw(number, "rehearsed"))
    if "truth" in needs and kind == "noise":
        context = replace(context, truth=_draw(number, "truth"))
    if "truth" in needs and kind == "encoder":
        context = replace(context, truth=context.csi_snr_db + 12.0 * (_draw(number, "truth") - 0.5))
    return context


def lesson(kind: str, context: Any, decision: Any, number: int) -> NoiseLesson | PromptLesson | EncoderLesson:
    """What came of a decision on a context: any outcome, now and then a failure."""
    failed = number % 9 == 4
    quality = 0.0 if failed else _draw(number, "quality")
    error = None if kind == "encoder" or failed else 1.0 - quality
    outcome = Outcome(quality, 3.0 * _draw(number, "latency"), error, not failed)
    if kind == "noise":
        parts = ("caption", "boxes")[: 1 + number % 2]
        return NoiseLesson(replace(context, memory={}, truth=None), decision, parts, number % 3 == 0, outcome)
    if kind == "prompt":
        return PromptLesson(replace(context, memory={}), decision, outcome)
    return EncoderLesson(replace(context, memory={}, truth=None), decision, outcome)


def _draw(number: int, *key: keys.Key) -> float:
    return keys.uniform("example context", number, *key)


def _pick(number: int, choices: tuple[str, ...], *key: keys.Key) -> tuple[str, ...]:
    """Some of ``choices``, in their order; none and all happen."""
    share = _draw(number, "share", *key) * 1.4 - 0.2
    return tuple(choice for choice in choices if _draw(number, choice, *key) < share)


def noise_context(number: int) -> NoiseContext:
    """Concepts of a picture, partly known; number 0 has none."""
    concepts = _pick(number, LABELS, "concepts") if number else ()
    known = _pick(number, LABELS, "known")
    similarity = {name: _draw(number, "similarity", name) * 1.2 - 0.2 for name in concepts if name not in known}
    certainty = {name: _draw(number, "certainty", name) for name in _pick(number, concepts, "certain")}
    receiver = RECEIVERS[number % len(RECEIVERS)]
    return NoiseContext(concepts, known, similarity, certainty, _task(number), len(concepts) + number % 3, receiver)


def prompt_context(number: int) -> PromptContext:
    """Candidates of a picture with or without personal subjects; there is always a caption or boxes."""
    labels = _pick(number, LABELS, "labels")
    subjects = tuple(name for name in labels if "/" in name)
    uncovered = _pick(number, subjects, "uncovered")
    covered = tuple(name for name in subjects if name not in uncovered)
    candidates = []
    if number % 8 != 1:
        candidates.append(Candidate("caption", 80 + int(_draw(number, "caption") * 300), labels))
    if number % 8 != 2:
        candidates.append(Candidate("boxes", 100 + 60 * len(labels), labels))
    if covered:
        candidates.append(Candidate("references", 24 * len(covered), covered))
    if uncovered or (subjects and number % 2):
        named = uncovered or subjects
        candidates.append(Candidate("identifiers", 800 * len(named), named))
    value = len(uncovered) / max(1, len(labels)) if number % 8 else 1.0
    budget = int(_draw(number, "budget") * 2000) if number % 3 == 0 else 0
    return PromptContext(
        tuple(candidates), SemanticNoise(value, uncovered, "example"), -12.0 + 45.0 * _draw(number, "snr"), _task(number), budget
    )


def encoder_context(number: int) -> EncoderContext:
    """A library of 1 to 6 codecs and a report that is fresh and exact, or stale and noisy."""
    cards = []
    for rate in (256, 768):
        for snr_db in (0.0, 7.0, 14.0):
            at = (-10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
            peak = 20.0 + 0.2 * snr_db + rate / 256
            table = tuple((x, peak - 0.25 * max(0.0, snr_db - x) ** 1.2) for x in at)
            name, work_s = f"jscc-{snr_db:g}dB-{rate}", 0.002 + 1e-6 * rate
            cards.append(CodecCard(name, snr_db, rate / (3 * 64 * 64), rate, table, work_s, work_s / 2, 1e-5 * rate))
    held = [card for card in cards if _draw(number, card.name) < 0.8] or cards[:1]
    stale = number % 2
    return EncoderContext(
        tuple(held),
        -15.0 + 45.0 * _draw(number, "csi"),
        0.5 * _draw(number, "age") * stale,
        3.0 * _draw(number, "std") * stale,
        50.0 * _draw(number, "doppler") * stale,
        1.0e6,
        cards[number % 6].name if number % 3 else "",
        10.0 if number % 4 == 0 else None,
        lead_s=0.002 if number % 5 else 0.0,
        waited_s=_draw(number, "waited"),
        denoiser=number % 6 == 1,
    )


def incentive_contexts(number: int) -> list[tuple[str, Any]]:
    """Terms, a response and a settlement that know nothing of each other."""
    kinds = _pick(number, KINDS, "kinds")
    terms = IncentiveTerms("example", {kind: 3.0 * _draw(number, "reward", kind) for kind in kinds}, "example")
    budget = 30.0 * _draw(number, "budget") if number else 0.0
    offers = tuple(
        Offer(KINDS[i % 3], f"item.{i}", 2.0 * _draw(number, "cost", i), _draw(number, "utility", i)) for i in range(number % 5)
    )
    users = [f"user.{i:02d}" for i in range(number % 9)]
    shared = tuple((user, _pick(number, KINDS, user), 4.0 * _draw(number, "asked", user) * (number % 7 > 0)) for user in users)
    return [
        ("terms", TermsContext(budget, number % 30, kinds)),
        ("respond", RespondContext(terms, offers)),
        ("settle", SettleContext(terms, budget, shared)),
    ]


def schedule_context(number: int) -> ScheduleContext:
    """A queue of 1 to 9 transfers of up to 4 users; some users were served before, some never."""
    queue = tuple(
        QueuedTransfer(
            10 + i,
            f"user.{int(4 * _draw(number, 'user', i)):02d}",
            "down",
            "picture",
            100 + int(2000 * _draw(number, "symbols", i)),
            -15.0 + 45.0 * _draw(number, "snr", i),
            int(1e9 * _draw(number, "waited", i)) if number % 3 else 0,
            10.0 if number % 2 else None,
        )
        for i in range(1 + number % 9)
    )
    served = tuple((f"user.{i:02d}", int(9999 * _draw(number, "served", i))) for i in range(number % 5))
    return ScheduleContext(queue, served, f"user.{number % 4:02d}" if number % 3 else "")


def eviction_context(number: int) -> EvictionContext:
    """A full store of 1 to 8 codecs of different sizes; some were never used."""
    held = tuple(
        StoredCodec(
            f"codec.{i}",
            1 + int(8e6 * _draw(number, "bits", i)),
            int(20 * _draw(number, "uses", i)) if (number + i) % 4 else 0,
            (9 - i) * _draw(number, "idle"),
            0.01 + 0.05 * _draw(number, "fetch", i),
            0.1 * _draw(number, "level", i),
        )
        for i in range(1 + number % 8)
    )
    room_bits = 1 + int((sum(codec.bits for codec in held) - 1) * _draw(number, "room"))
    return EvictionContext(held, "codec.new", room_bits, 0.1 if number % 3 else 0.0)


def _task(number: int) -> str:
    return "mapping" if _draw(number, "task") < 0.5 else "greeting"
