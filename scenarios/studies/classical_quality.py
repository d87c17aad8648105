"""PSNR over SNR of classical pictures on coded links and of the photograph codec, at equal complex channel uses.

Losses follow the BLER tables and are averaged exactly (`bus.channel.expected`); a picture that is lost, or that fits at no
quality, is mid-grey and counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ...agents.models.codecs.classical import FORMATS, Files, decompress
from ...agents.models.codecs.classical_link import Budget, Fitted, fit
from ...bus.channel import Mcs, choose_mcs, segment
from ...bus.channel.account import feedback_symbols
from ...bus.channel.awgn import add_noise, equalise, estimate
from ...bus.channel.expected import Fading, block_loss, expected, gain_sums
from ...bus.channel.mcs import MCS_TABLE, SCHEMES, Blocks, Code
from ..evaluations.jscc import SIDE_LOSS, budget_symbols, grey_psnr_db, psnr_db

if TYPE_CHECKING:
    from ...agents.models.codecs.photo import PhotoCodec

CODES: dict[Code, str] = {"nr": "5G LDPC", "wifi": "802.11n LDPC 1/2"}
ALL_SCHEMES = tuple(mcs for schemes in SCHEMES.values() for mcs in schemes)
ANY = "any"
"""Stands for all formats: the best one at each SNR."""
Choice = tuple[str, Mcs]
"""Format and scheme."""
FADE_MARGIN_DB = 6.0
"""Over Rayleigh fading our side information is sent as if the mean SNR were so much lower."""
SIDE_ROUNDS = 2
"""So many transmissions of our side information are paid from the budget over Rayleigh fading."""
FEEDBACK = feedback_symbols(2) // 2
"""Symbols of HARQ feedback for each code block of each attempt."""
CELLS = 256
"""Parts of the distribution of gains over which the photograph codec is averaged, smaller where gains are."""


@dataclass(frozen=True)
class Way:
    """A channel and what is done when blocks are lost on it.

    Attributes:
        name: ``awgn``, ``rayleigh`` (up to four attempts, those after the first beside the budget) or ``rayleigh-within`` (two,
            both paid from the budget).
        title: For people.
        fading: Kind.
        attempts: Most transmissions of a code block.
        rounds: Transmissions of the whole that the budget pays for.
        pilots: Of each attempt, for all that it sends; None where h = 1 is known.
    """

    name: str
    title: str
    fading: Fading
    attempts: int = 1
    rounds: int = 1
    pilots: int | None = None


def ways(attempts: int, pilots: int) -> tuple[Way, ...]:
    """All that are measured."""
    return (
        Way("awgn", "AWGN, one attempt", "awgn"),
        Way("rayleigh", f"block Rayleigh, HARQ of {attempts}, repetitions beside", "rayleigh", attempts, 1, pilots),
        Way("rayleigh-within", "block Rayleigh, HARQ of 2, both within the budget", "rayleigh", 2, 2, pilots),
    )


@dataclass(frozen=True)
class Quality:
    """What was measured at one CBR.

    Attributes:
        cbr: Complex channel uses / (3 H W).
        snrs_db: Mean Es/N0 of each column.
        psnr_db: (way, scheme) -> (pictures, SNRs), mean over losses; a scheme is for instance ``"avif nr 4"``. None: infeasible.
        spent: Likewise, mean complex channel uses over those of the budget; what is repeated beside it makes it exceed 1.
        lacking: (way, scheme) -> share of pictures that fit at no quality.
        marks_db: Mean Es/N0 at which the photograph codec was measured.
        jscc_db: Way -> its PSNR, (pictures, marks).
        jscc_spent: Likewise, channel uses over the budget.
    """

    cbr: Fraction
    snrs_db: tuple[float, ...]
    psnr_db: dict[tuple[str, str], np.ndarray | None] = field(default_factory=dict)
    spent: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    lacking: dict[tuple[str, str], float] = field(default_factory=dict)
    marks_db: tuple[float, ...] = ()
    jscc_db: dict[str, np.ndarray] = field(default_factory=dict)
    jscc_spent: dict[str, np.ndarray] = field(default_factory=dict)

    def best(self, way: str, codec: str, code: Code) -> list[Choice | None]:
        """At each mean SNR the scheme (with `ANY` also the format) of the highest mean PSNR; None: none is feasible."""
        codecs = tuple(FORMATS) if codec == ANY else (codec,)
        there = [(one, mcs) for one in codecs for mcs in SCHEMES[code] if self.psnr_db[way, scheme(one, mcs)] is not None]
        if not there:
            return [None] * len(self.snrs_db)
        means = np.stack([self._of(way, choice).mean(axis=0) for choice in there])
        return [there[which] for which in means.argmax(axis=0)]

    def staircase(self, way: str, codec: str, code: Code) -> np.ndarray | None:
        """(pictures, SNRs) with the best choice at each SNR; None: infeasible."""
        chosen = self.best(way, codec, code)
        columns = [self._of(way, choice)[:, i] for i, choice in enumerate(chosen) if choice]
        return np.stack(columns, axis=1) if columns else None

    def spent_by_best(self, way: str, codec: str, code: Code, snrs_db: Sequence[float]) -> float:
        """Mean channel uses over the budget of the best choices at some SNRs."""
        places, chosen = [self.column(snr_db) for snr_db in snrs_db], self.best(way, codec, code)
        used = [float(self.spent[way, scheme(*choice)][:, i].mean()) for i in places if (choice := chosen[i])]
        return sum(used) / len(used) if used else 1.0

    def column(self, snr_db: float) -> int:
        """Where an SNR is."""
        return self.snrs_db.index(snr_db)

    def _of(self, way: str, choice: Choice) -> np.ndarray:
        values = self.psnr_db[way, scheme(*choice)]
        assert values is not None
        return values


def scheme(codec: str, mcs: Mcs) -> str:
    """Name of a fixed scheme, for instance ``"avif nr 4"``."""
    return f"{codec} {mcs.code} {mcs.index}"


Row = tuple[np.ndarray, np.ndarray]
"""PSNR in dB, and channel uses over the budget, each (SNRs,)."""


@dataclass(frozen=True)
class Task:
    """One picture at one CBR, to be measured in a process of its own; ``number`` is the picture's, of the noise's key."""

    picture: np.ndarray
    number: int
    cbr: Fraction
    ways: tuple[Way, ...]
    marks_db: tuple[float, ...]
    gains: int
    seed: int

    @property
    def snrs_db(self) -> tuple[float, ...]:
        """``marks_db`` and each whole dB between them."""
        return tuple(sorted({*self.marks_db, *np.arange(np.ceil(min(self.marks_db)), max(self.marks_db) + 1).tolist()}))


@dataclass(frozen=True)
class Measured:
    """Of one `Task`: (way, scheme) -> its row, None where no file fits; way -> that of the photograph codec."""

    grey_db: float
    classical: dict[tuple[str, str], Row | None]
    jscc: dict[str, Row]


def measure(task: Task) -> Measured:
    """Every format at every fixed scheme on every way, and the photograph codec."""
    classical: dict[tuple[str, str], Row | None] = {}
    grey_db = grey_psnr_db(task.picture)
    for codec in FORMATS:
        files, known = Files(task.picture, codec), dict[bytes, float]()
        for way in task.ways:
            symbols, feedback = budget_symbols(task.picture, task.cbr), FEEDBACK if way.rounds > 1 else 0
            budget = Budget(symbols, way.pilots or 0, way.rounds, feedback)
            for mcs in ALL_SCHEMES:
                fitted = fit(files, mcs, budget)
                if fitted and fitted.file not in known:
                    known[fitted.file] = psnr_db(task.picture, decompress(fitted.file))
                row = _over_snr(fitted, known[fitted.file], grey_db, way, budget, task.snrs_db) if fitted else None
                classical[way.name, scheme(codec, mcs)] = row
    return Measured(grey_db, classical, _jscc(task))


def gathered(cbr: Fraction, task: Task, found: Sequence[Measured]) -> Quality:
    """What was found of all pictures at one CBR (of which ``task`` is one); a picture that fits nowhere is mid-grey."""
    quality = Quality(cbr, task.snrs_db, marks_db=task.marks_db)
    columns = len(task.snrs_db)
    for name in found[0].classical:
        rows = [one.classical[name] for one in found]
        quality.lacking[name] = sum(row is None for row in rows) / len(rows)
        lost = [np.full(columns, one.grey_db) for one in found]
        quality.psnr_db[name] = None
        if any(rows):
            quality.psnr_db[name] = np.stack([row[0] if row else lost[i] for i, row in enumerate(rows)])
            quality.spent[name] = np.stack([row[1] if row else np.ones(columns) for row in rows])
    for way in task.ways:
        quality.jscc_db[way.name] = np.stack([one.jscc[way.name][0] for one in found])
        quality.jscc_spent[way.name] = np.stack([one.jscc[way.name][1] for one in found])
    return quality


def _over_snr(
    fitted: Fitted, there_db: float, grey_db: float, way: Way, budget: Budget, snrs_db: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Expected PSNR of one picture, and the share of the budget that it spends, at each SNR."""
    outcomes = [expected(fitted.blocks, snr_db, way.fading, way.attempts, way.pilots, shared=True) for snr_db in snrs_db]
    delivered = np.array([outcome.delivered for outcome in outcomes])
    beside = np.zeros(len(snrs_db)) if way.rounds == way.attempts else np.array([o.symbols - fitted.symbols for o in outcomes])
    return delivered * there_db + (1 - delivered) * grey_db, 1 + beside / budget.symbols


