"""The text world: what is written is read, told, composed, carried and mended; each part against an independent one."""

import contextlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.texts import composing, files, itinerary, mending, prompt, reading, words, writing
from semcast.agents.texts.itinerary import Itinerary, Preferences
from semcast.bus.errors import BadInput
from semcast.scenarios.metrics import facts

SEEDS = st.integers(0, 10**6)


def drawn(seed: int) -> tuple[Preferences, Itinerary, str]:
    likes = itinerary.preferences(seed % 7, f"user.{seed % 13}")
    plan = itinerary.draw(likes, seed)
    return likes, plan, writing.write(plan, seed)


def composed(plan: Itinerary) -> list[str]:
    return [token for said in composing.compose(plan) for token in said]


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_the_reader_and_the_judge_find_what_was_written_each_in_its_own_way(seed: int) -> None:
    _, plan, text = drawn(seed)
    truth = set(plan.facts())
    assert facts.facts(text) == truth
    assert facts.wording(text) == 1.0
    read = set(reading.read(text).facts())
    assert len(read & truth) / len(truth) >= 0.95
    assert len(read - truth) <= 1


def test_what_is_not_going_to_happen_is_no_fact() -> None:
    text = "I am planning two days in Paris together with my sister. Day one begins at the Louvre, before the crowds are awake. "
    text += "We leave out the Pantheon this time, since it is closed for repairs. I would not order mussels there, whatever the "
    text += "waiter says. Nobody wants to go by tram after what happened last year."
    found = {"goal=plan", "company=my sister", "days=2", "1.morning=the Louvre"}
    assert set(reading.read(text).facts()) == found
    assert facts.facts(text) == found


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_composed_texts_say_exactly_what_was_told(seed: int) -> None:
    _, plan, _ = drawn(seed)
    text = composing.joined(composed(plan))
    assert facts.facts(text) == set(plan.facts())
    assert facts.wording(text) == 1.0
    assert words.tokenised(text) == composed(plan)


def test_what_is_not_known_is_not_mentioned() -> None:
    plan = Itinerary("", days=(itinerary.Day(morning="the Louvre"), itinerary.Day()))
    assert (
        composing.joined(composed(plan))
        == "This is the plan for two days in Paris. In the morning of day one we visit the Louvre."
    )


@given(SEEDS, st.booleans(), st.sets(st.sampled_from(prompt.PARTS), min_size=1))
@settings(max_examples=80, deadline=None)
def test_prompts_are_read_as_they_were_written(seed: int, known: bool, parts: set[str]) -> None:
    likes, plan, _ = drawn(seed)
    chosen = tuple(part for part in prompt.PARTS if part in parts)
    data, bits = prompt.encode(prompt.TextPrompt(seed % 65536, 3, 77, chosen, plan, known), likes)
    part_bits = prompt.part_bits(plan, likes, known)
    assert bits == prompt.PREAMBLE_BITS + sum(part_bits[part] for part in chosen) <= 8 * len(data)
    found = prompt.decode(data, likes if known else None)
    assert (found.number, found.recipient, found.parts) == (seed % 65536, 3, chosen)
    if set(chosen) == set(prompt.PARTS):
        assert found.told == plan
    if not known:
        assert set(found.told.facts()) <= set(plan.facts())


def test_who_knows_the_writer_needs_fewer_bits_and_who_does_not_leaves_open_what_is_as_usual() -> None:
    likes = itinerary.preferences(1, "user.0")
    plan = itinerary.draw(likes, 5)
    bits = [sum(prompt.part_bits(plan, likes, known).values()) for known in (False, True)]
    assert bits[1] < bits[0]
    data, _ = prompt.encode(prompt.TextPrompt(0, 0, 0, prompt.PARTS, plan, True), likes)
    stranger = prompt.decode(data, None).told
    assert set(stranger.facts()) < set(plan.facts())


@given(SEEDS)
def test_profiles_are_read_as_they_were_written(seed: int) -> None:
    likes = itinerary.preferences(seed, "user.1")
    data, bits = prompt.encode_profile(likes)
    found = prompt.decode_profile(data)
    assert (found.company, found.stay, found.diet, found.budget, found.way, found.own) == (
        likes.company, likes.stay, likes.diet, likes.budget, likes.way, likes.own,
    )  # fmt: skip
    assert bits <= 8 * len(data) < bits + 8


@given(st.binary(max_size=60))
def test_hostile_bytes_are_refused_or_read_and_nothing_else(data: bytes) -> None:
    for call in (lambda: prompt.decode(data, None), lambda: prompt.decode_profile(data), lambda: files.unpacked(data)):
        with contextlib.suppress(BadInput):
            call()


@given(st.text(max_size=400).filter(lambda text: text.isprintable()))
def test_files_hold_any_text(text: str) -> None:
    file = files.packed(text)
    assert files.unpacked(file) == text
    assert len(file) <= len(text.encode()) + 1


