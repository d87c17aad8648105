"""One run of a measured profile -> looks and outcomes for the table."""

from collections.abc import Sequence

from msgspec import Struct, field

from ...agents.models.codecs.library import Library
from ...agents.models.loading import load_models
from ...agents.models.roles import Extract, Extraction
from ...agents.models.table import outcomes, patterns
from ...agents.models.table.outcomes import Cause, Effect
from ...agents.network import asked
from ...agents.playing import play
from ...agents.settings import NetworkSettings
from ...agents.sketches import Sketch
from ..build import network_settings
from ..metrics.quality import GREY, psnr_db, ssim
from ..metrics.reduce import rows_of
from ..metrics.row import Row
from ..metrics.story import Story, collect
from ..schema import Scenario
from .recording import Recording, Sketches, looked, photograph

LOOKS = 80
"""Generated, and received, pictures of a run that the extractor looks at besides."""


class Measured(Struct):
    """What one run has shown: cell -> patterns, and outcomes."""

    looks: dict[str, list[bytes]] = field(default_factory=dict)
    outcomes: list[tuple[Cause, Effect]] = field(default_factory=list)


def measure(scenario: Scenario, library: Library) -> Measured:
    """Run a scenario in this process and see what came of it."""
    settings = network_settings(scenario)
    recording = Recording(load_models(scenario.models.profile, asked(settings)))
    stories, _ = collect(play(settings, "", None, recording), {"cloud": settings.compute.cloud_accelerators})
    sketches = Sketches(recording)
    rows = rows_of(stories, settings)
    found = Measured()
    for story, row in zip(stories, rows, strict=True):
        cause = outcomes.cause_of(
            photograph(story.capture), sketches.content(story), sketches.shown(story), story.capture.task, library
        )
        found.outcomes.append((cause, effect_of(story, row)))
    _look(found, stories, sketches, recording, settings, library)
    return found


def effect_of(story: Story, row: Row) -> Effect:
    """The scores of a judged request."""
    original = story.capture.picture
    entered = story.content.picture if story.content else original
    own = {name: getattr(row, name) for name in outcomes.NAMES if not name.startswith("grey")}
    own["subject_alignment"] = own["subject_alignment"] or 0.0
    greys = {"grey_psnr_db": psnr_db(GREY, entered), "grey_psnr_to_original_db": psnr_db(GREY, original)}
    return Effect(**own, **greys, grey_ssim=ssim(GREY, entered))


def _look(
    found: Measured,
    stories: Sequence[Story],
    sketches: Sketches,
    recording: Recording,
    settings: NetworkSettings,
    library: Library,
) -> None:
    """The senders' looks, and some at what was generated and received."""
    seen: list[tuple[Sketch, Extract, Extraction]] = looked(
        recording, {story.capture.picture: photograph(story.capture) for story in stories}
    )
    further: list[tuple[Sketch, Extract]] = []
    for story in stories[:LOOKS]:
        if story.content and (content := sketches.content(story)):
            further.append((content, Extract(story.content.picture)))
        if story.shown and (shown := sketches.shown(story)):
            further.append((shown, Extract(story.shown.picture)))
    model = recording.models["extractor"]
    for sketch, call in further:
        seen.append((sketch, call, model.run([call] * model.batch)[0]))
    for sketch, call, result in seen:
        names = list(call.subjects)
        cell = patterns.cell_name(patterns.state_of(sketch, library), patterns.knowing(sketch.things, names), len(sketch.things))
        pattern = patterns.measured(sketch.things, sketch.background, names, result.boxes, result.background)
        found.looks.setdefault(cell, []).append(pattern)
