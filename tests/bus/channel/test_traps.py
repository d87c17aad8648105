"""The ten traps that make published numbers disagree (project anchors, section 2), one or more tests each, and one of Pillow's.

Each states the value that the mistake would give, and that ours is another.
"""

import dataclasses
import io
import math
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from semcast.agents.accounting import body_bits
from semcast.agents.models.codecs.classical import FORMATS, Files, compress, decompress
from semcast.agents.models.codecs.classical_link import Budget, fit
from semcast.agents.prompt_codec import HEADER_BITS, PromptContent, encode
from semcast.bus import keys
from semcast.bus.channel import MCS_TABLE, Air, Area, Link, Radio, bler, choose_mcs, coded_account, symbol_account, unit_power
from semcast.bus.channel.awgn import add_noise
from semcast.bus.channel.expected import expected
from semcast.bus.channel.mcs import Blocks, segment
from semcast.bus.channel.uncoded import closed_form
from semcast.bus.errors import BadInput
from semcast.bus.messages import CodedPicture
from semcast.scenarios.evaluations.jscc import budget_symbols, side_blocks

from ...agents.models.photo_like import photo_like

AIR = Air(1, Radio(), Area(10, 10), {"bs": (0.0, 0.0)})
GAINS = np.array([AIR.link("bs", f"user.{i}").gain(10**9) for i in range(4000)])


def link(**radio: object) -> Link:
    return Air(1, Radio(**radio), Area(10, 10), {"bs": (0.0, 0.0)}).link("bs", "user.1")  # type: ignore[arg-type]


def qpsk(n: int) -> np.ndarray:
    signs = 1 - 2 * keys.generator("bits").integers(0, 2, (2, n))
    return ((signs[0] + 1j * signs[1]) / np.sqrt(2)).astype(np.complex64)


# 1. Real against complex channel uses: a factor of two in CBR.


def test_trap_1_real_against_complex_channel_uses_of_symbols() -> None:
    """768 reals are 384 complex uses: reals are refused, and complex symbols are counted as such."""
    with pytest.raises(BadInput, match="complex vector"):
        link().send_symbols(np.ones(768, np.float32), 0, "down", ("r",))
    sent = qpsk(384)
    assert link(coherence_ns=10**9).send_symbols(sent, 0, "down", ("r",)).account.complex_symbols == 384


def test_trap_1_real_against_complex_channel_uses_of_budgets() -> None:
    """CBR 1/16 of 256x256 is 12,288 complex uses, not 24,576; 16QAM of rate 1/2 carries two bits in each."""
    assert budget_symbols(np.zeros((256, 256, 3), np.uint8), Fraction(1, 16)) == 12_288
    bits = Budget(12_288).payload_bits(MCS_TABLE[4])
    assert 0.95 * 12_288 * MCS_TABLE[4].efficiency < bits < 12_288 * MCS_TABLE[4].efficiency


# 2. Noise variance sigma^2 against sigma^2 / 2: 3 dB.


def test_trap_2_noise_variance_is_that_of_the_complex_symbol() -> None:
    """At 0 dB the whole complex noise has power 1, not 2 and not 1/2; I and Q have a half each."""
    noise = add_noise(qpsk(200_000), 0.0, 1.0, "n") - qpsk(200_000)
    assert np.mean(np.abs(noise) ** 2) == pytest.approx(1, rel=0.01)
    assert [np.var(noise.real), np.var(noise.imag)] == pytest.approx([0.5, 0.5], rel=0.01)


def test_trap_2_qpsk_errors_are_those_of_this_variance() -> None:
    """Hard QPSK decisions at 4 dB: Q(sqrt(Es/N0)); with the noise of 1 dB or 7 dB the count would be 2 or 1/5 of it."""
    sent = qpsk(200_000)
    got = add_noise(sent, 4.0, 1.0, "errors")
    share = float(np.mean([(got.real > 0) != (sent.real > 0), (got.imag > 0) != (sent.imag > 0)]))
    assert share == pytest.approx(closed_form(2, 4.0), rel=0.03)
    assert closed_form(2, 1.0) > 2 * share and closed_form(2, 7.0) < share / 4


# 3. Fading with E|h|^2 = 2: 3 dB.


def test_trap_3_fading_has_mean_power_one() -> None:
    assert np.mean(np.abs(GAINS) ** 2) == pytest.approx(1, abs=0.06)


# 4. Real gains called Rayleigh.


