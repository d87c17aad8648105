"""The receiver's calibration of wording: what came is read as sentences of the grammar that the network's texts have.

Of all sequences of its sentences that are as long as what came the likeliest is found (dynamic programming over sentence ends,
as Viterbi 1967 over states), each slot with the likeliest name of its class. A name that is not sure even within its class is not
guessed: "some place" stands for it. Then the reader's own style. A program; its local model is the grammar.
"""

from functools import cache

import numpy as np

from .composing import BEGINNINGS, CLASSES, PATTERNS, Token, tokens_of
from .lexicon import CAFE, SOME, SOMEHOW, SOMETHING, SOMEWHERE, STYLES
from .words import LETTERS, SPELLED, SURE, lexicon, number_of

MEND_FLOPS = 1_000_000
"""Work of decoding and mending one word: 60 us (measured) of a core that does 15 GFLOP/s in the JSCC networks."""
LOST = "\u2026"
"""Shown for a lost word where nothing is mended."""
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
    said: list[str] = []
    for start, (pattern, wide) in best:
        said += _filled(pattern, wide, scores, start)
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


def _filled(pattern: tuple[Token, ...], wide: bool, scores: np.ndarray, start: int) -> list[str]:
    """A sentence with its names."""
    said, place = [], start
    for token in pattern:
        if not token.slot:
            said.append(token.text)
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
