"""The ``bits`` fidelity of a coded link: real checksums, LDPC, QAM, fading, noise, soft demapping and decoding (Sionna).

Same blocks, timing, accounting and HARQ as the ``table`` fidelity of `link`; only the decision whether a block is
decoded differs: it is the block's own checksum. Needs the extra ``phy``; a block takes some milliseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .. import keys
from ..errors import BadInput, Missing
from .awgn import add_noise, equalise, estimate
from .harq import CodedTransfer, deliver
from .link import Link, Loads
from .mcs import Blocks, Mcs, crc_bits, segment
from .radio import Direction
from .wifi import WifiDecoder, WifiEncoder, is_code_word

ITERATIONS = 20
"""Belief propagation iterations; the tables were made with as many."""


BATCH = 64
"""Blocks that `lost_blocks` decodes at once, always as many: the last bits of a float do not depend on companions then."""


@dataclass(frozen=True)
class Coder:
    """Blocks for one scheme and block length: bits -> LDPC -> QAM, and back."""

    encoder: Any
    decoder: Any
    mapper: Any
    demapper: Any

    def modulate(self, blocks: np.ndarray) -> np.ndarray:
        """Blocks ``(n, block_bits)`` of 0 and 1 -> complex64 symbols ``(n, symbols)`` of unit mean power."""
        import torch

        with torch.inference_mode():
            symbols: np.ndarray = self.mapper(self.encoder(torch.from_numpy(blocks.astype(np.float32)))).numpy()
        return symbols

    def decode(self, received: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Equalised symbols ``(n, symbols)`` with noise variances ``(n,)`` -> bits ``(n, block_bits)`` uint8, and whether they
        are those of a code word ``(n,)`` (of 5G always True: its blocks carry checksums)."""
        import torch

        with torch.inference_mode():
            variance = torch.from_numpy(noise.astype(np.float32))[:, None]
            llrs = self.demapper(torch.from_numpy(received.astype(np.complex64)), variance)
            if isinstance(self.decoder, WifiDecoder):
                words = self.decoder.words(llrs)
                return words[:, : self.encoder.block_bits], is_code_word(words)
            bits = self.decoder(llrs).numpy().astype(np.uint8)
        return bits, np.ones(len(bits), bool)


@lru_cache(maxsize=64)
def coder(mcs: Mcs, block_bits: int) -> Coder:
    """Build (once) the coder of a scheme and block length.

    Raises:
        Missing: If Sionna is not installed.
    """
    try:
        from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
        from sionna.phy.mapping import Constellation, Demapper, Mapper
    except ModuleNotFoundError:
        raise Missing("real coding of bits needs Sionna", "pip install 'semcast[phy]'") from None
    order = mcs.bits_per_symbol
    constellation = Constellation("pam" if order == 1 else "qam", order)
    coded_bits = mcs.symbols(block_bits) * order
    encoder: Any
    decoder: Any
    if mcs.code == "wifi":
        encoder, decoder = WifiEncoder(block_bits, coded_bits), WifiDecoder(block_bits, ITERATIONS)
    else:
        encoder = LDPC5GEncoder(block_bits, coded_bits, num_bits_per_symbol=order)
        decoder = LDPC5GDecoder(encoder, num_iter=ITERATIONS)
    return Coder(encoder, decoder, Mapper(constellation=constellation), Demapper("app", constellation=constellation))


@lru_cache(maxsize=4)
def _crc(name: str) -> Any:
    from sionna.phy.fec.crc import CRCEncoder

    return CRCEncoder(name)


def add_crc(bits: np.ndarray, name: str) -> np.ndarray:
    """Bits ``(n,)`` of 0 and 1 with the checksum ``CRC16``, ``CRC24A`` or ``CRC24B`` (TS 38.212 section 5.1) behind them."""
    import torch

    summed: np.ndarray = _crc(name)(torch.from_numpy(bits.astype(np.float32))[None])[0].numpy().astype(np.uint8)
    return summed