def test_trap_4_rayleigh_gains_are_complex() -> None:
    """A real Gaussian gain has E|h|^4 = 3 and P(|h|^2 < 0.1) = 0.25; a Rayleigh one 2, and 1 - exp(-0.1)."""
    assert np.mean(np.abs(GAINS) ** 4) == pytest.approx(2, abs=0.2)
    assert np.mean(np.abs(GAINS) ** 2 < 0.1) == pytest.approx(1 - np.exp(-0.1), abs=0.02)
    assert np.std(GAINS.imag) == pytest.approx(np.std(GAINS.real), rel=0.06)


# 5. Eb/N0 against Es/N0.


def test_trap_5_waterfalls_are_over_es_n0() -> None:
    """Each middle lies 0 to 3 dB above Shannon's Es/N0; over Eb/N0 it would be off by 10 log10(efficiency), up to 7 dB."""
    for mcs in MCS_TABLE:
        limit_db = 10 * np.log10(2**mcs.efficiency - 1)
        assert bler(mcs, 1024, limit_db) > 0.5 > bler(mcs, 1024, limit_db + 3)


def test_trap_5_uncoded_errors_are_over_es_n0() -> None:
    """BPSK at Es/N0 = Eb/N0 = 0 dB: Q(sqrt 2) = 0.0786; QPSK has that at Es/N0 = 3.01 dB."""
    assert closed_form(1, 0.0) == pytest.approx(0.0786, abs=1e-4)
    assert closed_form(2, 10 * math.log10(2)) == pytest.approx(closed_form(1, 0.0))
    assert closed_form(2, 0.0) == pytest.approx(0.1587, abs=1e-4)


# 6. Power normalised per batch instead of per image.


def test_trap_6_power_is_normalised_for_each_image() -> None:
    """A strong and a weak image in one batch each get mean power 1; what has another power is refused."""
    batch = np.stack([qpsk(100) * 10, qpsk(100) * 0.1])
    assert np.mean(np.abs(unit_power(batch)) ** 2, axis=1) == pytest.approx([1, 1], abs=1e-5)
    with pytest.raises(BadInput, match="mean power"):
        link().send_symbols((batch / np.sqrt(np.mean(np.abs(batch) ** 2)))[1].astype(np.complex64), 0, "down", ("r",))


# 7. One SNR per batch.


def test_trap_7_every_transfer_meets_its_own_channel() -> None:
    radio = link(fixed_snr_db=10.0)
    got = [radio.send_symbols(qpsk(64), t * 10**9, "down", ("r", t)) for t in range(20)]
    assert len({round(transfer.snr_db, 6) for transfer in got}) == 20
    still = link(fixed_snr_db=10.0, fading="awgn", pilots=None)
    noises = [still.send_symbols(qpsk(64), 0, "down", ("r", i)).received for i in range(20)]
    assert len({noise.tobytes() for noise in noises}) == 20


# 8. Captions, masks and rate indices that are not charged.


def test_trap_8_checksums_pilots_feedback_and_reports_are_charged() -> None:
    radio = Radio()
    cost = coded_account(160, MCS_TABLE[4], radio)
    assert cost.complex_symbols == 92 > 160 / MCS_TABLE[4].efficiency
    assert cost.total_symbols == 92 + 4 + 12
    assert symbol_account(768, radio).total_symbols == 772
    report = link().measure(0, "down")
    assert report.bits > 0 and report.pilot_symbols > 0


def test_trap_8_captions_are_charged() -> None:
    plain = PromptContent(number=1, recipient=2, time_ms=3, task="greeting", parts=())
    told = dataclasses.replace(plain, parts=("caption",), caption="a red dog on grass")
    assert encode(plain)[1] == HEADER_BITS and encode(told)[1] >= HEADER_BITS + 5 * 7


def test_trap_8_the_class_map_and_rate_of_a_photograph_are_charged() -> None:
    """Our symbols are what the budget leaves after header (rate, size, scale) and block classes in coded bits."""
    from ...agents.models.photo_like import linear_codec

    codec, picture = linear_codec(), photo_like(96, 128, "traps")
    sketch = codec.sketch(picture)
    sent = codec.encode(sketch, 1000, 10.0)
    assert sketch.bits <= 8 * len(sent.side) and sketch.bits > 58
    assert len(sent.side) * 8 - sketch.bits < 8 and side_blocks(sketch.bits, 10.0).payload_bits == sketch.bits


def test_trap_8_repetitions_are_charged() -> None:
    blocks = segment(3000, MCS_TABLE[4])
    assert expected(blocks, 5.0, "rayleigh", 4).symbols > 1.2 * expected(blocks, 5.0, "rayleigh", 1).symbols
    once, twice = Budget(6000, rounds=1), Budget(6000, rounds=2)
    assert twice.payload_bits(MCS_TABLE[4]) < once.payload_bits(MCS_TABLE[4]) / 1.9


