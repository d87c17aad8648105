"""Study ``personalised``: the same pictures for receivers that know and like something, and for such of whom nothing is used.

The receiver's two kinds of knowledge are told apart: history (pictures of other users' subjects, sent before the service) by
variants ``na`` and ``ha`` of scheme ``aigc-scm``, style (`agents.style`) by ``models.restyle``. Pictures are paired by request
over all arms: their generators draw with equal seeds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import structs
from pydantic import Field

from ...agents.style import NAME, liked, preferred, references, restyled, style_distance, style_of
from ...bus.records import AirRecord, KbRecord
from ..metrics.judging import Scores, judged
from ..metrics.row import Row
from ..metrics.story import Story
from ..schema import Section
from .findings import Chart, Claim, Findings, Number
from .inference import difference, mean, ratio
from .personalised_views import draw, gallery, headline, table
from .study import Arm, Study

LOSS = 0.10
"""Most of the object recovery that a style may cost, for a judge that has never seen styled pictures. """
LOSS_BACK = 0.02
"""The same once the colours are put back: then only content is missing that the transfer has cut."""
HALF = 0.5
"""A style is met where its distance is at most this share of that without."""
EVERYBODY = 1.0


class Options(Section):
    """``shown``: pictures in the gallery."""

    shown: int = Field(default=6, ge=1, le=20)


@dataclass(frozen=True)
class Sample:
    """One request of one arm.

    ``picture``: as shown, empty where it failed; ``distance``: of it to its receiver's style; ``palette``: share of its colours
    that are also in the pictures that its receiver likes (`palette_share`); both 0 where nothing was shown.
    """

    row: Row
    story: Story
    picture: bytes
    distance: float
    palette: float


@dataclass(frozen=True)
class Measured:
    """An arm: its samples by request, bits that went over the air before the service, whose styles the cloud was told."""

    samples: dict[str, Sample]
    before_bits: int
    told: frozenset[str]


def find(study: Study) -> Findings:
    """Measure all arms, over the requests that all of them have shown; and over all requests, what is for all of them."""
    arms = {}
    for done, (name, arm) in enumerate(study.arms.items()):
        study.tell(done, len(study.arms), "reading arms")
        arms[name] = _measure(arm, study.seed)
    shown = [
        name for name in arms["none"].samples if all(name in arm.samples and arm.samples[name].picture for arm in arms.values())
    ]
    study.tell(len(arms), len(arms), "putting colours back")
    back = {name: _put_back(arms[name], arms[plain], shown) for name, plain in (("style", "none"), ("both", "history"))}
    every = [name for name in arms["none"].samples if all(name in arm.samples for arm in arms.values())]
    numbers = [*_numbers(arms, back, shown), *_of_all(arms, every)]
    users = len({sample.row.receiver for sample in arms["none"].samples.values()})
    claims = [
        structs.replace(claim, remark=f"{claim.remark} For these {users} users and their subjects.".strip())
        for claim in (*_claims(arms, back, shown), _history_of_all(arms, every))
    ]
    draw(study.figures, numbers)
    wanted = _spread([name for name in shown if arms["none"].samples[name].row.subjects], study.options.shown)
    captures = [arms["none"].samples[name].story.capture for name in wanted]
    pictures = {name: {one: sample.picture for one, sample in arm.samples.items()} for name, arm in arms.items()}
    return Findings(
        question="What does it bring that receivers know the sender's subjects, and that what they see is drawn in the style "
        "that they like; what does it cost on the air; and does the content survive?",
        paper="Wang et al., Harnessing the Power of AI-Generated Content for Semantic Communication, sections II-C (personalised "
        "services) and III-D (one prompt, personal content)",
        numbers=numbers,
        claims=claims,
        tables=[table(numbers)],
        charts=[
            Chart(
                "personalised",
                "What personal knowledge brings",
                "Means with 95 % intervals over the pictures that every arm has shown.",
            )
        ],
        galleries=[gallery(pictures, captures, study.seed)],
        same=[
            "Receivers make the content themselves from a prompt; history was shared before, and drawn by reference (HA).",
            "Content is fitted to each receiver's preference, here the colours of pictures that it likes.",
        ],
        different=[
            "The paper proposes to fine-tune a diffusion model for styles and shows no figures; here styles are rendered by "
            "colour transfer (Reinhard et al. 2001), which needs no training: it changes colours, not strokes.",
            "Scenes of 64x64 pixels and tiny models instead of photographs, Stable Diffusion, DreamBooth and GLIGEN.",
        ],
        headline=headline(numbers),
        notes=_notes(len(every), len(shown)),
    )


def _notes(every: int, shown: int) -> list[str]:
    """Remarks; of ``every`` request, ``shown`` were shown in all arms."""
    return [
        "The judges of recovery and of likeness were trained on scenes without any style, and see colours. So all scores "
        "are given as judged, and again with the colours put back: the shown picture is brought to the colour statistics "
        "that it had before it was styled, which undoes all but what rounding and the range of RGB have cut.",
        f"Of {every} requests {shown} were shown in every arm: what is not named otherwise is of these. Of all "
        "requests: share delivered, recovery, and the first claim anew, a failed request counting 0.",
        "Where receivers generate, a style never leaves its owner and costs no bit. In the arm 'cloud' it must be shared: "
        "its owner decides for itself, by what the incentive pays, and 6 numbers of 16 bits go up.",
        f"The margins {LOSS:g} and {LOSS_BACK:g} were chosen before anything was judged, {HALF:g} after the transfer had "
        "been tried on some scenes. What a channel is stretched by was limited after the first short run: grey pictures in "
        "vivid styles showed noise.",
    ]


# --- measuring --------------------------------------------------------------------------------------------------------


def _measure(arm: Arm, seed: int) -> Measured:
    rows = {row.request: row for row in arm.rows}
    before_bits, told = 0, set()
    for payload in _payloads(arm):
        if isinstance(payload, AirRecord) and payload.purpose == "preparation":
            before_bits += payload.payload_bits
        elif isinstance(payload, KbRecord) and payload.name.endswith(f"/{NAME}"):
            told.add(payload.provenance)
    samples = {}
    for story in arm.stories():
        picture = story.shown.picture if story.shown else b""
        style = preferred(seed, story.capture.recipient, EVERYBODY)
        known = _liked_palette(seed, story.capture.recipient)
        distance, palette = (style_distance(picture, style), palette_share(picture, known)) if picture else (0.0, 0.0)
        samples[story.request] = Sample(rows[story.request], story, picture, distance, palette)
    return Measured(samples, before_bits, frozenset(told))


@lru_cache(maxsize=256)
def _liked_palette(seed: int, user: str) -> np.ndarray:
    return _palette(b"".join(references(seed, user, liked(seed, user, EVERYBODY))))


def _palette(pictures: bytes) -> np.ndarray:
    """Histogram (512,) of RGB in eight levels a channel; sums to one."""
    levels = np.frombuffer(pictures, np.uint8).reshape(-1, 3).astype(int) >> 5
    counts = np.bincount(levels @ [64, 8, 1], minlength=512)
    return np.asarray(counts / counts.sum())


def palette_share(picture: bytes, known: np.ndarray) -> float:
    """Histogram intersection (Swain and Ballard 1991) of a picture with a palette: a measure that the transfer does not set."""
    return float(np.minimum(_palette(picture), known).sum())


def _spread(names: Sequence[str], most: int) -> list[str]:
    """At most so many, evenly over all."""
    return [names[len(names) * i // most] for i in range(min(most, len(names)))] if len(names) > most else list(names)


def _payloads(arm: Arm) -> Iterator[Any]:
    """What its agents have recorded and said."""
    from ...agents.base import PAYLOADS
    from ...bus.envelope import Codec
    from ...bus.trace_reading import TraceReader

    return (record.envelope.payload for record in TraceReader(arm.folder, Codec(PAYLOADS)).records())


def _put_back(styled: Measured, plain: Measured, shown: Sequence[str]) -> list[Scores]:
    """Scores of pictures whose colours have the statistics again that they had before they were styled."""
    stories = []
    for name in shown:
        sample = styled.samples[name]
        assert sample.story.shown is not None
        picture = restyled(sample.picture, style_of(plain.samples[name].picture))
        stories.append(replace(sample.story, shown=structs.replace(sample.story.shown, picture=picture)))
    return judged(stories)


# --- what is said of it -----------------------------------------------------------------------------------------------

MEASURES: dict[str, Callable[[Sample], float | None]] = {
    "subject_alignment": lambda sample: sample.row.subject_alignment,
    "style_distance": lambda sample: sample.distance,
    "palette_share": lambda sample: sample.palette,
    "object_recovery": lambda sample: sample.row.object_recovery,
    "object_recovery_iou50": lambda sample: sample.row.object_recovery_iou50,
    "prompt_bits_per_picture": lambda sample: float(sample.row.prompt_bits),
    "air_symbols_per_picture": lambda sample: float(sample.row.symbols_total),
    "latency_s": lambda sample: sample.row.latency_s,
    "receiver_and_cloud_gflop": lambda sample: sample.row.flops / 1e9,
}


def _column(arm: Measured, measure: str, shown: Sequence[str]) -> list[float]:
    """Of all pictures that have this measure: which these are depends on the original alone."""
    values = (MEASURES[measure](arm.samples[name]) for name in shown)
    return [value for value in values if value is not None]


def _numbers(arms: dict[str, Measured], back: dict[str, list[Scores]], shown: Sequence[str]) -> Iterator[Number]:
    for name, arm in arms.items():
        for measure in MEASURES:
            values = _column(arm, measure, shown)
            yield Number(measure, name, *mean(values, name, measure), n=len(values))
        yield Number("bits_before_the_service", name, float(arm.before_bits))
        yield Number("users_whose_style_the_cloud_knows", name, float(len(arm.told)))
    for name, scores in back.items():
        recovery = [each.shown.recovery for each in scores]
        subjects = [each.meaning.subject for each in scores if each.meaning.subject is not None]
        yield Number("object_recovery_colours_back", name, *mean(recovery, name, "back"), n=len(recovery))
        yield Number("subject_alignment_colours_back", name, *mean(subjects, name, "subjects back"), n=len(subjects))
    for who, wanted in (("told", True), ("not_told", False)):
        values = [each.distance for each in map(arms["cloud"].samples.get, shown) if each and _knows(arms, each) == wanted]
        yield Number(f"style_distance_of_receivers_{who}", "cloud", *mean(values, "cloud", who), n=len(values))


def _of_all(arms: dict[str, Measured], every: Sequence[str]) -> Iterator[Number]:
    for name, arm in arms.items():
        delivered = [float(bool(arm.samples[request].picture)) for request in every]
        yield Number("delivered_share", name, *mean(delivered, name, "delivered"), n=len(delivered))
        for measure in ("subject_alignment", "object_recovery"):
            values = _column(arm, measure, every)
            yield Number(f"{measure}_of_all_requests", name, *mean(values, name, measure, "all"), n=len(values))


def _history_of_all(arms: dict[str, Measured], every: Sequence[str]) -> Claim:
    known, unknown = (_column(arms[name], "subject_alignment", every) for name in ("history", "none"))
    return Claim(
        "history-of-all-requests",
        "Receivers that know the sender's subject see it more as it is, what failed included",
        "personal subject alignment, history less none, over all requests; 0 where nothing was shown",
        *difference(known, unknown, "history of all"),
        bound=0.0,
        n=len(known),
    )


def _knows(arms: dict[str, Measured], sample: Sample) -> bool:
    return sample.row.receiver in arms["cloud"].told


Columns = Callable[[str, str], list[float]]
"""Arm, measure -> a value a picture."""


def _claims(arms: dict[str, Measured], back: dict[str, list[Scores]], shown: Sequence[str]) -> Iterator[Claim]:
    def column(name: str, measure: str) -> list[float]:
        return _column(arms[name], measure, shown)

    yield from _of_history(column, back)
    yield from _of_style(column)
    yield from _of_content(column, back)


def _of_history(column: Columns, back: dict[str, list[Scores]]) -> Iterator[Claim]:
    unlike = "The judge has never seen styled pictures, in which it likes nothing as well."
    for name, more, less, remark in (
        ("history", "history", "none", ""),
        ("history-in-style", "both", "style", unlike),
    ):
        values = column(more, "subject_alignment"), column(less, "subject_alignment")
        yield Claim(
            name,
            "Receivers that know the sender's subject see it more as it is" + (", also in their styles" if remark else ""),
            f"personal subject alignment, {more} less {less}",
            *difference(*values, name),
            bound=0.0,
            n=len(values[0]),
            paper="pictures of HI and HA resemble the source more closely than those of NI and NA (Fig. 6)",
            remark=remark,
        )
    known, unknown = (
        [each.meaning.subject for each in back[name] if each.meaning.subject is not None] for name in ("both", "style")
    )
    yield Claim(
        "history-colours-back",
        "In pictures drawn in a style the subject is there as its receiver knows it, once colours are put back",
        "personal subject alignment with the colours put back, both less style",
        *difference(known, unknown, "history back"),
        bound=0.0,
        n=len(known),
    )


def _of_style(column: Columns) -> Iterator[Claim]:
    for name, with_style, without in (("style", "style", "none"), ("style-with-history", "both", "history")):
        values = column(with_style, "style_distance"), column(without, "style_distance")
        yield Claim(
            name,
            f"The transfer works: pictures have the colour statistics of the style ({'with' if name != 'style' else 'without'} "
            "history)",
            f"style distance, {with_style} / {without}",
            *ratio(*values, name),
            bound=HALF,
            n=len(values[0]),
            at_most=True,
            remark="These statistics are what the transfer sets; only what it has to cut can make it fail.",
        )
    shares = column("style", "palette_share"), column("none", "palette_share")
    yield Claim(
        "style-palette",
        "Pictures have more of the colours that are in the pictures that their receivers like",
        "histogram intersection with the liked pictures (512 colours), style less none",
        *difference(*shares, "palette"),
        bound=0.0,
        n=len(shares[0]),
        remark="A measure that the transfer does not set: it knows six numbers of the liked pictures, no histogram.",
    )


def _of_content(column: Columns, back: dict[str, list[Scores]]) -> Iterator[Claim]:
    values = column("style", "object_recovery"), column("none", "object_recovery")
    yield Claim(
        "content",
        f"A style costs at most {LOSS:g} of the object recovery by a judge that knows no styles",
        "object recovery, style less none",
        *difference(*values, "content"),
        bound=-LOSS,
        n=len(values[0]),
        remark="It says as much about the judge as about the pictures: compare the next claim.",
    )
    for name, styled, plain in (
        ("content-colours-back", "style", "none"),
        ("content-with-history-colours-back", "both", "history"),
    ):
        recovery = [each.shown.recovery for each in back[styled]]
        yield Claim(
            name,
            f"The transfer can be inverted (arm {styled}): with the colours put back at most {LOSS_BACK:g} of recovery is gone",
            f"object recovery, {styled} with the colours put back less {plain}",
            *difference(recovery, column(plain, "object_recovery"), name),
            bound=-LOSS_BACK,
            n=len(recovery),
        )
