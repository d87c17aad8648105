"""What must fit together where users send texts, or alarms (``traffic.content``)."""

from collections.abc import Iterator

from ..agents.models.loading import TABLE
from ..bus.errors import SemcastError
from ..policies.registry import needs, resolve
from .mistakes import Mistake
from .schema import Scenario

SCHEMES = {"text": ("gai-scn", "traditional"), "alarms": ("gai-scn",)}
"""``traffic.content`` -> schemes that can send it."""
OF_PICTURES = ("outcome", "rehearsal", "truth")
"""What policies may need that there is only of pictures."""
BUILT_IN, ABLE = "semcast.policies.prompt.", "fixed"


def text_mistakes(scenario: Scenario) -> Iterator[Mistake]:
    """All of them."""
    content = scenario.traffic.content
    if content not in SCHEMES:
        return
    if scenario.scheme not in SCHEMES[content]:
        able = " or ".join(SCHEMES[content])
        yield Mistake("scheme", f'scheme {scenario.scheme} sends no {content} (traffic.content = "{content}"): --scheme {able}')
    if scenario.models.profile == TABLE:
        yield Mistake("models.profile", f"the table of models has measured no {content}: --models tiny")
    if scenario.traffic.recipients > 1:
        yield Mistake("traffic.recipients", f"{content} go to one receiver: leave it out")
    if scenario.adversary.stations:
        yield Mistake("adversary.stations", f'it does not falsify {content}: leave it out, or traffic.content = "pictures"')
    for kind in ("noise", "prompt"):
        yield from _policy(scenario, kind, content)


def _policy(scenario: Scenario, kind: str, content: str) -> Iterator[Mistake]:
    """Whether a policy can decide about texts."""
    try:
        spec = resolve(kind, getattr(scenario.policies, kind))
        wanted = [need for need in OF_PICTURES if need in needs(spec)]
    except SemcastError:
        return  # told elsewhere
    if wanted:
        yield Mistake(f"policies.{kind}", f"{spec.name} needs {wanted[0]}, which there is of pictures alone")
    elif content == "text" and kind == "prompt" and spec.target.startswith(BUILT_IN) and spec.name != ABLE:
        yield Mistake("policies.prompt", f"{spec.name} weighs parts that texts do not have: fixed:parts=all, or one of your own")
