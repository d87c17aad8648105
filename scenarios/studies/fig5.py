"""Study ``gai-scn-fig5``: what comes across of a picture, by how many objects it holds (Fig. 5 of GAI-SCN).

Original and shown picture are compared in the paper's three ways: semantic similarity of what they show, the difference of their
numbers of objects, and the share of the original's objects that are found again. The prompt is a caption, as in the paper; beside
it the same pictures are told by labels and boxes. All is judged by a detector of its own, which no part of the network knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from ..metrics.alignment import View
from ..metrics.judging import observe, recoveries, true_boxes
from ..metrics.sentences import sentence_similarity
from ..report.theme import BLUE, MUTED, TEAL, figure
from ..schema import Section
from . import inference
from .findings import Chart, Claim, Findings, Gallery, Number, Table
from .study import Arm, Overlay, Study

CAPTION, BOXES = "caption", "boxes"
PROMPTS = {CAPTION: "told by a caption", BOXES: "told by labels and boxes"}
PAPER_RECOVERY = (0.822, 0.418)
"""Recovery ratio of pictures of the fewest and of the most objects, as the text of section IV gives them."""
METRICS = {
    "similarity": "semantic similarity",
    "discrepancy": "object quantity discrepancy",
    "recovery": "recovery ratio",
}


class Options(Section):
    """Options of the study."""

    pictures: int = Field(default=327, ge=6)
    """How many are compared, all counts together; the last ones are left out if there are more."""
    counts: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    """Numbers of objects."""
    places: bool = True
    """Whether the same pictures are also told by labels and boxes."""


def arms(options: Options) -> dict[str, Overlay]:
    """One run a number of objects and kind of prompt."""
    found: dict[str, Overlay] = {}
    for prompt in PROMPTS if options.places else (CAPTION,):
        for count in options.counts:
            overlay: Overlay = {"traffic": {"objects": [count, count]}}
            if prompt == BOXES:
                overlay |= {"policies": {"prompt": "fixed:parts=boxes"}, "models": {"caption": "boxes"}}
            found[f"{prompt}-{count}"] = overlay
    return found


@dataclass(frozen=True)
class Series:
    """All pictures of one kind of prompt: ``objects`` and the metrics, (n,) each; ``generated``: recovery before the downlink.

    ``scenes``: of which user each is; a user's pictures with more objects hold some of those with fewer, and count as a group.
    """

    prompt: str
    objects: np.ndarray
    values: dict[str, np.ndarray]
    generated: np.ndarray
    scenes: list[str]

    def at(self, count: int, metric: str) -> list[float]:
        """Values of the pictures of a number of objects."""
        return [float(value) for value in self.values[metric][self.objects == count]]


def find(study: Study) -> Findings:
    """Compare originals with what was shown."""
    options = study.options
    told = [prompt for prompt in PROMPTS if any(name.startswith(prompt) for name in study.arms)]
    series = {prompt: measured(study, prompt, options) for prompt in told}
    main = series[CAPTION]
    originals = of_originals(study, options.counts)
    ends = [inference.mean(main.at(count, "recovery"), "fig5", count)[0] for count in (options.counts[0], options.counts[-1])]
    lost = float(main.generated[main.objects == options.counts[-1]].mean()), ends[1]
    return Findings(
        question="How much of a picture comes across when it is told by a caption and generated anew, the more objects it holds?",
        paper="Xia et al., Generative AI for Semantic Communication: GAI-SCN (arXiv 2308.15483), section IV, Fig. 5",
        numbers=[*numbers(series, options.counts), *_of_originals(originals)],
        claims=claims(series),
        tables=[table(series, options.counts, originals)],
        charts=[panels(study.figures, series, options.counts)],
        galleries=[gallery(study, options.counts)],
        same=[
            f"{len(main.objects)} pictures cross the whole network at 0 dB: captioned at the sender, generated at the cloud, "
            "sent down by JSCC.",
            "The paper's three comparisons of original and shown picture: similarity, number of objects, recovered objects.",
        ],
        different=_DIFFERENT,
        headline=[
            (f"{ends[0]:.1%}", f"of the objects recovered where there is {options.counts[0]} (paper, fewest: 82.2 %)"),
            (f"{ends[1]:.1%}", f"where there are {options.counts[-1]} (paper, most: 41.8 %)"),
        ],
        notes=[
            *_NOTES,
            f"Told by a caption, pictures of {options.counts[-1]} objects held {lost[0]:.1%} of these when generated and "
            f"{lost[1]:.1%} when shown: the rest is lost on the downlink.",
        ],
    )


# --- what is measured ----------------------------------------------------------------------------------------------------


def measured(study: Study, prompt: str, options: Options) -> Series:
    """All pictures of a prompt, the same number of each count (one less of the last, where the total asks for it)."""
    objects: list[int] = []
    generated: list[float] = []
    scenes: list[str] = []
    values: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for place, count in enumerate(options.counts):
        arm = study.arms[f"{prompt}-{count}"]
        most = -(-(options.pictures - len(objects)) // (len(options.counts) - place))
        rows = {row.request: row for row in arm.rows}
        study.tell(place, len(options.counts), f"counts of objects, {PROMPTS[prompt]}")
        alike = similarities(arm)
        for request in sorted(rows)[:most]:
            row = rows[request]
            objects.append(count)
            scenes.append(row.sender)
            values["similarity"].append(alike[request])
            values["discrepancy"].append(float(row.object_count_discrepancy or 0))
            values["recovery"].append(float(row.object_recovery or 0.0))
            generated.append(float(row.generated_recovery or 0.0))
    return Series(prompt, np.array(objects), {name: np.array(of) for name, of in values.items()}, np.array(generated), scenes)


def similarities(arm: Arm) -> dict[str, float]:
    """Request -> cosine of the sentence embeddings of two captions: the original's, and of what the judge sees in what is shown.

    Captions name background, classes and colours in one fixed order. A request that failed shows nothing: 0.
    """
    stories = arm.stories()
    shown = [story for story in stories if story.shown]
    found = dict.fromkeys((str(story.request) for story in stories), 0.0)
    for story, seen in zip(shown, observe([story.shown.picture for story in shown]), strict=True):
        original = View(story.capture.picture, story.capture.background, true_boxes(story))
        received = View(story.shown.picture, seen.background, seen.boxes)
        found[str(story.request)] = sentence_similarity(original.caption, received.caption)
    return found


def of_originals(study: Study, counts: Sequence[int]) -> dict[int, list[float]]:
    """Number of objects -> recovery that the judge finds in each original itself: what no scheme can be seen to exceed."""
    found = {}
    for place, count in enumerate(counts):
        study.tell(place, len(counts), "the judge looks at originals")
        pairs = [(true_boxes(story), story.capture.picture) for story in study.arms[f"{CAPTION}-{count}"].stories()]
        found[count] = [each.recovery for each in recoveries(pairs)]
    return found


# --- claims and numbers --------------------------------------------------------------------------------------------------


def claims(series: dict[str, Series]) -> list[Claim]:
    """The paper's three trends, by the slope over the number of objects."""
    main = series[CAPTION]
    found = [
        _trend("recovery-falls", "The recovery ratio falls as the original holds more objects", main, "recovery", True),
        _trend("similarity-falls", "Semantic similarity falls as the original holds more objects", main, "similarity", True),
        _trend(
            "discrepancy-rises",
            "The object quantity discrepancy rises with the objects of the original",
            main,
            "discrepancy",
            False,
        ),
    ]
    if BOXES in series:
        text = "The recovery ratio falls with the number of objects, also where these are told by labels and boxes"
        found.append(_trend("recovery-falls-boxes", text, series[BOXES], "recovery", True))
    return found


