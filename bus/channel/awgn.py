"""Complex symbols through one flat channel: y = h x + n, pilots, channel estimate, equalisation.

Definitions (DESIGN section 7): the mean of |x|^2 over one image is Es = 1; SNR is Es / N0 per complex symbol, before
|h|^2; the noise n is circular with variance N0, half of it in I and half in Q.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .. import keys
from ..errors import BadInput

Equaliser = Literal["zf", "mmse"]


def unit_power(symbols: np.ndarray) -> np.ndarray:
    """Scale complex symbols ``(..., n)`` so that each image (each row) has mean |x|^2 = 1; complex64.

    Raises:
        BadInput: If a row carries no power or is not finite.
    """
    power = np.mean(np.abs(symbols.astype(np.complex128)) ** 2, axis=-1, keepdims=True)
    if not np.all((power > 0) & np.isfinite(power)):
        raise BadInput("symbols without power, or not finite, cannot be sent", "check the encoder's output")
    scaled: np.ndarray = (symbols / np.sqrt(power)).astype(np.complex64)
    return scaled


def check_unit_power(symbols: np.ndarray) -> None:
    """Refuse one image's symbols ``(n,)`` whose mean power is not 1 within 1 %: the SNR would not be what it is called.

    Raises:
        BadInput: If so, or if they are not a complex vector.
    """
    if symbols.ndim != 1 or symbols.size == 0 or not np.iscomplexobj(symbols):
        raise BadInput(
            f"the channel carries one complex vector, not {symbols.dtype} of shape {symbols.shape}", "pair reals into I + jQ"
        )
    power = float(np.mean(symbols.real.astype(np.float64) ** 2 + symbols.imag.astype(np.float64) ** 2))
    if not abs(power - 1) < 0.01:
        raise BadInput(
            f"symbols of mean power {power:.4g} instead of 1", "normalise each image with semcast.bus.channel.unit_power"
        )


def add_noise(symbols: np.ndarray, snr_db: float, gain: complex | np.ndarray, *key: keys.Key) -> np.ndarray:
    """What the antenna receives, ``h x + n``; complex64 of the same length.

    Args:
        symbols: ``(n,)``, unit mean power.
        snr_db: Es / N0 before fading.
        gain: h, one number or ``(n,)``.
        key: Key of the noise; a shorter vector meets a prefix of the same noise.
    """
    n0 = 10 ** (-snr_db / 10)
    noise = keys.complex_normal(symbols.size, *key)
    return (symbols * gain + np.float32(math.sqrt(n0)) * noise).astype(np.complex64)


@dataclass(frozen=True)
class Estimate:
    """What a receiver believes of a flat channel.

    Attributes:
        gain: Estimate of h.
        n0: Noise power N0 (Es = 1).
        error: Variance of the error in ``gain``: N0 / pilots, or 0 if perfect.
    """

    gain: complex
    n0: float
    error: float

    @property
    def snr_db(self) -> float:
        """Estimate of |h|^2 Es / N0, free of the bias that noise adds to |h|^2; at least -20 dB."""
        return 10 * math.log10(max((abs(self.gain) ** 2 - self.error) / self.n0, 0.01))

    @property
    def output_noise(self) -> float:
        """Expected error power after zero forcing, (N0 + error) / |h|^2: noise, and the symbols times a wrong gain."""
        return (self.n0 + self.error) / max(abs(self.gain) ** 2, 1e-12)


def estimate(gain: complex, snr_db: float, pilots: int | None, *key: keys.Key) -> Estimate:
    """Estimate h from ``pilots`` unit pilots received in noise; the error is CN(0, N0 / pilots).

    The noise power is taken as known: a receiver averages it over a time much longer than one block.

    Args:
        gain: True h.
        snr_db: Es / N0 before fading.
        pilots: Number of pilot symbols, or None for a perfect estimate.
        key: Key of the pilots' noise.
    """
    n0 = 10 ** (-snr_db / 10)
    if pilots is None:
        return Estimate(gain, n0, 0.0)
    error = complex(keys.complex_normal(1, *key)[0]) * math.sqrt(n0 / pilots)
    return Estimate(gain + error, n0, n0 / pilots)


def equalise(received: np.ndarray, channel: Estimate, equaliser: Equaliser) -> np.ndarray:
    """Undo the channel by the receiver's own estimate; complex64 ``(n,)``.

    ``zf``: y / h, unbiased, noise of variance N0 / |h|^2. ``mmse``: h* y / (|h|^2 + N0), of least squared
    error, shrunk towards zero.
    """
    h = channel.gain
    power = abs(h) ** 2 + (channel.n0 if equaliser == "mmse" else 0.0)
    return (received * np.complex64(h.conjugate() / max(power, 1e-12))).astype(np.complex64)
