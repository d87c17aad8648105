"""What the denoiser makes of received JSCC features of held-out scenes, against what was received and against linear filters."""

import numpy as np

from ...agents.models.loading import WEIGHTS
from . import Request
from .score import Score, Skipped, mean, ratio

SNRS_DB = (0.0, 2.5, 5.0, 10.0, 15.0)


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """For each SNR, over all codecs of the library (each scene counts as the mean over its codecs).

    Returns:
        ``denoiser_error_reduction_at_SNRdb``: 1 - (squared error of the denoised symbols) / (that of the received ones), both
        against the sent ones; 0 where no step is made. ``denoiser_error_against_wiener_at_SNRdb``: its squared error over that
        of the linear Wiener filter of each codec's channel covariance; below 1 is better. ``denoiser_psnr_gain_db_at_SNRdb``:
        PSNR of the picture decoded from the denoised symbols minus that from the received ones, in dB.
    """
    from ...agents.models.training.denoiser_eval import compare

    found: dict[str, Score | Skipped] = {}
    for row in compare(WEIGHTS / "denoiser", WEIGHTS / "jscc", request.scenes, SNRS_DB):
        at = f"at_{row.snr_db:g}db"
        pair = np.stack([row.received_error, row.denoised_error, row.wiener_error], axis=1)
        found[f"denoiser_error_reduction_{at}"] = ratio(pair, lambda sums: np.asarray(1 - sums[..., 1] / sums[..., 0]))
        found[f"denoiser_error_against_wiener_{at}"] = ratio(pair, lambda sums: np.asarray(sums[..., 1] / sums[..., 2]))
        found[f"denoiser_psnr_gain_db_{at}"] = mean(row.psnr_gain_db)
    return found
