"""A package with a policy to start from: what ``semcast new policy`` writes."""

import keyword
import re
import sys

from ..bus.errors import BadInput
from . import protocols
from .registry import GROUP, KINDS

_TITLES = {"Parameters", "Annotated", *vars(protocols)}
"""Names that a policy's class can't have."""

_HEADS = {
    "noise": ("NoiseContext, SemanticNoise", "weight", "counts this much for each concept that is not known word by word", "0.5"),
    "prompt": ("Draw, PromptChoice, PromptContext", "boxes_above_db", "uplink SNR in dB from which boxes are sent", "5.0"),
    "encoder": ("Draw, EncoderChoice, EncoderContext", "margin_db", "taken off the reported SNR, in dB", "1.0"),
    "incentive": (
        "Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext",
        "share",
        "part of the budget that is promised",
        "1.0",
    ),
    "scheduling": (
        "Allocation, Draw, QueuedTransfer, ScheduleContext",
        "snr_weight",
        "what a dB of SNR is worth, in ms of waiting",
        "1.0",
    ),
    "eviction": ("Draw, Eviction, EvictionContext, StoredCodec", "use_s", "seconds of rest that a use is worth", "1.0"),
}
"""Kind -> imports, its one parameter, what that means, and its default."""

_BODIES = {
    "noise": '''
    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate the noise, in [0, 1], that these concepts would meet at the receiver."""
        unknown = tuple(name for name in context.concepts if name not in context.known)
        value = min(1.0, self.parameters.weight * len(unknown))
        return SemanticNoise(value, unknown, f"{len(unknown)} of {len(context.concepts)} concepts are not known")
''',
    "prompt": '''
    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select parts of the prompt by name; caption or boxes must be among them."""
        wanted = "boxes" if context.snr_db >= self.parameters.boxes_above_db else "caption"
        offered = [candidate.name for candidate in context.candidates if candidate.name in ("caption", "boxes")]
        part = wanted if wanted in offered else offered[0]
        return PromptChoice((part,), False, f"{part} at {context.snr_db:.1f} dB")
''',
    "encoder": '''
    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose a codec by CSI: the one trained nearest below the reported SNR."""
        snr_db = context.csi_snr_db - self.parameters.margin_db
        codec = min(context.codecs, key=lambda card: (abs(card.snr_db - snr_db), card.name))
        return EncoderChoice(codec.name, f"{codec.name} is nearest to {snr_db:.1f} dB")
''',
    "incentive": '''
    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish what an item of each kind is paid."""
        each = self.parameters.share * context.budget / max(1, context.users * len(context.kinds))
        return IncentiveTerms("even", dict.fromkeys(context.kinds, each), f"{each:.3g} credits an item")

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """A user's own interest: share where reward and better service cover the cost."""
        rewards = context.terms.rewards
        taken = [offer for offer in context.offers if rewards.get(offer.kind, 0.0) + offer.utility >= offer.cost]
        asked = sum(rewards.get(offer.kind, 0.0) for offer in taken)
        return Response(tuple(offer.name for offer in taken), asked, f"{len(taken)} of {len(context.offers)} items pay")

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Pay everybody the same part of what was promised, within the budget."""
        promised = [sum(context.terms.rewards.get(kind, 0.0) for kind in kinds) for _, kinds, _ in context.shared]
        part = min(1.0, context.budget / max(sum(promised), 1e-9)) * (1 - 1e-9)
        users = [user for user, _, _ in context.shared]
        payments = tuple((user, part * credits) for user, credits in zip(users, promised, strict=True))
        return Settlement(payments, f"{part:.0%} of what was promised")
''',
    "scheduling": '''
    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick the transfer that goes next; the queue is never empty."""

        def worth(transfer: QueuedTransfer) -> tuple[float, int]:
            waited_ms = transfer.waited_ns / 1e6
            return waited_ms + self.parameters.snr_weight * transfer.snr_db, -transfer.number

        best = max(context.queue, key=worth)
        return Allocation(best.number, f"{best.user} waited {best.waited_ns / 1e6:.1f} ms at {best.snr_db:.1f} dB")
''',
    "eviction": '''
    def evict(self, context: EvictionContext, rng: Draw) -> Eviction:
        """Free at least the room that is needed: those rested longest go, unless they are used often."""

        def worth(codec: StoredCodec) -> float:
            return self.parameters.use_s * codec.uses - codec.idle_s

        gone, freed = [], 0
        for codec in sorted(context.held, key=worth):
            if freed < context.room_bits:
                gone.append(codec.name)
                freed += codec.bits
        return Eviction(tuple(gone), f"{len(gone)} of {len(context.held)} codecs go for {context.name}")
''',
}

