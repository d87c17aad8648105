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

ITERATIONS = 20
"""Belief propagation iterations; the tables were made with as many."""


@dataclass(frozen=True)
class Coder:
    """Sionna's blocks for one scheme and block length: bits -> LDPC -> QAM, and back."""

    encoder: Any
    decoder: Any
    mapper: Any
    demapper: Any


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
    constellation = Constellation("qam", order)
    encoder = LDPC5GEncoder(block_bits, mcs.symbols(block_bits) * order, num_bits_per_symbol=order)
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
    room = blocks.block_bits - 24
    parts = np.pad(whole, (0, blocks.count * room - whole.size)).reshape(blocks.count, room)
    return np.stack([add_crc(part, "CRC24B") for part in parts])


def unpack(decoded: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, bool]:
    """Payload of decoded blocks ``(count, block_bits)`` and whether the transport block's checksum holds."""
    joined = decoded.reshape(-1) if blocks.count == 1 else decoded[:, : blocks.block_bits - 24].reshape(-1)
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
        import torch

        link, radio = self._link, self._link.air.radio
        tools = coder(self._blocks.mcs, self._blocks.block_bits)
        with torch.inference_mode():
            bits = torch.from_numpy(self._sent[block].astype(np.float32))[None]
            symbols = tools.mapper(tools.encoder(bits))[0].numpy()
            mean_db, gain = link.mean_snr_db(t_ns, self._direction, self._loads), link.gain(t_ns)
            heard = add_noise(symbols, mean_db, gain, *link.key("code noise", self._direction, (*self._key, block, attempt)))
            belief = estimate(gain, mean_db, radio.pilots, *link.key("pilots", self._direction, (*self._key, block, attempt)))
            total, weight = self._copies.get(block, (0, 0.0))
            total, weight = total + equalise(heard, belief, "zf") / belief.output_noise, weight + 1 / belief.output_noise
            self._copies[block] = total, weight
            combined = torch.from_numpy((total / weight).astype(np.complex64))[None]
            out = (
                tools.decoder(tools.demapper(combined, torch.tensor(1 / weight, dtype=torch.float32)))[0].numpy().astype(np.uint8)
            )
        self.decoded[block] = out
        if self._blocks.count == 1:
            return unpack(self.decoded, self._blocks)[1]
        return bool(np.array_equal(out, add_crc(out[:-24], "CRC24B")))


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
