"""The LDPC code of IEEE 802.11n-2009 (section 20.3.11.6, Annex R) of n = 648 and rate 1/2: real encoding and decoding.

The parity check matrix is Sionna's example 4: 12 x 24 circulants of 27 x 27, the last 12 columns dual-diagonal; the tests hold it
against the standard's Table R.1. Decoding is Sionna's belief propagation. A block of fewer than 324 bits is filled with zeros,
which are not sent and which the receiver knows (shortening, section 20.3.11.6.5). Left out: puncturing and repetition,
lengths 1296 and 1944, the interleaver (bits of one symbol share its fate; on a flat channel nothing else does).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from .mcs import WIFI_BLOCK_BITS

CIRCULANT = 27
KNOWN_LLR = -20.0
"""Of a bit that is known to be zero: Sionna's largest, log P(1) / P(0)."""


@lru_cache(maxsize=1)
def parity_checks() -> np.ndarray:
    """H, (324, 648) uint8: code words are the c with H c = 0 (mod 2)."""
    from sionna.phy.fec.utils import load_parity_check_examples

    matrix: np.ndarray = np.asarray(load_parity_check_examples(4)[0], np.uint8)
    return matrix


class WifiEncoder:
    """Blocks to what is sent of their code words, by back substitution (Cai et al., Electronics Letters 42(25), 2006).

    With s = Hs u in 12 parts, the first part of the parity bits is the sum of all parts of s, as in the first parity column
    the circulants of the first and last row (shift 1) cancel; the others follow row by row along the dual diagonal.

    Args:
        block_bits: Information bits of a block, at most 324.
        coded_bits: Bits sent of a code word; those beyond ``block_bits + 324`` fill up its last symbol with zeros.
    """

    def __init__(self, block_bits: int, coded_bits: int) -> None:
        self.block_bits, self._coded_bits = block_bits, coded_bits

    def __call__(self, bits: Any) -> Any:
        """(n, block_bits) of 0 and 1, a float tensor -> (n, coded_bits), likewise."""
        import torch

        known = bits.numpy().astype(np.uint8)
        whole = np.pad(known, ((0, 0), (0, WIFI_BLOCK_BITS - self.block_bits)))
        parity = _parity(whole)
        filling = np.zeros((len(known), self._coded_bits - self.block_bits - WIFI_BLOCK_BITS), np.uint8)
        return torch.from_numpy(np.concatenate([known, parity, filling], axis=1).astype(np.float32))


def _parity(information: np.ndarray) -> np.ndarray:
    """Parity bits (n, 324) of information bits (n, 324), uint8."""
    matrix = parity_checks()
    checks = matrix[:, :WIFI_BLOCK_BITS].astype(np.int64)
    parts = (information.astype(np.int64) @ checks.T % 2).reshape(len(information), -1, CIRCULANT)
    first = parts.sum(axis=1) % 2
    column = matrix[:, WIFI_BLOCK_BITS : WIFI_BLOCK_BITS + CIRCULANT].astype(np.int64)
    rest = (parts + (first @ column.T % 2).reshape(parts.shape)) % 2
    others = np.cumsum(rest[:, :-1], axis=1) % 2  # row i: p_i + p_(i+1) = rest_i, without p_0
    return np.concatenate([first[:, None], others], axis=1).reshape(len(information), -1).astype(np.uint8)


class WifiDecoder:
    """Log-likelihood ratios to blocks: belief propagation of a number of iterations."""

    def __init__(self, block_bits: int, iterations: int) -> None:
        from sionna.phy.fec.ldpc import LDPCBPDecoder

        self._block_bits = block_bits
        self._decoder = LDPCBPDecoder(parity_checks(), num_iter=iterations)

    def words(self, llrs: Any) -> np.ndarray:
        """(n, coded_bits) of log P(1) / P(0) -> hard decisions (n, 648) uint8, code words or not."""
        import torch

        k, n = self._block_bits, len(llrs)
        known = torch.full((n, WIFI_BLOCK_BITS - k), KNOWN_LLR)
        whole = torch.cat([llrs[:, :k], known, llrs[:, k : k + WIFI_BLOCK_BITS]], dim=1)
        decided: np.ndarray = self._decoder(whole).numpy().astype(np.uint8)
        return decided

    def __call__(self, llrs: Any) -> Any:
        """(n, coded_bits) -> information bits (n, block_bits), a float tensor."""
        import torch

        return torch.from_numpy(self.words(llrs)[:, : self._block_bits].astype(np.float32))


def is_code_word(words: np.ndarray) -> np.ndarray:
    """Whether all parity checks hold: (n, 648) -> (n,) bool. A wrong code word passes about never, but may."""
    return np.asarray(~(words.astype(np.int64) @ parity_checks().T.astype(np.int64) % 2).any(axis=1))
