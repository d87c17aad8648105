"""What is measured of digits: conditioning of every granularity, journeys over the air, lost packets, harmed prompts, doubts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import convolve

from ...agents.models.digits.data import CLASSES, SIDE, WHITE
from ...agents.models.digits.models import UNKNOWN
from ...agents.models.digits.prompts import LABEL_BITS, LAYERS, PARTS, bits_of, place
from ...agents.models.digits.quantiser import quantise, restore
from ...bus import keys
from .digits_bench import Desk, shown_levels
from .digits_classical import pixels_coded
from .digits_linear import linear
from .digits_link import Fading, Frame
from .digits_plans import ALL, first
from .digits_scores import METRICS
from .digits_trust import Received, discord, samples, spread, unverified
from .digits_ways import Shop, Way, matrix
from .study import Study

Column = dict[str, np.ndarray]
"""Metric -> one value a sample."""
GENERATIVE, LINEAR, CLASSICAL = "generative", "linear (KLT)", "classical"


@dataclass(frozen=True, eq=False)
class Grain:
    """One granularity of what is told, by one method: bits a digit, scores and pictures of all digits."""

    arm: str
    name: str
    bits: float
    scores: Column
    shown: np.ndarray


@dataclass(frozen=True, eq=False)
class Journeys:
    """Values of a way at a place over all its journeys, all pages again and again.

    Attributes:
        scores: Metric -> ``(journeys,)``.
        symbols: Channel uses of each.
        pages: How many there are. What is independent is a page, not a journey.
    """

    scores: Column
    symbols: np.ndarray
    pages: int

    def by_page(self, metric: str) -> np.ndarray:
        """Mean of each page over its journeys, ``(pages,)``."""
        means: np.ndarray = self.scores[metric].reshape(-1, self.pages).mean(axis=0)
        return means


def columns(values: np.ndarray) -> Column:
    """``(n, metrics)`` by metric."""
    return {name: values[:, place] for place, name in enumerate(METRICS)}


def granularities(desk: Desk) -> list[Grain]:
    """From the label alone to all pixels, and what others make of as many bits."""
    found, total = [], 0
    for number in range(1, len(PARTS) + 1):
        total += bits_of(number - 1)
        mask = first(number)
        name = PARTS[0] if number == 1 else f"+ {PARTS[number - 1]}"
        found.append(Grain(GENERATIVE, name, total, columns(matrix(desk.scores_by_mask[mask])), desk.by_mask[mask]))
        if number > 1:
            shown = shown_levels(linear(desk.of.pictures, total))
            found.append(Grain(LINEAR, f"{total} bits", total, columns(matrix(desk.scorer(shown))), shown))
    for bits in (1, 2, 3, 4, 5):
        coded = pixels_coded(desk.of.pictures, bits)
        name = "all 17 levels" if bits == 5 else f"pixels of {bits} bit" + "s" * (bits > 1)
        found.append(Grain(CLASSICAL, name, coded.bits / len(desk.of), columns(matrix(desk.scorer(coded.shown))), coded.shown))
    return found


def travel(
    study: Study, ways: Mapping[str, Way], pages: int, snrs_db: Sequence[float], draws: int, fading: Fading
) -> dict[str, dict[float, Journeys]]:
    """Every way at every SNR over the same channels: way -> SNR -> journeys (draws times pages)."""
    found: dict[str, dict[float, Journeys]] = {name: {} for name in ways}
    for number, snr_db in enumerate(snrs_db):
        got: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in ways}
        for draw in range(draws):
            study.tell(number * draws + draw, len(snrs_db) * draws, f"journeys, {fading}")
            frames = [Frame(study.seed, page, draw, snr_db, fading) for page in range(pages)]
            for name, way in ways.items():
                got[name].append(way(frames))
        for name, parts in got.items():
            values = np.concatenate([scores for scores, _ in parts])
            found[name][snr_db] = Journeys(columns(values), np.concatenate([used for _, used in parts]), pages)
    return found


# --- packets ----------------------------------------------------------------------------------------------------------

WHATEVER, PREFIX = "generative, whatever came", "generative, first layers only"
ONE_FILE, SPREAD, SPREAD_FINE = "pixels of 1 bit, one file", "pixels of 1 bit, spread", "all 17 levels, spread"


def packets(study: Study, desk: Desk, losses: Sequence[float], draws: int) -> dict[str, dict[float, Journeys]]:
    """Five packets a page, each lost by itself with a probability, nothing being sent again: way -> share lost -> journeys.

    Latents: a packet a part. Pixels: every fifth pixel in a packet, lost ones filled in from their neighbours; or one file in
    five packets, all of which it needs.
    """
    shown = np.stack([matrix(scores) for scores in desk.scores_by_mask])
    fine, rough = pixels_coded(desk.of.pictures, 5).shown, pixels_coded(desk.of.pictures, 1).shown
    file, blank = matrix(desk.scorer(rough)), matrix(desk.blank_scores)
    names = (WHATEVER, PREFIX, ONE_FILE, SPREAD, SPREAD_FINE)
    found: dict[str, dict[float, Journeys]] = {name: {} for name in names}
    pages, n = len(desk.of) // desk.page, np.arange(len(desk.of))
    for number, loss in enumerate(losses):
        got: dict[str, list[np.ndarray]] = {name: [] for name in names}
        for draw in range(draws):
            study.tell(number * draws + draw, len(losses) * draws, "packets")
            came = keys.uniforms((pages, len(PARTS)), study.seed, "digits", "packets", draw) >= loss
            masks = np.repeat(came @ (1 << np.arange(len(PARTS))), desk.page)
            leading = np.repeat(np.logical_and.accumulate(came, axis=1) @ (1 << np.arange(len(PARTS))), desk.page)
            whole = np.repeat(came.all(axis=1), desk.page)
            pixel_came = np.repeat(came, desk.page, axis=0)[:, _packet_of_pixel()]
            got[WHATEVER].append(shown[masks, n])
            got[PREFIX].append(shown[leading, n])
            got[ONE_FILE].append(np.where(whole[:, None], file, blank))
            got[SPREAD].append(matrix(desk.scorer(filled(rough, pixel_came, desk.blank))))
            got[SPREAD_FINE].append(matrix(desk.scorer(filled(fine, pixel_came, desk.blank))))
        for name, parts in got.items():
            values = np.concatenate([part.reshape(pages, desk.page, -1).mean(axis=1) for part in parts])
            found[name][loss] = Journeys(columns(values), np.zeros(len(values)), pages)
    return found


def _packet_of_pixel() -> np.ndarray:
    """Which of the five packets holds a pixel: neighbours are in different ones."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    packet: np.ndarray = (2 * row + column) % len(PARTS)
    return packet


