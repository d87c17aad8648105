"""A `Generate` call as numbers for the conditioner."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ....bus import keys
from ....bus.errors import BadInput
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ..roles import PICTURE_SIDE, REFERENCE_SIDE, Box, Generate
from .autoencoder import LATENT_CHANNELS, LATENT_SIDE
from .conditioner import Conditions
from .layout import SizeStatistics, missing, plan
from .reading import read
from .text import WordList

MAX_OBJECTS = 12
MAX_WORDS = 80

log = logging.getLogger(__name__)


def index_of(name: str, names: Sequence[str]) -> int:
    """Place of `name` in `names` counted from 1; 0 where it is not known or not said."""
    return names.index(name) + 1 if name in names else 0


def objects_of(call: Generate, statistics: SizeStatistics) -> list[Box]:
    """What is to be drawn and where: the given boxes, then what the caption mentions beyond them at planned places.

    At most 12 objects; of more boxes the most certain stay.
    """
    given = sorted(call.boxes, key=lambda box: -box.score)[:MAX_OBJECTS]
    mentioned = [Box(label, colour, 0, 0, 0, 0, 1.0, subject) for label, colour, subject in read(call.caption).objects]
    rest = missing(mentioned, given)[: MAX_OBJECTS - len(given)]
    return plan(rest, given, statistics, call.seed)


def conditions_of(calls: Sequence[Generate], words: WordList, statistics: SizeStatistics, identifier_size: int) -> Conditions:
    """Numbers of a batch of calls, filled up to 12 objects and 80 words; the references' latents are zero yet (`cutouts_of`)."""
    n = len(calls)
    labels, colours = np.zeros((n, MAX_OBJECTS), np.int64), np.zeros((n, MAX_OBJECTS), np.int64)
    boxes = np.zeros((n, MAX_OBJECTS, 4), np.float32)
    present = np.zeros((n, MAX_OBJECTS), np.float32)
    flips = np.ones((n, MAX_OBJECTS), np.float32)
    identifiers = np.zeros((n, MAX_OBJECTS, identifier_size), np.float32)
    referred = np.zeros((n, MAX_OBJECTS), np.float32)
    for row, call in enumerate(calls):
        flips[row] = 1 - 2 * keys.generator("generator", "flips", call.seed).integers(0, 2, MAX_OBJECTS)
        for column, box in enumerate(objects_of(call, statistics)):
            labels[row, column] = index_of(box.label, LABELS)
            colours[row, column] = index_of(box.colour, COLOUR_NAMES)
            boxes[row, column] = _inside(box)
            present[row, column] = 1
            if box.subject in call.subjects:
                identifiers[row, column] = _identifier(call.subjects, box.subject, identifier_size)
            referred[row, column] = box.subject in call.references
    backgrounds = np.array([index_of(_background(call), BACKGROUND_NAMES) for call in calls], np.int64)
    numbers = np.array([words.numbers(call.caption, MAX_WORDS) for call in calls], np.int64)
    references = np.zeros((n, LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE), np.float32)
    arrays = (labels, colours, boxes, present, flips, identifiers, backgrounds, numbers, references, referred)
    return Conditions(*(torch.from_numpy(array) for array in arrays))


def cutouts_of(calls: Sequence[Generate], statistics: SizeStatistics) -> np.ndarray:
    """The reference of every object of every call, uint8 (n, 12, 32, 32, 3); zero where there is none.

    Raises:
        BadInput: A reference is not 32x32 RGB.
    """
    found = np.zeros((len(calls), MAX_OBJECTS, REFERENCE_SIDE, REFERENCE_SIDE, 3), np.uint8)
    for row, call in enumerate(calls):
        for name, reference in call.references.items():
            if len(reference) != found[0, 0].size:
                raise BadInput(f"reference of {name!r}: {len(reference)} bytes", f"give uint8 RGB of 32x32: {found[0, 0].size}")
        for column, box in enumerate(objects_of(call, statistics)):
            if box.subject in call.references:
                found[row, column] = np.frombuffer(call.references[box.subject], np.uint8).reshape(found[0, 0].shape)
    return found


def _background(call: Generate) -> str:
    return call.background or read(call.caption).background


def _inside(box: Box) -> tuple[float, float, float, float]:
    """The box with sides of 4 to 64 pixels and its centre in the picture; what is not finite becomes the middle."""
    values = np.nan_to_num(np.array([box.cx, box.cy, box.width, box.height]), nan=PICTURE_SIDE / 2)
    low, high = (0.0, 0.0, 4.0, 4.0), (float(PICTURE_SIDE),) * 4
    cx, cy, width, height = (float(value) for value in np.clip(values, low, high))
    return cx, cy, width, height


def _identifier(subjects: Mapping[str, bytes], name: str, size: int) -> np.ndarray:
    """The identifier vector of a subject; one of a wrong length is left out and said so in the log."""
    vector = np.frombuffer(subjects[name], dtype="<f4") if len(subjects[name]) == 4 * size else np.zeros(size, np.float32)
    if len(subjects[name]) != 4 * size or not np.isfinite(vector).all():
        log.warning("identifier of %s is not %d finite float32 numbers and is left out", name, size)
        return np.zeros(size, np.float32)
    return vector
