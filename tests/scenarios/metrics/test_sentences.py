"""Sentence similarity: closed form of the cosine on the embedder's vectors, order of meanings, and what is told without spaCy."""

import numpy as np
import pytest
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Embed
from semcast.bus.errors import Missing
from semcast.scenarios.metrics.sentences import sentence_similarity, spacy_similarity

DOG, HOUND, TAX = "a red dog on grass", "a scarlet puppy in a meadow", "the tax form is due in April"


def test_it_is_the_dot_product_of_the_embeddings() -> None:
    model = load_models("tiny", ["embedder"])["embedder"]
    vectors = [np.frombuffer(v, "<f4").astype(float) for v in model.run([Embed([DOG, TAX])] * model.batch)[0].vectors]
    assert sentence_similarity(DOG, TAX) == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)


def test_near_in_meaning_is_nearer_than_unrelated() -> None:
    assert sentence_similarity(DOG, DOG) == pytest.approx(1)
    assert sentence_similarity(DOG, HOUND) == sentence_similarity(HOUND, DOG)
    assert 1 > sentence_similarity(DOG, HOUND) > 0.4 > sentence_similarity(DOG, TAX)


def test_spacy_is_optional_and_says_how_to_get_it() -> None:
    try:
        similarity = spacy_similarity(DOG, HOUND)
    except Missing as missing:
        assert "pip install spacy" in str(missing)
        return
    assert 0 < similarity < 1
    assert spacy_similarity(DOG, DOG) == pytest.approx(1)
