"""Video prompts as bits: what is where when, and what happened; nothing of what stands still, or of what the receiver can tell.

A thing costs class and colour (10 bits), a bit and, where the receiver's KB has its look, that look's number (6), its size (14),
first and last frame (12), 16 bits for every place told and, where places are predicted, a bit a frame. Places are half pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...bus.errors import BadInput
from ..bits import BitReader, BitWriter
from ..models.roles import PICTURE_SIDE, Box
from ..prompt_codec import COLOUR_BITS, LABEL_BITS, NUMBER_BITS, TIME_BITS, USER_BITS
from ..scenes.vocabulary import COLOUR_NAMES, LABELS
from .incidents import KINDS, Incident
from .motion import completed, predicted, worth_telling
from .tracking import Track
from .world import MARGIN

EVERY, STRIDE, PREDICTED = "every", "stride", "predicted"
MODES = (EVERY, STRIDE, PREDICTED)
"""Which frames' places are told: every one's; every so many frames' (the receiver completes those between); those alone that the
receiver would not predict."""
CAMERA_BITS, FRAME_BITS, FPS_BITS, MODE_BITS, STEP_BITS, TRACKS_BITS, INCIDENTS_BITS = 4, 6, 6, 2, 4, 4, 3
LOOK_BITS, SIZE_BITS, PLACE_BITS, KIND_BITS = 6, 7, 8, 2
MOST_TRACKS, MOST_INCIDENTS, MOST_LOOKS = 15, 7, 1 << LOOK_BITS
LARGEST_BYTES = 1 << 12
NO_LOOK = -1
LARGEST_SIZE = PICTURE_SIDE


@dataclass(frozen=True)
class Told:
    """One thing as a prompt tells it: its ``look`` in the receiver's KB or else class and colour ("" where not known), size in

    pixels, frames in which it is there, and told places (frame -> centre).
    """

    look: int
    label: str
    colour: str
    width: float
    height: float
    first: int
    last: int
    points: dict[int, tuple[float, float]]


@dataclass(frozen=True)
class ClipPromptContent:
    """What a video prompt says. ``recipient``: number among the users; ``time_ms`` of the last frame, modulo 2^16.

    ``camera``: which of the sender's cameras.
    """

    number: int
    recipient: int
    time_ms: int
    camera: int
    frames: int
    fps: int
    mode: str
    step: int
    things: tuple[Told, ...]
    incidents: tuple[Incident, ...] = ()


def told(track: Track, look: int, mode: str, step: int, tolerance_px: float) -> Told:
    """What a prompt says of a track; places are rounded as the code does, so that a sender predicts what its receiver will."""
    centres = {frame: (_rounded(box.cx), _rounded(box.cy)) for frame, box in track.places.items()}
    width, height = _size(track)
    if mode == PREDICTED:
        points = worth_telling(centres, tolerance_px)
    else:
        points = {frame: centres[frame] for frame in instants(track.first, track.last, step if mode == STRIDE else 1)}
    return Told(look, track.label, track.colour, width, height, track.first, track.last, points)


def _size(track: Track) -> tuple[float, float]:
    """Width and height in whole pixels: the median over frames in which the picture's rim cuts nothing off (else over all)."""
    boxes = list(track.places.values())
    whole = [box for box in boxes if min(_gaps(box)) >= 1] or boxes
    width, height = (sorted(getattr(box, side) for box in whole)[len(whole) // 2] for side in ("width", "height"))
    return float(min(max(round(width), 1), LARGEST_SIZE)), float(min(max(round(height), 1), LARGEST_SIZE))


def _gaps(box: Box) -> tuple[float, ...]:
    """Pixels between a box and each side of the picture."""
    left, top = box.cx - box.width / 2, box.cy - box.height / 2
    return left, top, PICTURE_SIDE - left - box.width, PICTURE_SIDE - top - box.height


def instants(first: int, last: int, step: int) -> list[int]:
    """Frames at which a place is told: every ``step``-th from the first, and the last."""
    return [*range(first, last, step), last]


def places_of(thing: Told, mode: str) -> dict[int, tuple[float, float]]:
    """Frame -> centre of a told thing, frames that were not told completed or predicted."""
    return predicted(thing.points, thing.last) if mode == PREDICTED else completed(thing.points)


def courses_of(content: ClipPromptContent) -> list[tuple[Told, dict[int, Box]]]:
    """Each told thing with its box in every frame."""
    return [
        (
            thing,
            {
                frame: Box(thing.label, thing.colour, x, y, thing.width, thing.height)
                for frame, (x, y) in places_of(thing, content.mode).items()
            },
        )
        for thing in content.things
    ]


def encode(content: ClipPromptContent) -> tuple[bytes, int]:
    """Code a video prompt.

    Returns:
        The bytes (the last one filled with zeros) and the number of bits that count.

    Raises:
        BadInput: Too many things or incidents, or a number does not fit its field.
    """
    if len(content.things) > MOST_TRACKS or len(content.incidents) > MOST_INCIDENTS:
        raise BadInput(
            f"a prompt of {len(content.things)} things and {len(content.incidents)} incidents",
            f"at most {MOST_TRACKS} and {MOST_INCIDENTS}",
        )
    out = BitWriter()
    out.write(content.number % (1 << NUMBER_BITS), NUMBER_BITS)
    out.write(content.recipient, USER_BITS)
    out.write(content.time_ms % (1 << TIME_BITS), TIME_BITS)
    out.write(content.camera, CAMERA_BITS)
    out.write(content.frames - 1, FRAME_BITS)
    out.write(content.fps, FPS_BITS)
    out.write(MODES.index(content.mode), MODE_BITS)
    out.write(content.step - 1, STEP_BITS)
    out.write(len(content.things), TRACKS_BITS)
    out.write(len(content.incidents), INCIDENTS_BITS)
    for thing in content.things:
        _write_thing(out, thing, content)
    for incident in content.incidents:
        out.write(KINDS.index(incident.kind), KIND_BITS)
        out.write(incident.frame, FRAME_BITS)
        _write_place(out, incident.cx, incident.cy)
    return out.bytes(), out.length


def decode(data: bytes) -> ClipPromptContent:
    """Decode what `encode` made.

    Raises:
        BadInput: The bytes are cut off, no prompt, or more than `LARGEST_BYTES`.
    """
    if len(data) > LARGEST_BYTES:
        raise BadInput(f"a video prompt of {len(data)} bytes", f"at most {LARGEST_BYTES} are read")
    bits = BitReader(data)
    number, recipient, time_ms = bits.read(NUMBER_BITS), bits.read(USER_BITS), bits.read(TIME_BITS)
    camera = bits.read(CAMERA_BITS)
    frames, fps = bits.read(FRAME_BITS) + 1, bits.read(FPS_BITS)
    mode, step = _named(bits.read(MODE_BITS), MODES), bits.read(STEP_BITS) + 1
    things, events = bits.read(TRACKS_BITS), bits.read(INCIDENTS_BITS)
    found = tuple(_read_thing(bits, frames, mode, step) for _ in range(things))
    told_events = []
    for _ in range(events):
        kind, frame = _named(bits.read(KIND_BITS), KINDS), bits.read(FRAME_BITS)
        told_events.append(Incident(kind, frame, *_read_place(bits)))
    return ClipPromptContent(number, recipient, time_ms, camera, frames, fps, mode, step, found, tuple(told_events))


def _write_thing(out: BitWriter, thing: Told, content: ClipPromptContent) -> None:
    out.write(thing.look != NO_LOOK, 1)
    if thing.look != NO_LOOK:
        out.write(thing.look, LOOK_BITS)
    out.write(_number(thing.label, LABELS), LABEL_BITS)
    out.write(_number(thing.colour, COLOUR_NAMES), COLOUR_BITS)
    out.write(round(thing.width), SIZE_BITS)
    out.write(round(thing.height), SIZE_BITS)
    out.write(thing.first, FRAME_BITS)
    out.write(thing.last, FRAME_BITS)
    if content.mode == PREDICTED:
        for frame in range(thing.first + 1, thing.last + 1):
            out.write(frame in thing.points, 1)
        frames = [frame for frame in range(thing.first, thing.last + 1) if frame in thing.points]
    else:
        frames = instants(thing.first, thing.last, content.step if content.mode == STRIDE else 1)
    if frames != sorted(thing.points):
        raise BadInput(f"places told of frames {sorted(thing.points)}", f"mode {content.mode} tells those of {frames}")
    for frame in frames:
        _write_place(out, *thing.points[frame])


def _read_thing(bits: BitReader, frames: int, mode: str, step: int) -> Told:
    look = bits.read(LOOK_BITS) if bits.read(1) else NO_LOOK
    label, colour = _name(bits.read(LABEL_BITS), LABELS), _name(bits.read(COLOUR_BITS), COLOUR_NAMES)
    width, height = (float(bits.read(SIZE_BITS)) for _ in range(2))
    first, last = bits.read(FRAME_BITS), bits.read(FRAME_BITS)
    if not first <= last < frames or not (0 < width <= LARGEST_SIZE and 0 < height <= LARGEST_SIZE):
        raise BadInput(
            f"a thing of {width:.0f}x{height:.0f} pixels in frames {first} to {last} of {frames}", "the bytes are no prompt"
        )
    if mode == PREDICTED:
        chosen = [first] + [frame for frame in range(first + 1, last + 1) if bits.read(1)]
    else:
        chosen = instants(first, last, step if mode == STRIDE else 1)
    return Told(look, label, colour, width, height, first, last, {frame: _read_place(bits) for frame in chosen})


def _rounded(value: float) -> float:
    """To half pixels, and into the range that can be told."""
    return min(max(round(2 * value), -2 * MARGIN), (1 << PLACE_BITS) - 1 - 2 * MARGIN) / 2


def _write_place(out: BitWriter, *place: float) -> None:
    for value in place:
        out.write(round(2 * (_rounded(value) + MARGIN)), PLACE_BITS)


def _read_place(bits: BitReader) -> tuple[float, float]:
    x, y = (bits.read(PLACE_BITS) / 2 - MARGIN for _ in range(2))
    return x, y


def _number(name: str, names: Sequence[str]) -> int:
    """0 for a name that is not known, else its place counted from 1."""
    return names.index(name) + 1 if name in names else 0


def _name(number: int, names: Sequence[str]) -> str:
    if number > len(names):
        raise BadInput(f"a prompt has the number {number} where {len(names)} names are known", "the bytes are no prompt")
    return names[number - 1] if number else ""


def _named(number: int, names: Sequence[str]) -> str:
    if number >= len(names):
        raise BadInput(f"a prompt has the number {number} where {len(names)} names are known", "the bytes are no prompt")
    return names[number]
