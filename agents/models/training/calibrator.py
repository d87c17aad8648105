"""Training of the calibrator: drawn scenes, damaged in all ways at once or not at all."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...pictures import cut, mirrored
from ...scenes.draw import draw
from ...scenes.vocabulary import BACKGROUND_NAMES, Subject
from ...scenes.world import MAX_OBJECTS, scene_of
from ..cards import Card, write_card
from ..codecs.library import read_library
from ..codecs.quantised import quantise
from ..loading import WEIGHTS
from ..roles import PICTURE_SIDE, Box
from ..tiny.autoencoder import PATCH
from ..tiny.calibrator import BATCH, WEIGHTS_NAME, laid, mask_of
from ..tiny.calibrator_network import CalibratorNetwork, View
from ..tiny.repair import mend
from .damage import blurred, lost_tiles, through_codec, tinted
from .data import to_tensor, training_scene
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

NAME = "calibrator"
PICTURES = 32
"""Of a step."""
POOL = 8000
"""Scenes drawn once, each also as received through a codec of the library; their other damage is new in every step."""
SNR_DB = (-6.0, 16.0)
NO_NOISE_DB = 40.0
TRAINING_SWEEPS = 16
REFIT, ROUNDS = 120, 4
"""Batches, and rounds of reweighting, of the last layer's least squares at the end."""
LITTLE = 1e-3
"""Squared errors well below this (36 dB) are as good as none; else keeping undamaged pictures would be all that is learned."""
JITTER_PX = 1.0
"""Deviation of the error in a reference's box, as an extractor that sees a damaged picture makes it."""


class Pool(NamedTuple):
    """n scenes: as drawn and as received, uint8 (n, 64, 64, 3); SNR of the latter; background number + 1; one subject each

    (present (n,), box (n, 4), cut-out of another picture of it uint8 (n, 32, 32, 3)).
    """

    drawn: Tensor
    received: Tensor
    snr_db: Tensor
    background: Tensor
    present: Tensor
    box: Tensor
    cutout: Tensor


