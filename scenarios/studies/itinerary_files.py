"""Compressed itineraries whose both ends know sentences of such texts: what a preset dictionary would spare the file arm.

Prompts are written with a lexicon that all agents share; a file that starts from nothing is a weaker rival than it need be.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from ...agents.texts import itinerary, writing
from ...agents.texts.files import packed
from ...bus.records import AirRecord

WINDOW_BYTES = 1 << 15
"""Of deflate: no longer dictionary is of use."""
_TEXTS = 600


@lru_cache(maxsize=1)
def dictionary() -> bytes:
    """The commonest sentences of texts by other writers than any study's, the commonest last, where they are cheapest to name."""
    sentences: Counter[str] = Counter()
    for text in range(_TEXTS):
        likes = itinerary.preferences(0, f"dictionary.{text}")
        plan = itinerary.draw(likes, 0, "dictionary", text)
        sentences.update(f"{sentence}." for sentence in writing.write(plan, 0, "dictionary", text).split(".") if sentence)
    ordered = sorted(sentences, key=lambda sentence: (sentences[sentence], sentence))
    return "".join(ordered).encode()[-WINDOW_BYTES:]


def spared_bits(text: str, airs: Iterable[AirRecord]) -> int:
    """Bits that the dictionary spares of all transfers of a text's file."""
    return sum(8 * (len(packed(text)) - len(packed(text, dictionary()))) for air in airs if air.purpose == "features")
