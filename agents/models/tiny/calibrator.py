"""Role ``calibrator``: repairs a received picture by its pixels and by what the local model and the knowledge base know of it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from ....bus.errors import BadInput
from ...pictures import mirrored
from ...scenes.vocabulary import BACKGROUND_NAMES
from ..cards import Card, checked, read_card
from ..codecs.quantised import dequantise
from ..roles import PICTURE_SIDE, REFERENCE_SIDE, Box, Calibrate, Picture
from .calibrator_network import CalibratorNetwork, View
from .reference import as_pixels, collage
from .repair import FLOPS_A_SWEEP, SWEEPS, mend
from .subjects import full_batch

WEIGHTS_NAME = "calibrator.safetensors"
BATCH = 4
TILES = 8
"""Tiles along a side, 8x8 pixels each: the block that one position of a JSCC code stands for."""
GREY = 127.5


class PictureCalibrator:
    """Implements `semcast.agents.models.roles.Model`."""

    role = "calibrator"
    batch = BATCH

    def __init__(self, card: Card, network: CalibratorNetwork) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self._flops = int(card.data["flops"])
        self._network = network.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def group(self, arguments: Calibrate) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Calibrate) -> int:
        """Of one picture: the network's, from the card, and filling lost tiles where there are any."""
        return self._flops + SWEEPS * FLOPS_A_SWEEP * bool(arguments.lost)

    def run(self, arguments: Sequence[Calibrate]) -> list[Picture]:
        """Repair one full batch of `batch` pictures of 64x64.

        Raises:
            BadInput: Another number of calls, a picture or reference of another size, a tile that is none, or a SNR of NaN.
        """
        view = view_of(arguments, self.batch)
        with torch.inference_mode():
            repaired = self._network(view)
        pixels = ((repaired.clamp(-1, 1) + 1) * GREY).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
        return [Picture(picture.tobytes()) for picture in pixels]


def view_of(calls: Sequence[Calibrate], batch: int) -> View:
    """The calls as the network sees them; see `PictureCalibrator.run` for errors."""
    pictures = full_batch([call.picture for call in calls], batch, "calibrator")
    for call in calls:
        if any(not 0 <= tile < TILES**2 for tile in call.lost):
            raise BadInput(f"calibrator: lost tiles {call.lost}", f"tiles are numbered 0 to {TILES**2 - 1}, row by row")
        if np.isnan(call.snr_db):
            raise BadInput("calibrator: snr_db is not a number", "give the receiver's estimate of Es/N0 in dB")
    lost = mask_of([call.lost for call in calls])
    seen = pictures * (1 - lost)
    grounds = [call.background for call in calls]
    background = torch.tensor([BACKGROUND_NAMES.index(name) + 1 if name in BACKGROUND_NAMES else 0 for name in grounds])
    shown, where = laid([_facing(call, seen[row], lost[row]) for row, call in enumerate(calls)])
    snr_db = torch.tensor([call.snr_db for call in calls], dtype=torch.float32)
    objects = _inside(*_boxes([[(box, b"") for box in call.boxes] for call in calls]))
    mended = mend(seen, lost, torch.maximum(lost, objects), background, shown, where)
    return View(mended, lost, shown, where, background, snr_db)


def mask_of(lost: Sequence[Sequence[int]]) -> Tensor:
    """Lost tiles as planes: float32 (n, 1, 64, 64), 1 where lost."""
    tiles = torch.zeros(len(lost), TILES**2)
    for row, gone in enumerate(lost):
        tiles[row, list(gone)] = 1
    return functional.interpolate(tiles.view(-1, 1, TILES, TILES), scale_factor=PICTURE_SIDE / TILES, mode="nearest")