def _trend(name: str, text: str, series: Series, metric: str, falls: bool) -> Claim:
    value, low, high = slope(series.objects, series.values[metric], series.scenes, name)
    unit = "objects" if metric == "discrepancy" else "share"
    measured = f"least-squares slope of the {METRICS[metric]}, {unit} an object"
    paper = "82.2 % to 41.8 %" if metric == "recovery" else "in words"
    remark = f"Spearman's rank correlation: {spearman(series.objects, series.values[metric]):.2f}."
    return Claim(name, text, measured, value, low, high, 0.0, len(set(series.scenes)), falls, paper=paper, remark=remark)


def slope(
    objects: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray, scenes: Sequence[str], *key: str
) -> tuple[float, float, float]:
    """Least-squares slope with its 95 % interval: users are resampled with all of their pictures (`inference.bootstrap`)."""
    x, y = np.asarray(objects, np.float64), np.asarray(values, np.float64)
    columns = [column.tolist() for column in (x, y, x * y, x * x)]
    return inference.bootstrap(lambda m: (m[2] - m[0] * m[1]) / (m[3] - m[0] ** 2), columns, "fig5", *key, groups=scenes)


def spearman(objects: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray) -> float:
    """Rank correlation (ties get their mean rank); 0 where one side is constant."""
    from scipy.stats import rankdata

    x, y = rankdata(objects), rankdata(values)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def numbers(series: dict[str, Series], counts: Sequence[int]) -> list[Number]:
    """Every metric at every number of objects, and recovery before the downlink."""
    found = []
    for prompt, of in series.items():
        for count in counts:
            for metric in METRICS:
                values = of.at(count, metric)
                mean = inference.mean(values, "fig5", prompt, metric, count)
                found.append(Number(f"{metric}_by_objects", prompt, *mean, len(values), {"objects": float(count)}))
            generated = of.generated[of.objects == count].tolist()
            mean = inference.mean(generated, "fig5", prompt, "generated", count)
            found.append(Number("generated_recovery_by_objects", prompt, *mean, len(generated), {"objects": float(count)}))
        for metric in METRICS:
            every = of.values[metric].tolist()
            found.append(Number(metric, prompt, *inference.mean(every, "fig5", prompt, metric), len(every)))
    return found


def _of_originals(originals: dict[int, list[float]]) -> list[Number]:
    found = []
    for count, values in originals.items():
        mean = inference.mean(values, "fig5", "originals", count)
        found.append(Number("originals_recovery_by_objects", "originals", *mean, len(values), {"objects": float(count)}))
    return found