_MODULE = '''"""The {kind} policy of {name}."""

from dataclasses import dataclass
from typing import Annotated

from semcast.policies.protocols import {imports}


@dataclass(frozen=True)
class Parameters:
    """Shown by ``semcast list policies``."""

    {parameter}: Annotated[float, "{meaning}"] = {default}


class {title}:
    """Say in a line what it does: that line is its help."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
{body}'''

_TEST = '''"""The policy keeps the rules of its kind: valid answers, the same for the same context, no I/O."""

from semcast.policies.checks import check_policy

from {package}.policy import {names}


def test_it_keeps_the_rules() -> None:
    check_policy("{kind}", {title}(Parameters()))
'''

_PROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "0.1.0"
description = "{article} {kind} policy for semcast."
dependencies = ["semcast"]

[project.entry-points."{group}"]
"{kind}.{name}" = "{package}.policy:{title}"

[tool.setuptools]
packages = ["{package}"]

[tool.pytest.ini_options]
pythonpath = ["."]
"""

_README = """# {name}

{article} {kind} policy for semcast, in `{package}/policy.py`.

    semcast check policy {kind}={package}/policy.py:{title}    # does it keep the rules?
    python -m pytest                                            # the same as a test
    semcast run two-users --policy {kind}={package}/policy.py:{title}:{parameter}={default}

Installed (`pip install .`, on every machine that runs a worker) it is known by name:

    semcast compare quickstart --policy {kind}={name}/{name}
"""


def package_files(kind: str, name: str) -> dict[str, str]:
    """A package that brings one policy, with a test that passes.

    Args:
        kind: One of ``registry.KINDS``.
        name: Of the distribution, such as ``my-policy``: lower-case letters, digits and hyphens.

    Returns:
        Path below the package's folder -> text.

    Raises:
        BadInput: An unknown kind, or no such name.
    """
    if kind not in KINDS:
        raise BadInput(f"there is no policy kind {kind!r}", f"kinds are {', '.join(KINDS)}")
    package = name.replace("-", "_")
    title = "".join(part.capitalize() for part in name.split("-"))
    taken = package in sys.stdlib_module_names or package in ("semcast", "tests") or title in _TITLES
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(package) or keyword.iskeyword(title) or taken:
        hint = "lower-case letters, digits and hyphens, such as my-policy, and no name that Python or semcast has"
        raise BadInput(f"{name!r} is no name for a package", hint)
    imports, parameter, meaning, default = _HEADS[kind]
    words = {"kind": kind, "name": name, "package": package, "title": title, "group": GROUP}
    words["article"] = "An" if kind[0] in "aeiou" else "A"
    words |= {"imports": imports, "parameter": parameter, "meaning": meaning, "default": default, "body": _BODIES[kind]}
    words["names"] = ", ".join(sorted(["Parameters", title]))
    return {
        "README.md": _README.format(**words),
        "pyproject.toml": _PROJECT.format(**words),
        f"{package}/__init__.py": f'"""{words["article"]} {kind} policy for semcast."""\n',
        f"{package}/policy.py": _MODULE.format(**words),
        f"tests/test_{package}.py": _TEST.format(**words),
    }