def draw_pool(number: int, library: Path, *key: keys.Key) -> Pool:
    """Draw `number` training scenes and send them through the codecs in turn, each at a SNR of its own."""
    scenes = [training_scene(*key, index) for index in range(number)]
    drawn = np.stack([draw(scene) for scene in scenes])
    codecs = read_library(library)
    snr_db = torch.from_numpy(keys.generator(*key, "snr").uniform(*SNR_DB, number).astype(np.float32))
    received = drawn.copy()
    for index, codec in enumerate(codecs.names):
        rows = np.arange(index, number, len(codecs.names))
        for part in np.array_split(rows, max(1, len(rows) // 64)):
            received[part] = through_codec(codecs, codec, drawn[part], snr_db[part], *key, codec, int(part[0]))
    present, box = torch.zeros(number), torch.ones(number, 4)
    cutout = np.zeros((number, 32, 32, 3), np.uint8)
    for row, scene in enumerate(scenes):
        thing = next((each for each in scene.objects if each.subject), None)
        if thing is None:
            continue
        subject = Subject(thing.subject, thing.label, thing.colour, thing.marking)
        other = scene_of((subject,), 1, 3, *key, row, "reference")
        seen = next(each for each in other.objects if each.subject == thing.subject)
        found = cut(draw(other).tobytes(), seen.box())
        found = mirrored(found) if seen.flip != thing.flip else found
        cutout[row] = np.frombuffer(found, np.uint8).reshape(32, 32, 3)
        present[row], box[row] = 1, torch.tensor([thing.cx, thing.cy, thing.width, thing.height])
    background = torch.tensor([BACKGROUND_NAMES.index(scene.background) + 1 for scene in scenes])
    return Pool(torch.from_numpy(drawn), torch.from_numpy(received), snr_db, background, present, box, torch.from_numpy(cutout))


def example(pool: Pool, rows: Tensor, *key: keys.Key) -> tuple[View, Tensor]:
    """Some scenes of the pool damaged anew: what the calibrator sees, and the pictures as drawn (n, 3, 64, 64) in [-1, 1].

    Shares: received through a codec .4, tinted .35, blurred .35, with lost tiles .45; background told .6, reference told .5.
    """
    rng, n = keys.generator(*key, "kinds"), len(rows)
    coded, tint, blur, holes, told, referred = (torch.from_numpy(rng.random(n)) for _ in range(6))
    drawn, received = (to_tensor(pictures[rows].numpy()) for pictures in (pool.drawn, pool.received))
    coded = coded < 0.4

    def where(condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
        return torch.where(condition.view(-1, 1, 1, 1), one, other)

    x = where(coded, received, drawn)
    x = where(blur < 0.35, blurred(x, *key), x)
    x = where(tint < 0.35, tinted(x, *key), x)
    x = ((x + 1) * 127.5).round() / 127.5 - 1  # it is a picture of 8 bits
    lost = mask_of([gone if holes[row] < 0.45 else [] for row, gone in enumerate(lost_tiles(n, *key))])
    jitter = torch.from_numpy(rng.normal(0, JITTER_PX, (n, 4)).astype(np.float32))
    boxes = (pool.box[rows] + jitter).clamp(2, PICTURE_SIDE)
    subjects = []
    for i, row in enumerate(rows.tolist()):
        known = bool(pool.present[row]) and referred[i] < 0.5
        place = Box("", "", *boxes[i].tolist())
        subjects.append([(place, pool.cutout[row].numpy().tobytes() if known else b"")])
    collage, shown = laid(subjects)
    background = torch.where(told < 0.6, pool.background[rows], 0)
    snr_db = torch.where(coded, pool.snr_db[rows], NO_NOISE_DB)
    mended = mend(x * (1 - lost), lost, lost, background, collage, shown, TRAINING_SWEEPS)
    return View(mended, lost, collage, shown, background, snr_db), drawn


def loss_of(network: CalibratorNetwork, view: View, drawn: Tensor) -> Tensor:
    """Mean over pictures of the logarithm of the squared error: a decibel counts the same on little and on much damage."""
    return torch.as_tensor((loss_terms(network, view, drawn) + LITTLE).log().mean())


def loss_terms(network: CalibratorNetwork, view: View, drawn: Tensor) -> Tensor:
    """Mean squared error of each picture, (n,)."""
    return torch.as_tensor((network(view).float() - drawn).square().mean(dim=(1, 2, 3)))


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``calibrator``; the codec library is the one beside `folder`, or else the package's."""
    beside = folder.parent / "jscc"
    pool = _kept_pool(work / "pool.safetensors", beside if beside.is_dir() else WEIGHTS / "jscc")
    torch.manual_seed(61)
    network = CalibratorNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        rows = keys.generator(NAME, "rows", step).integers(0, POOL, PICTURES)
        return loss_of(network, *drawn(lambda: example(pool, torch.from_numpy(rows), NAME, "training", step)))

    progress = fit(network, loss, work / NAME, minutes, Settings(rate=2e-3, average=0.998), device)
    refit_head(network, pool)
    return export(network, folder, minutes, progress)


def refit_head(network: CalibratorNetwork, pool: Pool) -> None:
    """Weights of the last layer by least squares over `REFIT` damaged batches, every picture weighing 1 / its squared error.

    That is the minimum of `loss_of` over the last layer, found by reweighting a few times.
    """
    with torch.inference_mode():
        parts = [example(pool, torch.arange(i * PICTURES, (i + 1) * PICTURES), NAME, "refit", i) for i in range(REFIT)]
        rows = [_head_rows(network, view, drawn) for view, drawn in parts]
        for _ in range(ROUNDS):
            errors = [loss_terms(network, view, drawn) for view, drawn in parts]
            size = network.head.in_channels + 1
            square, product = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, 3 * PATCH**2, dtype=torch.float64)
            for (given, wanted), error in zip(rows, errors, strict=True):
                weight = (1 / (error + LITTLE)).double().view(-1, 1, 1)
                square += (given * weight).flatten(0, 1).T @ given.flatten(0, 1)
                product += (given * weight).flatten(0, 1).T @ wanted.flatten(0, 1)
            ridge = 1e-4 * square.diagonal().mean() * torch.eye(size, dtype=torch.float64)
            solution = torch.linalg.solve(square + ridge, product).float()
            network.head.weight.copy_(solution[:-1].T[:, :, None, None])
            network.head.bias.copy_(solution[-1])  # type: ignore[union-attr]


def _head_rows(network: CalibratorNetwork, view: View, drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Of every picture and cell the head's input with a one (n, 256, fine + 1), and what is missing in it (n, 256, 48)."""
    fine, about = network.features(view)
    gain, offset = network.tint(about)[:, :, None, None].chunk(2, dim=1)
    missing = functional.pixel_unshuffle(drawn - view.picture * (1 + gain) - offset, PATCH)
    given = fine.flatten(2).transpose(1, 2)
    return torch.cat([given, torch.ones_like(given[..., :1])], dim=2).double(), missing.flatten(2).transpose(1, 2).double()


def _kept_pool(path: Path, library: Path) -> Pool:
    if not path.is_file():
        log.info("drawing %d scenes", POOL)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(draw_pool(POOL, library, NAME, "pool")._asdict(), path)
    return Pool(**load_file(path))


def export(network: CalibratorNetwork, folder: Path, minutes: float, progress: Mapping[str, Any]) -> Card:
    """Write the weights in 8 bits and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(quantise(network.state_dict()), folder / WEIGHTS_NAME)
    (folder / WEIGHTS_NAME).chmod(0o644)
    plane = torch.zeros(1, 1, PICTURE_SIDE, PICTURE_SIDE)
    three = plane.expand(1, 3, -1, -1)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(View(three, plane, three, plane, torch.zeros(1, dtype=torch.int64), torch.zeros(1)))
    return write_card(folder, {
        "name": "tiny-calibrator", "roles": [NAME], "params": sum(p.numel() for p in network.parameters()),
        "flops": counter.get_total_flops(), "batch": BATCH, "recipe": NAME,
        "command": f"semcast train {NAME} --minutes {minutes:g}",
        "fine": network.stem.out_channels, "coarse": network.down.out_channels,
        "data": f"{PICTURES} of {POOL} scenes a step (1 to {MAX_OBJECTS} objects), drawn for this training alone (key {NAME!r}), "
        "each damaged anew; measured on others by: semcast eval calibration",
        "training": dict(progress), "files": [WEIGHTS_NAME],
    })  # fmt: skip
