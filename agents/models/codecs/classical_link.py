"""A classical picture over a coded link at an exact number of complex channel uses: everything is paid from it.

The file with its headers, checksums, parity bits, zero filling, pilots and, where the budget pays for repetitions, these with
their feedback. What is left is padding and stays charged. A picture whose smallest file does not fit is infeasible; one whose
checksum is wrong is lost, and its receiver shows mid-grey.
"""

from dataclasses import dataclass

import numpy as np

from ....bus.channel import Blocks, CodedTransfer, Link, Mcs, segment
from ....bus.channel.bits import send_bits
from ....bus.channel.mcs import largest_payload_bits
from ....bus.channel.radio import Direction
from ....bus.keys import Key
from .classical import Files, decompress

GREY = 128
"""Level of what is shown of a lost picture."""


@dataclass(frozen=True)
class Budget:
    """Complex channel uses of one picture.

    Attributes:
        symbols: All of them.
        pilots: Of each transmission of the whole: its code blocks share one group.
        rounds: How many transmissions of the whole they must pay for; those not needed are padding.
        feedback: Symbols of HARQ feedback for each code block of each transmission.
    """

    symbols: int
    pilots: int = 0
    rounds: int = 1
    feedback: int = 0

    def payload_bits(self, mcs: Mcs) -> int:
        """Most bits of a file that can be sent by a scheme; 0 if none."""
        return largest_payload_bits(self.symbols // self.rounds - self.pilots, mcs, self.feedback)


@dataclass(frozen=True)
class Fitted:
    """A file that keeps within a budget.

    Attributes:
        file: As Pillow wrote it.
        blocks: Its code blocks.
        symbols: Complex channel uses of one transmission, pilots and feedback included.
        padding: Uses of the budget that carry nothing; charged.
    """

    file: bytes
    blocks: Blocks
    symbols: int
    padding: int


def fit(files: Files, mcs: Mcs, budget: Budget) -> Fitted | None:
    """The best file of a picture that a scheme carries within a budget; None: infeasible, even the smallest is too long."""
    file = files.best(budget.payload_bits(mcs))
    if file is None:
        return None
    blocks = segment(8 * len(file), mcs)
    symbols = blocks.complex_symbols + budget.pilots + blocks.count * budget.feedback
    return Fitted(file, blocks, symbols, budget.symbols - budget.rounds * symbols)


def coded(picture: np.ndarray, codec: str, quality: int, mcs: Mcs) -> tuple[bytes, Blocks]:
    """A picture at a fixed quality and scheme: its file, and the code blocks it takes (``.complex_symbols``, ``.coded_bits``).

    Args:
        picture: (H, W, 3) uint8 RGB.
        codec: A key of `classical.FORMATS`.
        quality: One of that format's.
        mcs: Scheme of either code, e.g. ``bus.channel.mcs.MCS_BY_NAME["802.11n 16QAM 0.50"]``.

    Raises:
        BadInput: No such format.
        Missing: Pillow cannot write it.
    """
    file = Files(picture, codec).file(quality)
    return file, segment(8 * len(file), mcs)


def send(
    file: bytes, link: Link, mcs: Mcs, t_ns: int, direction: Direction, key: tuple[Key, ...]
) -> tuple[bytes | None, CodedTransfer]:
    """Send the bits of a file through the real link (fidelity ``bits``).

    Returns:
        The file as it arrived; None where a checksum says that it is damaged. And what it cost.

    Raises:
        Missing: Sionna is not installed.
    """
    bits, transfer = send_bits(link, np.unpackbits(np.frombuffer(file, np.uint8)), t_ns, direction, key, mcs)
    return np.packbits(bits).tobytes() if transfer.delivered else None, transfer


def shown(file: bytes | None, height: int, width: int) -> np.ndarray:
    """What the receiver shows, (H, W, 3) uint8: the picture, or mid-grey where it was lost (None)."""
    return np.full((height, width, 3), GREY, np.uint8) if file is None else decompress(file)
