"""What must fit together where users send texts, or alarms (``traffic.content``)."""

from collections.abc import Iterator

from ..agents.models.loading import TABLE
from ..bus.errors import SemcastError
from ..policies.registry import needs, resolve
from .mistakes import Mistake
from .schema import ModelsSection, Scenario

SCHEMES = {"text": ("gai-scn", "traditional"), "alarms": ("gai-scn",)}
"""``traffic.content`` -> schemes that can send it."""
OF_PICTURES = ("outcome", "rehearsal", "truth")
"""What policies may need that there is only of pictures."""
OF_GENERATED, DEFAULTS = ("goals", "caption", "best_of", "restyle", "denoise", "coded_fallback"), ModelsSection()
"""Settings of models that understand, draw or send pictures."""
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
    for name in OF_GENERATED:
        if getattr(scenario.models, name) != getattr(DEFAULTS, name):
            yield Mistake(f"models.{name}", f"changes nothing where {content} are sent: leave it out")
    if content == "text" and scenario.scheme == "gai-scn" and scenario.knowledge.privacy_epsilon:
        reason = "there is no noise for what users want in their texts, which they would share as it is: leave it out"
        yield Mistake("knowledge.privacy_epsilon", reason)
    if scenario.traffic.unicast:
        yield Mistake("traffic.unicast", f"{content} go to one receiver: leave it out")
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
