"""Making of the ``int8`` variants: nothing is trained; the ranges of inputs are found on drawn scenes, and costs are counted."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...pictures import cut
from ...scenes.caption import caption
from ...scenes.draw import draw
from ...scenes.world import Scene, make_scene
from ..cards import CARD_NAME, Card, read_card, write_card
from ..codecs.library import read_library
from ..codecs.models import BATCH, load_codec, weights_name
from ..eight_bits import COST, Ranges, in_eight_bits, kept_bytes, memory_bytes, ranges_of
from ..roles import PICTURE_SIDE, Box, Extract, Generate, Model
from ..tiny import extractor, generator
from ..tiny.detr import find
from ..tiny.int8 import all_of, extractor_networks, together
from ..tiny.subjects import CROP_SIDE
from .denoiser_data import received, sent_code, symbols_of
from .devices import CPU
from .generator_export import TYPICAL_STEPS, count_flops

log = logging.getLogger(__name__)

SNR_DB = (-6.0, 20.0)
"""What the decoders' ranges are found over."""
SCENES = 96
"""Scenes (key ``"int8"``) that the ranges are found on; no evaluation draws them."""


def make_extractor(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``extractor-int8``: made of the extractor beside `folder` in seconds, whatever `minutes` says, on the CPU."""
    base = folder.parent / "extractor"
    card = read_card(base)
    network, eye = extractor_networks(base)
    both = together(network, eye)
    model = extractor.TinyExtractor(card, partial(find, network), eye)
    looks = {"any/dog": b"\0" * 192}  # of no subject; the eye looks at every box nevertheless

    def feed() -> None:
        _run(model, [Extract(draw(scene).tobytes(), looks) for scene in _scenes()])

    def cost() -> dict[str, int]:
        picture, crop = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, CROP_SIDE, CROP_SIDE)
        return {"flops": _counted(lambda: network.see(picture)), "flops_per_look": _counted(lambda: eye.network(crop))}

    told = {key: card.data[key] for key in ("threshold", "subject_threshold")}
    return _card(folder, card, told | converted(both, feed, cost))


def make_generator(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``generator-int8``: made of the generator beside `folder` in a minute, whatever `minutes` says, on the CPU."""
    base = folder.parent / "generator"
    parts, card = generator.read_parts(base)
    model = generator.TinyGenerator(parts, generator.read_schedule(base), card)

    def feed() -> None:
        calls = [prompt_of(scene, index) for index, scene in enumerate(_scenes())]
        _run(model, calls)

    def cost() -> dict[str, int]:
        return count_flops(parts.conditioner, parts.denoiser, parts.coder, parts.statistics)

    told = {key: card.data[key] for key in ("temperature", "sizes")} | converted(all_of(parts), feed, cost)
    return _card(folder, card, told | {"flops": told["flops_fixed"] + TYPICAL_STEPS * told["flops_per_step"]})


def make_jscc_decoder(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``jscc-decoder-int8``: made of the library beside `folder` in seconds, whatever `minutes` says, on the CPU."""
    library = read_library(folder.parent / "jscc")
    shown = np.stack([draw(scene) for scene in _scenes()])
    snr_db = torch.linspace(*SNR_DB, len(shown))
    said: dict[str, Any] = {"params": 0, "download_bytes": 0, "memory_bytes": 0, "decoder_flops": {}, "ranges": {}}
    for name in library.names:
        encoder, decoder = load_codec(library.card.folder, name)
        symbols = symbols_of(received(sent_code(encoder, shown), snr_db, "int8", name))

        def feed(decoder: nn.Module = decoder, symbols: Tensor = symbols) -> None:
            with torch.inference_mode():
                decoder(symbols, snr_db, PICTURE_SIDE, PICTURE_SIDE)

        def cost(decoder: nn.Module = decoder, symbols: Tensor = symbols) -> dict[str, int]:
            return {"flops": _counted(lambda: decoder(symbols[:1], snr_db[:1], PICTURE_SIDE, PICTURE_SIDE))}

        found = converted(decoder, feed, cost)
        said["ranges"][name], said["decoder_flops"][name] = found["ranges"], found["flops"]
        said |= {key: said[key] + found[key] for key in ("params", "download_bytes", "memory_bytes")}
    folder.mkdir(parents=True, exist_ok=True)
    return write_card(folder, {
        "name": "tiny-jscc-int8", "roles": ["jscc_decoder"], "variant": "int8", "of": "jscc", "batch": BATCH, **said,
        "flops": max(said["decoder_flops"].values()), "flops_of": f"an operation in 8 bits counts as {COST:g}",
        "recipe": "jscc-decoder-int8", "command": "semcast train jscc-decoder-int8",
        "files": [f"../jscc/{weights_name(name, 'decoder')}" for name in said["ranges"]],
    })  # fmt: skip


def _scenes() -> list[Scene]:
    return [make_scene("int8", index, count=(1, 8)) for index in range(SCENES)]


def prompt_of(scene: Scene, index: int) -> Generate:
    """A prompt of a scene; every second shows its first object by a reference."""
    text = caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects])
    boxes, references = scene.boxes(), {}
    if index % 2:
        first = boxes[0]
        boxes[0] = Box(first.label, first.colour, first.cx, first.cy, first.width, first.height, 1.0, "any/thing")
        references = {"any/thing": cut(draw(scene).tobytes(), first)}
    return Generate(text, scene.background, boxes, keys.integer(1 << 62, "int8", index), references=references)


def _run(model: Model, calls: list[Any]) -> None:
    for start in range(0, len(calls), model.batch):
        model.run(calls[start : start + model.batch])


def _counted(work: Callable[[], object]) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def converted(networks: nn.Module, feed: Callable[[], None], cost: Callable[[], dict[str, int]]) -> dict[str, Any]:
    """Put networks into 8 bits; what a card says of it.

    Args:
        networks: Changed in place.
        feed: Runs them on typical pictures.
        cost: FLOPs of the networks by name; those of 8 bits are not among what it counts afterwards.
    """
    ranges: Ranges = ranges_of(networks, feed)
    before = cost()
    found: dict[str, Any] = {
        "params": sum(value.numel() for value in networks.parameters()),
        "download_bytes": kept_bytes(networks),
        "memory_bytes": memory_bytes(networks, ranges),
    }
    in_eight_bits(networks, ranges)
    after = cost()
    found |= {name: round(after[name] + COST * (before[name] - after[name])) for name in before}
    first = next(iter(before))
    log.info("%d convolutions, %.0f %% of %s", len(ranges), 100 * (1 - after[first] / before[first]), first)
    found["flops_of"] = f"an operation in 8 bits counts as {COST:g}"
    found["ranges"] = {name: [round(low, 4), round(high, 4)] for name, (low, high) in sorted(ranges.items())}
    return found


def _card(folder: Path, card: Card, said: dict[str, Any]) -> Card:
    folder.mkdir(parents=True, exist_ok=True)
    base = card.folder.name
    return write_card(folder, {
        "name": f"{card.data['name']}-int8", "roles": card.data["roles"], "variant": "int8", "of": base,
        "batch": card.data["batch"], "recipe": f"{base}-int8", "command": f"semcast train {base}-int8", **said,
        "files": [f"../{base}/{CARD_NAME}"],
    })  # fmt: skip
