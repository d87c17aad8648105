"""User satisfaction, defined once.

``satisfaction = quality * timeliness`` for a picture that was shown, 0 for a request that failed (availability).

- ``quality`` in [0, 1]: what the receiver itself can know, the PSNR that its codec's card predicts at the SNR it measured
  after equalisation, from 0 at `POOR_DB` to 1 at `GOOD_DB` in a straight line. It does not know the original. A picture that the
  receiver has generated itself (codec `GENERATED`) came down as bits, of which none is wrong: quality 1.
- ``timeliness`` in [0, 1]: ``2^(-latency / HALF_S)`` with the latency from the picture being taken to it being shown.
"""

from ..policies.protocols import CodecCard

POOR_DB, GOOD_DB = 15.0, 30.0
HALF_S = 2.0
GENERATED = "generated"
"""What stands for the codec of a picture that its receiver made itself."""


def predicted_psnr_db(card: CodecCard, snr_db: float) -> float:
    """PSNR in dB that a codec's card predicts at an SNR: straight lines between its points, flat outside."""
    points = card.psnr_db
    if snr_db <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
        if snr_db <= x1:
            return y0 + (y1 - y0) * (snr_db - x0) / (x1 - x0)
    return points[-1][1]


def quality(psnr_db: float) -> float:
    """Quality in [0, 1] of a predicted PSNR."""
    return min(max((psnr_db - POOR_DB) / (GOOD_DB - POOR_DB), 0.0), 1.0)


def timeliness(latency_ns: int) -> float:
    """Timeliness in [0, 1] of a latency."""
    return float(2.0 ** (-latency_ns * 1e-9 / HALF_S))
