"""Frames of digits on the air: coded blocks by the project's link (tables or real bits), analogue symbols with real noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...bus.channel import Air, Area, Link, Radio, unit_power
from .digits_plans import CSI_PILOTS, PILOTS, Block, Plan

Fading = Literal["awgn", "rayleigh"]
Fidelity = Literal["table", "bits"]


@dataclass(frozen=True)
class Frame:
    """Where and when one page travels: every scheme meets the same channel there.

    Attributes:
        seed: Of the study.
        page, draw: Which page, and the how-manieth of its journeys.
        snr_db: Mean Es/N0.
        fading: One gain a frame: 1, or Rayleigh.
    """

    seed: int
    page: int
    draw: int
    snr_db: float
    fading: Fading

    def link(self, copies: int = 1, pilots: int = PILOTS) -> Link:
        """The link, for blocks that are sent `copies` times in a row."""
        radio = Radio(
            fixed_snr_db=self.snr_db, fading=self.fading, pilots=pilots, max_attempts=copies, harq_rtt_ns=0, shadowing=False
        )
        air = Air(self.seed, radio, Area(100, 100), {"bs.0": (0, 0)})
        return air.link("bs.0", f"user.{self.page}-{self.draw}")

    def told_snr_db(self) -> float:
        """What the receiver reports of its channel: measured by pilots, quantised."""
        return self.link(pilots=CSI_PILOTS).measure(0, "down", ("digits",)).snr_db

    def send(self, plan: Plan, payload: Sequence[np.ndarray] | None = None) -> int:
        """Mask of the parts that arrive; with `payload`, bits of each block, they really travel (needs Sionna).

        A block without parts counts as bit 0.
        """
        came = 0
        for place, block in enumerate(plan):
            key = ("digits", "frame", place)
            if payload is None:
                sent = self.link(block.copies).send_coded(block.payload_bits, 0, "down", key, mcs=block.mcs)
                delivered = sent.delivered
            else:
                from ...bus.channel.bits import send_bits

                bits, transfer = send_bits(self.link(block.copies), payload[place], 0, "down", key, block.mcs)
                delivered = transfer.delivered and bool(np.array_equal(bits, payload[place]))
            came |= (block.parts or 1) if delivered else 0
        return came

    def send_reals(self, reals: np.ndarray, *key: str) -> tuple[np.ndarray, float]:
        """Analogue values ``(digits, n)`` of one page, two a complex symbol, and the SNR in dB that the receiver believes.

        They are scaled to unit power over the page and come with the noise of the channel, equalised, of unit power before noise.
        """
        pairs = reals.reshape(-1, 2)
        symbols = unit_power(pairs[:, 0] + 1j * pairs[:, 1])
        got = self.link().send_symbols(symbols, 0, "down", ("digits", *key))
        heard = np.stack([got.received.real, got.received.imag], 1) * np.sqrt(2)
        return heard.reshape(reals.shape).astype(np.float32), got.snr_db


def real_symbols(reals: int) -> int:
    """Channel uses of `reals` analogue values, pilots included."""
    return -(-reals // 2) + PILOTS


def label_block(digits: int) -> Block:
    """How labels go beside analogue latents: once, by the sturdiest scheme."""
    from ...bus.channel import MCS_TABLE
    from .digits_plans import page_bits

    return Block(1, page_bits(1, digits), MCS_TABLE[0])
