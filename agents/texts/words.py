"""Words as symbols: each token of the shared lexicon is a codeword of the extended Golay code, two of its bits a QPSK symbol.

The code (Golay 1949; MacWilliams and Sloane, The Theory of Error-Correcting Codes, chapter 2, section 6) has 4096 words of 24
bits with a distance of at least 8. A receiver that knows the lexicon takes the likeliest of its codewords (maximum likelihood by
correlation); whichever is less likely than `SURE`, given what came, counts as lost. There are no retransmissions. Names that are
not in the lexicon are spelled, two letters a codeword.

With symbols ``y = x + n``, noise power N0 and ``x = (+-1 +-j)/sqrt(2)`` the log-likelihood ratio of a bit is ``2 sqrt(2) y / N0``
of its component, and the log-likelihood of a codeword, but for a constant, half the sum of signs times ratios.
"""

import re
from functools import cache

import numpy as np

from .composing import BEGINNINGS, CLASSES, PATTERNS, is_own, tokens_of
from .lexicon import CAFE, OWN_LETTERS

SYMBOLS_A_WORD = 12
SURE = 0.9
"""Probability of a word, given what was received, below which it counts as lost."""
LETTERS = " abcdefghijklmnopqrstuvwxyz"
SPELLED = OWN_LETTERS // 2
"""Codewords that follow `CAFE` in an own place."""
_POLYNOMIAL = 0b101011100011
"""Generator of the binary Golay code of length 23."""


@cache
def lexicon() -> tuple[str, ...]:
    """All tokens; the index is the number of the codeword. Pairs of letters are ``"#ab"``."""
    fixed = [token.text for pattern in (*BEGINNINGS, *PATTERNS) for token in tokens_of(pattern) if not token.slot]
    names = [name for choice in CLASSES.values() for name in choice]
    return (*dict.fromkeys([*fixed, *names, CAFE]), *(f"#{a}{b}" for a in LETTERS for b in LETTERS))


@cache
def number_of() -> dict[str, int]:
    """Token -> number."""
    return {token: number for number, token in enumerate(lexicon())}


@cache
def codebook() -> np.ndarray:
    """The codewords of the lexicon as signs, float64 (tokens, 24): 1 for a bit 0, -1 for a bit 1."""
    return 1.0 - 2.0 * np.array([_codeword(number) for number in range(len(lexicon()))], np.float64)


def _codeword(message: int) -> list[int]:
    """The 24 bits of a message of 12: systematic in the first, then the remainder, then even parity."""
    rest = message << 11
    for place in range(22, 10, -1):
        if rest >> place & 1:
            rest ^= _POLYNOMIAL << (place - 11)
    word = message << 11 | rest
    bits = [word >> place & 1 for place in range(22, -1, -1)]
    return [*bits, sum(bits) % 2]


@cache
def _expression() -> re.Pattern[str]:
    names = sorted((token for token in lexicon() if not token.startswith("#")), key=lambda token: (-len(token), token))
    return re.compile(
        rf"{CAFE} [A-Z][a-z]+|" + "|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in names if name != ".") + r"|\."
    )


def tokenised(text: str) -> list[str]:
    """The tokens of a text of the composer; letters that belong to none are left out."""
    return _expression().findall(text)


def spelled(tokens: list[str]) -> list[str]:
    """Tokens of a text, own places taken apart: ``"Cafe Lumina"`` -> ``"Cafe"``, ``"#lu"``, ``"#mi"``, ..."""
    found: list[str] = []
    for token in tokens:
        if is_own(token):
            name = token.partition(" ")[2].lower()[:OWN_LETTERS].ljust(OWN_LETTERS)
            found += [token.partition(" ")[0], *(f"#{name[i : i + 2]}" for i in range(0, OWN_LETTERS, 2))]
        else:
            found.append(token)
    return found


def unspelled(tokens: list[str]) -> list[str]:
    """The other way round; of what is left of a name, letters are put together as they are."""
    found: list[str] = []
    name = ""
    for token in [*tokens, ""]:
        if token.startswith("#"):
            name += token[1:]
            continue
        if name:
            written = name.replace(" ", "").capitalize()
            if found and found[-1] == CAFE:
                found[-1] = f"{CAFE} {written}"
            else:
                found.append(written)
            name = ""
        if token:
            found.append(token)
    return found


def to_symbols(tokens: list[str]) -> bytes:
    """Tokens (`spelled`) -> complex64 symbols of unit power, 12 a token, little-endian bytes."""
    signs = codebook()[[number_of()[token] for token in tokens]].reshape(-1, 2)
    return bytes(((signs[:, 0] + 1j * signs[:, 1]) / np.sqrt(2)).astype("<c8").tobytes())


def likelihoods(symbols: bytes, snr_db: float) -> np.ndarray:
    """What came -> log-likelihood of every token at every place, but for a constant a place: float64 (words, tokens).

    Args:
        symbols: Equalised complex64 symbols, 12 a word.
        snr_db: Their Es/N0 as the receiver estimates it.
    """
    came = np.frombuffer(symbols, "<c8").astype(np.complex128).reshape(-1, SYMBOLS_A_WORD)
    parts = np.stack([came.real, came.imag], axis=2).reshape(len(came), 2 * SYMBOLS_A_WORD)
    ratios = 2 * np.sqrt(2) * parts * 10 ** (snr_db / 10)
    found: np.ndarray = ratios @ codebook().T / 2
    return found


def decided(scores: np.ndarray) -> list[str]:
    """The likeliest tokens; "" where none is sure."""
    best = scores.argmax(axis=1)
    peak = scores[np.arange(len(scores)), best]
    probability = 1.0 / np.exp(scores - peak[:, None]).sum(axis=1)
    return [lexicon()[i] if p >= SURE else "" for i, p in zip(best, probability, strict=True)]
