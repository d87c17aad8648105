"""Role ``denoiser``: received symbols of a codec become an estimate of the sent ones, with more steps the more noise there is."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from ....bus import keys
from ....bus.errors import BadInput
from ..cards import Card, checked, read_card
from ..roles import Denoise, Denoised
from .denoiser_network import DenoiserNetwork, noise_std
from .library import codec_name
from .quantised import dequantise

WEIGHTS_NAME = "model.safetensors"
CLEAN_SNR_DB = 40.0
"""What the decoder is to assume of estimates: it need not shrink them again."""
LOWEST_SNR_DB = -10.0
"""Below this a code is treated as if it were this."""


def steps_at(snr_db: float, schedule: Sequence[tuple[float, int]]) -> int:
    """Number of steps at an estimated SNR: of the first line of (least SNR in dB, steps) that is not above it; falling SNRs."""
    return next((steps for least_db, steps in schedule if snr_db >= least_db), schedule[-1][1])


class SymbolDenoiser:
    """Implements `semcast.agents.models.roles.Model` for the codecs that it was trained with."""

    role = "denoiser"

    def __init__(self, card: Card, network: DenoiserNetwork) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self.schedule = [(float(least_db), int(steps)) for least_db, steps in card.data["schedule"]]
        self.codecs: dict[str, int] = dict(card.data["channels"])
        self._positions = int(card.data["positions"])
        self.network = network.eval()

    def steps(self, snr_db: float) -> int:
        """Steps at a receiver's own estimate of its SNR; 0 where the channel is good enough."""
        return steps_at(snr_db, self.schedule)

    def group(self, arguments: Denoise) -> str:
        """Calls of one codec and one number of steps share a batch."""
        return f"{arguments.codec}:{self.steps(arguments.snr_db)}"

    def flops(self, arguments: Denoise) -> int:
        """Grows with the number of steps; without one, a look at each value."""
        values = self._channels(arguments.codec) * self._positions
        steps = self.steps(arguments.snr_db)
        return steps * self.network.step_flops(arguments.codec, self._positions) if steps else values

    def run(self, arguments: Sequence[Denoise]) -> list[Denoised]:
        """Denoise one full batch of one group.

        Raises:
            BadInput: Another number of calls, two groups, a codec that it does not know, or a wrong number of symbols.
        """
        groups = sorted({self.group(call) for call in arguments})
        if len(arguments) != self.batch or len(groups) != 1:
            raise BadInput(f"denoiser: {len(arguments)} calls of {groups} in a batch", f"exactly {self.batch} calls of one group")
        channels = self._channels(arguments[0].codec)
        for call in arguments:
            if len(call.symbols) != 4 * channels * self._positions:
                raise BadInput(
                    f"denoiser: {len(call.symbols)} bytes of symbols for codec {call.codec}",
                    f"{channels * self._positions // 2} little-endian complex64 values",
                )
        steps = self.steps(arguments[0].snr_db)
        if not steps:
            return [Denoised(call.symbols, call.snr_db) for call in arguments]
        side = int(self._positions**0.5)
        received = np.frombuffer(b"".join(call.symbols for call in arguments), "<f4").reshape(-1, side, side, channels)
        snr_db = torch.tensor([max(call.snr_db, LOWEST_SNR_DB) for call in arguments], dtype=torch.float32)
        with torch.inference_mode():
            code = torch.from_numpy(received.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
            found = self.network.denoise(code, noise_std(snr_db), arguments[0].codec, steps)
        return [Denoised(row.astype("<f4").tobytes(), CLEAN_SNR_DB) for row in found.permute(0, 2, 3, 1).contiguous().numpy()]

    def _channels(self, codec: str) -> int:
        if codec not in self.codecs:
            raise BadInput(f"denoiser: unknown codec {codec!r}", "trained with: " + ", ".join(self.codecs))
        return self.codecs[codec]


def load(folder: Path) -> SymbolDenoiser:
    """Read weights and card; their hashes are checked."""
    card = read_card(folder)
    network = DenoiserNetwork(card.data["channels"], card.data["width"], card.data["depth"])
    network.load_state_dict(dequantise(load_file(checked(card, WEIGHTS_NAME))))
    return SymbolDenoiser(card, network)


def examples() -> list[Denoise]:
    """Six different calls of one codec at 0 to 2 dB, and one with no step; the symbols are noise."""
    codec = codec_name(7, Fraction(1, 12))
    noise = [keys.complex_normal(1024, "denoiser", "example", index).astype("<c8").tobytes() for index in range(7)]
    return [Denoise(row, codec, 0.4 * index if index < 6 else 25.0) for index, row in enumerate(noise)]
