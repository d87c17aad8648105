"""Role ``personaliser``: shared pictures of a subject become its branch model.

It has three parts, from light to heavy: the identifier vector (mean look), a reference (cut-out of one picture), and, where it is
asked for, a LoRA adapter of the generator.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from ....bus.errors import BadInput
from ...pictures import cut
from ...scenes.draw import draw
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ..cards import Card, checked, read_card
from ..roles import PICTURE_SIDE, Box, Branch, Personalise
from .adapters import AdapterSettings, pack
from .shelf import Shelf, base_hash
from .subjects import WEIGHTS_NAME, SubjectEye

CATALOG_NAME = "catalog.safetensors"


class TinyPersonaliser:
    """Implements `semcast.agents.models.roles.Model`.

    Args:
        card: Names and hashes the weights and the shipped adapters.
        eye: Sees looks.
        generator: Folder of the generator for which adapters are made; read when one is asked for.
    """

    role = "personaliser"

    def __init__(self, card: Card, eye: SubjectEye, generator: Path) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self._flops_per_crop = int(card.data["flops_per_crop"])
        self._eye = eye
        self._card, self._generator = card, generator

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(self._card, base_hash(self._generator), self._train)

    def group(self, arguments: Personalise) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Personalise) -> int:
        """Grows with the number of pictures; the adapter's training counts whether or not one lies in the cache."""
        flops = self._flops_per_crop * len(arguments.pictures)
        return flops + (AdapterSettings().passes * self._flops_of_step if arguments.adapter else 0)

    @cached_property
    def _flops_of_step(self) -> int:
        return int(read_card(self._generator).data["flops_per_step"])

    def run(self, arguments: Sequence[Personalise]) -> list[Branch]:
        """One branch model a call: the identifier has `IDENTIFIER_SIZE` little-endian float32, at unit norm.

        Raises:
            BadInput: No picture, a box too few or too many, or a picture that is not 64x64 RGB.
        """
        branches: dict[int, Branch] = {}  # the engine fills a batch up with its last call
        for call in arguments:
            if id(call) not in branches:
                branches[id(call)] = self._branch(call)
        return [branches[id(call)] for call in arguments]

    def _branch(self, call: Personalise) -> Branch:
        _check(call)
        mean = self._eye.identifier(call.pictures, call.boxes)
        typical = [float(self._eye.look(picture, box) @ mean) for picture, box in zip(call.pictures, call.boxes, strict=True)]
        best = typical.index(max(typical))  # a box that misses the subject looks unlike the others
        adapter = self._shelf.adapter(call) if call.adapter else b""
        return Branch(call.subject, mean.astype("<f4").tobytes(), cut(call.pictures[best], call.boxes[best]), adapter)

    def _train(self, call: Personalise) -> bytes:
        from ..training.adapters import adapt  # peft takes seconds to import, and adapters are seldom made
        from .generator import read_parts

        return pack(adapt(read_parts(self._generator)[0], call, self._eye.identifier(call.pictures, call.boxes)))


def _check(call: Personalise) -> None:
    if not call.pictures or len(call.pictures) != len(call.boxes):
        raise BadInput(
            f"subject {call.subject!r}: {len(call.pictures)} pictures with {len(call.boxes)} boxes",
            "share 3 to 6 pictures, each with the subject's box",
        )
    if any(len(picture) != PICTURE_SIDE * PICTURE_SIDE * 3 for picture in call.pictures):
        raise BadInput(f"subject {call.subject!r}: a picture is not uint8 RGB of 64x64 pixels", "give 12288 bytes each")


def load(folder: Path) -> TinyPersonaliser:
    """Read weights and card; their hashes are checked."""
    card = read_card(folder)
    return TinyPersonaliser(card, SubjectEye(checked(card, WEIGHTS_NAME)), folder.parent / "generator")


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
