"""Training of the captioner: sentences of `scenes.caption` over keyed scenes, objects told from left to right."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ....bus.errors import BadInput
from ...scenes.caption import caption, parse
from ...scenes.draw import draw
from ...scenes.world import Scene, make_scene
from ..cards import Card, write_card
from ..tiny.captioner import (
    BATCH,
    END_WORD,
    MAX_WORDS,
    PARTS,
    SCALE,
    WORDS,
    build,
    greedy,
    load_trunk,
    text_of,
    trunk_file,
    trunk_sha256,
)
from ..tiny.detector import Trunk
from ..tiny.pretrained import write
from ..tiny.text import NOTHING
from .data import light, to_tensor, training_scene
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

BLOCK = 8
"""Pictures that are measured together."""
PICTURES = 48
"""Pictures of a training step."""


def sentence(scene: Scene) -> str:
    """The wanted caption: objects from left to right, so that the next word never depends on chance; nobody's names."""
    things = sorted(scene.objects, key=lambda thing: (thing.cx, thing.cy))
    return caption(scene.background, [(thing.label, thing.colour, "") for thing in things])


def numbers_of(texts: list[str]) -> Tensor:
    """START, words, END, then NOTHING: int64 (n, MAX_WORDS)."""
    return torch.tensor([WORDS.numbers(f"{text} {END_WORD}", MAX_WORDS) for text in texts])


def example(number: int, *key: keys.Key) -> tuple[np.ndarray[Any, Any], Tensor]:
    """Pictures uint8 (number, 64, 64, 3) and captions (number, MAX_WORDS)."""
    scenes = [training_scene(*key, index) for index in range(number)]
    return np.stack([draw(scene) for scene in scenes]), numbers_of([sentence(scene) for scene in scenes])


def caption_loss(model: Any, features: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross entropy of every word after START, given the true ones before it."""
    longest = int((wanted != NOTHING).sum(dim=1).max())
    given = wanted[:, : longest - 1]  # what follows an end is not scored, so nothing needs to be hidden
    out = model(pixel_values=features, decoder_input_ids=given, decoder_attention_mask=torch.ones_like(given), use_cache=False)
    logits = out.logits.float().flatten(0, 1)
    return functional.cross_entropy(logits, wanted[:, 1:longest].flatten(), ignore_index=NOTHING)


def measure(model: Any, trunk: Trunk, low: int, high: int, scenes: int = 200) -> dict[str, float]:
    """Pooled F1 of (class, colour) multisets, and share of sentences of which nothing is wrong, on held-out scenes."""
    world = [make_scene("held out", "captions", low, high, index, count=(low, high)) for index in range(scenes)]
    said: list[str] = []
    for start in range(0, scenes, BLOCK):
        pictures = np.stack([draw(scene) for scene in world[start : start + BLOCK]])
        with torch.inference_mode():
            features = SCALE * trunk.features(to_tensor(pictures).contiguous(memory_format=torch.channels_last))
        said += [text_of(row) for row in greedy(model, features)]
    hits = total = right = 0
    for scene, text in zip(world, said, strict=True):
        true = [(thing.label, thing.colour) for thing in scene.objects]
        try:
            seen = [(label, colour) for label, colour, _ in parse(text).objects]
        except BadInput:
            seen = []
        total += len(true) + len(seen)
        for thing in seen:
            if thing in true:
                true.remove(thing)
                hits += 1
        right += text == sentence(scene)
    return {"f1": round(2 * hits / max(total, 1), 4), "exact": round(right / scenes, 4)}


def _lit(step: int) -> tuple[Tensor, Tensor]:
    pictures, wanted = example(PICTURES, "captioner", step)
    return light(to_tensor(pictures), "captioner", step), wanted


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``captioner``; the trunk is the extractor's, beside `folder` or else the package's, and stays as it is."""
    trunk = load_trunk(trunk_file(folder)).requires_grad_(False).eval().to(device)
    torch.manual_seed(31)
    model = build()

    def loss(step: int) -> Tensor:
        x, wanted = drawn(lambda: _lit(step))
        with torch.no_grad():
            features = SCALE * trunk.features(x.contiguous(memory_format=torch.channels_last))
        return caption_loss(model, features, wanted)

    progress = fit(model, loss, work / "captioner", minutes, Settings(rate=1.5e-3, average=0.997), device)
    return export(model, trunk.to(CPU), folder, minutes, progress)


def export(model: Any, trunk: Trunk, folder: Path, minutes: float, progress: dict[str, Any]) -> Card:
    """Write weights in half precision and the card; what is measured is what will be read."""
    folder.mkdir(parents=True, exist_ok=True)
    write(model, folder)
    metrics = {
        f"{name}_{low}_to_{high}": value
        for low, high in ((1, 4), (8, 8))
        for name, value in measure(model, trunk, low, high).items()
    }
    log.info("captioner: %s", metrics)
    data = {
        "name": "tiny-captioner", "roles": ["captioner"],
        "params": sum(p.numel() for p in [*trunk.parameters(), *model.parameters()]), "flops": _flops(model, trunk),
        "batch": BATCH, "recipe": "captioner", "command": f"semcast train captioner --minutes {minutes:g}",
        "training": progress, "metrics": metrics, "trunk_sha256": trunk_sha256(trunk), "files": list(PARTS),
    }  # fmt: skip
    return write_card(folder, data)


def _flops(model: Any, trunk: Trunk) -> int:
    """Of one picture: trunk, ViT, and the decoder over `MAX_WORDS` - 1 places (with kept keys and values, steps add up to it)."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        features = trunk.features(torch.zeros(1, 3, 64, 64))
        model(pixel_values=features, decoder_input_ids=torch.zeros(1, MAX_WORDS - 1, dtype=torch.int64), use_cache=False)
    return int(counter.get_total_flops())
