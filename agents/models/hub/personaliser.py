"""Role ``personaliser`` of the hub profile: the mean CLIP look of a subject over the shared pictures."""

from collections.abc import Sequence

import numpy as np

from ....bus.errors import BadInput
from ..roles import Branch, Personalise
from .clip import Clip
from .pictures import opened
from .settings import HubSettings
from .snapshot import Snapshot, digest


class HubPersonaliser:
    """Implements `semcast.agents.models.roles.Model`. An identifier has as many float32 numbers as CLIP's common space (512)."""

    role = "personaliser"
    batch = 1

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        (clip,) = parts
        self._clip = Clip(clip, settings)
        self.name, self.sha256 = self._clip.name, digest(parts, settings.kept(self.role))

    def group(self, arguments: Personalise) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Personalise) -> int:
        """Grows with the number of pictures."""
        return self._clip.flops * len(arguments.pictures)

    def run(self, arguments: Sequence[Personalise]) -> list[Branch]:
        """One identifier a call, little-endian float32 at unit norm.

        Raises:
            BadInput: No picture, a box too few or too many, or a picture of another size.
        """
        return [Branch(call.subject, self._identifier(call)) for call in arguments]

    def _identifier(self, call: Personalise) -> bytes:
        if not call.pictures or len(call.pictures) != len(call.boxes):
            raise BadInput(
                f"subject {call.subject!r}: {len(call.pictures)} pictures with {len(call.boxes)} boxes",
                "share 3 to 6 pictures, each with the subject's box",
            )
        images = [opened(picture, self.name) for picture in call.pictures]
        looks = [self._clip.look_at(image, box) for image, box in zip(images, call.boxes, strict=True)]
        total = np.sum(looks, axis=0, dtype=np.float64)
        return (total / max(float(np.linalg.norm(total)), 1e-9)).astype("<f4").tobytes()