# 9. Float drift with the shape of a batch.


def test_trap_9_one_image_gives_the_same_bytes_alone_as_beside_others() -> None:
    batch = np.stack([keys.complex_normal(1000, i) for i in range(7)])
    alone = [unit_power(row) for row in batch]
    assert np.array_equal(unit_power(batch), np.stack(alone))
    again = [link().send_symbols(row, 0, "down", ("r", i)).received for i, row in reversed(list(enumerate(alone)))]
    assert all(
        np.array_equal(link().send_symbols(row, 0, "down", ("r", i)).received, again[6 - i]) for i, row in enumerate(alone)
    )


def test_trap_9_a_block_is_decoded_alike_whatever_is_decoded_beside_it() -> None:
    """Blocks go in batches of one fixed shape: the first ones of many are lost where they are lost among few."""
    pytest.importorskip("sionna")
    from semcast.bus.channel.bits import lost_blocks

    many = lost_blocks(MCS_TABLE[3], 128, np.full(150, 4.0), "drift")
    assert 0 < many.sum() < 150
    for n in (1, 63, 65):
        assert np.array_equal(lost_blocks(MCS_TABLE[3], 128, np.full(n, 4.0), "drift"), many[:n])


# 10. Codec headers left out.


@pytest.mark.parametrize("codec", FORMATS)
def test_trap_10_files_are_charged_with_their_headers(codec: str) -> None:
    """An even picture has nothing to say: what is charged of it are headers, and without them it cannot be opened."""
    file = Files(np.full((64, 64, 3), 90, np.uint8), codec).file(FORMATS[codec].qualities[0])
    found = fit(Files(np.full((64, 64, 3), 90, np.uint8), codec), MCS_TABLE[4], Budget(3000))
    least_bytes = {"jpeg": 300, "jpeg2000": 100, "webp": 40, "avif": 200}[codec]
    assert len(file) >= least_bytes and found is not None
    assert found.blocks.payload_bits == 8 * len(found.file) >= 8 * least_bytes
    with pytest.raises(BadInput, match="no picture"):
        decompress(file[30:])


def test_trap_10_a_header_that_does_not_fit_makes_the_budget_infeasible() -> None:
    """The smallest JPEG of 64x64 is longer than 512 uses of 16QAM rate 1/2 (CBR 1/24) carry: None, not a picture."""
    files = Files(photo_like(64, 64, "header"), "jpeg")
    assert fit(files, MCS_TABLE[4], Budget(512)) is None


def test_trap_10_the_network_charges_the_whole_file() -> None:
    file = compress(photo_like(64, 64, "network"), "webp", 50)
    sent = CodedPicture("user.0/0", "user.1", 0, "coded-q50", file)
    assert body_bits(sent) > 8 * len(file)


# And one of Pillow's: without mct=1 its JPEG 2000 codes red, green and blue each for itself.


def test_trap_pillow_jpeg_2000_needs_mct() -> None:
    """At equal size our JPEG 2000 is more than a decibel better than without the colour transform."""
    picture = photo_like(128, 128, "mct")
    assert FORMATS["jpeg2000"].options["mct"] == 1
    ours = Files(picture, "jpeg2000").best(8 * 4000)
    assert ours is not None

    def without(ratio: float) -> bytes:
        stream = io.BytesIO()
        options = dict(FORMATS["jpeg2000"].options) | {"mct": 0}
        Image.fromarray(picture).save(stream, "JPEG2000", quality_mode="rates", quality_layers=[ratio], **options)
        return stream.getvalue()

    other = next(file for ratio in np.geomspace(40, 5, 80)[::-1] if len(file := without(float(ratio))) <= len(ours))
    errors = [float(np.mean((decompress(file).astype(float) - picture) ** 2)) for file in (ours, other)]
    assert len(other) > 0.97 * len(ours) and 10 * math.log10(errors[1] / errors[0]) > 1.0


def test_blocks_and_choice_are_over_the_same_snr() -> None:
    """Link adaptation reads the tables that losses are drawn from: 3 dB off would break its target by far."""
    for snr_db in (2.0, 8.0, 14.0):
        chosen = choose_mcs(snr_db, 1024, 0.1)
        blocks = Blocks(1000, 1024, 1, chosen)
        assert 1 - expected(blocks, snr_db).delivered <= 0.1 < 1 - expected(blocks, snr_db - 3.01).delivered
