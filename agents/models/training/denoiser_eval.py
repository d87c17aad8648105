"""The denoiser on held-out scenes: error of the features and PSNR of the pictures, with and without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..codecs.denoiser import CLEAN_SNR_DB, SymbolDenoiser, load
from ..codecs.denoiser_network import noise_std
from ..codecs.models import load_codec, to_bytes
from ..codecs.network import Decoder
from ..roles import PICTURE_SIDE
from .denoiser_data import pictures, received, sent_code, symbols_of
from .jscc_export import psnr_db

FITTED = 150
"""Scenes that the Wiener filter's covariance is fitted on."""


@dataclass(frozen=True)
class Denoising:
    """Figures at one SNR: one value a scene, the mean over the codecs. Errors are mean squares of real values."""

    snr_db: float
    received_error: np.ndarray
    denoised_error: np.ndarray
    wiener_error: np.ndarray
    psnr_gain_db: np.ndarray


def compare(folder: Path, library: Path, scenes: int, snrs_db: Sequence[float]) -> list[Denoising]:
    """Send held-out scenes with every codec through AWGN at every SNR, and denoise them."""
    denoiser = load(folder)
    shown, fitting = pictures(scenes, "denoiser", "held-out"), pictures(FITTED, "denoiser", "wiener")
    tables: dict[float, list[np.ndarray]] = {snr_db: [] for snr_db in snrs_db}
    for codec in denoiser.codecs:
        encoder, decoder = load_codec(library, codec)
        code, fit = sent_code(encoder, shown), sent_code(encoder, fitting)
        for snr_db in snrs_db:
            got = received(code, torch.full((scenes,), snr_db), "denoiser", "held-out", codec, round(10 * snr_db))
            found = denoised(denoiser, codec, got, snr_db)
            errors = [_error(estimate, code) for estimate in (got, found, wiener(fit, got, snr_db))]
            gain_db = np.zeros(scenes)
            if denoiser.steps(snr_db):
                gain_db = _psnr_db(decoder, found, CLEAN_SNR_DB, shown) - _psnr_db(decoder, got, snr_db, shown)
            tables[snr_db].append(np.stack([*errors, gain_db]))
    return [Denoising(snr_db, *np.mean(table, axis=0)) for snr_db, table in tables.items()]


def denoised(denoiser: SymbolDenoiser, codec: str, code: Tensor, snr_db: float) -> Tensor:
    """All of a batch at one SNR, with the steps that the denoiser makes there."""
    with torch.inference_mode():
        std = noise_std(torch.full((len(code),), snr_db))
        return torch.as_tensor(denoiser.network.denoise(code, std, codec, denoiser.steps(snr_db)))


def wiener(fit: Tensor, code: Tensor, snr_db: float) -> Tensor:
    """The linear MMSE estimate of the values at one position from those at the same position: mean + C (C + vI)^-1 (y - mean).

    Args:
        fit: Sent codes (m, channels, h, w); mean and covariance C are taken over scenes and positions.
        code: Received codes (n, channels, h, w), noise variance v a value.
        snr_db: Es/N0.
    """
    values = fit.permute(0, 2, 3, 1).reshape(-1, fit.shape[1])
    mean, covariance = values.mean(dim=0), torch.cov(values.T)
    noise = noise_std(torch.tensor(snr_db)) ** 2 * torch.eye(len(covariance))
    gain = torch.linalg.solve(covariance + noise, covariance)  # both are symmetric and commute
    return torch.as_tensor((code.permute(0, 2, 3, 1) - mean) @ gain + mean).permute(0, 3, 1, 2)


def _error(estimate: Tensor, code: Tensor) -> np.ndarray:
    return (estimate - code).square().mean(dim=(1, 2, 3)).numpy().astype(np.float64)


def _psnr_db(decoder: Decoder, code: Tensor, snr_db: float, shown: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return psnr_db(shown, to_bytes(decoder(symbols_of(code), torch.full((len(code),), snr_db), PICTURE_SIDE, PICTURE_SIDE)))
