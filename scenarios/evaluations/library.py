"""Is a library of JSCC codecs worth having? Its gain over its own middle codec, on held-out scenes."""

from ...agents.models.loading import WEIGHTS
from . import Request
from .score import Score, Skipped


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """PSNR gain of the codec library over its middle-SNR codec at both ends of the SNR range (dB, paired by scene)."""
    from ...agents.models.training.jscc_eval import library_against_middle

    return {
        f"jscc_library_gain_db_cbr{row.cbr.denominator}_{row.channel}_{row.end}_snr": Score(row.gain_db, row.low, row.high, row.n)
        for row in library_against_middle(WEIGHTS / "jscc", request.scenes)
    }
