"""The traps that make published numbers disagree (project anchors, section 2): a test for each that is the channel's."""

import numpy as np
import pytest
from semcast.bus import keys
from semcast.bus.channel import MCS_TABLE, Air, Area, Radio, bler, coded_account, symbol_account, unit_power
from semcast.bus.channel.awgn import add_noise
from semcast.bus.errors import BadInput


def link(**radio: object):  # type: ignore[no-untyped-def]
    return Air(1, Radio(**radio), Area(10, 10), {"bs": (0.0, 0.0)}).link("bs", "user.1")  # type: ignore[arg-type]


def qpsk(n: int) -> np.ndarray:
    signs = 1 - 2 * keys.generator("bits").integers(0, 2, (2, n))
    return ((signs[0] + 1j * signs[1]) / np.sqrt(2)).astype(np.complex64)


def test_trap_real_against_complex_channel_uses() -> None:
    """768 reals are 384 complex uses: reals are refused, and complex symbols are counted as such."""
    with pytest.raises(BadInput, match="complex vector"):
        link().send_symbols(np.ones(768, np.float32), 0, "down", ("r",))
    sent = qpsk(384)
    assert link(coherence_ns=10**9).send_symbols(sent, 0, "down", ("r",)).account.complex_symbols == 384


def test_trap_sigma_squared_against_half() -> None:
    """At 0 dB the whole complex noise has power 1, not 2 and not 1/2."""
    noise = add_noise(qpsk(200_000), 0.0, 1.0, "n") - qpsk(200_000)
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(1, rel=0.01)


def test_trap_fading_power_of_two() -> None:
    air = Air(1, Radio(), Area(10, 10), {"bs": (0.0, 0.0)})
    power = np.mean([abs(air.link("bs", f"user.{i}").gain(10**9)) ** 2 for i in range(4000)])
    assert power == pytest.approx(1, abs=0.06)


def test_trap_real_gains_called_rayleigh() -> None:
    """A real Gaussian gain has E|h|^4 = 3; a Rayleigh one has 2, and P(|h|^2 < x) = 1 - exp(-x)."""
    air = Air(1, Radio(), Area(10, 10), {"bs": (0.0, 0.0)})
    h = np.array([air.link("bs", f"user.{i}").gain(10**9) for i in range(4000)])
    assert np.mean(np.abs(h) ** 4) == pytest.approx(2, abs=0.2)
    assert np.mean(np.abs(h) ** 2 < 0.1) == pytest.approx(1 - np.exp(-0.1), abs=0.02)
    assert np.std(h.imag) == pytest.approx(np.std(h.real), rel=0.06)


def test_trap_ebn0_against_esn0() -> None:
    """Each middle lies 0 to 3 dB above Shannon's Es/N0; over Eb/N0 it would be off by 10 log10(efficiency)."""
    for mcs in MCS_TABLE:
        limit_db = 10 * np.log10(2**mcs.efficiency - 1)
        assert bler(mcs, 1024, limit_db) > 0.5 > bler(mcs, 1024, limit_db + 3)


def test_trap_power_per_batch() -> None:
    """A strong and a weak image in one batch each get mean power 1."""
    batch = np.stack([qpsk(100) * 10, qpsk(100) * 0.1])
    assert np.mean(np.abs(unit_power(batch)) ** 2, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_trap_one_snr_per_batch() -> None:
    """Every transfer meets its own fade and its own noise."""
    radio = link(fixed_snr_db=10.0)
    got = [radio.send_symbols(qpsk(64), t * 10**9, "down", ("r", t)) for t in range(20)]
    assert len({round(transfer.snr_db, 6) for transfer in got}) == 20


def test_trap_side_information_is_charged() -> None:
    """Checksums, pilots, acknowledgements and CSI reports cost symbols or bits."""
    radio = Radio()
    cost = coded_account(160, MCS_TABLE[4], radio)
    assert cost.complex_symbols == 92 > 160 / MCS_TABLE[4].efficiency
    assert cost.total_symbols == 92 + 4 + 12
    assert symbol_account(768, radio).total_symbols == 772
    report = link().measure(0, "down")
    assert report.bits > 0 and report.pilot_symbols > 0


def test_trap_drift_with_batch_shape() -> None:
    """Normalising and sending one image gives the same bytes alone as beside others."""
    batch = np.stack([keys.complex_normal(1000, i) for i in range(7)])
    alone = [unit_power(row) for row in batch]
    assert np.array_equal(unit_power(batch), np.stack(alone))
    again = [link().send_symbols(row, 0, "down", ("r", i)).received for i, row in reversed(list(enumerate(alone)))]
    assert all(
        np.array_equal(link().send_symbols(row, 0, "down", ("r", i)).received, again[6 - i]) for i, row in enumerate(alone)
    )
