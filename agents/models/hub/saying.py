"""Role ``captioner`` of the hub profile: the sentence alone, without looking for boxes."""

from collections.abc import Sequence

from ....bus.errors import BadInput
from ..roles import Extract, Extraction
from .captioner import Captioner
from .pictures import opened
from .settings import HubSettings
from .snapshot import Snapshot, digest


class HubCaptioner:
    """Implements `semcast.agents.models.roles.Model`. The background is not named apart, and no subject is recognised."""

    role = "captioner"

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        (snapshot,) = parts
        self.name = snapshot.pick.short
        self.sha256 = digest(parts, settings.kept(self.role))
        self.batch = settings.batch
        self._captioner = Captioner(snapshot, settings)

    def group(self, arguments: Extract) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Extract) -> int:
        """A picture and a whole sentence."""
        return self._captioner.flops

    def run(self, arguments: Sequence[Extract]) -> list[Extraction]:
        """Exactly `batch` pictures.

        Raises:
            BadInput: Another number of calls, or a picture of another size.
        """
        if len(arguments) != self.batch:
            raise BadInput(f"{self.name}: a batch of {len(arguments)}, not {self.batch}", "fill it up with the last call")
        said = self._captioner.say([opened(call.picture, self.name) for call in arguments])
        return [Extraction(text, "", []) for text in said]
