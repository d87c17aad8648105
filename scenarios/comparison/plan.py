"""What is compared: choices (schemes, policies or model profiles), each with the settings it is swept over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from ...agents.models.codecs.library import ADAPTIVE
from ...agents.settings import FILES
from ..schema import Scenario

PROMPT_PARTS = ("caption", "boxes", "caption+boxes+references+identifiers")
"""Prompts that a sweep of ``gai-scn`` tries: cheap to rich."""
FILE_QUALITIES = (5, 25, 75)
"""Qualities that a sweep of a scheme of files tries, beside the prescribed one."""


@dataclass(frozen=True)
class Point:
    """One thing to run: a ``choice``, the ``setting`` of its sweep, and the scenario values (dotted path -> value) for it."""

    choice: str
    setting: str = ""
    overrides: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``choice`` or ``choice/setting``."""
        return f"{self.choice}/{self.setting}" if self.setting else self.choice


def scheme_points(scenario: Scenario, schemes: Sequence[str], codecs: Sequence[str]) -> list[Point]:
    """Each scheme as the scenario has it, and swept.

    Schemes of files are swept over the file's quality, the others over every codec of the library, and ``gai-scn`` over every
    kind of prompt, too.
    """
    points = []
    for scheme in schemes:
        if scheme in FILES:
            points.append(Point(scheme, "prescribed", {"scheme": scheme}))
            for quality in FILE_QUALITIES:
                points.append(Point(scheme, f"quality {quality}", {"scheme": scheme, "models.file_quality": quality}))
            continue
        points.append(Point(scheme, "adaptive", {"scheme": scheme}))
        parts: Sequence[str] = PROMPT_PARTS if scheme == "gai-scn" else ("",)
        for codec, part in product(codecs, parts):
            overrides = {"scheme": scheme, "policies.encoder": f"fixed:codec={codec}"}
            if codec.startswith(ADAPTIVE):
                overrides["models.codecs"] = "all"
            if part:
                overrides["policies.prompt"] = f"fixed:parts={part}"
            points.append(Point(scheme, f"{codec} {part}".strip(), overrides))
    return points


def policy_points(kind: str, names: Sequence[str]) -> list[Point]:
    """One point a policy."""
    return [Point(name, "", {f"policies.{kind}": name}) for name in names]


def model_points(profiles: Sequence[str]) -> list[Point]:
    """One point a model profile."""
    return [Point(profile, "", {"models.profile": profile}) for profile in profiles]