# --- the photograph codec ----------------------------------------------------------------------------------------------


@cache
def photo_codec() -> "PhotoCodec":
    """The shipped codec, read once a process."""
    from ...agents.models.codecs.photo import load_photo_codec

    return load_photo_codec()


def _jscc(task: Task) -> dict[str, Row]:
    """The photograph codec at ``task.marks_db``; ways of one channel share what was sent."""
    rows: dict[str, list[tuple[float, float]]] = {way.name: [] for way in task.ways}
    for snr_db in task.marks_db:
        sent: dict[tuple[Fading, int | None], Sent | None] = {}
        for way in task.ways:
            channel = (way.fading, way.pilots)
            if channel not in sent:
                sent[channel] = _send(task, way, snr_db)
            rows[way.name].append(_outcome(sent[channel], task.picture, way, snr_db))
    return {name: (np.array([one[0] for one in row]), np.array([one[1] for one in row])) for name, row in rows.items()}


@dataclass(frozen=True)
class Sent:
    """A picture as the photograph codec sent it: its side information, and what is shown of it with each power gain.

    ``powers``, ``weights`` and ``shown_db`` are of equal shape: the middles of parts of the distribution of |h|^2, their
    probabilities, and the PSNR if the side information arrives.
    """

    side: Blocks
    total: int
    paid: int
    powers: np.ndarray
    weights: np.ndarray
    shown_db: np.ndarray