def laid(subjects: Sequence[Sequence[tuple[Box, bytes]]]) -> tuple[Tensor, Tensor]:
    """References laid into their boxes.

    Args:
        subjects: For each picture its boxes with their references (uint8 RGB of 32x32; empty where there is none).

    Returns:
        The collage, float32 (n, 3, 64, 64) in [-1, 1], zero where it shows nothing; 1 where it shows something (n, 1, 64, 64).
    """
    shown = [[(box, reference) for box, reference in pairs if reference] for pairs in subjects]
    boxes, used = _boxes(shown)
    cutouts = torch.zeros(*used.shape, 3, REFERENCE_SIDE, REFERENCE_SIDE)
    for row, pairs in enumerate(shown):
        for column, (_, reference) in enumerate(pairs):
            if len(reference) != 3 * REFERENCE_SIDE**2:
                raise BadInput(f"calibrator: a reference of {len(reference)} bytes", "uint8 RGB of 32x32 pixels, 3072 bytes")
            cutouts[row, column] = as_pixels([reference])[0]
    pixels = torch.from_numpy(collage(cutouts, boxes, used).astype(np.float32)).permute(0, 3, 1, 2)
    near = _inside(boxes, used)
    return (pixels / GREY - 1) * near, near


def _facing(call: Calibrate, seen: Tensor, lost: Tensor) -> list[tuple[Box, bytes]]:
    """Boxes and their references, each mirrored where it then comes nearer to the pixels of its box that did come."""
    pairs = []
    for box in call.boxes:
        reference = call.references.get(box.subject, b"")
        if len(reference) == 3 * REFERENCE_SIDE**2:  # of another size it is refused later
            both = [reference, mirrored(reference)]
            shown, where = laid([[(box, way)] for way in both])
            errors = ((shown - seen) * where * (1 - lost)).square().sum(dim=(1, 2, 3))
            reference = both[int(errors[1] < errors[0])]
        pairs.append((box, reference))
    return pairs


def _boxes(pictures: Sequence[Sequence[tuple[Box, bytes]]]) -> tuple[Tensor, Tensor]:
    """Boxes of pictures as float32 (n, k, 4): cx, cy, width, height; 1 where there is one (n, k)."""
    most = max(1, *(len(pairs) for pairs in pictures))  # an unused place changes no bit of the others
    places, used = torch.ones(len(pictures), most, 4), torch.zeros(len(pictures), most)
    for row, pairs in enumerate(pictures):
        for column, (box, _) in enumerate(pairs):
            places[row, column] = torch.tensor([box.cx, box.cy, box.width, box.height])
            used[row, column] = 1
    return places, used


def _inside(boxes: Tensor, used: Tensor) -> Tensor:
    """1 at pixels whose middle is in a used box: float32 (n, 1, 64, 64)."""
    middle = torch.arange(PICTURE_SIDE) + 0.5
    across = (middle - boxes[..., 0:1]).abs() <= boxes[..., 2:3] / 2
    down = (middle - boxes[..., 1:2]).abs() <= boxes[..., 3:4] / 2
    both = down.unsqueeze(-1) & across.unsqueeze(-2) & (used > 0)[..., None, None]
    return both.any(dim=1, keepdim=True).float()


def load(folder: Path) -> PictureCalibrator:
    """Read weights and card; the hash is checked."""
    card = read_card(folder)
    network = CalibratorNetwork(int(card.data["fine"]), int(card.data["coarse"]))
    network.load_state_dict(dequantise(load_file(checked(card, WEIGHTS_NAME))))
    return PictureCalibrator(card, network)


def examples() -> list[Calibrate]:
    """Six different calls: lost tiles, a known background, a reference."""
    from ...scenes.draw import draw
    from ...scenes.world import make_scene

    found = []
    for index in range(6):
        scene = make_scene("calibrator", "example", index, count=2, subjects=("mia/dog",) if index % 2 else ())
        references = {"mia/dog": bytes(range(0, 256, 8)) * 96} if index % 2 else {}
        lost = [9 * index, 9 * index + 1] if index < 4 else []
        call = Calibrate(draw(scene).tobytes(), 5.0 * index, lost, scene.background, scene.boxes(), references)
        found.append(call)
    return found
