"""Role ``personaliser`` of the table: the mean look of what shared sketches show in their boxes, and a cut-out of the best."""

from pathlib import Path

import numpy as np

from ....bus.errors import BadInput
from ...pictures import cut
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ...sketches import of_scene, read, written
from ..roles import Branch, Personalise
from . import looks
from .base import TableModel
from .store import read_table


class TablePersonaliser(TableModel):
    """Implements `semcast.agents.models.roles.Model`."""

    role = "personaliser"

    def flops(self, arguments: Personalise) -> int:
        """As the measured profile's: grows with the number of pictures.

        Raises:
            BadInput: An adapter is asked for, which the table does not know.
        """
        if arguments.adapter:
            raise BadInput("personaliser: the table profile makes no adapters", 'knowledge.branch = "reference", or models tiny')
        return int(self.stored.costs["personaliser"].data["flops_per_crop"]) * len(arguments.pictures)

    def answer(self, call: Personalise) -> Branch:
        """The branch model.

        Raises:
            BadInput: No picture, or a box too few or too many.
        """
        if not call.pictures or len(call.pictures) != len(call.boxes):
            raise BadInput(
                f"subject {call.subject!r}: {len(call.pictures)} pictures with {len(call.boxes)} boxes",
                "share 3 to 6 pictures, each with the subject's box",
            )
        cutouts = [cut(picture, box) for picture, box in zip(call.pictures, call.boxes, strict=True)]
        seen = [(file, looks.look(self.stored, read(file).things[0])) for file in cutouts if read(file).things]
        if not seen:
            return Branch(call.subject, np.zeros(looks.SIZE, "<f4").tobytes(), cutouts[0])
        mean = np.mean([vector for _, vector in seen], axis=0)
        mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
        best = max(seen, key=lambda one: float(one[1] @ mean))[0]
        return Branch(call.subject, mean.astype("<f4").tobytes(), best)


def load(folder: Path) -> TablePersonaliser:
    """Read the table."""
    return TablePersonaliser(read_table(folder))


def examples() -> list[Personalise]:
    """Four calls with 3 to 6 pictures."""
    calls = []
    for number, name in zip((3, 4, 5, 6), SUBJECTS, strict=False):
        scenes = [make_scene("shared", name, index, count=(1, 3), subjects=(name,)) for index in range(number)]
        boxes = [next(box for box in scene.boxes() if box.subject == name) for scene in scenes]
        calls.append(Personalise(name, SUBJECTS[name].label, [written(of_scene(scene)) for scene in scenes], boxes))
    return calls