def table(series: dict[str, Series], counts: Sequence[int], originals: dict[int, list[float]]) -> Table:
    """Ours at each number of objects, the paper's end values beside."""
    rows = []
    for count in counts:
        paper = {counts[0]: "82.2 %", counts[-1]: "41.8 %"}.get(count, "")
        row: dict[str, object] = {"objects": count, "paper, recovery ratio": paper}
        for prompt, of in series.items():
            means = {metric: float(np.mean(of.at(count, metric))) for metric in METRICS}
            row |= {
                f"recovery ratio, {prompt}": f"{means['recovery']:.1%}",
                f"similarity, {prompt}": f"{means['similarity']:.3f}",
                f"discrepancy, {prompt}": f"{means['discrepancy']:.2f}",
                f"recovered before the downlink, {prompt}": f"{float(of.generated[of.objects == count].mean()):.1%}",
            }
        row["judge on the originals"] = f"{float(np.mean(originals[count])):.1%}"
        rows.append(row)
    note = "The paper's values are those of its fewest and its most objects; it does not say in words how many these are."
    return Table("Fig. 5, the paper's end values and ours", rows, note)


# --- figures -------------------------------------------------------------------------------------------------------------


def panels(folder: Path, series: dict[str, Series], counts: Sequence[int]) -> Chart:
    """The paper's three panels."""
    letters = dict(zip(METRICS, "ABC", strict=True))
    with figure(folder, "by-objects", (10.0, 3.5), ncols=3) as (_, row):
        for axes, (metric, name) in zip(row, METRICS.items(), strict=True):
            for prompt, of in series.items():
                colour, shift = (BLUE, -0.06) if prompt == CAPTION else (TEAL, 0.06)
                means = np.array([inference.mean(of.at(count, metric), "fig5", prompt, metric, count) for count in counts])
                spread = np.abs(means[:, 1:] - means[:, :1]).T
                x = np.array(counts) + shift
                axes.errorbar(
                    x, means[:, 0], spread, fmt="o-", color=colour, ms=5, elinewidth=1, capsize=2, label=PROMPTS[prompt]
                )
            if metric == "recovery":
                ends = [counts[0], counts[-1]]
                axes.plot(ends, PAPER_RECOVERY, "D", color=MUTED, ms=7, label="the paper's end values")
                axes.plot(ends, PAPER_RECOVERY, "--", color=MUTED, lw=1)
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
                axes.set_ylim(0, 1.05)
                axes.legend(loc="lower left", fontsize=8)
            axes.set_title(f"{letters[metric]}  {name}")
            axes.set_xlabel("objects in the original")
            axes.set_xticks(list(counts))
    caption = (
        "Means over the pictures of each number of objects with 95 % intervals. The paper's recovery ratio goes from 82.2 % to "
        "41.8 % over its own range of objects (the line only joins them); its other two panels have no numbers in the text."
    )
    return Chart("by-objects", "What comes across, by the number of objects", caption)


def gallery(study: Study, counts: Sequence[int]) -> Gallery:
    """One picture of each number of objects."""
    columns = []
    for count in counts:
        arm = study.arms[f"{CAPTION}-{count}"]
        request = min(row.request for row in arm.rows)
        columns.append(arm.views([request])[request])
    rows = [
        (name, [np.frombuffer(raw, np.uint8).reshape(64, 64, 3) if raw else None for raw in raws])
        for name, raws in (
            ("original", [views.original for views in columns]),
            ("generated", [views.generated for views in columns]),
            ("shown", [views.shown for views in columns]),
        )
    ]
    names = [f"{count} object{'s' if count > 1 else ''}" for count in counts]
    caption = "Told by a caption, which does not say where things are: these are new pictures of the same content."
    return Gallery("pictures", "Original, generated and shown", names, rows, caption)


_DIFFERENT = [
    "Pictures: drawn scenes of 64x64 pixels with 1 to 8 objects of 16 classes, where the paper has photographs whose objects are "
    "what its own detector segments (such as 'bear', 'tree' and 'ground').",
    "Models: a captioner and a diffusion generator of some million parameters each, trained on such scenes, in place of "
    "ViT-GPT2 and Stable Diffusion 2.1. They know all classes there are, so that far more is recovered than in the paper.",
    "Similarity is the cosine of sentence embeddings (all-MiniLM-L6-v2) of two captions in one fixed form, what is truly in the "
    "original and what a judge sees in the shown picture; the paper's is spaCy's, and it does not say of which texts.",
    "The true objects of the originals are known, so that the judge's own errors count as losses; the table has what it finds "
    "in the originals.",
]
_NOTES = [
    "Object quantity discrepancy: how many objects too many or too few the judge finds in the shown picture, of any class.",
    "A user's pictures of different numbers of objects share objects; intervals of the trends resample users with all of theirs.",
    "Recovery ratio: share of the original's objects whose class is found anywhere, two dogs needing two dogs; the paper's "
    "pictures, too, are not alike in places.",
]
