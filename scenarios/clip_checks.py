"""What must fit together where users send clips."""

from collections.abc import Iterator
from importlib.util import find_spec

from ..agents.clips.street import LEAST_FRAMES
from ..agents.models.loading import TABLE
from ..agents.settings import AT_RECEIVERS
from ..bus.errors import Missing
from .mistakes import Mistake
from .schema import Scenario

SCHEMES = ("aigc-scm", "semcom")
STILL = ("calibrate", "denoise", "coded_fallback", "restyle")
"""Settings of models that take one picture."""


def check_tracking(scenario: Scenario, package: str = "trackers") -> None:
    """See that clips can be tracked, where somebody tracks them.

    Raises:
        Missing: The package for it is not installed.
    """
    tracks = scenario.scheme in AT_RECEIVERS or scenario.clips.watch
    if scenario.traffic.content == "clips" and tracks and find_spec(package) is None:
        raise Missing(f"clips are tracked by the package {package}, which is not installed", 'pip install "semcast[video]"')


def clip_mistakes(scenario: Scenario) -> Iterator[Mistake]:
    """All of them."""
    if scenario.traffic.content != "clips":
        return
    if scenario.scheme not in SCHEMES:
        yield Mistake("scheme", f"{scenario.scheme} sends no clips: --scheme {' or '.join(SCHEMES)}")
    if scenario.models.profile in (TABLE, "hub"):
        yield Mistake("models.profile", f'clips need models.profile = "tiny": {scenario.models.profile} takes no clips')
    for name in STILL:
        if getattr(scenario.models, name):
            yield Mistake(f"models.{name}", "takes no clips: leave it out")
    if scenario.traffic.unicast and scenario.traffic.recipients > 1:
        yield Mistake("traffic.unicast", "a clip goes to its group at once: leave it out, or traffic.recipients = 1")
    for name, device in scenario.devices.items():
        if not device.generates:
            yield Mistake(f"devices.{name}.generates", "clips are drawn, which every device can: leave it out")
    if scenario.clips.world == "street" and scenario.clips.frames < LEAST_FRAMES:
        yield Mistake("clips.frames", f"{scenario.clips.frames}, but traffic takes at least {LEAST_FRAMES} to show what happens")
    if scenario.clips.movers[0] > scenario.clips.movers[1]:
        yield Mistake("clips.movers", "the least number comes first")