def _send(task: Task, way: Way, snr_db: float) -> Sent | None:
    """Send one picture with several gains, between which PSNR over |h|^2 in dB is taken to be straight (it is concave).

    Side information and symbols share the pilots of the first attempt. None where the former leaves too few symbols.
    """
    from ...agents.models.codecs.photo import FEWEST_SYMBOLS

    faded, pilots = way.fading == "rayleigh", way.pilots or 0
    codec, key = photo_codec(), ("study classical", task.seed, task.number)
    sketch, total = codec.sketch(task.picture), budget_symbols(task.picture, task.cbr)
    side = _side_blocks(sketch.bits, snr_db - (FADE_MARGIN_DB if faded else 0.0))
    paid = SIDE_ROUNDS * (side.complex_symbols + pilots + side.count * FEEDBACK) if faded else side.complex_symbols + pilots
    symbols = total - paid
    if symbols < FEWEST_SYMBOLS * sketch.classes.size:
        return None
    sent = codec.encode(sketch, symbols, snr_db)
    tried, _ = likely_powers(task.gains) if faded else (np.ones(1), np.ones(1))
    shown = []
    for place, power in enumerate(tried):
        gain = complex(np.sqrt(power))
        heard = add_noise(sent.symbols, snr_db, gain, *key, "noise")
        belief = estimate(gain, snr_db, way.pilots, *key, "pilots", place)
        estimate_db = -10 * float(np.log10(belief.output_noise))
        shown.append(psnr_db(task.picture, codec.decode(sent.side, equalise(heard, belief, "zf"), estimate_db)))
    powers, weights = likely_powers(CELLS) if faded else (np.ones(1), np.ones(1))
    return Sent(side, total, paid, powers, weights, np.interp(np.log(powers), np.log(tried), shown))


def likely_powers(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Medians of parts of the distribution of |h|^2 over Rayleigh fading, and their probabilities, ``(number,)`` each.

    Parts end at the quantiles (i / number)^2, so they are smaller where gains are.
    """
    edges = (np.arange(number + 1) / number) ** 2
    return -np.log1p(-(edges[:-1] + edges[1:]) / 2), np.diff(edges)


def _outcome(sent: Sent | None, picture: np.ndarray, way: Way, snr_db: float) -> tuple[float, float]:
    """Mean PSNR over gains and losses of the side information, and channel uses over the budget.

    The side information's first attempt has the gain of the symbols, the others new ones.
    """
    grey_db = grey_psnr_db(picture)
    if sent is None:
        return grey_db, 1.0
    more = gain_sums(way.attempts - 1, way.fading) if way.attempts > 1 else np.zeros(1)
    lost = block_loss(sent.side, snr_db, sent.powers[:, None] + more, way.pilots)
    there = ((1 - lost) ** sent.side.count).mean(axis=1)
    used = expected(sent.side, snr_db, way.fading, way.attempts, way.pilots, shared=True).symbols
    mean_db = float(np.sum(sent.weights * (there * sent.shown_db + (1 - there) * grey_db)))
    return mean_db, 1 + max(0.0, used - sent.paid) / sent.total


def _side_blocks(bits: int, snr_db: float) -> Blocks:
    """At the fastest scheme that loses at most one block in a thousand at this SNR."""
    return segment(bits, choose_mcs(snr_db, segment(bits, MCS_TABLE[0]).block_bits, SIDE_LOSS))
