"""Make the block error tables of `coding` with Sionna: real 5G LDPC, QAM and AWGN, counted block by block.

Needs the extra ``phy`` (``pip install semcast[phy]``). A full run takes about 20 minutes on one core.
"""

import json
import logging
import math
from collections.abc import Callable
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from .. import keys
from ..errors import Missing
from .bits import ITERATIONS, coder
from .mcs import MCS_TABLE, WIFI_BLOCK_BITS, WIFI_TABLE, Mcs

log = logging.getLogger(__name__)

BLOCK_BITS = (64, 1024, 256, 3840)
"""Code block lengths of 5G that are measured, the most wanted first; `coding` interpolates between them."""
WIFI_LENGTHS = (WIFI_BLOCK_BITS, 64, 162)
"""Likewise of 802.11n: whole blocks, and shortened ones."""
SPREADS = (-1.5, -0.75, 0.0, 0.75, 1.5, 2.25)
"""Measured SNRs: these many widths of the waterfall away from its middle, so BLER is about .93 .77 .5 .23 .07 .01."""
_BATCH = 32

Simulate = Callable[[float, int, int], int]
"""(snr_db, blocks, draw) -> blocks decoded wrongly."""


def calibrate_phy(
    out: Path, quick: bool = False, progress: Callable[[int, int, str], None] | None = None, seed: int = 1, threads: int = 1
) -> dict[str, Any]:
    """Measure BLER over Es/N0 for every MCS and block length, and write the table.

    The file is written after every curve, so a stopped run leaves a readable (shorter) one.

    Args:
        out: JSON file to write. Its layout is that of the shipped ``phy_tables.json``.
        quick: Two block lengths and few blocks: one or two minutes, for trying the command out.
        progress: Called as ``progress(done, total, what)`` before each curve and once at the end.
        seed: Key of bits and noise.
        threads: Torch threads.

    Returns:
        The table as written.

    Raises:
        Missing: If Sionna is not installed.
    """
    lengths, wifi_lengths = ((64, 1024), WIFI_LENGTHS[:1]) if quick else (BLOCK_BITS, WIFI_LENGTHS)
    bits_per_point = 20_000 if quick else 400_000
    pairs = [*product(lengths, MCS_TABLE), *product(wifi_lengths, WIFI_TABLE)]
    table: dict[str, Any] = {"provenance": _provenance(seed, bits_per_point), "curves": []}
    for done, (block_bits, mcs) in enumerate(pairs):
        if progress:
            progress(done, len(pairs), f"{mcs.name}, {block_bits} bits")
        simulate = _simulator(mcs, block_bits, seed, threads)
        table["curves"].append(_curve(mcs, block_bits, simulate, max(bits_per_point // block_bits, 96)))
        _write(out, table)
        log.info("measured %s", table["curves"][-1])
    if progress:
        progress(len(pairs), len(pairs), "done")
    return table


def _provenance(seed: int, bits_per_point: int) -> dict[str, Any]:
    try:
        sionna = version("sionna-no-rt")
    except ModuleNotFoundError:
        raise Missing("calibrating the coded links needs Sionna", "pip install 'semcast[phy]'") from None
    return {
        "made_by": "semcast calibrate phy",
        "sionna": sionna,
        "torch": version("torch"),
        "numpy": version("numpy"),
        "code": "5G NR LDPC with rate matching (TS 38.212), base graph chosen by rate and length",
        "code wifi": "IEEE 802.11n LDPC, n = 648, rate 1/2, shortened where block_bits is below 324",
        "decoder": f"belief propagation (boxplus-phi, flooding), {ITERATIONS} iterations, exact bit metrics (APP)",
        "channel": "AWGN, known SNR; snr_db is Es/N0 per complex symbol",
        "seed": seed,
        "blocks_per_point": f"until 100 errors or {bits_per_point} information bits (at least 96 blocks)",
        "confidence": "points: 95 % Wilson interval; fit: one standard error, from the Fisher information",
        "fit": "BLER = Phi((middle_db - snr_db) / width_db), greatest likelihood over the points",
    }


def _write(out: Path, table: dict[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(out.suffix + ".part")
    head = json.dumps(table["provenance"], indent=1)
    curves = ",\n".join("  " + json.dumps(curve) for curve in table["curves"])
    partial.write_text('{"provenance": ' + head + ',\n "curves": [\n' + curves + "\n]}\n")
    partial.replace(out)


def _simulator(mcs: Mcs, block_bits: int, seed: int, threads: int) -> Simulate:
    """Build coder and modem once; the result counts wrong blocks at an SNR."""
    import torch

    torch.set_num_threads(threads)
    tools = coder(mcs, block_bits)

    def simulate(snr_db: float, blocks: int, draw: int) -> int:
        code = () if mcs.code == "nr" else (mcs.code,)
        rng = keys.generator(seed, "calibrate", *code, mcs.index, block_bits, round(snr_db * 1e6), draw)
        bits = torch.from_numpy(rng.integers(0, 2, (blocks, block_bits)).astype(np.float32))
        sent = tools.mapper(tools.encoder(bits))
        n0 = 10 ** (-snr_db / 10)
        iq = rng.standard_normal((*sent.shape, 2), dtype=np.float32) * np.float32(math.sqrt(n0 / 2))
        received = sent + torch.view_as_complex(torch.from_numpy(iq))
        with torch.inference_mode():
            decoded = tools.decoder(tools.demapper(received, torch.tensor(n0)))
        return int((decoded != bits).any(dim=-1).sum())

    return simulate


def _curve(mcs: Mcs, block_bits: int, simulate: Simulate, max_blocks: int) -> dict[str, Any]:
    """Find the waterfall, then measure it at `SPREADS`."""
    middle_db = _find_middle(mcs, block_bits, simulate)
    width_db = 1.15 * math.sqrt(64 / block_bits)
    points = []
    for spread in SPREADS:
        snr_db = round(middle_db + spread * width_db, 3)
        blocks = errors = 0
        while blocks < max_blocks and errors < 100:
            now = min(_BATCH * 4, max_blocks - blocks) if block_bits < 512 else min(_BATCH, max_blocks - blocks)
            errors += simulate(snr_db, now, blocks + 1)
            blocks += now
        low, high = _wilson(errors, blocks)
        points.append({"snr_db": snr_db, "blocks": blocks, "errors": errors, "low": round(low, 6), "high": round(high, 6)})
    return {
        "code": mcs.code,
        "mcs": mcs.index,
        "bits_per_symbol": mcs.bits_per_symbol,
        "rate_1024": mcs.rate_1024,
        "block_bits": block_bits,
        **_fit(points),
        "points": points,
    }


def _find_middle(mcs: Mcs, block_bits: int, simulate: Simulate) -> float:
    """SNR in dB of about one half of the blocks wrong: 7 halvings of the 8 dB above the Shannon limit, 32 blocks each."""
    low = mcs.shannon_db(block_bits) - 0.5
    high = low + 8.5
    for step in range(1, 8):
        middle = (low + high) / 2
        if simulate(middle, _BATCH, -step) > _BATCH // 2:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _wilson(errors: int, blocks: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927)."""
    p, d = errors / blocks, 1 + z * z / blocks
    half = z * math.sqrt(p * (1 - p) / blocks + (z / (2 * blocks)) ** 2)
    middle = p + z * z / (2 * blocks)
    return max(0.0, (middle - half) / d), min(1.0, (middle + half) / d)


def _fit(points: list[dict[str, Any]]) -> dict[str, float]:
    """Greatest-likelihood middle and width (dB) of a Gaussian waterfall, with their standard errors."""
    from scipy.optimize import minimize
    from scipy.stats import norm

    snr, errors, blocks = (np.array([p[name] for p in points], float) for name in ("snr_db", "errors", "blocks"))

    def loss(x: np.ndarray) -> float:
        z = (x[0] - snr) / np.exp(x[1])
        return float(-(errors * norm.logcdf(z) + (blocks - errors) * norm.logcdf(-z)).sum())

    start = np.array([snr.mean(), math.log((snr[-1] - snr[0]) / 4)])
    middle, log_width = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-6}).x
    width = math.exp(log_width)
    z = (middle - snr) / width
    weight = blocks * norm.pdf(z) ** 2 / np.maximum(norm.cdf(z) * norm.cdf(-z), 1e-300)
    gradient = np.stack([np.ones_like(z), -z]) / width
    spread = np.sqrt(np.diag(np.linalg.inv((weight * gradient) @ gradient.T)))
    return {
        "middle_db": round(float(middle), 4),
        "width_db": round(width, 4),
        "middle_se_db": round(float(spread[0]), 4),
        "width_se_db": round(float(spread[1]), 4),
    }
