"""What both ways compute, counted: the networks' FLOPs by torch, those of classical and channel coding by rules told here.

A multiply-add is two. Channel decoding: belief propagation of the 5G LDPC code, `ITERATIONS` times `EDGE_FLOPS` for each edge of
the mother graph (two look-ups of phi and four additions: an upper bound, since decoders leave out rows that were not sent).
"""

from ...agents.models.digits.data import PIXELS
from ...bus.channel import Mcs, segment
from ...bus.channel.bits import ITERATIONS

EDGE_FLOPS = 6
BASE_EDGES = {1: 316, 2: 197}
"""Entries of the base graphs (TS 38.212 tables 5.3.2-2 and 5.3.2-3)."""
PIXEL_CODER_FLOPS = 4 * PIXELS
"""Rounding pixels to levels, or looking levels up: scale, add, round, clip a pixel."""
JPEG_CODER_FLOPS = 16 * (29 + 5) + 2 * PIXELS
"""A block of JPEG: 16 one-dimensional cosine transforms (Arai, Agui and Nakajima 1988), quantisation; Huffman coding left out."""


def base_graph(block_bits: int, rate: float) -> int:
    """1 or 2, by TS 38.212 section 7.2.2."""
    return 2 if block_bits <= 292 or (block_bits <= 3824 and rate <= 0.67) or rate <= 0.25 else 1


def lifting(block_bits: int, graph: int) -> int:
    """The lifting size Z: the least of TS 38.212 table 5.3.2-1 with room for the block (section 5.2.2)."""
    columns = 22 if graph == 1 else 10 if block_bits > 640 else 9 if block_bits > 560 else 8 if block_bits > 192 else 6
    sizes = sorted(a << j for a in (2, 3, 5, 7, 9, 11, 13, 15) for j in range(8) if a << j <= 384)
    return next(size for size in sizes if size * columns >= block_bits)


def decoding_flops(payload_bits: int, mcs: Mcs) -> int:
    """Channel decoding of one message."""
    blocks = segment(payload_bits, mcs)
    graph = base_graph(blocks.block_bits, mcs.rate_1024 / 1024)
    return blocks.count * ITERATIONS * EDGE_FLOPS * BASE_EDGES[graph] * lifting(blocks.block_bits, graph)
