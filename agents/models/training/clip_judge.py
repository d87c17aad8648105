"""Training of the CLIP-class judge, ``transformers.CLIPModel`` at small size: contrast of pictures, captions and crops.

Four terms: scenes with captions and crops with phrases (symmetric InfoNCE, Radford et al. 2021; equal texts are all right
answers), crops of one identity with each other (Khosla et al. 2020), and, so that few steps suffice, class and colour of what
covers each patch, read by heads that are thrown away.
"""

import logging
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel

from ...scenes.vocabulary import COLOUR_NAMES, LABELS
from ..cards import Card, write_card
from ..clip_judge import CROP_SIDE, FILES, PICTURE_BLOCK, ClipJudge, rows_of
from ..clip_words import END, LENGTHS, PAD, START, WORDS, tokens
from ..tiny.subjects import crop
from .clip_data import Batch, make_batch, make_pair
from .clip_eval import measure
from .data import wear
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

NAME = "clip-judge"
PAIRS = 32
SEED = 31
SIZES: dict[str, Any] = {
    "projection_dim": 64,
    "text_config": {
        "hidden_size": 96, "intermediate_size": 288, "num_hidden_layers": 3, "num_attention_heads": 4, "hidden_act": "gelu",
        "vocab_size": len(WORDS), "max_position_embeddings": LENGTHS[-1],
        "pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END,
    },
    "vision_config": {
        "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 6, "num_attention_heads": 4, "hidden_act": "gelu",
        "image_size": 64, "patch_size": 8,
    },
}  # fmt: skip


class Learner(nn.Module):
    """The model, and the heads that only the training reads."""

    def __init__(self) -> None:
        super().__init__()
        self.clip = CLIPModel(CLIPConfig(**SIZES))
        width = SIZES["vision_config"]["hidden_size"]
        self.dense = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(LABELS) + len(COLOUR_NAMES) + 2))

    def forward(self, batch: Batch, pictures: Tensor) -> Tensor:
        """Sum of the four terms for worn pictures (2 n, 3, 64, 64) of a batch."""
        seen = self.clip.vision_model(pixel_values=pictures)
        scenes = functional.normalize(self.clip.visual_projection(seen.pooler_output).float(), dim=1)
        pieces = crop(pictures[batch.rows].float(), batch.places, CROP_SIDE)
        parts = self.clip.vision_model(pixel_values=pieces, interpolate_pos_encoding=True)
        crops = functional.normalize(self.clip.visual_projection(parts.pooler_output).float(), dim=1)
        phrases = list(dict.fromkeys(batch.phrases))
        texts = self.texts([*batch.captions, *phrases])
        captions, said = texts[: len(batch.captions)], texts[len(batch.captions) :]
        scale = self.clip.logit_scale.exp().clamp(max=100)
        loss = contrast(scenes, captions, batch.captions, batch.captions, scale)
        loss = loss + contrast(crops, said, batch.phrases, phrases, scale)
        return loss + 0.5 * identity(crops, batch.identities) + self._dense(seen.last_hidden_state[:, 1:], batch)

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors of texts."""
        rows = [tokens(text) for text in texts]
        read = self.clip.text_model(input_ids=rows_of(rows, max(map(len, rows))))
        return functional.normalize(self.clip.text_projection(read.pooler_output).float(), dim=1)

    def _dense(self, patches: Tensor, batch: Batch) -> Tensor:
        label, colour = self.dense(patches).float().split([len(LABELS) + 1, len(COLOUR_NAMES) + 1], dim=2)
        return functional.cross_entropy(label.flatten(0, 1), batch.label.flatten()) + functional.cross_entropy(
            colour.flatten(0, 1), batch.colour.flatten()
        )


def contrast(ones: Tensor, others: Tensor, names: Sequence[Hashable], other_names: Sequence[Hashable], scale: Tensor) -> Tensor:
    """Symmetric InfoNCE of unit vectors (n, k) and (m, k); all pairs of equal names are right, and share the weight."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys([*names, *other_names]))}
    rows, columns = torch.tensor([numbers[name] for name in names]), torch.tensor([numbers[name] for name in other_names])
    right = (rows[:, None] == columns[None, :]).float()
    logits = scale * ones @ others.T
    there = functional.cross_entropy(logits, right / right.sum(dim=1, keepdim=True).clamp(min=1))
    back = functional.cross_entropy(logits.T, right.T / right.T.sum(dim=1, keepdim=True).clamp(min=1))
    return (there + back) / 2


def identity(vectors: Tensor, names: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrast among unit vectors (n, k) with identity numbers (n,); those without a mate only repel."""
    itself = torch.eye(len(names), dtype=torch.bool)
    logits = (vectors @ vectors.T / temperature).masked_fill(itself, -1e9)
    same = (names[:, None] == names[None, :]) & ~itself
    share = logits - logits.logsumexp(dim=1, keepdim=True)
    mates = same.sum(dim=1)
    each = -(share * same).sum(dim=1) / mates.clamp(min=1)
    return each.sum() / (mates > 0).sum().clamp(min=1)


def _worn(step: int) -> tuple[Batch, Tensor]:
    pairs = [make_pair(NAME, "training", step, index) for index in range(PAIRS)]
    batch = make_batch(pairs, NAME, "training", step)
    return batch, wear(batch.pictures, NAME, "training", step)


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``clip-judge``: train, write the model in Hugging Face layout, measure what will be read, write the card."""
    torch.manual_seed(SEED)
    learner = Learner()

    def loss(step: int) -> Tensor:
        value: Tensor = learner(*drawn(lambda: _worn(step)))
        return value

    progress = fit(learner, loss, work / NAME, minutes, Settings(rate=1.5e-3, average=0.998, bf16=False), device)
    return export(learner.clip, folder, minutes, progress)


def export(model: CLIPModel, folder: Path, minutes: float, progress: dict[str, Any]) -> Card:
    """Write half-precision weights, config and card."""
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    weights = {name: value.half().contiguous() for name, value in model.state_dict().items() if value.is_floating_point()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes for the owner only
    data = {
        "name": "tiny-clip-judge", "roles": [], "params": sum(p.numel() for p in model.parameters()), "flops": 0,
        "batch": PICTURE_BLOCK, "recipe": NAME, "command": f"semcast train {NAME} --minutes {minutes:g}", "words": list(WORDS),
        "data": f"{2 * PAIRS} scenes and their crops a step, drawn for this training alone (key {NAME!r}), worn",
        "training": progress, "files": list(FILES),
    }  # fmt: skip
    write_card(folder, data)
    judge = ClipJudge.load(folder)
    flops = judge.flops()
    metrics = measure(judge)
    log.info("%s: %s", NAME, metrics)
    return write_card(folder, data | {"flops": flops["picture"], "flops_of": flops, "metrics": metrics})
