"""The judge of reports: a detector trained apart from all others. No agent may use it; a test sees to that.

Its network, seed and training pictures (worn by blur, JPEG blocks, noise and tints) differ from the extractor's, so that it
judges generated and received pictures as fairly as sent ones.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from ...bus.errors import BadInput
from .cards import Card, checked, read_card
from .roles import PICTURE_SIDE, Box
from .tiny.detector import JudgeNetwork, backgrounds, read_boxes


@dataclass(frozen=True)
class Seen:
    """What the judge sees in a picture: the name of its background, and boxes, most certain first."""

    background: str
    boxes: list[Box]


class Judge:
    """Finds objects in pictures of any origin."""

    def __init__(self, card: Card, network: nn.Module) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.metrics: dict[str, float] = dict(card.data["metrics"])
        self._block = int(card.data["batch"])
        self._threshold = float(card.data["threshold"])
        self._network = network.eval()

    @classmethod
    def load(cls, folder: Path | None = None) -> "Judge":
        """Read the shipped judge (once), or the one in `folder`; hashes are checked.

        Raises:
            Missing: No weights.
            BadInput: Damaged weights.
        """
        from .loading import WEIGHTS

        return _load(folder or WEIGHTS / "judge")

    def detect(self, pictures: np.ndarray[Any, Any]) -> list[list[Box]]:
        """Boxes of every picture, see `observe`."""
        return [seen.boxes for seen in self.observe(pictures)]

    def observe(self, pictures: np.ndarray[Any, Any]) -> list[Seen]:
        """Background and boxes of every picture.

        Args:
            pictures: uint8 RGB (n, 64, 64, 3).

        Raises:
            BadInput: Another type or shape.
        """
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (PICTURE_SIDE, PICTURE_SIDE, 3):
            raise BadInput(f"judge: pictures are {pictures.dtype} {pictures.shape}", "give uint8 (n, 64, 64, 3)")
        found: list[Seen] = []
        for start in range(0, len(pictures), self._block):
            part = pictures[start : start + self._block]
            # blocks of one size, so that a picture's boxes never depend on how many others there are
            filled = np.concatenate([part, np.repeat(part[-1:], self._block - len(part), axis=0)])
            x = torch.from_numpy(filled.astype(np.float32) / np.float32(127.5) - np.float32(1)).permute(0, 3, 1, 2)
            with torch.inference_mode():
                maps = self._network(x.contiguous(memory_format=torch.channels_last))
            found += list(map(Seen, backgrounds(maps), read_boxes(maps, self._threshold)))[: len(part)]
        return found


@cache
def _load(folder: Path) -> Judge:
    card = read_card(folder)
    network = JudgeNetwork()
    weights = load_file(checked(card, "model.safetensors"))
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    return Judge(card, network.to(memory_format=torch.channels_last))  # type: ignore[call-overload]
