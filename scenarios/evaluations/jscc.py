"""The photograph codec against JPEG and AVIF over LDPC and QAM, at equal complex channel uses on the same pictures.

Each scheme gets floor(CBR * 3 H W) complex symbols of an AWGN channel for a picture, side information and file headers
included, and sends once. Ours: side information (size, scale, block classes) in coded bits, at the fastest scheme that loses at
most one in a thousand, and JSCC symbols with what is left. Rivals: the best file that fits at each fixed scheme (MCS); the
picture is there if all its code blocks are. Block losses follow the
shipped BLER tables (Sionna, AWGN); their effect is averaged exactly, not drawn. A picture that is lost, or that fits at no
quality, is mid-grey and counts. PSNR is against what entered the encoder: the mean over pictures of each picture's PSNR.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...agents.models.cards import file_sha256
from ...agents.models.codecs.classical import Files, decompress
from ...bus.channel import MCS_TABLE, Mcs, bler, choose_mcs, segment
from ...bus.channel.awgn import add_noise
from ...bus.channel.mcs import Blocks, largest_payload_bits
from ...bus.errors import BadInput
from . import Request
from .score import Score, Skipped, mean

if TYPE_CHECKING:
    from ...agents.models.cards import Card
    from ...agents.models.codecs.photo import PhotoCodec

SUFFIXES = (".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
OURS = "semcast"
RIVALS = ("jpeg", "avif")
"""The oldest and the best of `classical.FORMATS`; the study ``classical`` has all."""
GREY = 128
BELOW_CLIFF_DB = 2.0
UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError)
SIDE_LOSS = 1e-3
"""Largest block error rate at which our side information is sent."""
INFEASIBLE = "infeasible: the budget is too small for every picture"
Values = dict[str, np.ndarray | None]
"""Name of a scheme -> PSNR in dB of shape (pictures, SNRs), or None where its budget is infeasible for every picture."""


@dataclass(frozen=True)
class Rival:
    """One picture's file at one scheme: its PSNR once decoded, and its code blocks; None if no file fits."""

    psnr_db: float
    blocks: Blocks

    def arrives(self, snr_db: float) -> float:
        """Probability that all blocks are decoded."""
        return arrival(self.blocks, snr_db)

    def cliff_db(self) -> float:
        """SNR in dB at which the picture arrives in one case of two."""
        low, high = -20.0, 60.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.arrives(middle) < 0.5 else (low, middle)
        return low


@dataclass(frozen=True)
class Row:
    """What was found on one picture.

    Attributes:
        ours: PSNR in dB at each SNR; None if the budget is too small.
        rivals: Format -> the file at each MCS.
        grey_db: PSNR of mid-grey.
    """

    ours: list[float] | None
    rivals: Mapping[str, list[Rival | None]]
    grey_db: float


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """PSNR of every scheme at every SNR, cliffs of the fixed schemes, and our gap to the best scheme of each format.

    Raises:
        BadInput: No folder of pictures was given, it has none or a broken one, or the CBR is out of range.
        Missing: The codec's weights or AVIF are not there.
    """
    from rich.console import Console
    from rich.progress import track

    from ...agents.models.codecs.photo import load_photo_codec

    check_cbr(request.cbr)
    codec = load_photo_codec()
    paths, left_out = unseen(picture_paths(request.images), codec.card)
    for path in paths:
        check_size(path)
    console, rows = Console(stderr=True), []
    for number, path in enumerate(track(paths, f"{len(paths)} pictures", console=console, disable=not console.is_terminal)):
        if not console.is_terminal:
            console.print(f"picture {number + 1} of {len(paths)}")
        picture, sha256 = read_picture(path), file_sha256(path)
        found = {form: rivals(picture, form, request.cbr) for form in RIVALS}
        rows.append(Row(ours(codec, picture, request, sha256), found, grey_psnr_db(picture)))
    return figures(rows, request.snrs_db) | {"left_out_trained_on": Score(left_out, left_out, left_out, len(paths) + left_out)}


