"""Role ``personaliser``: shared pictures of a subject become its identifier vector, the light branch model of this profile."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ....bus.errors import BadInput
from ...scenes.draw import draw
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ..cards import Card, checked, read_card
from ..roles import PICTURE_SIDE, Box, Branch, Personalise
from .subjects import WEIGHTS_NAME, SubjectEye

CATALOG_NAME = "catalog.safetensors"


class TinyPersonaliser:
    """The mean look of a subject. Implements `semcast.agents.models.roles.Model`."""

    role = "personaliser"

    def __init__(self, card: Card, eye: SubjectEye) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self._flops_per_crop = int(card.data["flops_per_crop"])
        self._eye = eye

    def group(self, arguments: Personalise) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Personalise) -> int:
        """Grows with the number of pictures."""
        return self._flops_per_crop * len(arguments.pictures)

    def run(self, arguments: Sequence[Personalise]) -> list[Branch]:
        """One identifier of `IDENTIFIER_SIZE` little-endian float32 a call, at unit norm.

        Raises:
            BadInput: No picture, a box too few or too many, or a picture that is not 64x64 RGB.
        """
        return [Branch(call.subject, self._identifier(call)) for call in arguments]

    def _identifier(self, call: Personalise) -> bytes:
        if not call.pictures or len(call.pictures) != len(call.boxes):
            raise BadInput(
                f"subject {call.subject!r}: {len(call.pictures)} pictures with {len(call.boxes)} boxes",
                "share 3 to 6 pictures, each with the subject's box",
            )
        if any(len(picture) != PICTURE_SIDE * PICTURE_SIDE * 3 for picture in call.pictures):
            raise BadInput(f"subject {call.subject!r}: a picture is not uint8 RGB of 64x64 pixels", "give 12288 bytes each")
        return self._eye.identifier(call.pictures, call.boxes).astype("<f4").tobytes()


def load(folder: Path) -> TinyPersonaliser:
    """Read weights and card; their hashes are checked."""
    card = read_card(folder)
    return TinyPersonaliser(card, SubjectEye(checked(card, WEIGHTS_NAME)))


def catalog(folder: Path | None = None) -> dict[str, bytes]:
    """The shipped identifier of every subject of the catalog (name -> little-endian float32), hash checked.

    Args:
        folder: Weights of the personaliser; default: the package's.
    """
    from ..loading import WEIGHTS

    vectors = load_file(checked(read_card(folder or WEIGHTS / "personaliser"), CATALOG_NAME))
    return {name: np.asarray(vectors[name], dtype="<f4").tobytes() for name in SUBJECTS}


def shared_pictures(subject: str, number: int = 5) -> tuple[list[bytes], list[Box]]:
    """Pictures that a user could share of a catalog subject, and the subject's box in each."""
    scenes = [make_scene("shared", subject, index, count=(1, 3), subjects=(subject,)) for index in range(number)]
    boxes = [next(box for box in scene.boxes() if box.subject == subject) for scene in scenes]
    return [draw(scene).tobytes() for scene in scenes], boxes


def examples() -> list[Personalise]:
    """Four calls with 3 to 6 pictures."""
    calls = []
    for number, name in zip((3, 4, 5, 6), SUBJECTS, strict=False):
        pictures, boxes = shared_pictures(name, number)
        calls.append(Personalise(name, SUBJECTS[name].label, pictures, boxes))
    return calls
