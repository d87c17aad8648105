"""How near two pictures are in the features of the CLIP-class judge: the three alignments of AIGC-SCM (Wang et al., section IV).

Source is what the sender captured, destination what the receiver was shown. A cosine lies in [-1, 1]; 1 means the same direction.

- Image feature alignment: cosine of the features of the two whole pictures.
- Object feature alignment: objects are cut out of both pictures and cosines taken between their features. The paper leaves open
  which objects are compared: here each object of one side goes to at most one of the other, so that the sum of the cosines is
  largest, and the sum is divided by the larger of both numbers of objects. A lost or invented object counts 0, as does a
  negative cosine, so this one lies in [0, 1].
- Text feature alignment: cosine of the features of two captions, one about each picture.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from ...agents.models.roles import PICTURE_SIDE, Box
from ...agents.scenes.caption import caption

Item = TypeVar("Item")
CHUNK = 64
"""Pictures, objects or texts that a thread takes at once."""


@dataclass(frozen=True)
class View:
    """A picture (raw RGB) and what is in it: the true content of a source, or what the judge's detector saw at a destination."""

    picture: bytes
    background: str
    boxes: Sequence[Box]

    @property
    def caption(self) -> str:
        """A sentence in one fixed order of the objects, so that equal contents read the same; owners are not named."""
        return caption(self.background, sorted((box.label, box.colour, "") for box in self.boxes))


@dataclass(frozen=True)
class Alignment:
    """Image, object and text feature alignment of one pair; 0 in all for a picture that does not exist.

    ``likeness``: cosines, negative ones as 0, of the source's objects (n) to the destination's (m), shape (n, m).
    """

    image: float = 0.0
    objects: float = 0.0
    text: float = 0.0
    likeness: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), compare=False)


def cosine(one: np.ndarray, two: np.ndarray) -> float:
    """<a, b> / (|a| |b|) of two vectors (k,), in [-1, 1]; 0 where one of them is zero. In float64."""
    a, b = one.astype(np.float64), two.astype(np.float64)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(-1.0, min(1.0, float(a @ b / length))) if length else 0.0


def likeness_of(source: np.ndarray, destination: np.ndarray) -> np.ndarray:
    """Cosines of features (n, k) to features (m, k), negative ones as 0: (n, m)."""
    cosines = [[max(0.0, cosine(a, b)) for b in destination] for a in source]
    return np.array(cosines).reshape(len(source), len(destination))


def object_alignment(likeness: np.ndarray) -> float:
    """The largest sum of cosines over pairs of objects, none used twice, divided by the larger number of objects.

    Args:
        likeness: Of the source's objects to the destination's, (n, m).

    Returns:
        In [0, 1]; 1 where both hold nothing, 0 where one of them does.
    """
    from scipy.optimize import linear_sum_assignment

    if not likeness.size:
        return float(likeness.shape == (0, 0))
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    return float(likeness[rows, columns].sum() / max(likeness.shape))


class Features(Protocol):
    """What turns pictures, objects and texts into vectors of length `size`: `ClipJudge`, or a published CLIP."""

    size: int

    def images(self, pictures: np.ndarray) -> np.ndarray:
        """See `ClipJudge`."""

    def objects(self, pictures: np.ndarray, places: np.ndarray) -> np.ndarray:
        """See `ClipJudge`."""

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """See `ClipJudge`."""


def alignments(pairs: Sequence[tuple[View, View]], features: Features | None = None) -> list[Alignment]:
    """Alignment of every (source, destination); equal pictures and captions are looked at once.

    Args:
        pairs: What is compared.
        features: Default: the shipped judge.

    Raises:
        Missing: The judge's weights are not there.
    """
    if not pairs:
        return []
    judge = features or _shipped()
    views = [view for pair in pairs for view in pair]
    pictures = {picture: row for row, picture in enumerate(dict.fromkeys(view.picture for view in views))}
    images = _on_all_cores(lambda part: judge.images(_pixels(part)), list(pictures))
    captions = {text: row for row, text in enumerate(dict.fromkeys(view.caption for view in views))}
    texts = _on_all_cores(judge.texts, list(captions))
    objects = _objects(judge, views)
    found = []
    for number, (source, destination) in enumerate(pairs):
        likeness = likeness_of(objects[2 * number], objects[2 * number + 1])
        found.append(
            Alignment(
                cosine(images[pictures[source.picture]], images[pictures[destination.picture]]),
                object_alignment(likeness),
                cosine(texts[captions[source.caption]], texts[captions[destination.caption]]),
                likeness,
            )
        )
    return found


def _shipped() -> Features:
    from ...agents.models.clip_judge import ClipJudge  # it imports torch

    return ClipJudge.load()


def object_likeness(pairs: Sequence[tuple[View, View]], features: Features | None = None) -> list[np.ndarray]:
    """Likeness of the objects of every (source, destination), see `likeness_of`.

    Raises:
        Missing: The judge's weights are not there.
    """
    if not pairs:
        return []
    objects = _objects(features or _shipped(), [view for pair in pairs for view in pair])
    return [likeness_of(objects[2 * number], objects[2 * number + 1]) for number in range(len(pairs))]


def _objects(judge: Features, views: Sequence[View]) -> list[np.ndarray]:
    """Features of the objects of each view."""
    flat = [(view.picture, (box.cx, box.cy, box.width, box.height)) for view in views for box in view.boxes]

    def run(part: Sequence[tuple[bytes, tuple[float, ...]]]) -> np.ndarray:
        return judge.objects(_pixels([picture for picture, _ in part]), np.array([place for _, place in part], np.float32))

    vectors = _on_all_cores(run, flat) if flat else np.zeros((0, judge.size), np.float32)
    ends = np.cumsum([len(view.boxes) for view in views])
    return [vectors[end - len(view.boxes) : end] for end, view in zip(ends, views, strict=True)]


def _on_all_cores(run: Callable[[Sequence[Item]], np.ndarray], items: Sequence[Item]) -> np.ndarray:
    """Run chunks on all cores, one torch thread each: the same on any number of cores."""
    import torch

    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return np.concatenate(list(pool.map(run, [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)])))


def _pixels(pictures: Sequence[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(raw, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) for raw in pictures])
