"""The bandit: it starts as argmax-quality, and finds the best codec of every bin where the cards are wrong."""

from collections import Counter

import numpy as np
import pytest
from semcast.bus import keys
from semcast.policies.encoder.worth import predicted_psnr_db
from semcast.policies.protocols import CodecCard, EncoderContext, EncoderLesson, Outcome
from semcast.policies.registry import load, resolve

GRID = (-10.0, 0.0, 10.0, 20.0)
LOW = CodecCard("low", 0.0, 1 / 48, 256, tuple(zip(GRID, (18.0, 22.0, 23.0, 23.2), strict=True)))
MID = CodecCard("mid", 7.0, 1 / 48, 256, tuple(zip(GRID, (15.0, 21.0, 26.0, 26.5), strict=True)))
HIGH = CodecCard("high", 14.0, 1 / 16, 768, tuple(zip(GRID, (15.0, 17.0, 27.0, 29.0), strict=True)))
CODECS = (LOW, MID, HIGH)
TRUTH = {"low": 0.0, "mid": -4.0, "high": 0.5}
"""What the codecs really reach, in dB above their cards: the one in the middle is a lemon."""


def world(number, memory):
    """A report of any SNR, fresh and exact."""
    snr_db = -6.0 + 22.0 * keys.uniform("bandit", number, "snr")
    return EncoderContext(CODECS, snr_db, 0.0, 0.0, 0.0, 1e6, memory=memory)


def worth(card, snr_db):
    return predicted_psnr_db(card, snr_db) + TRUTH[card.name] - card.symbols / 1000


def live(text, rounds):
    """Regret in dB of each round against the truly best codec, what was chosen where, and the memory."""
    policy, memory, regrets, chosen = load(resolve("encoder", text)), {}, [], []
    for number in range(rounds):
        context = world(number, memory)
        choice = policy.choose(context, lambda name, number=number: keys.uniform("bandit", number, name))
        card = next(card for card in CODECS if card.name == choice.codec)
        best = max(worth(each, context.csi_snr_db) for each in CODECS)
        regrets.append(best - worth(card, context.csi_snr_db))
        chosen.append((context.csi_snr_db, card.name))
        if hasattr(policy, "learn"):
            luck = np.random.default_rng(number).normal(0, 0.7)
            quality = (predicted_psnr_db(card, context.csi_snr_db) + TRUTH[card.name] + luck - 15.0) / 15.0
            lesson = EncoderLesson(world(number, {}), choice, Outcome(min(max(quality, 0.0), 1.0), 0.5))
            memory = policy.learn(memory, lesson)
    return np.array(regrets), chosen, memory


@pytest.fixture(scope="module")
def lived():
    return live("bandit", 2000)


def test_it_converges_to_the_best_codec_of_each_bin(lived) -> None:
    _, chosen, _ = lived
    for low in range(-6, 16, 2):
        here = Counter(name for snr_db, name in chosen[-1000:] if low <= snr_db < low + 2)
        best, second = sorted((worth(card, low + 1) for card in CODECS), reverse=True)[:2]
        if best - second > 1.0:
            right = max(CODECS, key=lambda card: worth(card, low + 1)).name
            assert here[right] > 0.9 * here.total() > 30, (low, here)


def test_its_regret_fades_where_that_of_believing_the_cards_stays(lived) -> None:
    regrets, believing = lived[0], live("argmax-quality", 1000)[0]
    assert believing.mean() > 0.5
    assert regrets[:200].mean() < believing[:200].mean()
    assert regrets[1000:].mean() < 0.1 * believing.mean()


def test_what_it_learns_is_how_far_the_cards_are_off(lived) -> None:
    """Where it has tried a codec often."""
    _, _, memory = lived
    for name, known in memory.items():
        for count, bias in zip(known[::2], known[1::2], strict=True):
            if count > 60:
                assert bias == pytest.approx(TRUTH[name], abs=0.25)


def test_it_begins_as_argmax_quality() -> None:
    bandit, argmax = load(resolve("encoder", "bandit:doubt_db=0")), load(resolve("encoder", "argmax-quality"))
    for number in range(50):
        context = world(number, {})
        assert bandit.choose(context, lambda name: 0.5).codec == argmax.choose(context, lambda name: 0.5).codec


def test_a_failed_request_teaches_nothing() -> None:
    bandit = load(resolve("encoder", "bandit"))
    context = world(1, {})
    choice = bandit.choose(context, lambda name: 0.5)
    assert bandit.learn({}, EncoderLesson(context, choice, Outcome(0.0, 0.0, shown=False))) == {}
    assert bandit.learn({}, EncoderLesson(context, choice, Outcome(0.0, 0.0))) != {}  # shown, and as bad as can be
