"""Is a library of JSCC codecs worth having? Its gain over its own middle codec, and one adaptive codec against it."""

from ...agents.models.loading import WEIGHTS
from . import Request
from .score import Score, Skipped, mean


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """PSNR gains in dB, paired by scene.

    ``jscc_library_gain``: of the library of specialists over its middle-SNR codec at both ends of the SNR range.
    ``jscc_adaptive_gain``: of the codec for all SNRs and rates over each specialist at its own SNR, and over the middle one at
    both ends of the range; ``jscc_adaptive_psnr`` where a rate has no specialists.
    """
    from ...agents.models.training.jscc_adaptive_eval import adaptive_against_specialists
    from ...agents.models.training.jscc_eval import library_against_middle

    found: dict[str, Score | Skipped] = {
        f"jscc_library_gain_db_cbr{row.cbr.denominator}_{row.channel}_{row.end}_snr": Score(row.gain_db, row.low, row.high, row.n)
        for row in library_against_middle(WEIGHTS / "jscc", request.scenes)
    }
    rows = adaptive_against_specialists(WEIGHTS / "jscc", request.scenes)
    return found | {f"jscc_adaptive_{row.name}": mean(row.values.tolist()) for row in rows}
