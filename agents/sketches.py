"""Pictures and symbols without pixels: what a picture shows and what has happened to it, in some hundred bytes.

Networks of the ``table`` profile pass these where others pass raw pictures and complex symbols; agents do not look inside.
A sketch of a photograph holds what is in front of the camera, as its pixels would; one of a generated picture holds what its
prompt said.
Counted symbols hold how many complex symbols there are, and the sketch that they stand for: the air charges the number, and the
receiver's SNR decides how well the picture comes out.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ..bus.errors import BadInput
from .models.roles import PICTURE_SIDE, Box
from .scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from .scenes.world import Scene

Form = Literal["raw", "sketch"]
RAW: Form = "raw"
SKETCH: Form = "sketch"
"""Forms of the pictures of a network (`NetworkSettings.pictures`)."""
PHOTOGRAPH, BOXES, CAPTION, KEYWORDS = range(4)
"""How a picture was made: by a camera, or generated of boxes, of a caption alone, of keywords alone."""
PLAIN, IDENTIFIER, REFERENCE = range(3)
"""How a subject's look came into a picture: the camera saw it, or the generator knew its identifier, or also a reference."""
STEP = 16
"""Places are whole numbers of 1 / STEP pixels."""
MOST_THINGS = 64
"""More than any prompt can say."""
FILE_BYTES = {
    50: ((334, 496, 635, 755, 862, 861, 924, 965), 98),
    75: ((312,), 65),
    85: ((768, 1016, 1211, 1396, 1538, 1544, 1622, 1697), 191),
}
"""WebP quality -> mean bytes of the file of a picture of 1, 2, ... objects, and the deviation; measured on 120 scenes each (a
test measures again). Quality 75 is for references."""


class Thing(Struct, frozen=True, array_like=True):
    """One object: class and colour as numbers from 1 (0: not said), centre and sides in 1 / STEP pixels, personal subject."""

    label: int
    colour: int
    cx: int
    cy: int
    width: int
    height: int
    subject: str = ""
    look: int = PLAIN

    def box(self) -> Box:
        """As a box of score 1."""
        label, colour = LABELS[self.label - 1] if self.label else "", COLOUR_NAMES[self.colour - 1] if self.colour else ""
        return Box(label, colour, self.cx / STEP, self.cy / STEP, self.width / STEP, self.height / STEP, 1.0, self.subject)


class Hop(Struct, frozen=True, array_like=True):
    """What a picture went through: a JSCC codec or format, and the receiver's own SNR estimate in tenths of a dB."""

    codec: str
    snr: int

    @property
    def snr_db(self) -> float:
        """In dB."""
        return self.snr / 10


class Sketch(Struct, frozen=True, array_like=True, tag="sketch"):
    """A picture.

    Attributes:
        things: Its objects, back to front.
        background: Number from 1; 0: not said.
        grain: What else tells it from others that show the same: the camera's texture, the generator's seed.
        made: See `PHOTOGRAPH` and the others.
        steps: Of the generator.
        hops: What it went through, in order.
    """

    things: tuple[Thing, ...]
    background: int
    grain: int
    made: int = PHOTOGRAPH
    steps: int = 0
    hops: tuple[Hop, ...] = ()


class Counted(Struct, frozen=True, array_like=True, tag="sketched symbols"):
    """Symbols of a picture, counted; no codec has more."""

    number: Annotated[int, Meta(ge=1, le=1 << 16)]
    picture: bytes


class File(Struct, frozen=True, array_like=True, tag="sketched file"):
    """A compressed picture, as long as a WebP file of it would be."""

    picture: bytes
    padding: bytes = b""


_ENCODER = msgspec.msgpack.Encoder()
_SKETCHES = msgspec.msgpack.Decoder(Sketch)
_COUNTED = msgspec.msgpack.Decoder(Counted)
_FILES = msgspec.msgpack.Decoder(File)


def is_sketch(data: bytes) -> bool:
    """Whether a picture, a file or symbols are of this module's form; pixels, WebP files and complex numbers are not."""
    return data[2:8] == b"sketch"


def written(sketch: Sketch | Counted) -> bytes:
    """As MessagePack."""
    return _ENCODER.encode(sketch)


