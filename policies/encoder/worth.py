"""What a codec is worth at an SNR: the quality that its card predicts, less the price of its symbols."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated

from ..protocols import CodecCard


@dataclass(frozen=True)
class Price:
    """``db_per_ksymbol`` trades quality for air."""

    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0

    def __post_init__(self) -> None:
        if self.db_per_ksymbol < 0.0:
            raise ValueError("db_per_ksymbol must not be negative")


def price_db(card: CodecCard, db_per_ksymbol: float) -> float:
    """Price of a picture's complex symbols in dB of PSNR."""
    return db_per_ksymbol * card.symbols / 1000.0


def predicted_psnr_db(card: CodecCard, snr_db: float) -> float:
    """Linear interpolation in the card's table; beyond its ends the value there; 0 dB without a table."""
    table = card.psnr_db
    right = bisect_right(table, snr_db, key=lambda point: point[0])
    if right == 0 or right == len(table):
        return table[0 if right == 0 else -1][1] if table else 0.0
    (low, psnr_low), (high, psnr_high) = table[right - 1], table[right]
    return psnr_low + (psnr_high - psnr_low) * (snr_db - low) / (high - low)


def rank(worth: float, card: CodecCard) -> tuple[float, int, str]:
    """Order of choices: by worth; on a tie fewer symbols, then the name."""
    return worth, -card.symbols, card.name