def pack(payload: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Code blocks ``(count, block_bits)`` of a payload ``(n,)``: checksum, zero filling, cut, checksum of each."""
    whole = add_crc(payload, _transport_crc(payload.size))
    if blocks.count == 1:
        return np.pad(whole, (0, blocks.block_bits - whole.size))[None]
    room = blocks.block_bits - blocks.checksum_bits
    parts = np.pad(whole, (0, blocks.count * room - whole.size)).reshape(blocks.count, room)
    return np.stack([add_crc(part, "CRC24B") for part in parts]) if blocks.checksum_bits else parts


def unpack(decoded: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, bool]:
    """Payload of decoded blocks ``(count, block_bits)`` and whether the transport block's checksum holds."""
    joined = decoded[:, : blocks.block_bits - blocks.checksum_bits].reshape(-1)
    n = blocks.payload_bits
    payload = joined[:n]
    return payload, bool(np.array_equal(joined[: n + crc_bits(n)], add_crc(payload, _transport_crc(n))))


def _transport_crc(payload_bits: int) -> str:
    return "CRC16" if crc_bits(payload_bits) == 16 else "CRC24A"


class BitsReceiver:
    """Receiver of the ``bits`` fidelity: adds up a block's copies (maximum ratio) and decodes; see `harq.Receiver`."""

    def __init__(
        self, link: Link, sent: np.ndarray, blocks: Blocks, direction: Direction, key: Sequence[keys.Key], loads: Loads | None
    ) -> None:
        self._link, self._blocks, self._direction, self._key, self._loads = link, blocks, direction, key, loads
        self._sent = sent
        self._copies: dict[int, tuple[Any, float]] = {}
        self.decoded = np.zeros_like(sent)

    def hear(self, block: int, attempt: int, t_ns: int) -> bool:
        """Receive, combine, decode, check."""
        link, radio = self._link, self._link.air.radio
        tools = coder(self._blocks.mcs, self._blocks.block_bits)
        symbols = tools.modulate(self._sent[block][None])[0]
        mean_db, gain = link.mean_snr_db(t_ns, self._direction, self._loads), link.gain(t_ns)
        heard = add_noise(symbols, mean_db, gain, *link.key("code noise", self._direction, (*self._key, block, attempt)))
        belief = estimate(gain, mean_db, radio.pilots, *link.key("pilots", self._direction, (*self._key, block, attempt)))
        total, weight = self._copies.get(block, (0, 0.0))
        total, weight = total + equalise(heard, belief, "zf") / belief.output_noise, weight + 1 / belief.output_noise
        self._copies[block] = total, weight
        (bits,), (whole,) = tools.decode((total / weight)[None], np.array([1 / weight]))
        self.decoded[block] = bits
        if self._blocks.count == 1:
            return unpack(self.decoded, self._blocks)[1]
        if self._blocks.checksum_bits:
            return bool(np.array_equal(bits, add_crc(bits[:-24], "CRC24B")))
        return bool(whole)


def send_bits(
    link: Link,
    payload: np.ndarray,
    t_ns: int,
    direction: Direction,
    key: Sequence[keys.Key],
    mcs: Mcs,
    loads: Loads | None = None,
) -> tuple[np.ndarray, CodedTransfer]:
    """Send real bits over a coded link; the counterpart of `Link.send_coded`.

    Args:
        link: The link.
        payload: ``(n,)`` of 0 and 1.
        t_ns: Start of the first attempt.
        direction: ``up`` or ``down``.
        key: What noise and pilots belong to.
        mcs: Scheme.
        loads: As for `Link.mean_snr_db`.

    Returns:
        The bits as decoded (with errors where nothing was delivered), uint8 ``(n,)``, and the transfer.

    Raises:
        BadInput: If ``payload`` is not a vector of 0 and 1.
    """
    if payload.ndim != 1 or not np.isin(payload, (0, 1)).all():
        raise BadInput(f"payload of shape {payload.shape} is no vector of 0 and 1", "unpack bytes with numpy.unpackbits")
    blocks = segment(payload.size, mcs)
    receiver = BitsReceiver(link, pack(payload, blocks), blocks, direction, key, loads)
    (complete,), account = deliver([receiver], blocks, t_ns, link.air.radio)
    bits, whole = unpack(receiver.decoded, blocks)
    return bits, CodedTransfer(complete and whole, mcs, link.snr_db(t_ns, direction, loads), account)


def lost_blocks(mcs: Mcs, block_bits: int, snrs_db: np.ndarray, *key: keys.Key) -> np.ndarray:
    """Which of many independent code blocks are decoded wrongly over AWGN of a known SNR; for counting.

    Args:
        mcs: Scheme.
        block_bits: Length of the blocks, checksum included.
        snrs_db: ``(n,)`` Es/N0 of each block at the demapper, fading included.
        *key: Of bits and noise; the first blocks of more are the same ones.

    Returns:
        ``(n,)`` bool: any information bit is wrong.
    """
    tools, lost = coder(mcs, block_bits), []
    for first in range(0, len(snrs_db), BATCH):
        here = snrs_db[first : first + BATCH]
        n0 = 10 ** (-np.pad(here, (0, BATCH - len(here)), mode="edge") / 10)
        bits = keys.generator(*key, "bits", first).integers(0, 2, (BATCH, block_bits)).astype(np.uint8)
        sent = tools.modulate(bits)
        noise = keys.complex_normal(sent.size, *key, "noise", first).reshape(sent.shape)
        decoded, _ = tools.decode(sent + np.sqrt(n0)[:, None] * noise, n0)
        lost.append((decoded != bits).any(axis=1)[: len(here)])
    return np.concatenate(lost)