@lru_cache(maxsize=1 << 12)
def read(picture: bytes) -> Sketch:
    """A sketch that was written.

    Raises:
        BadInput: It is none, or names classes or colours that there are not.
    """
    try:
        sketch = _SKETCHES.decode(picture)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"a sketch that cannot be read: {error}", "pictures of a table network are made by its camera") from None
    known = all(
        0 <= thing.label <= len(LABELS) and 0 <= thing.colour <= len(COLOUR_NAMES) for thing in sketch.things[:MOST_THINGS]
    )
    if not known or len(sketch.things) > MOST_THINGS or not 0 <= sketch.background <= len(BACKGROUND_NAMES):
        raise BadInput("a sketch of unknown things", "classes, colours and backgrounds are numbered as in the vocabulary")
    return sketch


def of_scene(scene: Scene) -> Sketch:
    """What a camera sees of a scene."""
    return photograph_of(scene.boxes(), scene.background, scene.texture)


def photograph_of(boxes: list[Box], background: str, grain: int) -> Sketch:
    """A photograph of these things."""
    return Sketch(tuple(thing(box) for box in boxes), number_of(background, BACKGROUND_NAMES), grain)


def thing(box: Box, look: int = PLAIN) -> Thing:
    """A box as a thing; what the vocabulary does not know is not said."""
    cx, cy, width, height = (round(value * STEP) for value in (box.cx, box.cy, box.width, box.height))
    label, colour = number_of(box.label, LABELS), number_of(box.colour, COLOUR_NAMES)
    return Thing(label, colour, cx, cy, width, height, box.subject, look)


def number_of(name: str, names: tuple[str, ...]) -> int:
    """Place of a name, from 1; 0 if it is not there."""
    return names.index(name) + 1 if name in names else 0


# --- symbols -----------------------------------------------------------------------------------------------------------


def counted(symbols: bytes) -> Counted:
    """Symbols that were counted.

    Raises:
        BadInput: They are none.
    """
    try:
        return _COUNTED.decode(symbols)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"counted symbols that cannot be read: {error}", "the encoder of the table profile makes them") from None


def symbol_count(symbols: bytes) -> int:
    """How many complex symbols there are, in either form."""
    return counted(symbols).number if is_sketch(symbols) else len(symbols) // 8


# --- files and references ------------------------------------------------------------------------------------------------


def compressed(picture: bytes, quality: int) -> bytes:
    """A sketch as a file of the length that WebP of this quality has for such pictures (`FILE_BYTES`)."""
    means, deviation = FILE_BYTES[quality]
    mean = means[min(max(len(read(picture).things), 1), len(means)) - 1]
    draws = blake2b(picture, digest_size=12).digest()  # the sum of 12 even draws is nearly normal, of deviation 1
    size = round(mean + deviation * (sum(draws) / 256 - 6))
    bare = len(_ENCODER.encode(File(picture)))
    return _ENCODER.encode(File(picture, bytes(max(size - bare - (size - bare > 255), 0))))


def opened(file: bytes) -> bytes:
    """The sketch in a file.

    Raises:
        BadInput: It cannot be read.
    """
    try:
        picture = _FILES.decode(file).picture
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"a sketch's file that cannot be read: {error}", "share pictures of this network") from None
    read(picture)
    return picture


def cut(picture: bytes, box: Box) -> bytes:
    """What is in a box: the thing whose centre is nearest to the box's, if it is in the box, stretched to the whole."""
    sketch = read(picture)

    def off(thing: Thing) -> float:
        return max(abs(thing.cx / STEP - box.cx), abs(thing.cy / STEP - box.cy))

    nearest = min(sketch.things, key=off, default=None)
    if nearest is None or 2 * off(nearest) > min(box.width, box.height):
        return written(msgspec.structs.replace(sketch, things=()))
    middle, side = PICTURE_SIDE * STEP // 2, PICTURE_SIDE * STEP
    whole = msgspec.structs.replace(nearest, cx=middle, cy=middle, width=side, height=side)
    return written(msgspec.structs.replace(sketch, things=(whole,)))
