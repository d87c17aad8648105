"""The CLIP-class judge: features of pictures, objects and texts in one space. Only metrics ask it, never an agent.

Weights, seed and training pictures are its own. Where the papers use CLIP for alignment (AIGC-SCM, section IV), this stands in
its place in the tiny profile; the folder is in Hugging Face layout, and ``transformers.CLIPModel`` reads it, too.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ...bus.errors import BadInput
from .cards import Card, checked, read_card
from .clip_network import ClipNetwork, renamed
from .clip_words import LENGTHS, PAD, padded, tokens
from .roles import PICTURE_SIDE
from .tiny.subjects import crop

CROP_SIDE = 32
FILES = ("config.json", "model.safetensors")
PICTURE_BLOCK, CROP_BLOCK, TEXT_BLOCK = 8, 16, 8
"""Everything is run in blocks of one size, so that a vector never depends on how many others there are."""


class ClipJudge:
    """Unit vectors of length `size`; the cosine of two is their dot product."""

    def __init__(self, card: Card, network: ClipNetwork) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.words: tuple[str, ...] = tuple(card.data["words"])
        self._network = network.eval()
        self.size = network.size

    @classmethod
    def load(cls, folder: Path | None = None) -> "ClipJudge":
        """Read the shipped judge (once), or the one in `folder`; hashes are checked.

        Raises:
            Missing: No weights.
            BadInput: Damaged weights.
        """
        from .loading import WEIGHTS

        return _shipped(WEIGHTS / "clip_judge") if folder is None else _read(folder)

    def images(self, pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Features of whole pictures.

        Args:
            pictures: uint8 RGB (n, 64, 64, 3).

        Returns:
            float32 (n, size), unit norm.

        Raises:
            BadInput: Another type or shape.
        """
        planes = _planes(pictures)
        return self._blocks([planes], PICTURE_BLOCK, self._network.images)

    def objects(self, pictures: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Features of objects, each cut out of its picture (10 % wider than its box) and resized to 32x32.

        Args:
            pictures: uint8 RGB (n, 64, 64, 3), one for each object.
            places: float32 (n, 4): cx, cy, width, height in pixels.

        Returns:
            float32 (n, size), unit norm.

        Raises:
            BadInput: Another type or shape.
        """
        planes = _planes(pictures)
        if places.shape != (len(pictures), 4):
            raise BadInput(f"clip_judge: places are {places.shape} for {len(pictures)} pictures", "give float32 (n, 4)")
        boxes = torch.from_numpy(places.astype(np.float32))
        return self._blocks([planes, boxes], CROP_BLOCK, lambda x, box: self._network.images(crop(x, box, CROP_SIDE)))

    def texts(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Features of texts, float32 (n, size), unit norm; words that it does not know count as one unknown word."""
        rows = [tokens(text, self.words) for text in texts]
        found = np.zeros((len(rows), self.size), np.float32)
        for length in sorted({padded(row) for row in rows}):
            here = [i for i, row in enumerate(rows) if padded(row) == length]
            block = rows_of([rows[i] for i in here], length)
            found[here] = self._blocks([block], TEXT_BLOCK, self._network.texts)
        return found

    def _blocks(self, given: Sequence[Tensor], size: int, run: Any) -> np.ndarray[Any, Any]:
        found = [np.zeros((0, self.size), np.float32)]
        for start in range(0, len(given[0]), size):
            parts = [value[start : start + size] for value in given]
            number = len(parts[0])
            filled = [torch.cat([part, part[-1:].expand(size - number, *part.shape[1:])]) for part in parts]
            with torch.inference_mode():
                found.append(run(*filled)[:number].numpy())
        return np.concatenate(found)

    def flops(self) -> dict[str, int]:
        """Floating-point operations of one picture, one object and one text of 16 tokens (a multiply-add is two)."""
        return {
            "picture": self._network.image_flops(PICTURE_SIDE),
            "object": self._network.image_flops(CROP_SIDE),
            "text": self._network.text_flops(LENGTHS[0]),
        }


def rows_of(rows: Sequence[Sequence[int]], length: int) -> Tensor:
    """Rows of tokens, filled up to one length: int64 (n, length)."""
    return torch.tensor([[*row, *[PAD] * (length - len(row))] for row in rows])


def _planes(pictures: np.ndarray[Any, Any]) -> Tensor:
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (PICTURE_SIDE, PICTURE_SIDE, 3):
        raise BadInput(f"clip_judge: pictures are {pictures.dtype} {pictures.shape}", "give uint8 (n, 64, 64, 3)")
    x = torch.from_numpy(pictures.astype(np.float32) / np.float32(127.5) - np.float32(1))
    return x.permute(0, 3, 1, 2).contiguous()


@cache
def _shipped(folder: Path) -> ClipJudge:
    return _read(folder)


def _read(folder: Path) -> ClipJudge:
    card = read_card(folder, recipe="clip-judge")
    network = ClipNetwork(json.loads(checked(card, "config.json").read_bytes()))
    given = {name: value.float() for name, value in load_file(checked(card, "model.safetensors")).items()}
    network.load_state_dict(renamed(given))
    return ClipJudge(card, network)
