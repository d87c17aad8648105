"""How good the CLIP-class judge is, on pairs, crops and families that no training saw."""

from collections.abc import Sequence

import numpy as np

from ...scenes.draw import draw
from ...scenes.vocabulary import COLOUR_NAMES, LABELS
from ..clip_judge import ClipJudge
from ..clip_words import object_phrase
from .clip_data import KINDS, make_batch, make_pair
from .subjects import MEMBERS, family, views

HELD_OUT = "clip-judge held out"
SHARED_VIEWS = 4


def measure(judge: ClipJudge, pairs: int = 100, families: int = 40) -> dict[str, float]:
    """The shares of right `answers`."""
    return {name: round(float(right.mean()), 4) for name, right in answers(judge, pairs, families).items()}


def answers(judge: ClipJudge, pairs: int, families: int) -> dict[str, np.ndarray]:
    """Right or wrong (1 or 0) for every held-out question (the chance level in brackets).

    Returns:
        ``picture_to_caption`` and ``caption_to_picture``: the own one ranks first of `pairs` (1 / pairs).
        ``own_caption_KIND``: a picture is nearer to its own caption than to that of its twin, which differs in KIND alone (0.5).
        ``crop_class``, ``crop_colour``: the nearest of 192 phrases such as "a red dog" names it (1/24, 1/8).
        ``twin_identity``: the mean feature of 4 views picks a subject out of 4 of one class and colour (0.25), in other pictures.
    """
    found = _retrieval(judge, pairs) | _own_captions(judge, pairs) | _crops(judge, pairs)
    return {name: np.ravel(right).astype(np.float64) for name, right in (found | _twins(judge, families)).items()}


def _retrieval(judge: ClipJudge, number: int) -> dict[str, np.ndarray]:
    chosen = [make_pair(HELD_OUT, "retrieval", i) for i in range(number)]
    likeness = _images(judge, [pair.scenes[0] for pair in chosen]) @ judge.texts([pair.captions[0] for pair in chosen]).T
    right = np.arange(number)
    return {
        "picture_to_caption": likeness.argmax(axis=1) == right,
        "caption_to_picture": likeness.argmax(axis=0) == right,
    }


def _own_captions(judge: ClipJudge, number: int) -> dict[str, np.ndarray]:
    found = {}
    for kind in KINDS:
        chosen = [make_pair(HELD_OUT, kind, i, kind=kind) for i in range(number)]
        seen = _images(judge, [scene for pair in chosen for scene in pair.scenes]).reshape(number, 2, -1)
        said = judge.texts([text for pair in chosen for text in pair.captions]).reshape(number, 2, -1)
        likeness = np.einsum("nak,nbk->nab", seen, said)
        found[f"own_caption_{kind}"] = np.stack([likeness[:, 0, 0] > likeness[:, 0, 1], likeness[:, 1, 1] > likeness[:, 1, 0]])
    return found


def _crops(judge: ClipJudge, number: int) -> dict[str, np.ndarray]:
    pairs = [make_pair(HELD_OUT, "crops", i) for i in range(number)]
    batch = make_batch(pairs, HELD_OUT, "crops")
    names = [(label, colour) for label in LABELS for colour in COLOUR_NAMES]
    phrases = judge.texts([object_phrase(label, colour) for label, colour in names])
    nearest = (judge.objects(batch.pictures[batch.rows.numpy()], batch.places.numpy()) @ phrases.T).argmax(axis=1)
    said = [phrase.split() for phrase in batch.phrases]
    return {
        "crop_class": np.array([names[i][0] == words[2] for i, words in zip(nearest, said, strict=True)]),
        "crop_colour": np.array([names[i][1] == words[1] for i, words in zip(nearest, said, strict=True)]),
    }


def _twins(judge: ClipJudge, families: int) -> dict[str, np.ndarray]:
    right = []
    for index in range(families):
        pictures, boxes = views(family(HELD_OUT, index), HELD_OUT, index)
        flat = np.repeat(pictures, MEMBERS, axis=0)
        looks = judge.objects(flat, boxes.reshape(-1, 4)).reshape(len(pictures), MEMBERS, -1)
        nearest = (looks[SHARED_VIEWS:] @ looks[:SHARED_VIEWS].sum(axis=0).T).argmax(axis=-1)
        right.append(nearest == np.arange(MEMBERS))
    return {"twin_identity": np.stack(right)}


def _images(judge: ClipJudge, scenes: Sequence[object]) -> np.ndarray:
    return judge.images(np.stack([draw(scene) for scene in scenes]))  # type: ignore[arg-type]