def filled(pictures: np.ndarray, came: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Levels ``(n, 64)`` whose lost pixels are made the mean of their four neighbours, again and again, beginning with a prior.

    Where nothing came, the prior stays.
    """
    known = came.reshape(-1, SIDE, SIDE)
    start = np.where(came, pictures, prior).reshape(-1, SIDE, SIDE).astype(np.float64)
    cross = np.array([[[0, 1, 0], [1, 0, 1], [0, 1, 0]]]) / 4
    now = start
    for _ in range(30):
        now = np.where(known, start, convolve(now, cross, mode="nearest"))
    nothing = ~came.any(axis=1)
    now[nothing] = start[nothing]
    return np.rint(np.clip(now.reshape(-1, SIDE * SIDE), 0, WHITE)).astype(np.uint8)


# --- harmed prompts ---------------------------------------------------------------------------------------------------

RIGHT, WRONG_LABEL, FOREIGN_LATENTS = "as extracted", "another label", "another digit's latents"
WRONG_LABEL_COARSE = "another label, coarse latents"


def harmed(study: Study, desk: Desk, rates: Sequence[float]) -> tuple[dict[str, Column], dict[float, Column]]:
    """Scores with all parts, when the label or the latents are another's, and when bits of the prompt are flipped at a rate."""
    labels, latents = desk.told
    rng = keys.generator(study.seed, "digits", "harmed")
    others = (labels + rng.integers(1, CLASSES, len(labels))) % CLASSES

    def scored(told: np.ndarray, z: np.ndarray, mask: int = ALL) -> Column:
        whole = desk.received(mask)
        return columns(matrix(desk.scorer(desk.generated(Received(told, z, whole.known, whole.noise)))))

    swapped = {
        RIGHT: scored(labels, latents),
        WRONG_LABEL: scored(others, latents),
        WRONG_LABEL_COARSE: scored(others, latents, first(2)),
        FOREIGN_LATENTS: scored(labels, np.roll(latents, 1, axis=0)),
    }
    return swapped, {rate: scored(*flipped(study, labels, latents, rate)) for rate in rates}


def flipped(study: Study, labels: np.ndarray, latents: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels and latents whose bits were flipped, each with a probability; labels beyond 9 count as unknown."""
    told = np.minimum(labels ^ _flips(study, "labels", len(labels), 1, LABEL_BITS, rate)[:, 0], UNKNOWN)
    z = latents.copy()
    for part, layer in enumerate(LAYERS, 1):
        cells = quantise(latents[:, place(part)], layer.bits)
        mask = _flips(study, layer.name, len(cells), layer.latents, layer.bits, rate)
        z[:, place(part)] = restore(cells ^ mask, layer.bits)
    return told, z


def _flips(study: Study, what: str, rows: int, columns: int, bits: int, rate: float) -> np.ndarray:
    draws = keys.uniforms((rows, columns, bits), study.seed, "digits", "flips", what)
    mask: np.ndarray = (draws < rate) @ (1 << np.arange(bits))
    return mask


# --- doubts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pool:
    """Pictures that receivers showed, with their doubts: ``(n,)`` each.

    Attributes:
        name: Under which circumstances.
        unit: Number of the original.
        wrong: The first judge reads something else than the original truly is.
        misread: The sender's label was wrong already.
        doubts: Name of the flag -> doubt.
        shown: Levels ``(n, 64)``; `labels`: what the receivers were told (10: nothing).
    """

    name: str
    unit: np.ndarray
    wrong: np.ndarray
    misread: np.ndarray
    doubts: dict[str, np.ndarray]
    shown: np.ndarray
    labels: np.ndarray


VARIANCE, DISCORD, SECOND_JUDGE = "spread of samples", "discord of samples", "second judge"
NO_LABEL = "no label came"
"""The flag that needs no thought, beside which the others are to be seen."""


def doubts(study: Study, desk: Desk, name: str, got: Sequence[Received], number: int) -> Pool:
    """Show what was received, and doubt it; `number` samples a picture."""
    models, shown = desk.models, []
    flags: dict[str, list[np.ndarray]] = {SECOND_JUDGE: [], DISCORD: [], VARIANCE: [], NO_LABEL: []}
    for draw, one in enumerate(got):
        study.tell(draw, len(got), f"doubts, {name}")
        pictures = desk.generated(one)
        shown.append(pictures)
        drawn = samples(models, one, number, study.seed, name, draw)
        flags[VARIANCE].append(spread(drawn))
        flags[DISCORD].append(discord(models, drawn, pictures))
        flags[SECOND_JUDGE].append(unverified(models, pictures, one.labels))
        flags[NO_LABEL].append((one.labels == UNKNOWN).astype(float))
    truth = np.tile(desk.of.labels, len(got))
    all_shown, told = np.concatenate(shown), np.concatenate([one.labels for one in got])
    return Pool(
        name, np.tile(np.arange(len(desk.of)), len(got)), models.judged(all_shown)[0] != truth,
        (told != truth) & (told != UNKNOWN), {flag: np.concatenate(parts) for flag, parts in flags.items()},
        all_shown, told,
    )  # fmt: skip


def lost_parts(study: Study, desk: Desk, loss: float, draws: int) -> list[Received]:
    """Digits whose parts are lost each by itself."""
    labels, latents = desk.told
    found = []
    for draw in range(draws):
        came = keys.uniforms((len(labels), len(PARTS)), study.seed, "digits", "lost parts", draw) >= loss
        known = np.zeros(latents.shape, bool)
        for part in range(1, len(PARTS)):
            known[:, place(part)] = came[:, part, None]
        found.append(Received(np.where(came[:, 0], labels, UNKNOWN), latents, known, np.full(len(labels), np.nan)))
    return found


def noisy(study: Study, shop: Shop, snrs_db: Sequence[float]) -> list[Received]:
    """Digits whose latents came as analogue symbols, a journey at each SNR."""
    pages = len(shop.desk.of) // shop.desk.page
    return [shop.heard([Frame(study.seed, page, 0, snr_db, "awgn") for page in range(pages)]) for snr_db in snrs_db]
