"""The trained networks, by arrays: what a sender extracts, what a receiver generates, what the judges say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ....bus.errors import BadInput
from ..cards import checked, read_card
from ..codecs.quantised import dequantise
from .data import CLASSES, PIXELS, WHITE
from .networks import DigitJudge, Joint, Vae, Verifier
from .prompts import LATENTS

NETWORKS: Mapping[str, Callable[[], nn.Module]] = {"vae": Vae, "joint": Joint, "judge": DigitJudge, "verifier": Verifier}
WEIGHTS_FILE = "{}.safetensors"
FILES = tuple(WEIGHTS_FILE.format(name) for name in NETWORKS)
UNKNOWN = CLASSES
"""The label that a receiver works with if none came."""


@dataclass(frozen=True, eq=False)
class DigitModels:
    """All networks, on the CPU. Pictures are float32 or uint8 levels of 0 to 16, ``(n, 64)``; results are NumPy arrays."""

    vae: Vae
    joint: Joint
    judge: DigitJudge
    verifier: Verifier

    def extract(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sender: labels as it reads them, ``(n,)``, and latents of unit deviation, float32 ``(n, LATENTS)``."""
        with torch.inference_mode():
            x = _unit(pictures)
            labels = self.vae.read(x).argmax(1)
            mean, _ = self.vae.encode(x, labels)
            return labels.numpy(), (mean / self.vae.deviation).numpy()

    def generate(self, latents: np.ndarray, known: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The receiver: expected levels, float32 ``(n, 64)``.

        Args:
            latents: Of unit deviation, ``(n, LATENTS)``.
            known: Which of them came, ``(n, LATENTS)`` of bool.
            labels: 0 to 9, or `UNKNOWN`, ``(n,)``.
        """
        with torch.inference_mode():
            z = torch.from_numpy(np.asarray(latents, np.float32)) * self.vae.deviation
            logits = self.vae.decode(z, torch.from_numpy(np.asarray(known, np.float32)), torch.from_numpy(labels))
            return WHITE * torch.sigmoid(logits).numpy()

    @property
    def deviation(self) -> np.ndarray:
        """Of each latent, where the prior's is 1: what is not known is to be drawn with 1 / this."""
        return self.vae.deviation.numpy()

    def symbols(self, pictures: np.ndarray) -> np.ndarray:
        """Reals of the end-to-end codec, ``(n, JOINT_REALS)``; their power is still to be made one."""
        with torch.inference_mode():
            return self.joint.send(_unit(pictures)).numpy()

    def receive(self, reals: np.ndarray, snr_db: float) -> np.ndarray:
        """Levels ``(n, 64)`` of the end-to-end codec."""
        with torch.inference_mode():
            told = torch.full((len(reals), 1), snr_db)
            return WHITE * torch.sigmoid(self.joint.receive(torch.from_numpy(np.asarray(reals, np.float32)), told)).numpy()

    def judged(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first judge: classes ``(n,)`` and features ``(n, 32)``."""
        with torch.inference_mode():
            features = self.judge.features(_unit(pictures))
            return self.judge.head(features).argmax(1).numpy(), features.numpy()

    def read(self, pictures: np.ndarray) -> np.ndarray:
        """Classes ``(n,)`` as the sender's reader tells them; receivers have the same network."""
        with torch.inference_mode():
            return self.vae.read(_unit(pictures)).argmax(1).numpy()

    def verified(self, pictures: np.ndarray) -> np.ndarray:
        """The second judge: probabilities of the classes, ``(n, 10)``."""
        with torch.inference_mode():
            return torch.softmax(self.verifier(_unit(pictures)), 1).numpy()

    def flops(self) -> dict[str, int]:
        """FLOPs of one digit by step, counted by torch (a multiply-add is two; activations are not counted)."""
        from torch.utils.flop_counter import FlopCounterMode

        x, label, z = torch.zeros(1, PIXELS), torch.zeros(1, dtype=torch.int64), torch.zeros(1, LATENTS)
        steps: dict[str, Callable[[], object]] = {
            "extract": lambda: (self.vae.read(x), self.vae.encode(x, label)),
            "generate": lambda: self.vae.decode(z, z, label),
            "verify": lambda: self.verifier(x),
            "end to end, encode": lambda: self.joint.send(x),
            "end to end, decode": lambda: self.joint.receive(self.joint.send(x), torch.zeros(1, 1)),
        }
        found = {}
        for name, step in steps.items():
            with torch.no_grad(), FlopCounterMode(display=False) as counter:
                step()
            found[name] = int(counter.get_total_flops())
        found["end to end, decode"] -= found["end to end, encode"]
        return found

    def weights_bytes(self) -> dict[str, int]:
        """Memory of the float32 weights, by network."""
        networks = {"vae": self.vae, "joint": self.joint, "judge": self.judge, "verifier": self.verifier}
        return {name: 4 * sum(one.numel() for one in network.parameters()) for name, network in networks.items()}


def _unit(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(pictures, np.float32) / WHITE)


@lru_cache(maxsize=1)
def load(folder: Path) -> DigitModels:
    """Read the networks.

    Raises:
        Missing: No card or no weights: ``semcast train digits`` makes them.
        BadInput: Damaged.
    """
    card = read_card(folder, recipe="digits")
    torch.set_num_threads(1)  # more threads would change the last bits of a result
    found: dict[str, Any] = {}
    for name, make in NETWORKS.items():
        network = make()
        path = checked(card, WEIGHTS_FILE.format(name))
        try:
            network.load_state_dict(dequantise(load_file(path)))
        except (RuntimeError, KeyError) as error:
            raise BadInput(f"weights {path} do not fit the network: {error}", card.mend) from error
        found[name] = network.eval()
    return DigitModels(**found)
