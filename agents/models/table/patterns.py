"""What an extractor made of a picture once, as a pattern that can be laid over any other picture of as many objects.

A pattern tells of each object, in a fixed order (`ordered`), whether it was found, for what it was taken, how surely and how far
off, then what was seen where there was nothing. So all that depends on each other in one look stays together.
"""

from collections.abc import Sequence
from struct import Struct as Packed

from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ...sketches import STEP, Sketch, Thing
from ..codecs.library import Library
from ..roles import Box

RIGHT = 255
"""Class, colour or background: as it is."""
FOUND, NAMED, MISSED = 0, 1, 255
ALONE, KNOWS, SHOWN = range(3)
"""What the asker knows: no subject; a subject that is not in the picture; one that is."""
CLASSES_DB = (18.0, 21.0, 23.0, 24.5)
"""Received pictures fall into classes by the PSNR that their codec's card predicts at their SNR."""
_HEAD = Packed("<BB")
_SEEN = Packed("<BBBH4b")
_EXTRA = Packed("<BBH4H")


def state_of(sketch: Sketch, library: Library) -> str:
    """``photograph``, ``drawn``, or ``received`` and the class of its worst hop."""
    if sketch.hops:
        worst_db = min(predicted_db(hop.codec, hop.snr_db, library) for hop in sketch.hops)
        return f"received{sum(worst_db >= limit for limit in CLASSES_DB)}"
    return "drawn" if sketch.made else "photograph"


def predicted_db(codec: str, snr_db: float, library: Library) -> float:
    """PSNR of a codec's card at an SNR; of a picture as coded bits (they arrive whole) that of its best codec at its best."""
    if codec in library.codecs or codec in library.adaptive:
        return library.predicted_psnr_db(codec, snr_db)
    return max(max(known.psnr_db) for known in library.codecs.values())


def cell_name(state: str, knows: int, number: int) -> str:
    """Key of `Table.extractions`."""
    return f"{state}/{knows}/{number}"


def ordered(things: Sequence[Thing], asked: Sequence[str]) -> list[Thing]:
    """The order of a pattern: subjects that the asker knows first, then from large to small."""
    return sorted(things, key=lambda thing: (thing.subject not in asked, -thing.width * thing.height, thing.cx, thing.cy))


def knowing(things: Sequence[Thing], asked: Sequence[str]) -> int:
    """See `ALONE` and the others."""
    if not asked:
        return ALONE
    return SHOWN if any(thing.subject in asked for thing in things) else KNOWS


def measured(things: Sequence[Thing], background: int, asked: Sequence[str], found: Sequence[Box], ground: str) -> bytes:
    """The pattern of a look.

    Args:
        things: What is in the picture.
        background: Its number.
        asked: Names of the asker's subjects.
        found: What was found.
        ground: The background that was seen.
    """
    order, left = ordered(things, asked), list(found)
    seen = BACKGROUND_NAMES.index(ground)
    parts = [_HEAD.pack(RIGHT if seen + 1 == background else seen, len(order))]
    for thing in order:
        truth = thing.box()
        near = max(left, key=lambda box: overlap(truth, box), default=None)
        if near is None or overlap(truth, near) < 0.25:
            parts.append(_SEEN.pack(MISSED, RIGHT, RIGHT, 0, 0, 0, 0, 0))
            continue
        left.remove(near)
        label, colour = LABELS.index(near.label), COLOUR_NAMES.index(near.colour)
        pairs = ((near.cx, thing.cx), (near.cy, thing.cy), (near.width, thing.width), (near.height, thing.height))
        parts.append(
            _SEEN.pack(
                NAMED if near.subject else FOUND,
                RIGHT if label + 1 == thing.label else label,
                RIGHT if colour + 1 == thing.colour else colour,
                round(near.score * 1000),
                *(min(max(round(got * STEP) - was, -127), 127) for got, was in pairs),
            )
        )
    for box in left:
        places = (min(max(round(value * STEP), 0), 64 * STEP) for value in (box.cx, box.cy, box.width, box.height))
        parts.append(_EXTRA.pack(LABELS.index(box.label), COLOUR_NAMES.index(box.colour), round(box.score * 1000), *places))
    return b"".join(parts)


def laid(pattern: bytes, things: Sequence[Thing], background: int, asked: Sequence[str]) -> tuple[list[Box], str]:
    """What an extractor finds in a picture if it looks at it as the pattern says: boxes, most certain first, and background."""
    ground, number = _HEAD.unpack_from(pattern)
    split = _HEAD.size + number * _SEEN.size
    boxes: list[Box] = []
    free = [name for name in asked if all(thing.subject != name for thing in things)]
    rows = _SEEN.iter_unpack(pattern[_HEAD.size : split])
    for thing, (how, label, colour, score, cx, cy, width, height) in zip(ordered(things, asked), rows, strict=False):
        if how == MISSED:
            continue
        name = ""
        if how == NAMED and asked:
            name = thing.subject if thing.subject in asked else free.pop(0) if free else ""
        kind = LABELS[thing.label - 1 if label == RIGHT else label]
        boxes.append(
            Box(
                name.rpartition("/")[2] if name else kind,
                COLOUR_NAMES[thing.colour - 1 if colour == RIGHT else colour],
                (thing.cx + cx) / STEP,
                (thing.cy + cy) / STEP,
                max(thing.width + width, 1) / STEP,
                max(thing.height + height, 1) / STEP,
                score / 1000,
                name,
            )
        )
    for label, colour, score, *places in _EXTRA.iter_unpack(pattern[split:]):
        cx, cy, width, height = (value / STEP for value in places)
        boxes.append(Box(LABELS[label], COLOUR_NAMES[colour], cx, cy, width, height, score / 1000))
    boxes.sort(key=lambda box: (-box.score, box.cy, box.cx))
    return boxes, BACKGROUND_NAMES[max(background - 1, 0) if ground == RIGHT else ground]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    wide = min(a.cx + a.width / 2, b.cx + b.width / 2) - max(a.cx - a.width / 2, b.cx - b.width / 2)
    high = min(a.cy + a.height / 2, b.cy + b.height / 2) - max(a.cy - a.height / 2, b.cy - b.height / 2)
    shared = max(wide, 0.0) * max(high, 0.0)
    return shared / (a.width * a.height + b.width * b.height - shared) if shared else 0.0
