"""One encoder and one decoder for four rates and all signal-to-noise ratios, with the specialists' layout (`network.py`).

Channels of the code are ordered: a rate sends the first ones of each 8x8 block, so all rates share their weights. Every residual
block hears rate and SNR (E. Perez et al., "FiLM", AAAI 2018), and so do a gain for every channel at the sender and another at the
receiver. The sender hears the SNR that it was told last, the receiver its own estimate; training lets them differ.
"""

from fractions import Fraction
from math import log2

import torch
from torch import Tensor, nn
from torch.nn import functional

from .network import STRIDE, Decoder, Encoder, Residual, convolution_flops, unit_power

RATES = (Fraction(1, 48), Fraction(1, 24), Fraction(1, 12), Fraction(1, 6))
CHANNELS = (8, 16, 32, 64)
"""Real values per 8x8 block at each of `RATES`."""
SNR_RANGE_DB = (-5.0, 22.0)
"""What the networks tell apart; an SNR outside counts as the nearest end."""
CONDITION = 32


class Condition(nn.Module):
    """Rate and SNR as a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, CONDITION), nn.SiLU(), nn.Linear(CONDITION, CONDITION), nn.SiLU())

    def forward(self, channels: int, snr_db: Tensor) -> Tensor:
        """Real values per block, and (B,) SNR in dB -> (B, CONDITION)."""
        snr = snr_db.clamp(*SNR_RANGE_DB) / 8 - 1
        rate = torch.full_like(snr, log2(channels / 24))
        found: Tensor = self.layers(torch.stack([rate, snr], 1))
        return found


class Conditioned(Residual):
    """A residual block whose scale and shift between the convolutions follow the condition."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.film = silent(nn.Linear(CONDITION, 2 * width))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:  # type: ignore[override]
        """(B, width, h, w) and (B, CONDITION) -> (B, width, h, w)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
        hidden = self.first(functional.silu(x)) * (1 + scale) + shift
        changed: Tensor = x + self.gain * self.second(functional.silu(hidden))
        return changed


def silent(layer: nn.Linear) -> nn.Linear:
    """With weights and biases zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _through(blocks: nn.Sequential, x: Tensor, condition: Tensor) -> Tensor:
    for block in blocks:
        x = block(x, condition)
    return x


class AdaptiveEncoder(Encoder):
    """Picture to the symbols of a rate."""

    def __init__(self, fine: int = 64, coarse: int = 96, depth: int = 2) -> None:
        super().__init__(CHANNELS[-1], fine, coarse, depth)
        self.fine = nn.Sequential(*(Conditioned(fine) for _ in range(depth)))
        self.coarse = nn.Sequential(*(Conditioned(coarse) for _ in range(depth)))
        self.condition = Condition()
        self.gains = silent(nn.Linear(CONDITION, CHANNELS[-1]))

    def forward(self, picture: Tensor, channels: int, snr_db: Tensor) -> Tensor:  # type: ignore[override]
        """Encode.

        Args:
            picture: (B, 3, H, W) in [0, 1].
            channels: Real values per block, one of `CHANNELS`.
            snr_db: (B,) Es/N0 in dB that the sender reckons with.

        Returns:
            (B, n, 2) I and Q of n = channels H W / 128 complex symbols, mean power 1 for each picture.
        """
        x = picture * 2 - 1
        condition = self.condition(channels, snr_db)
        hidden = _through(self.coarse, self.down(_through(self.fine, self.stem(x), condition)), condition)
        code = (self.linear(x) + self.head(hidden)) * torch.exp(self.gains(condition))[:, :, None, None]
        symbols = code[:, :channels].permute(0, 2, 3, 1).reshape(code.shape[0], -1, 2)
        return unit_power(symbols.float())


class AdaptiveDecoder(Decoder):
    """Equalised symbols of a rate to picture."""

    def __init__(self, fine: int = 64, coarse: int = 96, depth: int = 2) -> None:
        super().__init__(CHANNELS[-1], fine, coarse, depth)
        self.coarse = nn.Sequential(*(Conditioned(coarse) for _ in range(depth)))
        self.fine = nn.Sequential(*(Conditioned(fine) for _ in range(depth)))
        self.condition = Condition()
        self.gains = silent(nn.Linear(CONDITION, CHANNELS[-1]))

    def forward(self, symbols: Tensor, snr_db: Tensor, height: int, width: int) -> Tensor:
        """(B, n, 2) symbols of any rate and (B,) SNR in dB -> (B, 3, height, width), nominally in [0, 1] (not clipped)."""
        channels = 2 * symbols.shape[1] * STRIDE * STRIDE // (height * width)
        condition = self.condition(channels, snr_db)
        snr = torch.pow(10.0, snr_db / 10)
        shrunk = symbols * (snr / (1 + snr))[:, None, None]
        code = shrunk.reshape(-1, height // STRIDE, width // STRIDE, channels).permute(0, 3, 1, 2)
        code = code * torch.exp(self.gains(condition))[:, :channels, None, None]
        code = functional.pad(code, (0, 0, 0, 0, 0, self.channels - channels))
        hidden = self.up(_through(self.coarse, self.stem(code), condition))
        detail = self.head(functional.silu(_through(self.fine, hidden, condition)))
        picture: Tensor = (self.linear(code) + detail + 1) / 2
        return picture


def start_from(encoder: AdaptiveEncoder, decoder: AdaptiveDecoder, first: Encoder, last: Decoder, pictures: Tensor) -> None:
    """Begin as a specialist at its own rate, its channels turned so that the first carry the most power.

    The turn Q is orthogonal (principal axes of the specialist's code over `pictures`), so at the specialist's rate nothing is
    lost: Q' goes into the encoder's last layers, Q into the decoder's first.

    Args:
        encoder: Changed in place.
        decoder: Changed in place.
        first: The specialist's encoder.
        last: Its decoder.
        pictures: (B, 3, H, W) in [0, 1].
    """
    with torch.no_grad():
        code = first(pictures).reshape(-1, last.channels)
        turn = torch.linalg.eigh(code.T @ code)[1].flip(1)
        for ours, theirs in ((encoder, first), (decoder, last)):
            own = ours.state_dict()
            ours.load_state_dict({n: w for n, w in theirs.state_dict().items() if own[n].shape == w.shape}, strict=False)
        n = last.channels
        for layer, old in ((encoder.linear, first.linear), (encoder.head, first.head)):
            layer.weight[:n] = torch.einsum("ij,i...->j...", turn, old.weight)
            layer.bias[:n] = turn.T @ old.bias  # type: ignore[index]
        decoder.linear.weight.zero_()
        decoder.stem.weight.zero_()
        decoder.linear.weight[:n] = torch.einsum("ij,i...->j...", turn, last.linear.weight)
        decoder.stem.weight[:, :n] = torch.einsum("ij,oi...->oj...", turn, last.stem.weight)


def flops(network: AdaptiveEncoder | AdaptiveDecoder, height: int, width: int) -> int:
    """Floating-point operations of one pass on a (height, width) picture (all channels are computed whatever the rate)."""
    linear = sum(2 * layer.weight.numel() for layer in network.modules() if isinstance(layer, nn.Linear))
    return convolution_flops(network, height, width) + linear
