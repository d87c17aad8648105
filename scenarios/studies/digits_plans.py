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
from ...bus.channel.csi import HIGH_DB, LOW_DB

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


def cut(digits: int, room: int) -> list[Plan]:
    """All plans of the first parts, cut into runs of a block each, whose schemes do not become sturdier; none beyond `room`.

    What is left of the room goes into copies of the first block.
    """
    found = []
    for number in range(1, len(PARTS) + 1):
        for cuts in (c for size in range(number) for c in combinations(range(1, number), size)):
            edges = (0, *cuts, number)
            masks = [first(stop) & ~first(start) for start, stop in zip(edges, edges[1:], strict=False)]
            for schemes in combinations_with_replacement(MCS_TABLE, len(masks)):
                head, *rest = (Block(mask, page_bits(mask, digits), mcs) for mask, mcs in zip(masks, schemes, strict=True))
                copies = (room - symbols(tuple(rest))) // head.symbols
                if copies > 0:
                    found.append((Block(head.parts, head.payload_bits, head.mcs, copies), *rest))
    return found


def worths(plans: Sequence[tuple[Plan, Mapping[int, float]]], snr_db: np.ndarray) -> np.ndarray:
    """Expected value of what arrives, ``(plans, snrs)``: blocks are lost by themselves, each mask of parts has its `value`."""
    lost: dict[Block, np.ndarray] = {}
    rows = np.zeros((len(plans), snr_db.size))
    for row, (plan, value) in zip(rows, plans, strict=True):
        for block in plan:
            if block not in lost:
                lost[block] = block.lost(snr_db)
        for came in product((False, True), repeat=len(plan)):
            chance = np.ones_like(snr_db)
            mask = 0
            for block, arrived in zip(plan, came, strict=True):
                chance = chance * (1 - lost[block] if arrived else lost[block])
                mask |= (block.parts or 1) if arrived else 0
            row += chance * value[mask]
    return rows


GRID_STEP_DB = 0.1
GRID_DB = np.arange(-300, 451) * GRID_STEP_DB
"""Where worths are known; others are taken for the nearest."""


class Chooser:
    """A sender that hears of its channel, and takes the plan that is worth most then.

    Args:
        plans: With the value of each mask of parts.
    """

    def __init__(self, plans: Sequence[tuple[Plan, Mapping[int, float]]]) -> None:
        self._worths = worths(plans, GRID_DB)
        self._at_snr = self._worths.argmax(axis=0)
        self._by_report: dict[float, int] = {}

    def choose(self, told_snr_db: float) -> int:
        """Number of the best plan for a report."""
        if told_snr_db not in self._by_report:
            snrs_db, chances = likely_snrs_db(told_snr_db)
            weight = np.bincount(_nearest(snrs_db), chances, GRID_DB.size)
            self._by_report[told_snr_db] = int(np.argmax(self._worths @ weight))
        return self._by_report[told_snr_db]

    def choose_knowing(self, snr_db: float) -> int:
        """Number of the best plan, if the SNR were known exactly."""
        return int(self._at_snr[_nearest(np.array([snr_db]))[0]])


def _nearest(snrs_db: np.ndarray) -> np.ndarray:
    place: np.ndarray = np.rint((np.clip(snrs_db, GRID_DB[0], GRID_DB[-1]) - GRID_DB[0]) / GRID_STEP_DB).astype(np.int64)
    return place


def likely_snrs_db(told_snr_db: float) -> tuple[np.ndarray, np.ndarray]:
    """SNRs that a report may stand for, and their weights, by quadrature.

    The estimate's error is CN(0, N0 / `CSI_PILOTS`), and it was rounded to the nearest level of the report.
    """
    nodes, weights = np.polynomial.hermite.hermgauss(7)
    error = nodes / CSI_PILOTS**0.5  # a node of variance 1/2, so I and Q share 1 / pilots
    step_db = (HIGH_DB - LOW_DB) / ((1 << CSI_BITS) - 1)
    told = told_snr_db + step_db * np.array([-1 / 3, 0, 1 / 3])
    amplitude = np.sqrt(10 ** (told / 10) + 1 / CSI_PILOTS)  # the report has the error's mean power taken off
    snr = (amplitude[:, None, None] + error[:, None]) ** 2 + error[None, :] ** 2
    each = np.broadcast_to(weights[:, None] * weights[None, :] / np.pi / 3, snr.shape)
    return 10 * np.log10(np.maximum(snr, 1e-3)).ravel(), each.ravel()
