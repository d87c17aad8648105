"""Bit error rates of uncoded, Gray-labelled modulation: closed forms, and counted with Sionna's mapper.

K. Cho and D. Yoon, "On the general BER expression of one- and two-dimensional amplitude modulations", IEEE Trans. Commun. 50(7),
2002, eqs. (9), (10) and (14): the mean over bits is a weighted sum of Q(t sqrt(Es/N0)). Over Rayleigh fading each becomes
(1 - sqrt(x / (2 + x))) / 2 with x = t^2 Es/N0 (Proakis, "Digital Communications", eq. 14.3-7, for E|h|^2 = 1).
"""

import math
from collections.abc import Iterator

import numpy as np

from .. import keys
from ..errors import BadInput, Missing
from .awgn import add_noise
from .expected import Fading
from .mcs import MODULATIONS

SYMBOLS_AT_ONCE = 1 << 18


def _terms(bits_per_symbol: int) -> Iterator[tuple[float, float]]:
    """(weight, t) of each Q(t sqrt(Es/N0))."""
    if bits_per_symbol == 1:
        yield 1.0, math.sqrt(2)
        return
    per_axis = bits_per_symbol // 2
    levels = 2**per_axis
    step = math.sqrt(3 / (levels**2 - 1))  # half the distance of two levels at Es = 1, over sqrt(N0 / 2)
    for k in range(1, per_axis + 1):
        for i in range(levels - levels // 2**k):
            part = i * 2 ** (k - 1) / levels
            weight = (-1) ** math.floor(part) * (2 ** (k - 1) - math.floor(part + 0.5))
            yield 2 * weight / (levels * per_axis), (2 * i + 1) * step


def closed_form(bits_per_symbol: int, snr_db: float, fading: Fading = "awgn") -> float:
    """Mean bit error rate of hard decisions by the nearest symbol, h being known.

    Args:
        bits_per_symbol: 1 (BPSK), 2 (QPSK), 4 (16QAM) or 6 (64QAM).
        snr_db: Es/N0 per complex symbol, in dB; its mean over fading.
        fading: ``awgn``, or ``rayleigh`` with E|h|^2 = 1.

    Raises:
        BadInput: No such modulation.
    """
    if bits_per_symbol not in MODULATIONS:
        raise BadInput(f"no modulation of {bits_per_symbol} bits a symbol", f"there are: {MODULATIONS}")
    snr = 10 ** (snr_db / 10)
    if fading == "awgn":
        return math.fsum(w * 0.5 * math.erfc(t * math.sqrt(snr / 2)) for w, t in _terms(bits_per_symbol))
    return math.fsum(w * 0.5 * (1 - math.sqrt(t * t * snr / (2 + t * t * snr))) for w, t in _terms(bits_per_symbol))


def count_errors(bits_per_symbol: int, snr_db: float, symbols: int, fading: Fading, *key: keys.Key) -> int:
    """Wrong bits of ``symbols * bits_per_symbol``: Sionna's mapper, our channel, the nearest symbol.

    Over Rayleigh fading every symbol has a gain of its own, CN(0, 1), which the receiver knows.

    Raises:
        Missing: Sionna is not installed.
    """
    try:
        from sionna.phy.mapping import Constellation, Demapper, Mapper
    except ModuleNotFoundError:
        raise Missing("modulating real bits needs Sionna", "pip install 'semcast[phy]'") from None
    import torch

    constellation = Constellation("pam" if bits_per_symbol == 1 else "qam", bits_per_symbol)
    mapper, demapper = Mapper(constellation=constellation), Demapper("maxlog", constellation=constellation, hard_out=True)
    wrong = 0
    for first in range(0, symbols, SYMBOLS_AT_ONCE):
        n = min(SYMBOLS_AT_ONCE, symbols - first)
        bits = keys.generator(*key, "bits", first).integers(0, 2, n * bits_per_symbol).astype(np.float32)
        gain: np.ndarray | complex = 1.0 + 0j if fading == "awgn" else keys.complex_normal(n, *key, "gain", first)
        with torch.inference_mode():
            sent = mapper(torch.from_numpy(bits)[None])[0].numpy()
            received = add_noise(sent, snr_db, gain, *key, "noise", first) / gain
            decided = demapper(torch.from_numpy(received.astype(np.complex64))[None], torch.tensor(1.0))[0].numpy()
        wrong += int((decided != bits).sum())
    return wrong