def test_the_code_has_the_distances_of_the_extended_golay_code() -> None:
    book = words.codebook()
    distances = {round(distance) for distance in np.unique((24 - book @ book.T) / 2)}
    assert distances == {0, 8, 12, 16} or distances == {0, 8, 12, 16, 24}  # MacWilliams and Sloane, chapter 2, theorem 10


def test_symbols_have_unit_power_and_are_decoded_without_noise() -> None:
    tokens = words.spelled(["Cafe Lumina", "the Louvre", "."])
    symbols = np.frombuffer(words.to_symbols(tokens), "<c8")
    assert len(symbols) == words.SYMBOLS_A_WORD * len(tokens) == 12 * 7
    assert np.mean(abs(symbols) ** 2) == pytest.approx(1.0)
    scores = words.likelihoods(symbols.tobytes(), 20.0)
    assert words.decided(scores) == tokens
    assert words.unspelled(tokens) == ["Cafe Lumina", "the Louvre", "."]


def test_log_likelihoods_are_those_of_the_gaussian_density() -> None:
    rng = np.random.default_rng(1)
    sent = np.frombuffer(words.to_symbols(["the Louvre"]), "<c8")
    noise = 10 ** (-3.0 / 10)
    came = sent + np.sqrt(noise / 2) * (rng.normal(size=12) + 1j * rng.normal(size=12))
    scores = words.likelihoods(came.astype("<c8").tobytes(), 3.0)[0]
    book = words.codebook()[:, 0::2] + 1j * words.codebook()[:, 1::2]
    density = -(abs(came.astype("<c8")[None] - book / np.sqrt(2)) ** 2).sum(axis=1) / noise
    difference = scores - density
    assert np.ptp(difference) < 1e-3


def noisy(tokens: list[str], snr_db: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sent = np.frombuffer(words.to_symbols(words.spelled(tokens)), "<c8")
    noise = np.sqrt(10 ** (-snr_db / 10) / 2) * (rng.normal(size=sent.size) + 1j * rng.normal(size=sent.size))
    return words.likelihoods((sent + noise).astype("<c8").tobytes(), snr_db)


def test_mending_restores_well_formed_sentences_and_does_not_guess_names() -> None:
    raw, repaired, false = [], [], 0
    for seed in range(12):
        _, plan, _ = drawn(seed)
        scores = noisy(composed(plan), 0.0, seed)
        raw.append(facts.wording(composing.joined(words.unspelled(mending.decided_text(words.decided(scores))))))
        text = composing.joined(mending.mended(scores))
        repaired.append(facts.wording(text))
        false += len(facts.facts(text) - set(plan.facts()))
    assert np.mean(raw) < 0.3 < 0.9 < np.mean(repaired)
    assert false <= 6  # of some 250 names, each taken only where it is 90 % sure


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_the_likeliest_text_is_at_least_as_likely_as_what_was_sent(seed: int) -> None:
    _, plan, _ = drawn(seed)
    tokens = words.spelled(composed(plan))
    scores = noisy(composed(plan), -3.0, seed)
    found = mending._best(scores)
    fits = mending._Fits(scores)
    sent = sum(scores[place, words.number_of()[token]] for place, token in enumerate(tokens))
    assert found is not None and sum(fits.of(way, start) for start, way in found) >= sent - 1e-6


def test_what_no_text_could_be_is_not_mended() -> None:
    assert mending.mended(np.zeros((3, len(words.lexicon())))) == []
    assert mending.mended(np.zeros((0, len(words.lexicon())))) == []


def test_a_reader_is_told_in_its_own_style() -> None:
    _, plan, _ = drawn(3)
    plan = Itinerary(plan.goal, days=(itinerary.Day(way="by metro"),))
    said = {style: composing.joined(mending.mended(noisy(composed(plan), 20.0, 1), style)) for style in ("plain", "british")}
    assert said["plain"].replace("by metro", "by underground") == said["british"] != said["plain"]
    assert facts.facts(said["british"]) == facts.facts(said["plain"])


def test_names_cannot_be_mistaken_for_each_other() -> None:
    for kind, names in composing.CLASSES.items():
        for one, two in itertools.permutations(names, 2):
            assert reading.mentioned(f"We like {one}, really.", names) == one, (kind, one, two)


def test_days_tell_of_each_other_as_all_orders_together_say() -> None:
    rng = np.random.default_rng(4)
    scores = np.zeros((4, len(words.lexicon())))
    numbers = mending._numbers("n")
    scores[:, numbers] = 2 * rng.normal(size=(4, 4))
    weights = dict.fromkeys(itertools.product(range(4), range(4)), 0.0)  # (place, day) -> probability, by enumeration
    for days in itertools.product(range(4), repeat=4):
        if list(days) == sorted(days):
            weight = np.exp(sum(scores[place, numbers[day]] for place, day in enumerate(days)))
            for each in enumerate(days):
                weights[each] += weight
    total = sum(weights[0, day] for day in range(4))
    found = mending._days(scores, [0, 1, 2, 3])
    for place in range(4):
        best = max(range(4), key=lambda day: weights[place, day])
        assert found[place] == (composing.CLASSES["n"][best] if weights[place, best] / total >= words.SURE else "")
