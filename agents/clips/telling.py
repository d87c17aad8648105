"""What a sender says of a clip: what its receivers lack of background and looks, and what is where when."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from msgspec import field as of

from ...bus.content_messages import Look
from ..models.roles import PICTURE_SIDE
from ..scenes.draw import Pixels
from ..settings import ClipSettings
from .background import Background, background_of, merged, shows, still
from .incidents import Incident, incidents
from .looks import compress, cut_out, opened
from .prompt import MOST_INCIDENTS, MOST_LOOKS, MOST_TRACKS, NO_LOOK, Told, told
from .tracking import Track

MAP, KB, EACH = "map", "kb", "each"
"""What receivers draw on: a map that all have; what they were sent once; what they are sent with every clip."""
BETTER = 0.01
"""Share of the picture that must have been seen free for the first time for a background to be sent again."""


class Lent(Struct):
    """What a receiver has of a camera: which ``version`` of its background (0: none), and looks by number."""

    version: int = 0
    looks: list[int] = of(default_factory=list)


class Camera(Struct):
    """What a sender knows of a camera of its own, and what its receivers have."""

    picture: bytes = b""
    seen: bytes = b""
    version: int = 0
    file: bytes = b""
    """The background as it was last sent, and how much of the picture had been seen by then."""
    sent_share: float = 0.0
    looks: dict[str, int] = of(default_factory=dict)
    """Class and colour -> number."""
    lent: dict[str, Lent] = of(default_factory=dict)
    """Receiver -> what it has."""


@dataclass(frozen=True)
class Telling:
    """Knowledge that goes ahead (for ``lacking`` receivers), and what the prompt says."""

    things: tuple[Told, ...]
    incidents: tuple[Incident, ...]
    lacking: list[str] = field(default_factory=list)
    background: bytes = b""
    looks: list[Look] = field(default_factory=list)


def tell(frames: Pixels, tracks: Sequence[Track], camera: Camera, receivers: Sequence[str], settings: ClipSettings) -> Telling:
    """Decide what to say of a clip, and note in ``camera`` what was learned and said.

    What stands still and is in the background that receivers have is not told. A look is told once for all things of a class and
    colour before this camera.
    """
    happened = (
        tuple(incidents([(track.label, track.places) for track in tracks])[:MOST_INCIDENTS]) if settings.world == "street" else ()
    )
    if settings.background == MAP:
        return Telling(_told(tracks, [NO_LOOK] * len(tracks), settings), happened)
    known = _learn(frames, tracks, camera)
    shown = opened(camera.file, "RGB")
    new = [track for track in tracks if not (still(track) and _is_shown(shown, frames, track))][:MOST_TRACKS]
    numbers = _numbers(new, camera, settings)
    every = settings.background == EACH
    lent = {user: Lent() if every else camera.lent.setdefault(user, Lent()) for user in receivers}
    lacking = [user for user in receivers if lent[user].version < camera.version or set(numbers) - {*lent[user].looks, NO_LOOK}]
    wanted = {number for user in lacking for number in numbers if number not in lent[user].looks} - {NO_LOOK}
    looks = []
    for track, number in zip(new, numbers, strict=True):
        if number in wanted:
            wanted.remove(number)
            looks.append(Look(number, track.label, track.colour, cut_out(frames, known.picture, track, tracks)))
    behind = any(lent[user].version < camera.version for user in lacking)
    for user in lacking:
        lent[user].version = camera.version
        lent[user].looks = sorted({*lent[user].looks, *numbers} - {NO_LOOK})
    return Telling(_told(new, numbers, settings), happened, lacking, camera.file if behind else b"", looks)


def _numbers(tracks: Sequence[Track], camera: Camera, settings: ClipSettings) -> list[int]:
    """The number of each track's look; a new one where its class and colour have none."""
    if settings.looks == "known":
        return [NO_LOOK] * len(tracks)
    names = [f"{track.colour} {track.label}" for track in tracks]
    for name in names:
        camera.looks.setdefault(name, len(camera.looks) % MOST_LOOKS)
    return [camera.looks[name] for name in names]


def _told(tracks: Sequence[Track], looks: Sequence[int], settings: ClipSettings) -> tuple[Told, ...]:
    pairs = zip(tracks[:MOST_TRACKS], looks, strict=False)
    return tuple(told(track, look, settings.places, settings.step, settings.tolerance_px) for track, look in pairs)


def _learn(frames: Pixels, tracks: Sequence[Track], camera: Camera) -> Background:
    """The background as it is known with this clip; a better one than was sent gets a new version."""
    shape = (PICTURE_SIDE, PICTURE_SIDE)
    known = background_of(frames, tracks)
    if camera.picture:
        seen = np.frombuffer(camera.seen, np.uint8).reshape(shape).astype(bool)
        known = merged(Background(np.frombuffer(camera.picture, np.uint8).reshape(*shape, 3), seen), known)
    camera.picture, camera.seen = known.picture.tobytes(), known.seen.astype(np.uint8).tobytes()
    share = float(known.seen.mean())
    if not camera.version or share >= camera.sent_share + BETTER:
        camera.version, camera.sent_share, camera.file = camera.version + 1, share, compress(known.picture)
    return known


def _is_shown(picture: Pixels, frames: Pixels, track: Track) -> bool:
    """Whether a background shows a thing that stands still, in most frames."""
    found = [shows(picture, frames[frame], box) for frame, box in track.places.items()]
    return 2 * sum(found) > len(found)
