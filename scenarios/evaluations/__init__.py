"""What ``semcast eval WHAT`` can measure. To add one: a line in `EVALUATIONS` and a module of that name here with

    evaluate(request: Request) -> dict[str, Score | Skipped]

Names of figures carry their units; `kept.py` keeps the figures beside the weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy would make the command line's help slow
    from .score import Score, Skipped


@dataclass(frozen=True)
class Request:
    """What is asked of an evaluation: how many held-out ``scenes``, and the model ``profile``.

    For ``jscc``: a folder of ``images``, the channel bandwidth ratio ``cbr`` and the ``snrs_db`` (Es/N0) to measure at.
    For ``table``: how many ``seeds``, and a folder of ``parts`` where what single runs have shown is kept.
    ``tell`` is told how far it is.
    """

    scenes: int = 200
    profile: str = "tiny"
    images: Path | None = None
    cbr: Fraction = Fraction(1, 16)
    snrs_db: tuple[float, ...] = (1.0, 4.0, 7.0, 10.0, 13.0)
    seeds: int = 12
    parts: Path | None = None
    tell: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Evaluation:
    """One line of the list.

    Attributes:
        what: For the list.
        roles: Whose weights its figures depend on; ``judge`` for the report's.
        models: Part of ``semcast eval models``.
    """

    what: str
    roles: tuple[str, ...]
    models: bool = True


EVALUATIONS: Mapping[str, Evaluation] = {
    "extraction": Evaluation("boxes of the extractor, as F1 and mAP50", ("extractor",)),
    "captions": Evaluation("sentences of the captioner, as F1 of (class, colour)", ("captioner",)),
    "goals": Evaluation("goals of users from message and picture, and keywords", ("extractor", "keywords")),
    "wording": Evaluation("damaged captions before and after their repair by the keyword model and the KB", ("keywords",)),
    "generation": Evaluation(
        "objects that the judge finds in pictures generated from extracted prompts", ("extractor", "generator", "judge")
    ),
    "prompting": Evaluation("objects generated from true prompts, boxes against captions alone", ("generator", "judge")),
    "generators": Evaluation(
        "diffusion, VAE, GAN and flow on the same prompts and seeds: quality, diversity, cost; best of n",
        ("extractor", "generator", "generator@vae", "generator@gan", "generator@flow", "judge", "clip_judge"),
    ),
    "inverse": Evaluation(
        "lost tiles painted in and thumbnails made sharp by the generator", ("generator", "restorer", "clip_judge")
    ),
    "personalisation": Evaluation(
        "how well personal subjects are shown, by what their owners shared",
        ("extractor", "generator", "personaliser", "clip_judge"),
    ),
    "denoising": Evaluation("received JSCC features before and after the denoiser", ("denoiser", "jscc_encoder", "jscc_decoder")),
    "calibration": Evaluation(
        "pictures before and after the calibrator, by kind of damage",
        ("calibrator", "extractor", "restorer", "jscc_encoder", "jscc_decoder", "clip_judge"),
    ),
    "devices": Evaluation(
        "variants for small devices against the whole models: size, FLOPs, latency, quality",
        tuple(f"{role}{variant}" for role in ("extractor", "generator") for variant in ("", "@int8", "@small"))
        + ("jscc_encoder", "jscc_decoder", "jscc_decoder@int8", "judge", "clip_judge"),
        models=False,
    ),
    "judging": Evaluation("the CLIP-class judge of reports: retrieval, naming, identity", ("clip_judge",)),
    "library": Evaluation(
        "the JSCC codec library on scenes against its own middle codec, and one adaptive codec against both",
        ("jscc_encoder", "jscc_decoder"),
    ),
    "jscc": Evaluation("the photograph codec against JPEG and AVIF over LDPC, on --images", (), models=False),
    "table": Evaluation(
        "the table profile against the tiny one in the network, on held-out seeds: equivalence within a twentieth of each metric",
        ("extractor", "generator", "jscc_decoder", "jscc_encoder", "personaliser", "judge", "clip_judge"),
        models=False,
    ),
    "catalogue": Evaluation(
        "wall time of a call on this machine and bits of prompts, for `semcast list models`",
        ("denoiser", "embedder", "extractor", "generator", "jscc_encoder", "jscc_decoder", "personaliser"),
    ),
}
"""Name of the evaluation, which is its module's, too -> what it is."""

ALL = "models"
"""Stands for every evaluation that is part of ``semcast eval models``."""


def chosen(what: str) -> tuple[str, ...]:
    """The evaluations that a word of the command line stands for; empty if it is none."""
    if what == ALL:
        return tuple(name for name, evaluation in EVALUATIONS.items() if evaluation.models)
    return (what,) if what in EVALUATIONS else ()


def evaluate(name: str, request: Request) -> "dict[str, Score | Skipped]":
    """Run one evaluation of `EVALUATIONS`.

    Raises:
        Missing: A model's weights are not there.
    """
    found: dict[str, Score | Skipped] = import_module(f".{name}", __name__).evaluate(request)
    return found
