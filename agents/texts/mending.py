"""The receiver's calibration of wording: what came is read as sentences of the grammar that the network's texts have.

Of all sequences of its sentences that are as long as what came the likeliest is found (dynamic programming over sentence ends,
as Viterbi 1967 over states), each slot with the likeliest name of its class. Days come in order, so that the numbers of all
sentences tell of each other (forward and backward probabilities: Rabiner 1989, section III). A name that is not sure even so is
not guessed: "some place" stands for it. Then the reader's own style. A program; its local model is the grammar.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from .composing import BEGINNINGS, CLASSES, PATTERNS, Token, tokens_of
from .lexicon import CAFE, SOME, SOMEHOW, SOMETHING, SOMEWHERE, STYLES
from .words import LETTERS, SPELLED, SURE, lexicon, number_of

MEND_FLOPS = 1_000_000
"""Work of decoding and mending one word: 60 us (measured) of a core that does 15 GFLOP/s in the JSCC networks."""
LOST = "\u2026"
"""Shown for a lost word where nothing is mended."""
DAY = "n"
"""The slot of a day's number."""
STANDS_FOR = {"place": SOMEWHERE, "dish": SOMETHING, "way": SOMEHOW, "diet": "some food", "stay": "some quarter"}


def mended(scores: np.ndarray, style: str = "plain") -> list[str]:
    """The likeliest text of the grammar.

    Args:
        scores: Of every token at every place (`words.likelihoods`), float64 (words, tokens).
        style: The reader's.

    Returns:
        Tokens; none where no text of the grammar is so long.
    """
    best = _best(scores)
    if best is None:
        return []
    days = _days(scores, [place for place in (_place_of_day(way, start) for start, way in best) if place >= 0])
    said: list[str] = []
    for start, (pattern, wide) in best:
        said += _filled(pattern, wide, scores, start, days)
    return [STYLES[style].get(token, token) for token in said]


def decided_text(tokens: list[str]) -> list[str]:
    """Tokens as they came, for a reader who mends nothing."""
    return [token or LOST for token in tokens]


Way = tuple[tuple[Token, ...], bool]
"""A pattern, and whether its place is an own one, which is longer."""


@cache
def _ways(first: bool) -> tuple[tuple[Way, int], ...]:
    """All sentences that can stand at the beginning, or after it, with their lengths."""
    found: list[tuple[Way, int]] = []
    for text in BEGINNINGS if first else PATTERNS:
        pattern = tokens_of(text)
        found.append(((pattern, False), len(pattern)))
        if any(token.slot and token.text == "place" for token in pattern):
            found.append(((pattern, True), len(pattern) + SPELLED))
    return tuple(found)


@cache
def _numbers(name: str) -> np.ndarray:
    """Numbers of the tokens of a class."""
    return np.array([number_of()[each] for each in CLASSES[name]])


@cache
def _pairs() -> np.ndarray:
    return np.array([number_of()[f"#{a}{b}"] for a in LETTERS for b in LETTERS])


def _best(scores: np.ndarray) -> list[tuple[int, Way]] | None:
    """Starts and sentences of the likeliest sequence."""
    length = len(scores)
    reached: dict[int, tuple[float, list[tuple[int, Way]]]] = {0: (0.0, [])}
    fits = _Fits(scores)
    for end in range(1, length + 1):
        options = []
        for way, size in _ways(False) + _ways(True):
            start = end - size
            if start in reached and (start == 0 or way[0] not in _first()):
                before, path = reached[start]
                options.append((before + fits.of(way, start), start, way, path))
        if options:
            score, start, way, path = max(options, key=lambda each: each[0])
            reached[end] = (score, [*path, (start, way)])
    return reached[length][1] if length in reached and length else None


@cache
def _first() -> frozenset[tuple[Token, ...]]:
    return frozenset(pattern for (pattern, _), _ in _ways(True))


class _Fits:
    """How well sentences fit to what came."""

    def __init__(self, scores: np.ndarray) -> None:
        self._scores = scores
        self._of_class = {name: scores[:, _numbers(name)].max(axis=1) for name in CLASSES}
        self._of_pair = scores[:, _pairs()].max(axis=1)

    def of(self, way: Way, start: int) -> float:
        """Log-likelihood of the likeliest words of a sentence."""
        pattern, wide = way
        total, place = 0.0, start
        for token in pattern:
            if not token.slot:
                total += self._scores[place, number_of()[token.text]]
            elif wide and token.text == "place":
                total += self._scores[place, number_of()[CAFE]] + self._of_pair[place + 1 : place + 1 + SPELLED].sum()
                place += SPELLED
            else:
                total += self._of_class[token.text][place]
            place += 1
        return float(total)


def _place_of_day(way: Way, start: int) -> int:
    """Where a sentence has the number of its day; -1 if it has none. It comes before all places, which may be wide."""
    return next((start + i for i, token in enumerate(way[0]) if token.slot and token.text == DAY), -1)


def _days(scores: np.ndarray, places: Sequence[int]) -> dict[int, str]:
    """Place -> the number of the day there, given that days come in order; "" where it is not sure."""
    if not places:
        return {}
    heard = scores[np.array(places)][:, _numbers(DAY)]
    forward, backward = np.zeros_like(heard), np.zeros_like(heard)
    forward[0] = heard[0]
    for i in range(1, len(places)):  # a day is that of the sentence before, or a later one
        forward[i] = heard[i] + np.logaddexp.accumulate(forward[i - 1])
    for i in range(len(places) - 2, -1, -1):
        backward[i] = np.logaddexp.accumulate((heard[i + 1] + backward[i + 1])[::-1])[::-1]
    found = {}
    for place, row in zip(places, forward + backward, strict=True):
        best = int(row.argmax())
        sure = 1.0 / np.exp(row - row[best]).sum() >= SURE
        found[place] = CLASSES[DAY][best] if sure else ""
    return found


def _filled(pattern: tuple[Token, ...], wide: bool, scores: np.ndarray, start: int, days: Mapping[int, str]) -> list[str]:
    """A sentence with its names; ``days``: place -> number of its day."""
    said, place = [], start
    for token in pattern:
        if not token.slot:
            said.append(token.text)
        elif token.text == DAY:
            said.append(days[place] or SOME)
        elif wide and token.text == "place":
            letters = [_sure(scores[place + 1 + i], _pairs()) for i in range(SPELLED)]
            name = "".join(pair[1:] for pair in letters).replace(" ", "") if all(letters) else ""
            said.append(f"{CAFE} {name.capitalize()}" if name else SOMEWHERE)
            place += SPELLED
        else:
            said.append(_sure(scores[place], _numbers(token.text)) or STANDS_FOR.get(token.text, SOME))
        place += 1
    return said


def _sure(row: np.ndarray, choice: np.ndarray) -> str:
    """The likeliest of some tokens, "" where it is not sure among them."""
    own = row[choice]
    best = int(own.argmax())
    return lexicon()[choice[best]] if 1.0 / np.exp(own - own[best]).sum() >= SURE else ""
