"""What became of a request, in numbers: what its scores depend on, and the scores themselves, all of one request together."""

from struct import Struct as Packed

from msgspec import Struct

from ....policies.protocols import CODED
from ...meaning import MAPPING
from ...sketches import PHOTOGRAPH, Hop, Sketch, Thing
from ..codecs.library import Library
from .patterns import predicted_db

SHOWN, LOST, UNMADE = range(3)
"""The picture was shown; it was made and did not arrive; it was never made."""
NOBODY, UNKNOWN = 0, 1
"""What is known of the original's first personal subject: there is none; nothing. 2 and more: its look (`sketches`) and 1."""
MOST_MISSING = 3


class Cause(Struct, frozen=True, array_like=True):
    """What the scores of a request depend on.

    Attributes:
        made: How the picture was made (`sketches.PHOTOGRAPH` and the others): the prompt's kind, or the scheme without prompts.
        steps: Of the generator.
        objects: In the original.
        subject: See `NOBODY` and `UNKNOWN`.
        missing: Objects of the original whose class was not drawn, `MOST_MISSING` for more; of a photograph that was sent twice
            the PSNR in dB, halved, that the card predicts of its way up.
        mapping: Whether places count.
        end: `SHOWN`, `LOST` or `UNMADE`.
        codec: Of the way down; empty where nothing came.
        quality_db: PSNR that the codec's card predicts at the receiver's own estimate of the SNR, see `quality_db`.
    """

    made: int
    steps: int
    objects: int
    subject: int
    missing: int
    mapping: bool
    end: int
    codec: str = ""
    quality_db: float = 0.0


class Effect(Struct, frozen=True, array_like=True):
    """Scores of a request; see `scenarios.metrics.row.Row` for each.

    ``grey_...``: those of a grey picture in place of the shown one, for requests that fail.
    """

    object_recovery: float
    object_recovery_iou50: float
    generated_recovery: float
    semantic_error: float
    generated_error: float
    subject_alignment: float
    object_count_discrepancy: float
    image_alignment: float
    object_alignment: float
    text_alignment: float
    psnr_db: float
    psnr_to_original_db: float
    ssim: float
    grey_psnr_db: float
    grey_psnr_to_original_db: float
    grey_ssim: float


NAMES = Effect.__struct_fields__
_SCALES = tuple(500.0 if name.endswith("_db") else 1000.0 if "count" in name else 20000.0 for name in NAMES)
_LAYOUT = Packed("<7BBh" + f"{len(NAMES)}H")
_OFFSET = 20000
"""Scores of -1 and more fit, at 1 / 20000 the finest."""


def packed(cause: Cause, effect: Effect, codecs: list[str]) -> bytes:
    """As bytes; ``codecs``: names by number, to which a new one is added."""
    if cause.codec not in codecs:
        codecs.append(cause.codec)
    values = [round(value * scale) + _OFFSET for value, scale in zip(_values(effect), _SCALES, strict=True)]
    head = (cause.made, cause.steps, cause.objects, cause.subject, cause.missing, cause.mapping, cause.end)
    place = (codecs.index(cause.codec), round(100 * cause.quality_db))
    return _LAYOUT.pack(*head, *place, *(min(max(value, 0), 65535) for value in values))


def unpacked(rows: bytes, codecs: list[str]) -> list[tuple[Cause, Effect]]:
    """Bytes of `packed`, one behind the other."""
    found = []
    for made, steps, objects, subject, missing, mapping, end, codec, quality, *values in _LAYOUT.iter_unpack(rows):
        cause = Cause(made, steps, objects, subject, missing, bool(mapping), end, codecs[codec], quality / 100)
        found.append((cause, Effect(*((value - _OFFSET) / scale for value, scale in zip(values, _SCALES, strict=True)))))
    return found


def _values(effect: Effect) -> list[float]:
    return [getattr(effect, name) for name in NAMES]


def cause_of(photograph: Sketch, content: Sketch | None, shown: Sketch | None, task: str, library: Library) -> Cause:
    """What the scores of a request depend on, by sketches of what was taken, of what was sent down and of what was shown."""
    subject = next((thing.subject for thing in photograph.things if thing.subject), "")
    end = SHOWN if shown else LOST if content else UNMADE
    last = shown.hops[-1] if shown and shown.hops else None
    return Cause(
        content.made if content else PHOTOGRAPH,
        content.steps if content else 0,
        min(len(photograph.things), 255),
        _subject(subject, content),
        _missing(photograph, content, library),
        task == MAPPING,
        end,
        last.codec if last else "",
        quality_db(last, library) if last else 0.0,
    )


def quality_db(hop: Hop, library: Library) -> float:
    """PSNR in dB that the codec's card predicts at a hop's SNR; below the card's grid it falls by a dB a dB."""
    below_db = 0.0 if hop.codec.startswith(CODED) else min(hop.snr_db - library.snr_grid_db[0], 0.0)
    return predicted_db(hop.codec, hop.snr_db, library) + below_db


def _subject(name: str, content: Sketch | None) -> int:
    if not name:
        return NOBODY
    if content is None or not content.made:
        return UNKNOWN
    return next((1 + thing.look for thing in content.things if thing.subject == name), UNKNOWN)


def _missing(photograph: Sketch, content: Sketch | None, library: Library) -> int:
    if content is None:
        return 0
    if not content.made:
        return max(round(min((quality_db(hop, library) for hop in content.hops), default=0.0) / 2), 0)
    return min(missing(photograph.things, content.things), MOST_MISSING)


def missing(true: tuple[Thing, ...], drawn: tuple[Thing, ...]) -> int:
    """How many true objects have no drawn one of their class."""
    left = [thing.label for thing in drawn]
    lost = 0
    for thing in true:
        if thing.label in left:
            left.remove(thing.label)
        else:
            lost += 1
    return lost
