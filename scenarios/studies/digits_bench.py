"""What a page of digits looks like after every way to send it: pictures and scores, made once and looked up afterwards."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...agents.models.digits.data import WHITE, Digits, digits
from ...agents.models.digits.models import UNKNOWN, DigitModels, load
from ...agents.models.digits.prompts import (
    LATENTS,
    PARTS,
    place,
    read_labels,
    read_layer,
    write_labels,
    write_layer,
)  # fmt: skip
from ...agents.models.loading import WEIGHTS
from .digits_classical import Coded, best_within, ladder
from .digits_plans import ALL
from .digits_scores import Scorer, Scores
from .digits_trust import Received

FOLDER = WEIGHTS / "digits"


def shown_levels(expected: np.ndarray) -> np.ndarray:
    """What a screen of 17 levels shows of expected levels: uint8, of the same shape."""
    whole: np.ndarray = np.rint(np.clip(expected, 0, WHITE)).astype(np.uint8)
    return whole


@dataclass(frozen=True, eq=False)
class Desk:
    """One part of the digits in pages, what the sender tells of them, and the judge's scores of whatever is shown instead.

    Attributes:
        models: The networks.
        of: Pictures; a whole number of pages.
        page: Digits of a page.
    """

    models: DigitModels
    of: Digits
    page: int

    @cached_property
    def scorer(self) -> Scorer:
        """Against the originals."""
        return Scorer(self.of.pictures, self.of.labels, self.models.judged, digits("judge").pictures)

    @cached_property
    def extracted(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and latents as the sender reads them."""
        return self.models.extract(self.of.pictures)

    @cached_property
    def told(self) -> tuple[np.ndarray, np.ndarray]:
        """Labels and latents as they read out of the messages' bits at the other end, nothing being lost."""
        labels, latents = np.empty(len(self.of), np.int64), np.empty((len(self.of), LATENTS))
        for start in range(0, len(self.of), self.page):
            at = slice(start, start + self.page)
            messages = self.messages(start // self.page)
            labels[at] = read_labels(messages[0], self.page)
            for part in range(1, len(PARTS)):
                latents[at, place(part)] = read_layer(messages[part], part, self.page)
        return labels, latents

    def messages(self, page: int) -> list[bytes]:
        """All parts of a page, as bytes."""
        at = slice(page * self.page, (page + 1) * self.page)
        labels, latents = (values[at] for values in self.extracted)
        return [write_labels(labels), *(write_layer(latents, part) for part in range(1, len(PARTS)))]

    def received(self, mask: int) -> Received:
        """What a receiver has of all digits if the parts of a mask came."""
        labels, latents = self.told
        known = np.zeros(latents.shape, bool)
        for part in range(1, len(PARTS)):
            known[:, place(part)] = bool(mask >> part & 1)
        told = labels if mask & 1 else np.full(len(labels), UNKNOWN)
        return Received(told, latents, known, np.full(len(labels), np.nan))

    def generated(self, got: Received) -> np.ndarray:
        """What the receiver shows, levels ``(n, 64)``."""
        return shown_levels(self.models.generate(got.latents, got.known, got.labels))

    @cached_property
    def by_mask(self) -> list[np.ndarray]:
        """Pictures for every mask of parts."""
        return [self.generated(self.received(mask)) for mask in range(ALL + 1)]

    @cached_property
    def scores_by_mask(self) -> list[Scores]:
        """Scores of these, picture by picture."""
        return [self.scorer(pictures) for pictures in self.by_mask]

    @cached_property
    def blank(self) -> np.ndarray:
        """What a classical receiver shows that got nothing: the mean picture of those the codec was trained on, ``(n, 64)``."""
        mean = shown_levels(digits("codec").pictures.mean(axis=0))
        return np.repeat(mean[None], len(self.of), axis=0)

    @cached_property
    def blank_scores(self) -> Scores:
        """Scores of `blank`."""
        return self.scorer(self.blank)

    @cached_property
    def forms(self) -> list[list[Coded]]:
        """Classical forms of every page."""
        return [ladder(self.of.pictures[start : start + self.page]) for start in range(0, len(self.of), self.page)]

    def classical(self, bits: int) -> np.ndarray | None:
        """Levels ``(n, 64)`` of the best classical form of each page within `bits` a page; None if some page has none."""
        pages = []
        for number, forms in enumerate(self.forms):
            best = best_within(forms, self.of.pictures[number * self.page : (number + 1) * self.page], bits)
            if best is None:
                return None
            pages.append(best.shown)
        return np.concatenate(pages)

    def values(self) -> dict[int, float]:
        """Mean alignment for every mask: what a sender plans with, on validation pictures."""
        return {mask: float(scores.alignment.mean()) for mask, scores in enumerate(self.scores_by_mask)}


def desks(page: int, pages: int) -> tuple[Desk, Desk]:
    """Desks of the test part (its first pages) and of the validation part (as many whole pages as it has)."""
    models = load(FOLDER)
    test, validation = digits("test"), digits("validation")
    n, m = min(pages, len(test) // page) * page, len(validation) // page * page
    return (
        Desk(models, Digits(test.pictures[:n], test.labels[:n]), page),
        Desk(models, Digits(validation.pictures[:m], validation.labels[:m]), page),
    )
