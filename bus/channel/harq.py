"""Hybrid ARQ: code blocks are sent until each receiver has decoded them, soft copies being added up (chase combining).

Only lost code blocks are sent again (code block groups of one, TS 38.214 section 5.1.7). A receiver acknowledges
every block of every attempt; the feedback is charged and taken as error-free. Left out: incremental redundancy, other users' use
of the air between attempts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .account import Account, air_ns, feedback_symbols
from .mcs import Blocks, Mcs
from .radio import Radio


class Receiver(Protocol):
    """The receiving end of a coded transfer, in either fidelity."""

    def hear(self, block: int, attempt: int, t_ns: int) -> bool:
        """Take one more copy of a code block that began on the air at ``t_ns``; True if it is decoded now."""


@dataclass(frozen=True)
class CodedTransfer:
    """Outcome of a coded transfer.

    Attributes:
        delivered: Whether all code blocks were decoded; False means that the attempts are exhausted.
        mcs: The scheme used.
        snr_db: True Es/N0 at the first symbol (metrics only).
        account: What it cost.
    """

    delivered: bool
    mcs: Mcs
    snr_db: float
    account: Account


def price(blocks: Blocks, sent: int, receivers: int, radio: Radio) -> Account:
    """Cost of one attempt with ``sent`` code blocks, without payload and end."""
    symbols = sent * blocks.block_symbols
    pilots = sent * (radio.pilots or 0)
    feedback = sent * receivers
    total = symbols + pilots + feedback_symbols(feedback)
    return Account(
        coded_bits=symbols * blocks.mcs.bits_per_symbol,
        complex_symbols=symbols,
        pilot_symbols=pilots,
        feedback_bits=feedback,
        feedback_symbols=feedback_symbols(feedback),
        attempts=1,
        air_ns=air_ns(total, radio.bandwidth_hz),
    )


def deliver(receivers: Sequence[Receiver], blocks: Blocks, t_ns: int, radio: Radio) -> tuple[list[bool], Account]:
    """Send until every receiver has every block or `Radio.max_attempts` is reached.

    Returns:
        For each receiver whether it has all blocks, and the cost, counted once for all receivers.
    """
    wanted = [set(range(blocks.count)) for _ in receivers]
    block_ns = (blocks.block_symbols + (radio.pilots or 0)) * 1e9 / radio.bandwidth_hz
    account = Account(payload_bits=blocks.payload_bits)
    start = t_ns
    for attempt in range(radio.max_attempts):
        sent = [block for block in range(blocks.count) if any(block in lacking for lacking in wanted)]
        for place, block in enumerate(sent):
            begins = start + math.floor(place * block_ns)
            for receiver, lacking in zip(receivers, wanted, strict=True):
                if block in lacking and receiver.hear(block, attempt, begins):
                    lacking.discard(block)
        cost = price(blocks, len(sent), len(receivers), radio)
        end = start + cost.air_ns
        account += cost
        start = end + radio.harq_rtt_ns
        if not any(wanted):
            break
    return [not lacking for lacking in wanted], account + Account(t_done_ns=end)
