"""Role ``embedder`` of the table: stored vectors of words; of other sentences the sum of what their known words add."""

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from ....bus import keys
from ..roles import Embed, Embedding
from .base import TableModel
from .store import Stored, read_table

DIMENSIONS = 384
SENTENCE = "~"
"""What a word adds to a sentence is stored under this and the word."""
LENGTHS = (16, 32, 64)
_WORD = re.compile(r"[a-z']+")


class TableEmbedder(TableModel):
    """Implements `semcast.agents.models.roles.Model`; vectors of texts are kept, since terms come again and again."""

    role = "embedder"

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self._known: dict[str, bytes] = {}

    def flops(self, arguments: Embed) -> int:
        """Of all texts at their padded lengths, as the measured profile's; a word is reckoned as one token."""
        return sum(_flops(len(_WORD.findall(text.lower()))) for text in arguments.texts)

    def answer(self, call: Embed) -> Embedding:
        """One unit-norm little-endian float32[384] a text."""
        for text in call.texts:
            if text not in self._known:
                self._known[text] = self._vector(text)
        return Embedding([self._known[text] for text in call.texts])

    def _vector(self, text: str) -> bytes:
        known = self.stored.table.vectors
        if text in known:
            vector = _read(known[text])
        else:
            words = _WORD.findall(text.lower())
            parts = [known[SENTENCE + word] for word in words if SENTENCE + word in known]
            vector = np.sum([_read(part) for part in parts] or [_strange(word) for word in words or [""]], axis=0)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), "<f4").tobytes()


def _strange(word: str) -> np.ndarray:
    """Of a word that the table does not know."""
    return keys.generator("table", "word", word).standard_normal(DIMENSIONS)


def _read(vector: bytes) -> np.ndarray:
    return np.frombuffer(vector, "<f2").astype(np.float64)


@lru_cache(maxsize=256)
def _flops(words: int) -> int:
    """Operations for a text of a number of words, with a mark at each end."""
    length = next((length for length in LENGTHS if words + 2 <= length), LENGTHS[-1])
    dense = 4 * DIMENSIONS**2 + 2 * DIMENSIONS * 1536
    return 2 * 6 * length * (dense + 2 * length * DIMENSIONS)


def load(folder: Path) -> TableEmbedder:
    """Read the table."""
    return TableEmbedder(read_table(folder))


def examples() -> list[Embed]:
    """Eight different calls."""
    things = ("dog", "cup", "car", "tree", "cat", "house", "fish", "ball")
    return [
        Embed([thing, f"a red {thing} and a green {things[index - 1]} on grass"][: 1 + index % 2])
        for index, thing in enumerate(things)
    ]
