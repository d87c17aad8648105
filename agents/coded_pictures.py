"""Pictures as coded bits: a WebP file over the coded link, where a scenario offers it beside the JSCC codecs.

A format is what an encoder policy sees as one more card, whose symbols follow from the SNR: ``card``. Bits and PSNR are means
over the codec library's 200 validation scenes (a test measures them again), so that formats and JSCC codecs compare.
"""

from dataclasses import dataclass

from ..bus.channel import choose_mcs, segment
from ..bus.channel.mcs import MCS_TABLE
from ..policies.protocols import CODED, CodecCard
from .models.roles import PICTURE_SIDE
from .settings import FIRST_MARGIN_DB, NetworkSettings

ENCODE_FLOPS, DECODE_FLOPS = 7_000_000, 2_500_000
"""Work of one picture: 0.47 and 0.16 ms (measured) of a core that does 15 GFLOP/s in the JSCC networks."""


@dataclass(frozen=True)
class Format:
    """``name`` of the choice, ``quality``, and what it means on scenes; ``codec`` and the work that a picture takes."""

    name: str
    quality: int
    bits: int
    psnr_db: float
    codec: str = "webp"
    encode_flops: int = ENCODE_FLOPS
    decode_flops: int = DECODE_FLOPS


FORMATS = {form.name: form for form in (Format(f"{CODED}q50", 50, 5905, 28.11), Format(f"{CODED}q85", 85, 10962, 30.20))}


def card(form: Format, settings: NetworkSettings, mean_db: float) -> CodecCard:
    """A format as an encoder policy sees it.

    ``symbols`` are those of the scheme that a base station would choose at the reported mean SNR less its first margin, with
    the share of first attempts that it accepts to lose. ``psnr_db`` is flat: retransmissions deliver it or nothing.
    """
    radio, compute = settings.radio, settings.compute
    blocks = segment(form.bits, MCS_TABLE[0])
    mcs = choose_mcs(mean_db - FIRST_MARGIN_DB, blocks.block_bits, radio.target_bler)
    symbols = round(segment(form.bits, mcs).complex_symbols * (1.0 + radio.target_bler))
    work_j = ENCODE_FLOPS * compute.joule_per_flop_server + DECODE_FLOPS * compute.joule_per_flop_user
    return CodecCard(
        form.name,
        mean_db,
        symbols / (3 * PICTURE_SIDE * PICTURE_SIDE),
        symbols,
        ((mean_db, form.psnr_db),),
        ENCODE_FLOPS / compute.edge_flops,
        DECODE_FLOPS / compute.user_flops,
        work_j + 10 ** ((radio.bs_power_dbm - 30) / 10) * symbols / radio.bandwidth_hz,
    )
