"""Captions as numbers: a fixed list of words, with entries for the start, for a word that is not in it, and for nothing."""

import re
from collections.abc import Iterable, Sequence

NOTHING, UNKNOWN, START = 0, 1, 2
_SPECIAL = 3
_WORD = re.compile(r"[a-z0-9/'-]+|[.,;]")


def split(text: str) -> list[str]:
    """Lower-case words and punctuation marks of a text."""
    return _WORD.findall(text.lower())


def collect(texts: Iterable[str]) -> list[str]:
    """All words of the texts, sorted."""
    return sorted({word for text in texts for word in split(text)})


class WordList:
    """Numbers for words.

    Args:
        words: The known words; word i has the number i + 3.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._number = {word: index + _SPECIAL for index, word in enumerate(self.words)}

    def numbers(self, text: str, length: int) -> list[int]:
        """START, then the text's words (UNKNOWN where not in the list), cut or filled up with NOTHING to `length`."""
        found = [START] + [self._number.get(word, UNKNOWN) for word in split(text)]
        return (found + [NOTHING] * length)[:length]

    @property
    def size(self) -> int:
        """How many numbers there are, the special ones counted."""
        return len(self.words) + _SPECIAL

    def number(self, word: str) -> int:
        """The number of a word; UNKNOWN where it is not in the list."""
        return self._number.get(word, UNKNOWN)

    def word(self, number: int) -> str:
        """The word of a number; "" for a special one."""
        return self.words[number - _SPECIAL] if number >= _SPECIAL else ""
