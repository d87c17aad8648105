"""How a page of digits goes through a frame of a given number of channel uses: what is in its code blocks, with which schemes.

Plans are made before any picture is seen: by the bits of the parts, the error tables of the link, and what the parts are worth
on validation pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from scipy.special import ndtr

from ...agents.models.digits.prompts import PARTS, bits_of
from ...bus.channel import MCS_TABLE, Mcs, segment
from ...bus.channel.account import feedback_symbols
from ...bus.channel.coding import waterfall

PILOTS = 4
"""In front of each code block."""
CSI_PILOTS, CSI_BITS = 16, 5
CSI_SYMBOLS = CSI_PILOTS + feedback_symbols(CSI_BITS)
"""What a report of the channel costs: pilots, and its bits as HARQ feedback goes."""
ALL = (1 << len(PARTS)) - 1
"""Mask of all parts; bit 0 is the label."""


@dataclass(frozen=True)
class Block:
    """One message: the parts in it as a mask (0: something else than parts), its payload, its scheme, how often it is sent.

    Copies follow each other without waiting for an answer, and are added up.
    """

    parts: int
    payload_bits: int
    mcs: Mcs
    copies: int = 1

    @property
    def symbols(self) -> int:
        """Channel uses, pilots included."""
        blocks = segment(self.payload_bits, self.mcs)
        return self.copies * (blocks.complex_symbols + PILOTS * blocks.count)

    def lost(self, snr_db: np.ndarray) -> np.ndarray:
        """Probability to be lost at a known SNR, of the shape of `snr_db`; channel estimation takes its share."""
        blocks = segment(self.payload_bits, self.mcs)
        middle, width = waterfall(self.mcs, blocks.block_bits)
        gain_db = 10 * np.log10(self.copies * PILOTS / (PILOTS + 1))
        each = ndtr((middle - gain_db - snr_db) / width)
        missed: np.ndarray = 1 - (1 - each) ** blocks.count
        return missed

    @property
    def threshold_db(self) -> float:
        """SNR at which one in ten is lost."""
        middle, width = waterfall(self.mcs, segment(self.payload_bits, self.mcs).block_bits)
        return middle + 1.2816 * width - 10 * float(np.log10(self.copies * PILOTS / (PILOTS + 1)))


Plan = tuple[Block, ...]
"""Code blocks of a frame."""


def symbols(plan: Plan) -> int:
    """Channel uses of a frame."""
    return sum(block.symbols for block in plan)


def sturdiest(parts: int, payload_bits: int, room: int) -> Block | None:
    """The block of lowest `threshold_db` that fits into `room` channel uses, with as many copies as fit; None if none fits."""
    found = []
    for mcs in MCS_TABLE:
        once = Block(parts, payload_bits, mcs)
        if once.symbols <= room:
            found.append(Block(parts, payload_bits, mcs, room // once.symbols))
    return min(found, key=lambda block: (block.threshold_db, block.mcs.index), default=None)


def page_bits(parts: int, digits: int) -> int:
    """Payload of the parts of a mask, for all digits of a page."""
    return digits * sum(bits_of(part) for part in range(len(PARTS)) if parts >> part & 1)


def first(number: int) -> int:
    """Mask of the first `number` parts."""
    return (1 << number) - 1


def fixed(number: int, digits: int, room: int) -> Plan | None:
    """The first `number` parts in one block, as sturdy as the room allows."""
    block = sturdiest(first(number), page_bits(first(number), digits), room)
    return (block,) if block else None


def worth(plan: Plan, value: Mapping[int, float], snr_db: np.ndarray) -> np.ndarray:
    """Expected value of what arrives at each SNR: blocks are lost by themselves; `value` of each mask of parts."""
    lost = [block.lost(snr_db) for block in plan]
    total = np.zeros_like(snr_db)
    for came in product((False, True), repeat=len(plan)):
        chance = np.ones_like(snr_db)
        mask = 0
        for block, arrived, miss in zip(plan, came, lost, strict=True):
            chance = chance * (1 - miss if arrived else miss)
            mask |= (block.parts or 1) if arrived else 0
        total += chance * value[mask]
    return total


def layered(digits: int, room: int, value: Mapping[int, float], snr_db: np.ndarray) -> Plan:
    """Parts in several blocks, the coarse ones sturdier, for receivers whose channel nobody knows.

    All cuts of the first parts into runs, with schemes that do not become sturdier; the one of greatest mean worth over `snr_db`.
    """
    best: tuple[float, Plan] = (-np.inf, ())
    for number in range(1, len(PARTS) + 1):
        for cuts in (c for size in range(number) for c in combinations(range(1, number), size)):
            edges = (0, *cuts, number)
            masks = [first(stop) & ~first(start) for start, stop in zip(edges, edges[1:], strict=False)]
            for schemes in combinations_with_replacement(MCS_TABLE, len(masks)):
                plan = tuple(Block(mask, page_bits(mask, digits), mcs) for mask, mcs in zip(masks, schemes, strict=True))
                if symbols(plan) > room:
                    continue
                mean = float(worth(plan, value, snr_db).mean())
                best = max(best, (mean, plan), key=lambda pair: pair[0])
    return best[1]


def choose(plans: Sequence[tuple[Plan, Mapping[int, float]]], told_snr_db: float, exact: bool = False) -> int:
    """Number of the plan of greatest worth, given what the receiver told: the true SNR lies around it, as pilots are noisy.

    ``exact``: the number told is the true SNR.
    """
    around = (np.array([told_snr_db]), np.ones(1)) if exact else likely_snrs_db(told_snr_db)
    return int(np.argmax([float((worth(plan, value, around[0]) * around[1]).sum()) for plan, value in plans]))


def likely_snrs_db(told_snr_db: float) -> tuple[np.ndarray, np.ndarray]:
    """SNRs that a report may stand for, and their weights: the estimate's error is CN(0, N0 / `CSI_PILOTS`), by quadrature."""
    nodes, weights = np.polynomial.hermite.hermgauss(7)
    error = nodes / CSI_PILOTS**0.5  # a node of variance 1/2, so I and Q share 1 / pilots
    amplitude = np.sqrt(10 ** (told_snr_db / 10) + 1 / CSI_PILOTS)  # the report has the error's mean power taken off
    snr = (amplitude + error[:, None]) ** 2 + error[None, :] ** 2
    return 10 * np.log10(np.maximum(snr, 1e-3)).ravel(), (weights[:, None] * weights[None, :] / np.pi).ravel()
