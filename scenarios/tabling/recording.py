"""Models that note what they are asked and answer, and the sketch of every picture of a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from ...agents.models.roles import Box, Decode, Extract, Extraction, Model, ModelSet
from ...agents.models.table.generator import sketch_of
from ...agents.sketches import Hop, Sketch, photograph_of
from ...bus.records import Capture
from ..metrics.story import Story


@dataclass
class Recorded:
    """A model of another profile, and the calls that it has answered."""

    model: Model
    calls: list[tuple[Any, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.batch, self.role = self.model.batch, self.model.role
        self.flops, self.group = self.model.flops, self.model.group

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Answer and note; what fills a batch up is not noted."""
        results = self.model.run(arguments)
        last = None
        for call, result in zip(arguments, results, strict=True):
            if call is not last:
                self.calls.append((call, result))
            last = call
        return results


class Recording(Mapping[str, Any]):
    """A set of models that notes all calls; ``forget`` begins anew."""

    def __init__(self, models: ModelSet) -> None:
        self.models = models
        self._made: dict[str, Recorded] = {}

    def __getitem__(self, role: str) -> Recorded:
        if role not in self._made:
            self._made[role] = Recorded(self.models[role])
        return self._made[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def calls(self, role: str) -> list[tuple[Any, Any]]:
        """(arguments, result) of all calls of a role."""
        return self[role].calls if role in self._made else []

    def forget(self) -> None:
        """Begin anew."""
        for made in self._made.values():
            made.calls.clear()


def photograph(capture: Capture) -> Sketch:
    """What the camera saw, as a sketch."""
    truth = [Box(label, colour, cx, cy, wide, high, 1.0, name) for label, colour, cx, cy, wide, high, name in capture.truth]
    return photograph_of(truth, capture.background, _grain(capture.picture))


def _grain(picture: bytes) -> int:
    return int.from_bytes(blake2b(picture, digest_size=4).digest(), "little") >> 2


class Sketches:
    """The sketches of a run's pictures, as its table network would have had them."""

    def __init__(self, recording: Recording) -> None:
        self.drawn = {result.picture: sketch_of(call) for call, result in recording.calls("generator")}
        calls: list[tuple[Decode, Any]] = recording.calls("jscc_decoder")
        self.hops = {result.picture: Hop(call.codec, round(10 * call.snr_db)) for call, result in calls}

    def content(self, story: Story) -> Sketch | None:
        """What was sent down."""
        if story.content is None:
            return None
        picture = story.content.picture
        return self.drawn.get(picture) or self.after(photograph(story.capture), picture)

    def shown(self, story: Story) -> Sketch | None:
        """What was shown."""
        content = self.content(story)
        if story.shown is None or content is None:
            return None
        return self.after(content, story.shown.picture, story.shown.codec)

    def after(self, sketch: Sketch, picture: bytes, codec: str = "") -> Sketch:
        """A sketch that came out of a decoder as these pixels; as coded bits where no decoder made them."""
        hop = self.hops.get(picture, Hop(codec, 400))
        return Sketch(sketch.things, sketch.background, sketch.grain, sketch.made, sketch.steps, (*sketch.hops, hop))


def looked(recording: Recording, known: Mapping[bytes, Sketch]) -> list[tuple[Sketch, Extract, Extraction]]:
    """The extractor's looks at pictures whose sketch is known."""
    return [(known[call.picture], call, result) for call, result in recording.calls("extractor") if call.picture in known]
