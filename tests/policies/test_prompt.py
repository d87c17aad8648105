"""Prompt policies: more parts with noise, never more bits than the budget, references for what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.policies.examples import prompt_context
from semcast.policies.prompt.budget import expected_meaning
from semcast.policies.protocols import Candidate, Outcome, PromptChoice, PromptContext, PromptLesson, SemanticNoise
from semcast.policies.registry import load, resolve

CAPTION = Candidate("caption", 200, ("tree",))
BOXES = Candidate("boxes", 150, ("tree",))
REFERENCES = Candidate("references", 24, ("mia/dog",))
IDENTIFIERS = Candidate("identifiers", 800, ("tom/mug",))
ALL = (CAPTION, BOXES, REFERENCES, IDENTIFIERS)


def select(text, candidates=ALL, noise=0.0, uncovered=("tom/mug",), task="greeting", snr_db=10.0, budget_bits=0):
    context = PromptContext(candidates, SemanticNoise(noise, uncovered, "test"), snr_db, task, budget_bits)
    return load(resolve("prompt", text)).select(context, lambda name: 0.5)


def bits(choice):
    return sum(candidate.bits for candidate in ALL if candidate.name in choice.parts)


def test_fixed_takes_its_parts_and_always_a_description() -> None:
    assert select("fixed").parts == ("caption",)
    assert select("fixed:parts=all").parts == ("caption", "boxes", "references", "identifiers")
    assert select("fixed:parts=references").parts == ("boxes", "references")
    assert select("fixed:parts=caption", candidates=(BOXES,)).parts == ("boxes",)
    assert select("fixed:share=true").share_knowledge and not select("fixed:share=true", uncovered=()).share_knowledge


@pytest.mark.parametrize(
    ("noise", "task", "parts", "share"),
    [
        (0.0, "greeting", ("caption", "references"), False),
        (0.0, "mapping", ("boxes", "references"), False),
        (0.1, "greeting", ("caption", "references"), True),  # what is shared first needs no identifiers
        (0.3, "greeting", ("caption", "boxes", "references"), True),
    ],
)
def test_threshold_adds_parts_with_noise(noise, task, parts, share) -> None:
    choice = select("threshold", noise=noise, task=task)
    assert (choice.parts, choice.share_knowledge) == (parts, share)


def test_threshold_keeps_to_a_budget() -> None:
    never = select("threshold:share=2", noise=0.5)
    assert (never.parts, never.share_knowledge) == (("caption", "boxes", "references", "identifiers"), False)
    assert select("threshold", noise=0.5, budget_bits=400).parts == ("caption", "boxes", "references")
    assert select("threshold", noise=0.5, budget_bits=230).parts == ("caption", "references")


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_threshold_never_sends_less_with_more_noise(number, a, b) -> None:
    context = prompt_context(number)
    quiet, loud = (
        load(resolve("prompt", "threshold")).select(
            PromptContext(
                context.candidates, SemanticNoise(value, context.noise.uncovered, "test"), context.snr_db, context.task
            ),
            lambda name: 0.5,
        )
        for value in sorted((a, b))
    )
    instead = {"identifiers"} if loud.share_knowledge else set()
    assert set(quiet.parts) - instead <= set(loud.parts) and quiet.share_knowledge <= loud.share_knowledge


def test_budget_follows_the_snr() -> None:
    sizes = [bits(select("budget", snr_db=snr_db)) for snr_db in (-10, -2, 0, 5, 20)]
    assert sizes == sorted(sizes) and sizes[0] == 150 and sizes[-1] > 900
    # 0.6 * 600 * log2(1 + 1) = 360 bits at 0 dB
    assert sizes[2] <= 360 and "of 360 bits" in select("budget", snr_db=0).reason


@given(st.integers(0, 10_000), st.integers(1, 5000))
def test_budget_is_kept_where_a_description_fits(number, budget_bits) -> None:
    context = prompt_context(number)
    context = PromptContext(context.candidates, context.noise, context.snr_db, context.task, budget_bits)
    choice = load(resolve("prompt", "budget")).select(context, lambda name: 0.5)
    cheapest = min(c.bits for c in context.candidates if c.name in ("caption", "boxes"))
    used = sum(c.bits for c in context.candidates if c.name in choice.parts)
    assert used <= max(budget_bits, cheapest)


def test_references_instead_of_identifiers_for_what_is_known() -> None:
    dog = Candidate("identifiers", 800, ("mia/dog",))
    known = select("budget", (CAPTION, BOXES, REFERENCES, dog), uncovered=(), budget_bits=5000)
    assert "references" in known.parts and "identifiers" not in known.parts
    unknown = select("budget", (CAPTION, BOXES, REFERENCES, dog), uncovered=("mia/dog",), noise=0.3, budget_bits=5000)
    assert "identifiers" in unknown.parts and "references" not in unknown.parts


def test_mapping_wants_places() -> None:
    equal = (Candidate("caption", 200), Candidate("boxes", 200))
    assert select("budget", equal, task="mapping", uncovered=(), budget_bits=250).parts == ("boxes",)
    assert select("budget", equal, task="greeting", uncovered=(), budget_bits=250).parts == ("caption",)


def test_a_second_description_is_worth_more_with_noise() -> None:
    def gain(value):
        context = PromptContext(ALL, SemanticNoise(value, (), "test"), 10.0, "greeting")
        return expected_meaning([CAPTION, BOXES], context) - expected_meaning([CAPTION], context)

    assert gain(0.0) < gain(0.3)


@given(st.integers(0, 10_000), st.data())
def test_expected_meaning_is_a_monotone_submodular_share(number, data) -> None:
    context = prompt_context(number)
    extra = data.draw(st.sampled_from(context.candidates))
    others = [c for c in context.candidates if c != extra]
    large = data.draw(st.lists(st.sampled_from(others), unique=True)) if others else []
    small = large[: len(large) // 2]
    value = [expected_meaning(parts, context) for parts in (small, [*small, extra], large, [*large, extra])]
    assert all(0.0 <= v <= 1.0 + 1e-12 for v in value)
    assert value[1] - value[0] >= value[3] - value[2] - 1e-12 >= -2e-12


def test_successive_climbs_with_the_snr() -> None:
    keywords = Candidate("keywords", 40, ("tree",))
    found = [select("successive", (keywords, *ALL), snr_db=snr_db).parts for snr_db in (-1, 0, 5, 10)]
    assert found[0] == ("keywords",)
    assert found[1] == ("caption", "references")
    assert found[2] == ("caption", "boxes", "references")
    assert found[3] == ("caption", "boxes", "references", "identifiers")
    assert select("successive", snr_db=0, task="mapping").parts == ("boxes", "references")
    assert select("successive", snr_db=-20).parts == ("boxes",)  # the cheapest where there are no keywords


def test_the_bandit_finds_the_best_arm_of_each_task() -> None:
    policy = load(resolve("prompt", "bandit:price=0"))
    errors = {"greeting": {("caption",): 0.5, ("boxes",): 0.05}, "mapping": {("caption",): 1.0, ("boxes",): 0.6}}
    memory, counts = {}, {}
    for step in range(400):
        task = ("greeting", "mapping")[step % 2]
        context = PromptContext((CAPTION, BOXES), SemanticNoise(0.0, (), ""), 10.0, task, memory=memory)
        choice = policy.select(context, lambda name: 0.5)
        lost = errors[task].get(choice.parts, 0.3) + 0.1 * (keys.uniform("bandit", step) - 0.5)
        memory = policy.learn(memory, PromptLesson(context, choice, Outcome(1.0, 0.1, min(1.0, max(0.0, lost)))))
        if step >= 200:
            counts[task, choice.parts] = counts.get((task, choice.parts), 0) + 1
    assert counts["greeting", ("boxes",)] > 80
    assert counts["mapping", ("caption", "boxes")] > 80
    assert len(memory) == 2


def test_the_bandit_ignores_what_it_did_not_choose() -> None:
    policy = load(resolve("prompt", "bandit"))
    context = PromptContext(ALL, SemanticNoise(0.0, (), ""), 10.0, "greeting")
    unheard = PromptLesson(context, PromptChoice(("caption",), False, "x"), Outcome(1.0, 0.1))
    assert policy.learn({}, unheard) == {}
