"""How near two sentences are in meaning, in [-1, 1]: 1 for equal ones, about 0 for unrelated ones."""

from functools import cache
from typing import Any

import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import Embed, Model
from ...bus.errors import Missing
from .alignment import cosine

SPACY_MODEL = "en_core_web_md"


def sentence_similarity(one: str, two: str) -> float:
    """Cosine of the two MiniLM sentence embeddings (role ``embedder``).

    Raises:
        Missing: The embedder's package is not installed.
    """
    model = embedder()
    call = Embed([one, two])
    first, second = model.run([call] * model.batch)[0].vectors
    return cosine(np.frombuffer(first, "<f4"), np.frombuffer(second, "<f4"))


def spacy_similarity(one: str, two: str) -> float:
    """Cosine of the sentences' mean word vectors, as GAI-SCN (Xia et al., Fig. 5A) measures it; spaCy is optional.

    Raises:
        Missing: spaCy or its English vectors are not installed; then it is skipped, and `sentence_similarity` is there.
    """
    model = _spacy()
    return cosine(np.asarray(model(one).vector), np.asarray(model(two).vector))


@cache
def embedder() -> Model:
    """The model of role ``embedder``, read once."""
    return load_models("tiny", ["embedder"])["embedder"]


@cache
def _spacy() -> Any:
    hint = f"pip install spacy && python -m spacy download {SPACY_MODEL}"
    try:
        import spacy
    except ImportError:
        raise Missing("spaCy is not installed", hint) from None
    try:
        return spacy.load(SPACY_MODEL)
    except OSError:
        raise Missing(f"the spaCy vectors {SPACY_MODEL} are not installed", hint) from None
