"""The ``bits`` fidelity: real coding, and its agreement with the tables."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

pytest.importorskip("sionna")

from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.bus.channel import MCS_TABLE, Air, Area, Link, Mcs, Radio, segment
from semcast.bus.channel.bits import add_crc, pack, send_bits, unpack
from semcast.bus.errors import BadInput


def link(**radio: object) -> Link:
    return Air(1, Radio(**radio), Area(10, 10), {"bs": (0.0, 0.0)}, 30.0).link("bs", "user.1")  # type: ignore[arg-type]


def crc(bits: np.ndarray, polynomial: int, degree: int) -> list[int]:
    """Checksum by long division, written here on its own."""
    rest = 0
    for bit in [*bits.tolist(), *[0] * degree]:
        rest = rest << 1 | int(bit)
        if rest >> degree:
            rest ^= polynomial
    return [rest >> i & 1 for i in reversed(range(degree))]


@pytest.mark.parametrize(
    ("name", "polynomial", "degree"), [("CRC16", 0x11021, 16), ("CRC24A", 0x1864CFB, 24), ("CRC24B", 0x1800063, 24)]
)
def test_checksums_are_those_of_the_standard(name: str, polynomial: int, degree: int) -> None:
    bits = keys.generator("crc").integers(0, 2, 500).astype(np.uint8)
    assert add_crc(bits, name).tolist() == [*bits.tolist(), *crc(bits, polynomial, degree)]


@settings(max_examples=30)
@given(st.integers(1, 12_000), st.sampled_from(MCS_TABLE))
def test_blocks_come_back_and_a_flipped_bit_is_noticed(payload_bits: int, mcs: Mcs) -> None:
    payload = keys.generator("payload").integers(0, 2, payload_bits).astype(np.uint8)
    blocks = segment(payload_bits, mcs)
    sent = pack(payload, blocks)
    assert sent.shape == (blocks.count, blocks.block_bits)
    back, good = unpack(sent, blocks)
    assert good and np.array_equal(back, payload)
    sent[0, 0] ^= 1
    assert not unpack(sent, blocks)[1]


def test_long_payload_crosses_a_good_link() -> None:
    payload = keys.generator("payload").integers(0, 2, 9000).astype(np.uint8)
    back, transfer = send_bits(link(fixed_snr_db=12.0, fading="awgn"), payload, 0, "up", ("r",), MCS_TABLE[5])
    assert transfer.delivered and np.array_equal(back, payload)
    assert transfer.account == link(fixed_snr_db=30.0, fading="awgn").send_coded(9000, 0, "up", ("r",), MCS_TABLE[5]).account


def test_a_hopeless_link_says_so() -> None:
    payload = keys.generator("payload").integers(0, 2, 100).astype(np.uint8)
    back, transfer = send_bits(link(fixed_snr_db=-20.0, fading="awgn"), payload, 0, "up", ("r",), MCS_TABLE[9])
    assert not transfer.delivered and transfer.account.attempts == 4 and not np.array_equal(back, payload)


def test_only_bits_are_sent() -> None:
    with pytest.raises(BadInput, match="no vector of 0 and 1"):
        send_bits(link(), np.array([0, 1, 2]), 0, "up", ("r",), MCS_TABLE[0])


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two threads are slower than one on single blocks."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def attempts(transfer) -> int:  # type: ignore[no-untyped-def]
    return transfer.account.attempts if transfer.delivered else 5


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("pilots", [None, 4])
@pytest.mark.parametrize("index", [1, 3, 5, 7])
def test_both_fidelities_agree_under_fading_with_harq(index: int, pilots: int | None) -> None:
    """Same fades; loss after 1, 2 and 4 attempts differs by at most 0.06 plus three standard errors of the difference."""
    n, radio = 150, link(fixed_snr_db=8.0, pilots=pilots)
    real, table = [], []
    for i in range(n):
        payload = keys.generator("payload", i).integers(0, 2, 200).astype(np.uint8)
        real.append(attempts(send_bits(radio, payload, i * 10**9, "up", (i,), MCS_TABLE[index])[1]))
        table.append(attempts(radio.send_coded(200, i * 10**9, "up", (i,), MCS_TABLE[index])))
    for j in (1, 2, 4):
        lost = [np.mean(np.array(sample) > j) for sample in (real, table)]
        apart = np.mean((np.array(real) > j) != (np.array(table) > j))
        assert abs(lost[0] - lost[1]) <= 0.06 + 3 * np.sqrt(apart / n)
