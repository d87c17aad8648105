"""Pictures of one's own in place of the scene world's: files of a folder, cut to squares, with boxes where somebody drew them."""

import json
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from math import isfinite
from pathlib import Path
from typing import Any

from PIL import Image

from ..bus.errors import BadInput
from .models.roles import PICTURE_SIDE

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".ppm")
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "PPM")
ANNOTATIONS = "annotations.json"
MOST_PICTURES, MOST_ANNOTATION_BYTES = 100_000, 64 << 20
KEPT = 256
"""Opened pictures that stay in memory, each of some kilobytes."""

Thing = tuple[str, str, float, float, float, float, str]
"""(label, colour, cx, cy, width, height, subject) in pixels of the square, as in `bus.records.Capture`; no colour, no subject."""


@dataclass(frozen=True)
class OwnPicture:
    """A picture: raw uint8 RGB of (side, side, 3), its file's name, and what was annotated."""

    file: str
    picture: bytes
    things: tuple[Thing, ...] = ()
    captions: tuple[str, ...] = ()


class Album:
    """The pictures of a folder (and the folders in it), in the order of their names; files are opened when they are asked for.

    Args:
        folder: Where they are. ``annotations.json`` there, or in a folder above the pictures', may list
            ``{"file": name, "captions": [...], "boxes": [{"name": class, "bbox_xywh": [left, top, width, height]}]}`` in pixels
            of the whole picture, as the COCO subset that the project evaluates on does.
        side: Pixels of the squares.

    Raises:
        BadInput: There is no such folder, no picture in it, or annotations that cannot be read.
    """

    def __init__(self, folder: str, side: int = PICTURE_SIDE) -> None:
        self.folder, self.side = Path(folder), side
        if not self.folder.is_dir():
            raise BadInput(f"--images {folder}: no such folder", f"pictures are {', '.join(SUFFIXES)}")
        self.files = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not self.files:
            raise BadInput(f"--images {folder}: no picture there", f"pictures are {', '.join(SUFFIXES)}")
        if len(self.files) > MOST_PICTURES:
            raise BadInput(f"--images {folder}: {len(self.files)} pictures, at most {MOST_PICTURES}")
        self._notes = _annotations(self.folder)
        self._opened = lru_cache(maxsize=KEPT)(self._open)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> OwnPicture:
        """One picture; raises BadInput where its file cannot be read."""
        return self._opened(index)

    def _open(self, index: int) -> OwnPicture:
        path = self.files[index]
        image = open_image(path)
        note = self._notes.get(path.name, {})
        left, top, cut = _square(image.width, image.height)
        scale = self.side / cut
        things = []
        for box in note.get("boxes", []):
            x, y, width, height = box["bbox_xywh"]
            x0, y0, x1, y1 = (min(max(at, 0.0), cut) for at in (x - left, y - top, x + width - left, y + height - top))
            if x1 > x0 and y1 > y0:
                centre = ((x0 + x1) / 2 * scale, (y0 + y1) / 2 * scale)
                things.append((str(box["name"]), "", *centre, (x1 - x0) * scale, (y1 - y0) * scale, ""))
        return OwnPicture(
            path.name, squared(image, self.side).tobytes(), tuple(things), tuple(map(str, note.get("captions", [])))
        )

    def fingerprint(self) -> str:
        """Hash of names and bytes of all files, annotations included."""
        hashed = blake2b(json.dumps(self._notes, sort_keys=True).encode(), digest_size=16)
        for path in self.files:
            hashed.update(str(path.relative_to(self.folder)).encode() + b"\0" + blake2b(path.read_bytes()).digest())
        return hashed.hexdigest()


@cache
def album(folder: str) -> Album:
    """The album of a folder at the side of the tiny models' pictures, read once a process."""
    return Album(folder)


def open_image(path: Path) -> Image.Image:
    """A picture file as RGB, upright as its camera noted.

    Raises:
        BadInput: It is none, or unreasonably large.
    """
    from PIL import ImageOps

    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path, formats=FORMATS) as image,
        ):
            return ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(f"{path}: no picture that can be read: {error}", "take it out of the folder") from None


def squared(image: Image.Image, side: int) -> Image.Image:
    """The square in the middle of a picture, at a side in pixels (Lanczos)."""
    left, top, cut = _square(image.width, image.height)
    return image.resize((side, side), Image.Resampling.LANCZOS, box=(left, top, left + cut, top + cut))


def _square(width: int, height: int) -> tuple[float, float, float]:
    cut = float(min(width, height))
    return (width - cut) / 2, (height - cut) / 2, cut


def _annotations(folder: Path) -> dict[str, dict[str, Any]]:
    """File name -> annotation, from the folder or the one above it."""
    for place in (folder / ANNOTATIONS, folder.parent / ANNOTATIONS):
        if not place.is_file():
            continue
        if place.stat().st_size > MOST_ANNOTATION_BYTES:
            raise BadInput(f"{place}: more than {MOST_ANNOTATION_BYTES} bytes of annotations")
        try:
            listed = json.loads(place.read_text(encoding="utf-8"))
            return {_checked(note)["file"]: note for note in listed}
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            form = '[{"file": name, "captions": [...], "boxes": [{"name": class, "bbox_xywh": [x, y, width, height]}]}]'
            raise BadInput(f"{place}: cannot be used: {type(error).__name__}: {error}", f"it is a list: {form}") from None
    return {}


def _checked(note: dict[str, Any]) -> dict[str, Any]:
    """A note as it must be; ValueError, TypeError or KeyError otherwise."""
    if not isinstance(note["file"], str) or not isinstance(note.get("captions", []), list):
        raise ValueError("file is a name, captions are a list")
    for box in note.get("boxes", []):
        corners = box["bbox_xywh"]
        sound = len(corners) == 4 and all(type(value) in (int, float) and isfinite(value) for value in corners)
        if not sound or not isinstance(box["name"], str):
            raise ValueError(f"a box of {note['file']} that is none")
    return note
