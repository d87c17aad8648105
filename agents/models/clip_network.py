"""CLIP (Radford et al. 2021) with PyTorch's own layers: the same function as ``transformers.CLIPModel``, quicker to import.

Importing ``transformers`` takes longer than judging a whole run. A test compares both on the shipped weights.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .clip_words import END


@dataclass(frozen=True)
class Tower:
    """Sizes of one transformer, as in a Hugging Face CLIP config."""

    width: int
    inner: int
    layers: int
    heads: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> "Tower":
        """From ``text_config`` or ``vision_config``."""
        return cls(config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"], config["num_attention_heads"])

    def build(self) -> nn.TransformerEncoder:
        """Pre-norm layers with GELU."""
        layer = nn.TransformerEncoderLayer(
            self.width, self.heads, self.inner, dropout=0.0, activation="gelu", norm_first=True, batch_first=True
        )
        return nn.TransformerEncoder(layer, self.layers, enable_nested_tensor=False)

    def flops(self, tokens: int) -> int:
        """Of one row: projections, inner layer and both products of attention in every layer (a multiply-add is two)."""
        dense = 4 * self.width**2 + 2 * self.width * self.inner
        return 2 * self.layers * tokens * (dense + 2 * tokens * self.width)


class ClipNetwork(nn.Module):
    """Both towers and their projections, for pictures in [-1, 1] and rows of tokens that end with `END`.

    Args:
        config: Of ``transformers.CLIPConfig``; ``hidden_act`` must be ``"gelu"``.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        vision, text, out = config["vision_config"], config["text_config"], config["projection_dim"]
        self.vision, self.text, self.size = Tower.of(vision), Tower.of(text), int(out)
        seeing, reading = self.vision, self.text
        self.patch = int(vision["patch_size"])
        self.grid = int(vision["image_size"]) // self.patch
        self.patches = nn.Conv2d(3, seeing.width, self.patch, self.patch, bias=False)
        self.whole = nn.Parameter(torch.zeros(seeing.width))
        self.spots = nn.Parameter(torch.zeros(1 + self.grid**2, seeing.width))
        self.before, self.after = nn.LayerNorm(seeing.width), nn.LayerNorm(seeing.width)
        self.seeing = seeing.build()
        self.see = nn.Linear(seeing.width, out, bias=False)
        self.words = nn.Embedding(text["vocab_size"], reading.width)
        self.places = nn.Parameter(torch.zeros(text["max_position_embeddings"], reading.width))
        self.reading = reading.build()
        self.last = nn.LayerNorm(reading.width)
        self.read = nn.Linear(reading.width, out, bias=False)

    def images(self, pictures: Tensor) -> Tensor:
        """(n, 3, s, s) -> unit vectors (n, k); places are interpolated where s is not the side of the training."""
        x = self.patches(pictures)
        spots = self._spots(x.shape[-1])
        x = torch.cat([self.whole.expand(len(x), 1, -1), x.flatten(2).transpose(1, 2)], dim=1) + spots
        x = self.seeing(self.before(x))
        return functional.normalize(self.see(self.after(x[:, 0])), dim=1)

    def texts(self, tokens: Tensor) -> Tensor:
        """(n, l) token numbers -> unit vectors (n, k); what stands behind the first `END` does not matter."""
        length = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        x = self.reading(self.words(tokens) + self.places[:length], mask=mask, is_causal=True)
        end = (tokens == END).int().argmax(dim=1)
        return functional.normalize(self.read(self.last(x[torch.arange(len(x)), end])), dim=1)

    def image_flops(self, side: int) -> int:
        """Floating-point operations of one picture of `side` pixels."""
        patches = (side // self.patch) ** 2
        return self.vision.flops(patches + 1) + 2 * self.vision.width * (patches * 3 * self.patch**2 + self.size)

    def text_flops(self, length: int) -> int:
        """Floating-point operations of one text of `length` tokens."""
        return self.text.flops(length) + 2 * self.text.width * self.size

    def _spots(self, grid: int) -> Tensor:
        if grid == self.grid:
            return self.spots
        field = self.spots[1:].T.reshape(1, -1, self.grid, self.grid)
        field = functional.interpolate(field, size=(grid, grid), mode="bicubic", align_corners=False)
        return torch.cat([self.spots[:1], field[0].flatten(1).T])


_LAYER = {
    "self_attn.out_proj.": "self_attn.out_proj.",
    "norm1.": "layer_norm1.",
    "norm2.": "layer_norm2.",
    "linear1.": "mlp.fc1.",
    "linear2.": "mlp.fc2.",
}
_ALONE = {
    "patches.weight": "vision_model.embeddings.patch_embedding.weight",
    "whole": "vision_model.embeddings.class_embedding",
    "spots": "vision_model.embeddings.position_embedding.weight",
    "before.weight": "vision_model.pre_layrnorm.weight",
    "before.bias": "vision_model.pre_layrnorm.bias",
    "after.weight": "vision_model.post_layernorm.weight",
    "after.bias": "vision_model.post_layernorm.bias",
    "see.weight": "visual_projection.weight",
    "words.weight": "text_model.embeddings.token_embedding.weight",
    "places": "text_model.embeddings.position_embedding.weight",
    "last.weight": "text_model.final_layer_norm.weight",
    "last.bias": "text_model.final_layer_norm.bias",
    "read.weight": "text_projection.weight",
}


def renamed(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """From the names of ``transformers.CLIPModel`` to those of `ClipNetwork`; query, key and value are stacked."""
    found = {ours: given[theirs] for ours, theirs in _ALONE.items()}
    for ours, theirs in (("seeing", "vision_model"), ("reading", "text_model")):
        layer = 0
        while f"{theirs}.encoder.layers.{layer}.mlp.fc1.weight" in given:
            old, new = f"{theirs}.encoder.layers.{layer}.", f"{ours}.layers.{layer}."
            for kind in ("weight", "bias"):
                parts = [given[f"{old}self_attn.{part}_proj.{kind}"] for part in "qkv"]
                found[f"{new}self_attn.in_proj_{kind}"] = torch.cat(parts)
                found |= {new + mine + kind: given[old + other + kind] for mine, other in _LAYER.items()}
            layer += 1
    return found
