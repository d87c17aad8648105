"""Training batches of the CLIP-class judge: scenes in pairs that differ in one thing, captions that say it, crops with identity.

The twin of a scene is drawn anew (light, grain, sizes, mirrors) and one object gets another colour, class, marking or place. Each
of a pair is the hardest negative of the other. Keys begin with the caller's own; no other model's training uses them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ...scenes.caption import caption
from ...scenes.draw import draw
from ...scenes.sprites import SHAPES
from ...scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, Marking, Subject, random_marking
from ...scenes.world import Distractor, Scene, SceneObject, scene_of
from ..clip_words import object_phrase, place_phrase
from ..roles import PICTURE_SIDE

KINDS = ("colour", "class", "marking", "place")
"""In what the two of a pair differ."""
MOST_OBJECTS = 6
CROPS_A_SCENE = 2
CELLS, CELL = 8, 8
"""The dense truth: a grid of cells of this many pixels."""


@dataclass(frozen=True)
class Pair:
    """Two scenes that differ in ``kind`` at the object number ``changed``, and their captions."""

    scenes: tuple[Scene, Scene]
    captions: tuple[str, str]
    kind: str
    changed: int


def make_pair(*key: keys.Key, kind: str = "") -> Pair:
    """Draw a pair; ``kind`` is one of `KINDS` (empty: drawn, too)."""
    rng = keys.generator(*key, "pair")
    kind = kind or KINDS[int(rng.integers(len(KINDS)))]
    base = scene_of(_subjects(rng, *key), 1, MOST_OBJECTS, *key, "base")
    twin = _drawn_anew(base, rng)
    changed = int(rng.integers(len(base.objects)))
    twin = _moved(twin, changed, rng) if kind == "place" else _with(twin, changed, _CHANGES[kind](twin.objects[changed], rng))
    say_marking, say_place = kind == "marking" or bool(rng.random() < 0.4), kind == "place" or bool(rng.random() < 0.4)
    say_ground, say_owner = bool(rng.random() < 0.8), bool(rng.random() < 0.3)
    captions = [_caption(scene, rng, say_marking, say_place, say_ground, say_owner) for scene in (base, twin)]
    return Pair((base, twin), (captions[0], captions[1]), kind, changed)


def _subjects(rng: np.random.Generator, *key: keys.Key) -> tuple[Subject, ...]:
    """Often two of one class and colour, whose markings alone tell them apart; else some with markings, or none."""
    number = int(rng.integers(3))
    alike = rng.random() < 0.5
    found = []
    for index in range(2 if alike else number):
        if index == 0 or not alike:
            label, colour = LABELS[int(rng.integers(len(LABELS)))], COLOUR_NAMES[int(rng.integers(len(COLOUR_NAMES)))]
        plain = index == 1 and rng.random() < 0.3
        found.append(
            Subject(f"x{index}/{label}", label, colour, None if plain else random_marking(colour, *key, "marking", index))
        )
    return tuple(found)


def _drawn_anew(scene: Scene, rng: np.random.Generator) -> Scene:
    """The same things at nearly the same places, in another light and on other ground."""
    things = []
    for thing in scene.objects:
        scale = float(rng.uniform(0.88, 1.14))
        cx, cy = (float(value) for value in np.array([thing.cx, thing.cy]) + rng.integers(-2, 3, 2))
        red, green, blue = (int(value) for value in rng.integers(-16, 17, 3))
        moved = _put(thing, cx, cy, round(thing.width * scale), round(thing.height * scale))
        things.append(replace(moved, flip=bool(rng.integers(2)), tint=(red, green, blue)))
    spots = []
    for _ in range(int(rng.integers(0, 5))):
        cx, cy = (int(value) for value in rng.integers(2, PICTURE_SIDE - 2, 2))
        red, green, blue = (int(value) for value in rng.integers(40, 240, 3))
        spots.append(Distractor(cx, cy, int(rng.integers(1, 3)), (red, green, blue)))
    return Scene(scene.background, tuple(things), int(rng.integers(1 << 30)), tuple(spots))


def _put(thing: SceneObject, cx: float, cy: float, width: int, height: int) -> SceneObject:
    """Move and resize an object, kept within the picture and on whole pixels."""
    width, height = min(max(width, 8), 32), min(max(height, 8), 32)
    left = min(max(round(cx - width / 2), 0), PICTURE_SIDE - width)
    top = min(max(round(cy - height / 2), 0), PICTURE_SIDE - height)
    return replace(thing, cx=left + width / 2, cy=top + height / 2, width=float(width), height=float(height))


def _with(scene: Scene, index: int, thing: SceneObject) -> Scene:
    return replace(scene, objects=(*scene.objects[:index], thing, *scene.objects[index + 1 :]))


def _colour(thing: SceneObject, rng: np.random.Generator) -> SceneObject:
    taken = {thing.colour, thing.marking.colour if thing.marking else ""}
    others = [name for name in COLOUR_NAMES if name not in taken]
    return replace(thing, colour=others[int(rng.integers(len(others)))])


def _class(thing: SceneObject, rng: np.random.Generator) -> SceneObject:
    others = [name for name in LABELS if name != thing.label]
    label = others[int(rng.integers(len(others)))]
    side, stretch = (thing.width * thing.height) ** 0.5, SHAPES[label][0] ** 0.5
    return _put(replace(thing, label=label), thing.cx, thing.cy, round(side * stretch), round(side / stretch))


def _marking(thing: SceneObject, rng: np.random.Generator) -> SceneObject:
    if thing.marking is not None and rng.random() < 0.4:
        return replace(thing, marking=None)
    while True:
        marking = random_marking(thing.colour, "clip-judge", "other marking", int(rng.integers(1 << 30)))
        if thing.marking is None or (marking.kind, marking.colour) != (thing.marking.kind, thing.marking.colour):
            return replace(thing, marking=marking)


def _moved(scene: Scene, index: int, rng: np.random.Generator) -> Scene:
    """Swap an object with one that is different, or move it to another third of the picture."""
    thing = scene.objects[index]
    others = [
        i for i, other in enumerate(scene.objects) if _look(other)[:2] != _look(thing)[:2] and _place(other) != _place(thing)
    ]
    if others:
        other = scene.objects[others[int(rng.integers(len(others)))]]
        number = scene.objects.index(other)
        moved = _with(scene, index, _put(thing, other.cx, other.cy, int(thing.width), int(thing.height)))
        return _with(moved, number, _put(other, thing.cx, thing.cy, int(other.width), int(other.height)))
    while True:
        cx, cy = (float(value) for value in rng.uniform(10, PICTURE_SIDE - 10, 2))
        moved_thing = _put(thing, cx, cy, int(thing.width), int(thing.height))
        if _place(moved_thing) != _place(thing):
            return _with(scene, index, moved_thing)


_CHANGES = {"colour": _colour, "class": _class, "marking": _marking}


def _place(thing: SceneObject) -> str:
    return place_phrase(thing.cx, thing.cy)


def _look(thing: SceneObject) -> tuple[str, str, Marking | None]:
    return thing.label, thing.colour, thing.marking


def _caption(
    scene: Scene, rng: np.random.Generator, say_marking: bool, say_place: bool, say_ground: bool, say_owner: bool
) -> str:
    things = [scene.objects[i] for i in rng.permutation(len(scene.objects))]
    ground = f" {BACKGROUND_PHRASES[scene.background]}"
    if not (say_marking or say_place):
        named = [(thing.label, thing.colour, thing.subject if say_owner else "") for thing in things]
        text = caption(scene.background, named)
        return text if say_ground else text.removesuffix(ground)
    parts = [
        object_phrase(thing.label, thing.colour, thing.marking if say_marking else None) + (_place(thing) if say_place else "")
        for thing in things
    ]
    return ", ".join(parts) + (ground if say_ground else "")


@dataclass(frozen=True)
class Batch:
    """2 n scenes with captions, and crops of them.

    Attributes:
        pictures: uint8 (2 n, 64, 64, 3), the pairs one after another.
        captions: 2 n texts.
        rows: Picture of each crop, int64 (m,).
        places: Box of each crop, float32 (m, 4).
        phrases: What each crop shows, m texts.
        identities: Equal for crops of one class, colour and marking, int64 (m,).
        label: Class number + 1 of what covers each cell's middle, 0 for the ground, int64 (2 n, 64).
        colour: Likewise its colour number + 1.
    """

    pictures: np.ndarray
    captions: list[str]
    rows: Tensor
    places: Tensor
    phrases: list[str]
    identities: Tensor
    label: Tensor
    colour: Tensor


def make_batch(pairs: Sequence[Pair], *key: keys.Key) -> Batch:
    """Draw pairs, and choose two objects of each for the crops: the changed one, and another where there is one."""
    rng = keys.generator(*key, "crops")
    scenes = [scene for pair in pairs for scene in pair.scenes]
    rows, places, phrases, looks = [], [], [], []
    for number, pair in enumerate(pairs):
        others = [i for i in range(len(pair.scenes[0].objects)) if i != pair.changed]
        second = [others[int(rng.integers(len(others)))]] if others else []
        for side, scene in enumerate(pair.scenes):
            for index in (pair.changed, *second)[:CROPS_A_SCENE]:
                thing = scene.objects[index]
                rows.append(2 * number + side)
                places.append((thing.cx, thing.cy, thing.width, thing.height))
                phrases.append(object_phrase(*_look(thing)))
                looks.append(_look(thing))
    numbers = {look: number for number, look in enumerate(dict.fromkeys(looks))}
    label, colour = zip(*(dense_truth(scene) for scene in scenes), strict=True)
    return Batch(
        np.stack([draw(scene) for scene in scenes]),
        [text for pair in pairs for text in pair.captions],
        torch.tensor(rows),
        torch.tensor(places, dtype=torch.float32),
        phrases,
        torch.tensor([numbers[look] for look in looks]),
        torch.from_numpy(np.stack(label)),
        torch.from_numpy(np.stack(colour)),
    )


def dense_truth(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Class and colour number + 1 of the frontmost box over the middle of each cell, row by row; 0 where there is none."""
    middle = (np.arange(CELLS) + 0.5) * CELL
    label, colour = np.zeros((2, CELLS, CELLS), np.int64)
    for thing in scene.objects:
        across = np.abs(middle - thing.cx) <= thing.width / 2
        down = np.abs(middle - thing.cy) <= thing.height / 2
        label[np.ix_(down, across)] = LABELS.index(thing.label) + 1
        colour[np.ix_(down, across)] = COLOUR_NAMES.index(thing.colour) + 1
    return label.ravel(), colour.ravel()