def unseen(paths: Sequence[Path], card: "Card | None") -> tuple[list[Path], int]:
    """The pictures that the codec was not trained on, by the hash of their files, and how many were left out.

    Raises:
        BadInput: Fewer than two remain.
    """
    trained_on = set(card.data["training"]["data"]) if card else set()
    kept = [path for path in paths if file_sha256(path) not in trained_on]
    if len(kept) < 2:
        raise BadInput(
            f"the codec was trained on {len(paths) - len(kept)} of {len(paths)} pictures", "at least 2 others are needed"
        )
    return kept, len(paths) - len(kept)


def check_size(path: Path) -> None:
    """Refuse a picture that the codec cannot code, before others have taken minutes.

    Raises:
        BadInput: It is too large, or cannot be read; the path is named.
    """
    from ...agents.models.codecs.photo_side import MOST_SIDE

    try:
        with Image.open(path) as picture:
            size = picture.size
    except UNREADABLE as error:
        raise BadInput(f"{path} cannot be read as a picture ({error})", "take it out of the folder") from None
    if max(size) > MOST_SIDE:
        raise BadInput(f"{path} has {size[0]} x {size[1]} pixels, at most {MOST_SIDE} a side are coded", "scale it down")


def picture_paths(folder: Path | None) -> list[Path]:
    """All pictures below a folder, by name.

    Raises:
        BadInput: No folder was given, or it is none, or holds fewer than two pictures.
    """
    if folder is None or not folder.is_dir():
        raise BadInput(
            f"{folder} is no folder" if folder else "which pictures?", "semcast eval jscc --images DIR, a folder of photographs"
        )
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if len(paths) < 2:
        raise BadInput(f"{folder} holds {len(paths)} pictures", f"at least 2 are needed, as {', '.join(SUFFIXES)}")
    return paths


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB.

    Raises:
        BadInput: It cannot be read.
    """
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except UNREADABLE as error:
        raise BadInput(f"{path} cannot be read as a picture ({error})", "take it out of the folder") from None


def check_cbr(cbr: Fraction) -> None:
    """Refuse a CBR outside 1/48 to 1/6.

    Raises:
        BadInput: If so.
    """
    if not Fraction(1, 48) <= cbr <= Fraction(1, 6):
        raise BadInput(f"--cbr {cbr}: the photograph codec works from 1/48 to 1/6")


def budget_symbols(picture: np.ndarray, cbr: Fraction) -> int:
    """Complex channel uses that every scheme may spend on a picture: floor(CBR * 3 H W)."""
    return int(cbr * picture.size)


def ours(codec: "PhotoCodec", picture: np.ndarray, request: Request, key: str) -> list[float] | None:
    """PSNR in dB at each SNR of the request; mid-grey where side information takes too much, None if that is everywhere.

    ``key``: of the noise, one stream scaled for each SNR. Which scheme codes the bits is signalled alike for all, uncharged.
    """
    from ...agents.models.codecs.photo import FEWEST_SYMBOLS

    sketch, grey_db = codec.sketch(picture), grey_psnr_db(picture)
    found: list[float | None] = []
    for snr_db in request.snrs_db:
        side = side_blocks(sketch.bits, snr_db)
        symbols = budget_symbols(picture, request.cbr) - side.complex_symbols
        if symbols < FEWEST_SYMBOLS * sketch.classes.size:
            found.append(None)
            continue
        sent = codec.encode(sketch, symbols, snr_db)
        received = add_noise(sent.symbols, snr_db, 1.0, "evaluation", "jscc", key)
        there = arrival(side, snr_db)
        found.append(there * psnr_db(picture, codec.decode(sent.side, received, snr_db)) + (1 - there) * grey_db)
    return None if all(value is None for value in found) else [grey_db if value is None else value for value in found]


def side_blocks(bits: int, snr_db: float) -> Blocks:
    """How side information is sent at an SNR that the sender knows."""
    size = segment(bits, MCS_TABLE[0]).block_bits
    return segment(bits, choose_mcs(snr_db, size, SIDE_LOSS))


def rivals(picture: np.ndarray, form: str, cbr: Fraction) -> list[Rival | None]:
    """The best file of a picture at every MCS, in their order."""
    files, symbols, found = Files(picture, form), budget_symbols(picture, cbr), []
    quality: dict[bytes, float] = {}
    for mcs in MCS_TABLE:
        file = files.best(largest_payload_bits(symbols, mcs))
        if file is not None and file not in quality:
            quality[file] = psnr_db(picture, decompress(file))
        found.append(None if file is None else Rival(quality[file], segment(8 * len(file), mcs)))
    return found


def arrival(blocks: Blocks, snr_db: float) -> float:
    """Probability that all of a number of code blocks are decoded at an SNR (AWGN, one attempt)."""
    return float((1 - bler(blocks.mcs, blocks.block_bits, snr_db)) ** blocks.count)


def expected_psnr_db(rival: Rival | None, grey_db: float, snr_db: float) -> float:
    """Mean over block losses of the PSNR in dB: the file's if all blocks arrive, that of mid-grey else."""
    there = rival.arrives(snr_db) if rival else 0.0
    return there * rival.psnr_db + (1 - there) * grey_db if rival else grey_db


