"""The cliff, bit by bit: real files through the real coded link at SNRs around the waterfall, beside the photograph codec.

The rival's file and scheme are made once. So is what the photograph codec sends: encoded for the middle of the waterfall, its
side information in coded bits by the scheme chosen for that SNR; where these are lost, mid-grey is shown. ``adapted`` is encoded
anew for each SNR, by a sender that knows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...agents.models.codecs.classical import FORMATS, Files, decompress
from ...agents.models.codecs.classical_link import GREY, Budget, fit, send, shown
from ...bus import keys
from ...bus.channel import Air, Area, Blocks, Mcs, Radio
from ...bus.channel.awgn import add_noise
from ...bus.channel.coding import waterfall
from ...bus.channel.expected import expected
from ...bus.channel.mcs import MCS_BY_NAME
from ..evaluations import Request
from ..evaluations.jscc import arrival, budget_symbols, grey_psnr_db, ours, psnr_db, side_blocks

if TYPE_CHECKING:
    from ...agents.models.codecs.photo import PhotoCodec

RIVALS = (("avif", "16QAM 0.48"), ("jpeg", "802.11n 16QAM 0.50"))
"""Format and fixed scheme of those that are sent bit by bit."""
STEPS_DB = (-2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0)
"""SNRs around the cliff: where the shipped table loses half of the pictures, to 0.1 dB."""


@dataclass(frozen=True)
class Cliff:
    """One rival around its cliff.

    Attributes:
        codec: Format.
        mcs: Scheme.
        middle_db: SNR where half of the pictures arrive by the tables, rounded to 0.1 dB.
        snrs_db: Where it was sent.
        real_db: PSNR bit by bit, (pictures, SNRs).
        table_db: PSNR expected by the tables, likewise.
        jscc_db: That of the photograph codec, encoded once for ``middle_db``; mean over losses of its side information.
        adapted_db: That of the photograph codec encoded anew for each SNR.
        shown: SNR in dB -> what the receiver of the first picture saw.
        jscc_shown: Likewise of the photograph codec, encoded once.
        infeasible: Pictures left out because no file fits.
    """

    codec: str
    mcs: Mcs
    middle_db: float
    snrs_db: tuple[float, ...]
    real_db: np.ndarray
    table_db: np.ndarray
    jscc_db: np.ndarray
    adapted_db: np.ndarray
    shown: dict[float, np.ndarray]
    jscc_shown: dict[float, np.ndarray]
    infeasible: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{FORMATS[self.codec].title} + {self.mcs.name}"


def sweep(
    pictures: Sequence[np.ndarray], cbr: Fraction, photo: "PhotoCodec", seed: int, tell: Callable[[str], None]
) -> list[Cliff]:
    """Send every picture once at every step, with each of `RIVALS`; one without a picture that fits is left out."""
    found = []
    for codec, name in RIVALS:
        one = _sweep(pictures, cbr, photo, codec, MCS_BY_NAME[name], seed, tell)
        if one:
            found.append(one)
    return found


def _sweep(
    pictures: Sequence[np.ndarray],
    cbr: Fraction,
    photo: "PhotoCodec",
    codec: str,
    mcs: Mcs,
    seed: int,
    tell: Callable[[str], None],
) -> Cliff | None:
    fits = [fit(Files(picture, codec), mcs, Budget(budget_symbols(picture, cbr))) for picture in pictures]
    there = [(picture, fitted) for picture, fitted in zip(pictures, fits, strict=True) if fitted]
    if not there:
        return None
    middle_db = round(float(np.mean([_middle_db(fitted.blocks) for _, fitted in there])), 1)
    snrs_db = tuple(round(middle_db + step, 2) for step in STEPS_DB)
    real, table, seen = np.zeros((len(there), len(snrs_db))), np.zeros((len(there), len(snrs_db))), {}
    held, adapted = [], []
    for row, (picture, fitted) in enumerate(there):
        height, width = picture.shape[:2]
        best_db, grey_db = psnr_db(picture, decompress(fitted.file)), grey_psnr_db(picture)
        for column, snr_db in enumerate(snrs_db):
            tell(f"bit by bit: {FORMATS[codec].title}, {mcs.name}, picture {row + 1} of {len(there)} at {snr_db:g} dB")
            radio = Radio(fixed_snr_db=snr_db, fading="awgn", pilots=None, max_attempts=1)
            link = Air(seed, radio, Area(10, 10), {"bs": (0.0, 0.0)}).link("bs", "receiver")
            file, _ = send(fitted.file, link, mcs, 0, "down", ("study classical", codec, row, column))
            arrived = shown(file, height, width)
            real[row, column] = psnr_db(picture, arrived)
            if row == 0:
                seen[snr_db] = arrived
            delivered = expected(fitted.blocks, snr_db).delivered
            table[row, column] = delivered * best_db + (1 - delivered) * grey_db
        held.append(_held(photo, picture, cbr, middle_db, snrs_db, str(row)))
        adapted.append(ours(photo, picture, Request(cbr=cbr, snrs_db=snrs_db), str(row)) or [grey_db] * len(snrs_db))
    theirs = {snr_db: _drawn(one, seed, codec, snr_db) for snr_db, one in zip(snrs_db, held[0], strict=True)}
    jscc_db = [[_mean_db(one, picture) for one in row] for row, (picture, _) in zip(held, there, strict=True)]
    left_out = len(pictures) - len(there)
    return Cliff(codec, mcs, middle_db, snrs_db, real, table, np.array(jscc_db), np.array(adapted), seen, theirs, left_out)


Heard = tuple[float, np.ndarray]
"""Probability that the side information arrives, and the picture that is shown then."""


def _held(
    photo: "PhotoCodec", picture: np.ndarray, cbr: Fraction, design_db: float, snrs_db: Sequence[float], key: str
) -> list[Heard]:
    """A picture encoded once, for ``design_db``, as it is heard at each SNR; noise as in `jscc.ours`."""
    sketch = photo.sketch(picture)
    side = side_blocks(sketch.bits, design_db)
    sent = photo.encode(sketch, budget_symbols(picture, cbr) - side.complex_symbols, design_db)
    found = []
    for snr_db in snrs_db:
        received = add_noise(sent.symbols, snr_db, 1.0, "evaluation", "jscc", key)
        found.append((arrival(side, snr_db), photo.decode(sent.side, received, snr_db)))
    return found


def _mean_db(heard: Heard, picture: np.ndarray) -> float:
    there, decoded = heard
    return there * psnr_db(picture, decoded) + (1 - there) * grey_psnr_db(picture)


def _drawn(heard: Heard, seed: int, codec: str, snr_db: float) -> np.ndarray:
    """What one receiver sees: mid-grey if the side information is lost, as it is drawn."""
    there, decoded = heard
    came = keys.uniforms((1,), seed, "study classical", "side information", codec, str(snr_db))[0] < there
    return decoded if came else np.full_like(decoded, GREY)


def _middle_db(blocks: Blocks) -> float:
    """SNR at which all of some blocks arrive in one case of two."""
    low, high = waterfall(blocks.mcs, blocks.block_bits)[0] - 5, waterfall(blocks.mcs, blocks.block_bits)[0] + 10
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(blocks, middle).delivered < 0.5 else (low, middle)
    return low
