"""Model cards: a JSON file beside the weights that names their hashes, size and cost. Read without torch.

A card is an object with at least ``name``, ``roles``, ``params``, ``flops`` (one typical call, a multiply-add is two),
``batch`` (the one padded batch size), ``recipe`` (NAME of ``semcast train NAME``) and ``files`` (file name -> SHA-256 in hex).
The hash of the card's own bytes stands for the model in a run's record: it covers settings and weights.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...bus.errors import BadInput, Missing

CARD_NAME = "card.json"


@dataclass(frozen=True)
class Card:
    """A card as read: its folder, its object and the SHA-256 (hex) of its bytes."""

    folder: Path
    data: dict[str, Any]
    sha256: str

    @property
    def recipe(self) -> str:
        """The command's argument that makes these weights again."""
        return str(self.data.get("recipe", self.folder.name))

    @property
    def mend(self) -> str:
        """What to do when a file is absent or damaged; a card whose weights come from elsewhere says so under ``mend``."""
        return str(self.data.get("mend", f"train it: semcast train {self.recipe}, or reinstall the package"))


def read_card(folder: Path, name: str = CARD_NAME, recipe: str = "") -> Card:
    """Read the card `name` in `folder`; `recipe` is for the hint only.

    Raises:
        Missing: No such file.
        BadInput: Not a JSON object with ``files``.
    """
    path = folder / name
    hint = f"train it: semcast train {recipe or folder.name}, or reinstall the package"
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Missing(f"no model card at {path} ({error.strerror})", hint) from None
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"model card {path} is not JSON ({error})", hint) from None
    if not isinstance(data, dict) or not isinstance(data.get("files"), dict):
        raise BadInput(f'model card {path} has no "files"', hint)
    return Card(folder, data, hashlib.sha256(raw).hexdigest())


def write_card(folder: Path, data: dict[str, Any], name: str = CARD_NAME) -> Card:
    """Write `data` as the card of `folder`; its ``files`` are hashed here, whatever stood there.

    Args:
        folder: Where the weights already lie.
        data: The card's object; ``files`` may be a list of names or a mapping with those names as keys.
        name: File name of the card.
    """
    files = {file: file_sha256(folder / file) for file in sorted(data["files"])}
    text = json.dumps({**data, "files": files}, indent=1) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
    return read_card(folder, name)


def checked(card: Card, name: str) -> Path:
    """Path of the weights file `name` of a card, after its hash was compared.

    Raises:
        Missing: The file is absent, or the card does not list it.
        BadInput: Its bytes are not those that the card names.
    """
    path = card.folder / name
    if name not in card.data["files"] or not path.is_file():
        raise Missing(f"no weights at {path}", card.mend)
    found, wanted = file_sha256(path), card.data["files"][name]
    if found != wanted:
        raise BadInput(f"weights {path} are damaged: sha256 {found[:12]}..., the card says {str(wanted)[:12]}...", card.mend)
    return path


def made_of(card: Card) -> Path:
    """The card of the model that a variant was made of, beside its own folder, after its hash was compared; see `checked`."""
    return checked(card, next(name for name in card.data["files"] if name.startswith("../") and name.endswith(".json")))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
