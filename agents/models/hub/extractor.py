"""Role ``extractor`` of the hub profile: a published captioner says what is there, a published detector where.

Nothing of the scene world's classes is known here: labels and captions are free text. The background is not named apart, the
caption says it. When the asker names its own subjects, every box is compared with their looks (`personaliser.py`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from PIL import Image

from ....bus.errors import BadInput
from ..roles import Box, Extract, Extraction
from .captioner import Captioner
from .clip import Clip
from .detector import Detector
from .pictures import opened
from .settings import HubSettings
from .snapshot import Snapshot, digest

MOST_BOXES, LOOKS = 15, 5
"""Boxes that are reported, and boxes that a picture is reckoned to hold when the cost of looking at them is fixed."""
SAME_SUBJECT = 0.9
"""Cosine of two looks from which on they are taken for one subject. Not calibrated: no published weights were at hand."""


class HubExtractor:
    """Says, finds and recognises. Implements `semcast.agents.models.roles.Model`."""

    role = "extractor"

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        self.name = " + ".join(part.pick.short for part in parts)
        self.sha256 = digest(parts, settings.kept(self.role))
        self.batch = settings.batch
        captioner, detector, clip = parts
        self._captioner, self._detector = Captioner(captioner, settings), Detector(detector, settings)
        self._clip = Clip(clip, settings)

    def group(self, arguments: Extract) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Extract) -> int:
        """Counted on the modules as loaded; a whole sentence, and `LOOKS` boxes where subjects are asked for."""
        looks = LOOKS * self._clip.flops if arguments.subjects else 0
        return self._captioner.flops + self._detector.flops + looks

    def run(self, arguments: Sequence[Extract]) -> list[Extraction]:
        """Exactly `batch` pictures.

        Raises:
            BadInput: Another number of calls, or a picture of another size.
        """
        if len(arguments) != self.batch:
            raise BadInput(f"{self.name}: a batch of {len(arguments)}, not {self.batch}", "fill it up with the last call")
        images = [opened(call.picture, self.name) for call in arguments]
        said, found = self._captioner.say(images), self._detector.find(images)
        return [
            Extraction(text, "", self._recognise(call.subjects, image, boxes[:MOST_BOXES]))
            for call, image, text, boxes in zip(arguments, images, said, found, strict=True)
        ]

    def _recognise(self, subjects: Mapping[str, bytes], image: Image.Image, boxes: list[Box]) -> list[Box]:
        """Give the asker's subjects their names, best match first; a subject is in a picture at most once."""
        known = {name: np.frombuffer(raw, "<f4") for name, raw in sorted(subjects.items()) if len(raw) == 4 * self._clip.size}
        looks = [self._clip.look_at(image, box) for box in boxes] if known else []
        matches = [
            (-round(float(look @ vector), 3), name, index) for index, look in enumerate(looks) for name, vector in known.items()
        ]
        result: list[Box] = list(boxes)
        taken: list[str] = []
        for negative, name, index in sorted(matches):
            if -negative >= SAME_SUBJECT and name not in taken and not result[index].subject:
                result[index] = replace(result[index], subject=name)
                taken.append(name)
        return result
