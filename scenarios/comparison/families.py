"""The fixed choices that a kind of policy is measured against, and its oracles."""

from collections.abc import Sequence

from ...agents.coded_pictures import FORMATS
from ...agents.models.codecs.library import read_library
from ...agents.models.loading import WEIGHTS
from ...bus.errors import SemcastError
from ...policies.registry import BUILT_IN, needs, resolve
from ..schema import Scenario

BASELINES = {"incentive": "none", "scheduling": "fifo", "noise": "none", "eviction": "lru"}
"""Kinds with one fixed choice, which needs no tuning."""

DESCRIPTIONS = ("caption", "boxes", "caption+boxes")
ADDITIONS = ("", "+references", "+references+identifiers")
"""What the fixed prompts are made of: each description with each addition."""


def fixed_family(kind: str, scenario: Scenario) -> list[str]:
    """All fixed choices of a kind, as policies are written.

    ``encoder``: every codec that the scenario's library offers. ``prompt``: each of caption, boxes and both, alone, with
    references, and with references and identifiers; and keywords alone where prompts can hold them (goals inferred). To share
    knowledge first is no fixed choice: when it is done depends on the semantic noise. Others: the one of `BASELINES`.
    """
    if kind == "encoder":
        return [f"fixed:codec={name}" for name in codec_names(scenario)]
    if kind == "prompt":
        return prompt_sets(scenario)
    return [BASELINES[kind]]


def prompt_sets(scenario: Scenario) -> list[str]:
    """The fixed prompts, see `fixed_family`."""
    keywords = ["fixed:parts=keywords"] if scenario.models.goals == "inferred" and scenario.models.keywords else []
    sets = [f"fixed:parts={description}{addition}" for description in DESCRIPTIONS for addition in ADDITIONS]
    return keywords + sets


def codec_names(scenario: Scenario) -> list[str]:
    """Names of the JSCC codecs that the scenario's edges hold, lowest rate first; then the formats of coded bits, if offered.

    Raises:
        Missing: The library is not there.
    """
    codecs = read_library(WEIGHTS / "jscc").chosen(scenario.models.codecs).values()
    names = [codec.name for codec in sorted(codecs, key=lambda codec: (codec.symbols, codec.snr_db))]
    return names + (list(FORMATS) if scenario.models.coded_fallback else [])


def oracles(kind: str, given: Sequence[str] = (), price_db: float = 1.0) -> list[str]:
    """Policies of a kind that are told the truth (``privileged``): the given ones, or else the built-in ones.

    ``price_db``: what a built-in oracle of the encoder choice takes for 1000 symbols, as the contest does.
    """
    own = [text for text in given if is_oracle(kind, text)]
    names = [name for name in BUILT_IN[kind] if is_oracle(kind, name)]
    return own or [f"{name}:db_per_ksymbol={price_db:g}" if kind == "encoder" and price_db != 1.0 else name for name in names]


def is_oracle(kind: str, text: str) -> bool:
    """Whether a policy is told the truth; one that cannot be found is not, and is told of where its scenario is made."""
    try:
        return "truth" in needs(resolve(kind, text))
    except SemcastError:
        return False