def psnr_db(picture: np.ndarray, other: np.ndarray) -> float:
    """10 log10(255^2 / MSE) over all pixels and channels, in dB; at most 60."""
    error = float(np.mean((picture.astype(np.float64) - other) ** 2))
    return min(60.0, 10 * math.log10(255.0**2 / max(error, 1e-9)))


def grey_psnr_db(picture: np.ndarray) -> float:
    """PSNR in dB of mid-grey: what a receiver without a decodable file shows."""
    return psnr_db(picture, np.full_like(picture, GREY))


def scheme_name(form: str, mcs: Mcs) -> str:
    """Start of the names of a fixed scheme's figures, for instance ``avif_mcs4``."""
    return f"{form}_mcs{mcs.index}"


def figures(rows: Sequence[Row], snrs_db: Sequence[float]) -> dict[str, Score | Skipped]:
    """Means over pictures with their intervals; a figure is skipped as infeasible where no picture fits."""
    values: Values = {OURS: None}
    if any(row.ours for row in rows):
        values[OURS] = np.array([row.ours or [row.grey_db] * len(snrs_db) for row in rows])
    cliffs: dict[str, Score | Skipped] = {}
    for form in RIVALS:
        for mcs in MCS_TABLE:
            name, column = scheme_name(form, mcs), [row.rivals[form][mcs.index] for row in rows]
            there = [rival for rival in column if rival]
            cliffs[f"{name}_infeasible_share"] = mean([float(rival is None) for rival in column])
            cliffs[f"{name}_cliff_snr_db"] = mean([rival.cliff_db() for rival in there]) if there else Skipped(INFEASIBLE)
            expected = [[expected_psnr_db(r, row.grey_db, snr) for snr in snrs_db] for r, row in zip(column, rows, strict=True)]
            values[name] = np.array(expected) if there else None
        values[f"{form}_best_mcs"] = _best([values[scheme_name(form, mcs)] for mcs in MCS_TABLE])
    return _psnrs(values, snrs_db) | cliffs


def _best(columns: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """At each SNR the scheme of the highest mean PSNR: link adaptation that knows the SNR."""
    there = [column for column in columns if column is not None]
    if not there:
        return None
    stacked = np.stack(there)  # (schemes, pictures, SNRs)
    chosen = stacked.mean(axis=1).argmax(axis=0)
    return np.stack([stacked[which, :, i] for i, which in enumerate(chosen)], axis=1)


def _psnrs(values: Values, snrs_db: Sequence[float]) -> dict[str, Score | Skipped]:
    found: dict[str, Score | Skipped] = {}
    for name, column in values.items():
        for i, snr_db in enumerate(snrs_db):
            found[f"{name}_psnr_db_snr{snr_db:g}"] = Skipped(INFEASIBLE) if column is None else mean(column[:, i])
    mine = values[OURS]
    for form in RIVALS:
        best = values[f"{form}_best_mcs"]
        for i, snr_db in enumerate(snrs_db):
            gap = Skipped(INFEASIBLE) if mine is None or best is None else mean(mine[:, i] - best[:, i])
            found[f"gap_to_best_{form}_db_snr{snr_db:g}"] = gap
    return found
