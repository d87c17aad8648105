"""A contextual bandit: the cards' predictions, corrected by what receivers report."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Annotated

from ..protocols import CodecCard, Draw, EncoderChoice, EncoderContext, EncoderLesson, Memory
from .worth import Outlook, price_db, rank

LOWEST_DB, BINS = -12.0, 12
"""Reported SNRs fall into this many bins from here on; those outside belong to the first and the last."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Parameters:
    """The prior counts as ``prior`` lessons; one lesson errs by ``doubt_db``."""

    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0
    poor_db: Annotated[float, "PSNR at which receivers call the quality 0"] = 15.0
    span_db: Annotated[float, "dB of PSNR from there to quality 1"] = 15.0
    bin_db: Annotated[float, "width of a bin of reported SNRs in dB"] = 4.0
    prior: Annotated[float, "lessons that a card's prediction is worth"] = 8.0
    doubt_db: Annotated[float, "standard deviation of one lesson in dB; 0: never explores"] = 0.5

    def __post_init__(self) -> None:
        if min(self.span_db, self.bin_db, self.prior) <= 0.0 or min(self.db_per_ksymbol, self.doubt_db) < 0.0:
            raise ValueError("span_db, bin_db and prior must be above 0, db_per_ksymbol and doubt_db not below")


class Bandit:
    """Thompson sampling (Thompson 1933; Chapelle and Li 2011) over codecs, one bandit for each bin of reported SNRs.

    The worth of a codec is a draw from ``N(m + b, doubt^2 / (n + prior))``: m is ``E[PSNR] - price symbols`` as in
    ``argmax-quality``, b the learned error of that prediction for this codec in this bin, and n its number of lessons there. The
    n-th lesson moves b by ``(poor + span quality - E[PSNR] - b) / (n + prior)``, the expectation clipped as a receiver's quality
    is. So it starts as ``argmax-quality``, corrects in each bin what the CSI foretells wrongly, and explores ever less. The cards
    themselves it cannot correct: receivers rate by them, at the SNR that they measured.

    Memory: ``codec -> (n, b)`` for every bin. Failed requests teach nothing: their headers were lost, not their pictures.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose by a draw of every codec's worth; on a tie fewer symbols, then the name."""
        outlook, place = Outlook(context), self._bin(context)
        rated = [(self._drawn(card, outlook, place, rng), card) for card in context.codecs]
        (worth, bias, count), best = max(rated, key=lambda row: rank(row[0][0], row[1]))
        reason = f"CSI {context.csi_snr_db:.1f} dB: worth {worth:.2f} dB drawn, {bias:+.2f} dB of it from {count:.0f} lessons"
        return EncoderChoice(best.name, reason)

    def learn(self, memory: Memory, lesson: EncoderLesson) -> Memory:
        """Correct the prediction for one codec in one bin."""
        context, quality = lesson.context, lesson.outcome.quality
        card = next((card for card in context.codecs if card.name == lesson.choice.codec), None)
        if not lesson.outcome.shown or card is None:
            return memory
        place, own = self._bin(context), self.parameters
        known = list(memory.get(card.name, (0.0, 0.0) * BINS))
        expected_db = min(max(Outlook(context).expected_psnr_db(card), own.poor_db), own.poor_db + own.span_db)
        count, bias = known[2 * place] + 1.0, known[2 * place + 1]
        error_db = own.poor_db + own.span_db * quality - expected_db
        known[2 * place : 2 * place + 2] = count, bias + (error_db - bias) / (count + own.prior)
        return {**memory, card.name: tuple(known)}

    def _bin(self, context: EncoderContext) -> int:
        return min(max(int((context.csi_snr_db - LOWEST_DB) / self.parameters.bin_db), 0), BINS - 1)

    def _drawn(self, card: CodecCard, outlook: Outlook, place: int, rng: Draw) -> tuple[float, float, float]:
        """(Drawn worth in dB, its learned part, number of lessons)."""
        own = self.parameters
        known = outlook.context.memory.get(card.name)
        count, bias = known[2 * place : 2 * place + 2] if known else (0.0, 0.0)
        worth = outlook.expected_psnr_db(card) + bias - price_db(card, own.db_per_ksymbol)
        if own.doubt_db:
            luck = _NORMAL.inv_cdf(min(max(rng(card.name), 1e-9), 1.0 - 1e-9))
            worth += luck * own.doubt_db / sqrt(count + own.prior)
        return worth, bias, count
