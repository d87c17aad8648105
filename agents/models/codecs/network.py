"""The two networks of a codec: a picture becomes complex symbols of unit power, noisy symbols become a picture.

After E. Bourtsoulatze, D. Burth Kurka, D. Gunduz, "Deep joint source-channel coding for wireless image transmission",
IEEE TCCN 5(3), 2019: autoencoder with the channel in the middle. Ours works at 1/4 and 1/8 of the picture's side only
(space-to-depth first, so no convolution runs at full resolution) and adds a linear path that alone is already a transform
code; the convolutions learn what is left. Any height and width that divide by 8 are accepted.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 8
"""Side in pixels of the block that one position of the code stands for."""
BLOCK_VALUES = 3 * STRIDE * STRIDE


class Residual(nn.Module):
    """``x + gain * f(x)``: two 3x3 convolutions; the gain is learned for each channel and starts small."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.gain = nn.Parameter(torch.full((1, width, 1, 1), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) -> same shape."""
        hidden: Tensor = self.second(functional.silu(self.first(functional.silu(x))))
        return x + self.gain * hidden


def _stack(width: int, depth: int) -> nn.Sequential:
    return nn.Sequential(*(Residual(width) for _ in range(depth)))


class Encoder(nn.Module):
    """Picture to symbols.

    Args:
        channels: Real values per 8x8 block; ``channels / 2`` complex symbols per block.
        fine: Width at 1/4 of the side.
        coarse: Width at 1/8 of the side.
        depth: Residual blocks at each of the two scales.
    """

    def __init__(self, channels: int, fine: int = 64, coarse: int = 96, depth: int = 2) -> None:
        super().__init__()
        self.linear = nn.Conv2d(3, channels, STRIDE, stride=STRIDE)
        self.stem = nn.Conv2d(3, fine, 4, stride=4)
        self.fine = _stack(fine, depth)
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.coarse = _stack(coarse, depth)
        self.head = nn.Conv2d(coarse, channels, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, n, 2) I and Q of n complex symbols; mean over n of I^2 + Q^2 is 1 for each picture."""
        x = picture * 2 - 1
        code = self.linear(x) + self.head(self.coarse(self.down(self.fine(self.stem(x)))))
        symbols = code.permute(0, 2, 3, 1).reshape(code.shape[0], -1, 2)
        return unit_power(symbols.float())


class Decoder(nn.Module):
    """Equalised symbols to picture; the mirror of `Encoder`."""

    def __init__(self, channels: int, fine: int = 64, coarse: int = 96, depth: int = 2) -> None:
        super().__init__()
        self.channels = channels
        self.linear = nn.ConvTranspose2d(channels, 3, STRIDE, stride=STRIDE)
        self.stem = nn.Conv2d(channels, coarse, 1)
        self.coarse = _stack(coarse, depth)
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.fine = _stack(fine, depth)
        self.head = nn.ConvTranspose2d(fine, 3, 4, stride=4)

    def forward(self, symbols: Tensor, snr_db: Tensor, height: int, width: int) -> Tensor:
        """(B, n, 2) symbols and (B,) SNR in dB -> (B, 3, height, width), nominally in [0, 1] (not clipped)."""
        snr = torch.pow(10.0, snr_db / 10)
        # Linear MMSE estimate of unit-power symbols: what is certainly noise does not reach the network.
        shrunk = symbols * (snr / (1 + snr))[:, None, None]
        code = shrunk.reshape(-1, height // STRIDE, width // STRIDE, self.channels).permute(0, 3, 1, 2)
        detail = self.head(functional.silu(self.fine(self.up(self.coarse(self.stem(code))))))
        picture: Tensor = (self.linear(code) + detail + 1) / 2
        return picture


def unit_power(symbols: Tensor) -> Tensor:
    """Scale each picture's symbols (B, n, 2) so that the mean over its n of I^2 + Q^2 is 1: per picture, never per batch."""
    power = symbols.square().sum(dim=2).mean(dim=1)
    return symbols / torch.sqrt(power.clamp_min(1e-12))[:, None, None]


def convolution_flops(network: nn.Module, height: int, width: int) -> int:
    """Floating-point operations of one pass of `Encoder` or `Decoder` on a (height, width) picture; a multiply-add is two.

    Counts convolutions (over 99 % of the work); the scale at which each runs follows from its name.
    """
    total = 0
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        scale = 4 if name.startswith("fine") else STRIDE
        if isinstance(layer, nn.Conv2d) and name == "stem" and layer.stride[0] == 4:
            scale = 4
        if name == "head" and isinstance(layer, nn.ConvTranspose2d):
            scale = 4
        total += 2 * layer.weight.numel() * (height // scale) * (width // scale)
    return total
