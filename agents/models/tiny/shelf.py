"""Where LoRA adapters come from: shipped for the catalog's users, else made once and cached by content hash."""

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from ....bus.errors import BadInput
from ..cards import Card, checked, read_card
from ..roles import Personalise
from .adapters import unpack

log = logging.getLogger(__name__)

RECIPE = "lora-1"
"""Name of the way adapters are trained; another way, another name, so that cached ones are made anew."""


def base_hash(generator: Path) -> str:
    """SHA-256 over the hashes of the generator's weights, for which an adapter is made (hex)."""
    files: dict[str, str] = read_card(generator).data["files"]
    text = "\n".join(f"{name} {files[name]}" for name in sorted(files) if name.endswith(".safetensors"))
    return hashlib.sha256(text.encode()).hexdigest()


def pictures_key(call: Personalise) -> str:
    """SHA-256 of a subject's name, class and shared pictures (hex)."""
    return _digest([call.subject, call.label, call.pictures])


def content_key(call: Personalise, base: str) -> str:
    """SHA-256 of all that an adapter is made of (hex): the call with its boxes, the generator's weights, the recipe."""
    boxes = [[round(value, 3) for value in (box.cx, box.cy, box.width, box.height)] + [box.colour] for box in call.boxes]
    return _digest([RECIPE, base, call.subject, call.label, call.pictures, boxes])


def _digest(value: object) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(value)).hexdigest()


def cache_folder() -> Path:
    """Folder ``adapters`` in ``$SEMCAST_CACHE``, or in ``semcast`` of the user's cache (``$XDG_CACHE_HOME``, ``~/.cache``)."""
    own = os.environ.get("SEMCAST_CACHE")
    root = Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "semcast"
    return root / "adapters"


class Shelf:
    """Finds adapters, or has them made.

    Args:
        card: The personaliser's; ``adapters`` in it says for which generator (``base``) and of which pictures (``files``: key
            -> file) the shipped ones are made. Their boxes are those of the extractor then, and not compared.
        base: Hash of the generator in use.
        make: Trains an adapter (about half a minute).
    """

    def __init__(self, card: Card, base: str, make: Callable[[Personalise], bytes]) -> None:
        shipped = card.data.get("adapters", {})
        self._files: dict[str, str] = shipped.get("files", {}) if shipped.get("base") == base else {}
        if shipped and not self._files:
            log.warning("the shipped adapters are not made for this generator and are not used: semcast train adapters")
        self._card, self._base, self._make = card, base, make

    def adapter(self, call: Personalise) -> bytes:
        """The adapter's bytes; equal calls give equal bytes."""
        file = self._files.get(pictures_key(call))
        if file is not None:
            return checked(self._card, file).read_bytes()
        path = cache_folder() / f"{content_key(call, self._base)}.safetensors"
        found = _read(path)
        if found is None:
            log.info("training an adapter for %s (about half a minute); it is kept in %s", call.subject, path)
            found = self._make(call)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(found)
            part.replace(path)
        return found


def _read(path: Path) -> bytes | None:
    """A cached adapter; one that cannot be read, as after a full disk, is made again."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        unpack(data)
    except BadInput:
        return None
    return data
