"""Study ``monitoring``: a camera that stands still, and a control room that draws what it sees from what it knows.

AIGC-SCM (Wang et al.), section V-B, "remote monitoring": the receiver reconstructs the current frame from prompts and predicts
the next ones; appearance and background are stored once, so that prompts only tell what moves. The paper gives no numbers for
this service. Here: every frame by JSCC; background and looks with every clip; both in the receiver's KB; and places of fewer
frames, the others completed or predicted. Clips are the same in all arms, and are the units of all intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ...agents.clips.completing import blended, repeated
from ...agents.clips.motion import predicted
from ...agents.models.framewise import frames_in
from ...agents.models.roles import PICTURE_SIDE
from ...agents.scenes.draw import Pixels
from ..metrics.clips import box_of, true_frames
from ..metrics.detection import object_recovery_iou50
from ..metrics.judging import observe
from ..metrics.row import SHOWN, Row
from ..metrics.story import Story
from ..schema import Section
from . import inference
from .findings import Claim, Findings, Number, Table
from .monitoring_figures import figures, gallery
from .study import Arm, Study

ARMS = {
    "jscc": "every frame by JSCC",
    "jscc-low": "every frame by JSCC, lowest rate",
    "each": "background and looks with each clip",
    "kb": "background and looks in the KB",
    "kb-stride": "KB, every 4th frame told, others completed",
    "kb-predicted": "KB, places told where prediction fails",
    "kb-known": "the same, looks from general knowledge",
}
LOSS = 0.02
"""Most of the object recovery with place that "no worse" may cost. Set before looking."""
SEEN = 8
"""Frames from which those that follow are predicted."""
COLUMNS = (
    "object_recovery",
    "object_recovery_iou50",
    "psnr_to_original_db",
    "ssim",
    "mota",
    "idf1",
    "place_error_px",
)


FLOORS = {"place_error_px": 32.0}
"""What a clip counts in which nothing was matched: half the picture's side; of other columns 0."""


class Options(Section):
    """Options of the study."""

    horizon: int = Field(default=6, ge=1, le=32)
    """Frames that are predicted ahead."""


@dataclass(frozen=True)
class Column:
    """One arm: its rows by request, and values a clip."""

    name: str
    rows: dict[str, Row]

    def of(self, name: str) -> list[float]:
        """A column of the rows, by request; a clip that has no value counts `FLOORS`."""
        values = [getattr(row, name) for row in self.rows.values()]
        return [FLOORS.get(name, 0.0) if value is None else float(value) for value in values]

    def latencies(self, other: "Column | None" = None) -> list[float]:
        """Of the clips that were shown, in ``other``, too: what failed early is not soon."""
        both = [request for request, row in self.rows.items() if row.status == SHOWN]
        both = [request for request in both if other is None or other.rows[request].status == SHOWN]
        return [self.rows[request].latency_s for request in both]

    @property
    def bits(self) -> list[float]:
        """Source-coded bits a frame, prompts and knowledge, up and down."""
        return [(row.prompt_bits + row.knowledge_bits) / (row.frames or 1) for row in self.rows.values()]

    @property
    def symbols(self) -> list[float]:
        """Complex channel uses a frame, up and down: everything that the clip cost on the air."""
        return [row.symbols_total / (row.frames or 1) for row in self.rows.values()]


def column_of(arm: Arm) -> Column:
    """Rows in the order of the camera's clips."""
    rows = sorted(arm.rows, key=lambda row: int(row.request.rpartition("/")[2]))
    return Column(arm.name, {row.request: row for row in rows})


def find(study: Study) -> Findings:
    """Read what the arms measured; complete and predict."""
    columns = {name: column_of(arm) for name, arm in study.arms.items()}
    stories = {name: {story.request: story for story in arm.stories()} for name, arm in study.arms.items()}
    completion = completed(stories["kb-stride"], study)
    ahead = horizons(stories["kb"], study.options.horizon)
    return Findings(
        question="A camera that stands still is watched from a control room. What does it save to keep background and looks in "
        "the control room's KB, to tell only what moves, and to complete and predict frames there; and what does it cost?",
        paper="Wang et al., Harnessing the Power of AI-Generated Content for Semantic Communication (AIGC-SCM), section V-B",
        numbers=[*numbers(columns), *_ways(completion), *_ahead(ahead)],
        claims=claims(columns, completion, ahead),
        tables=[table(columns)],
        charts=figures(study.figures, columns, completion, ahead),
        galleries=[gallery(study, stories)],
        same=[
            "Background and looks are stored at the receiver once, and prompts tell movement alone (the paper's section V-A).",
            "The receiver reconstructs frames from prompts and its KB, and predicts those of which it was told nothing.",
        ],
        different=[
            "The paper describes the service in words and gives neither numbers nor a network: no figure of it is compared.",
            "The receiver composes frames of a background and cut-outs; no diffusion model draws them.",
            "Clips are drawn: 16 frames of 64x64 pixels at 8 frames a second, four cameras, one to three things that move.",
        ],
        headline=headline(columns),
        notes=_NOTES,
    )


_NOTES = [
    "Bits are source-coded bits of prompts and knowledge, counted on both hops; symbols are all channel uses of both hops, with "
    "pilots, headers, CSI, retransmissions and feedback. What was sent once is in the clips with which it was sent.",
    "JSCC decoders are installed before the run and charged there (installation symbols), not in these numbers.",
    "The sender finds things with its own detector and tracks them with OC-SORT; no receiver sees the truth. Object recovery is "
    "by a judge trained apart, in every frame, things that stand still included.",
    "General knowledge of looks is the scene world's own pencil, asked by class and colour: it draws a perfect example of the "
    "class, mirrored or not and without the shade that the filmed thing has. A generator of pictures would draw less exactly.",
    "Latency is counted from the last frame of a clip to its display; filming takes 2 s more in every arm.",
]


# --- completion and prediction ---------------------------------------------------------------------------------------


def pixels(clip: bytes) -> Pixels:
    """A clip's bytes -> uint8 (frames, 64, 64, 3)."""
    return np.frombuffer(clip, np.uint8).reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3)


def completed(stories: Mapping[str, Story], study: Study) -> dict[str, dict[str, list[float]]]:
    """Way of completion -> metric -> value a clip, over the frames of which no place was told.

    All ways start from the same received frames: ``prompt`` moves things between the places that were told, ``repeat`` shows the
    last told frame, ``blend`` mixes the two told neighbours.
    """
    found: dict[str, dict[str, list[float]]] = {way: {"iou50": [], "psnr_db": []} for way in ("prompt", "repeat", "blend")}
    shown = [story for story in stories.values() if story.shown is not None]
    for number, story in enumerate(shown):
        study.tell(number, len(shown), "completing frames")
        assert story.shown is not None and story.capture.clip is not None
        original, received = pixels(story.capture.picture), pixels(story.shown.picture)
        count = len(original)
        told = {frame: received[frame] for frame in sorted({*range(0, count, 4), count - 1})}
        missing = [frame for frame in range(count) if frame not in told]
        truth = [[box_of(place) for place in places] for places in true_frames(story.capture.clip, count)]
        for way, frames in (("prompt", received), ("repeat", repeated(told, count)), ("blend", blended(told, count))):
            seen = observe([frames[frame].tobytes() for frame in missing])
            scores = [
                object_recovery_iou50(truth[frame], here.boxes) for frame, here in zip(missing, seen, strict=True) if truth[frame]
            ]
            found[way]["iou50"].append(float(np.mean(scores)) if scores else 1.0)
            errors = [np.mean((frames[f].astype(float) - original[f].astype(float)) ** 2) for f in missing]
            found[way]["psnr_db"].append(float(np.mean([10 * np.log10(255**2 / max(error, 1e-2)) for error in errors])))
    return found


def horizons(stories: Mapping[str, Story], most: int) -> dict[int, dict[str, list[float]]]:
    """Frames ahead -> ``predicted`` or ``last`` -> mean error in pixels a clip.

    The receiver knows a thing's places in `SEEN` frames, and goes on with its Kalman filter, or leaves it where it was last. The
    error is to where it was told to be then (what the sender tracked), for things that were there all the time.
    """
    found: dict[int, dict[str, list[float]]] = {ahead: {"predicted": [], "last": []} for ahead in range(1, most + 1)}
    for story in stories.values():
        if story.shown is None or story.shown.clip is None:
            continue
        courses: dict[int, dict[int, tuple[float, float]]] = {}
        for place in story.shown.clip.places:
            courses.setdefault(place.number, {})[place.frame] = (place.cx, place.cy)
        for ahead, errors in found.items():
            pairs = []
            for course in courses.values():
                first = min(course)
                last, then = first + SEEN - 1, first + SEEN - 1 + ahead
                if then in course and then < frames_in(story.shown.picture):
                    known = {frame: course[frame] for frame in range(first, last + 1)}
                    guess = predicted(known, then)[then]
                    pairs.append((np.hypot(*np.subtract(guess, course[then])), np.hypot(*np.subtract(known[last], course[then]))))
            if pairs:
                errors["predicted"].append(float(np.mean([pair[0] for pair in pairs])))
                errors["last"].append(float(np.mean([pair[1] for pair in pairs])))
    return found


# --- what was found --------------------------------------------------------------------------------------------------


def numbers(columns: Mapping[str, Column]) -> list[Number]:
    """Means of every arm."""
    found = []
    for name, column in columns.items():
        values = {"bits_per_frame": column.bits, "air_symbols_per_frame": column.symbols}
        values |= {metric: column.of(metric) for metric in COLUMNS} | {"latency_s": column.latencies()}
        values["delivered_share"] = [float(row.status == SHOWN) for row in column.rows.values()]
        if name.startswith("jscc"):  # nobody tracks there, and there are no prompts
            values = {metric: each for metric, each in values.items() if metric not in ("mota", "idf1", "place_error_px")}
        found += [_number(metric, name, each) for metric, each in values.items()]
    return found


def _number(name: str, arm: str, values: Sequence[float], **at: float) -> Number:
    value, low, high = inference.mean(values, name, arm)
    return Number(name, arm, value, low, high, len(values), dict(at))


def _ways(completion: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Number]:
    return [
        _number(f"missing_frames_{metric}", way, values) for way, found in completion.items() for metric, values in found.items()
    ]


def _ahead(ahead: Mapping[int, Mapping[str, Sequence[float]]]) -> list[Number]:
    return [
        _number("place_error_ahead_px", way, values, frames=float(horizon))
        for horizon, found in ahead.items()
        for way, values in found.items()
    ]


def claims(
    columns: Mapping[str, Column],
    completion: Mapping[str, Mapping[str, Sequence[float]]],
    ahead: Mapping[int, Mapping[str, Sequence[float]]],
) -> list[Claim]:
    """What the service promises, as inequalities."""
    kb, each, lean, jscc, low = (columns[name] for name in ("kb", "each", "kb-predicted", "jscc", "jscc-low"))
    known = columns["kb-known"]
    found = [
        _ratio("kb_saves_bits", "With the background in the KB, prompts take fewer bits", each.bits, kb.bits, "each / kb, bits"),
        _no_worse("kb_recovers", "and objects come across no worse, with place", kb, each),
        _ratio(
            "prediction_saves_bits", "What the receiver predicts need not be sent", kb.bits, lean.bits, "kb / kb-predicted, bits"
        ),
        _no_worse("prediction_recovers", "and objects come across no worse, with place", lean, kb),
        _ratio("less_air", "Prompts and a KB need less air than JSCC frames", jscc.symbols, kb.symbols, "jscc / kb, symbols"),
        _no_worse("recovers_like_jscc", "and objects come across no worse than by JSCC, with place", kb, jscc),
        _ratio("less_air_low", "and less air than JSCC at the lowest rate", low.symbols, kb.symbols, "jscc-low / kb, symbols"),
        _no_worse("recovers_like_low", "and objects come across no worse than at that rate", kb, low),
        _ratio(
            "known_looks_air",
            "Looks from general knowledge need less than that",
            low.symbols,
            known.symbols,
            "jscc-low / kb-known, symbols",
        ),
        _no_worse("known_looks_recover", "and objects come across no worse than with own looks", known, kb),
        _ratio(
            "sooner", "Clips are shown sooner", jscc.latencies(kb), kb.latencies(jscc), "jscc / kb, latency of what both show"
        ),
    ]
    for way in ("repeat", "blend"):
        text = (
            f"Completed frames show objects in place more often than with {way}ed frames"
            if way == "blend"
            else ("Completed frames show objects in place more often than repeated ones")
        )
        value = inference.difference(completion["prompt"]["iou50"], completion[way]["iou50"], "completion", way)
        count = len(completion[way]["iou50"])
        found.append(Claim(f"completes_better_than_{way}", text, f"prompt - {way}, recovery with place", *value, 0.0, count))
    horizon = min(4, max(ahead))
    pair = ahead[horizon]
    value = inference.difference(pair["last"], pair["predicted"], "ahead")
    text = f"{horizon} frames ahead, predicted places are nearer than the last known ones"
    found.append(Claim("predicts", text, "last - predicted, px", *value, 0.0, len(pair["last"])))
    return found


def _ratio(name: str, text: str, more: Sequence[float], less: Sequence[float], measured: str) -> Claim:
    return Claim(name, text, measured, *inference.ratio(more, less, name), 1.0, len(more))


def _no_worse(name: str, text: str, one: Column, other: Column) -> Claim:
    values = inference.difference(one.of("object_recovery_iou50"), other.of("object_recovery_iou50"), name)
    remark = f"No worse: by at most {LOSS}, set before looking."
    return Claim(name, text, f"{one.name} - {other.name}, recovery with place", *values, -LOSS, len(one.rows), remark=remark)


def table(columns: Mapping[str, Column]) -> Table:
    """All arms side by side."""
    rows = []
    for name, column in columns.items():
        tracks = not name.startswith("jscc")
        rows.append(
            {
                "arm": ARMS.get(name, name),
                "bits a frame": round(float(np.mean(column.bits)), 1) if tracks else None,
                "symbols a frame": round(float(np.mean(column.symbols)), 1),
                "recovery with place": round(float(np.mean(column.of("object_recovery_iou50"))), 3),
                "PSNR dB": round(float(np.mean(column.of("psnr_to_original_db"))), 2),
                "MOTA": round(float(np.mean(column.of("mota"))), 3) if tracks else None,
                "IDF1": round(float(np.mean(column.of("idf1"))), 3) if tracks else None,
                "latency s": round(float(np.mean(column.latencies())), 3),
                "shown": f"{sum(row.status == 'ok' for row in column.rows.values())} of {len(column.rows)}",
            }
        )
    return Table(
        "A clip on its way to the control room",
        rows,
        "Means over clips, failed ones included with their floor scores; latency of those that were shown.",
    )


def headline(columns: Mapping[str, Column]) -> list[tuple[str, str]]:
    """What the page begins with."""
    symbols = {name: float(np.mean(column.symbols)) for name, column in columns.items()}
    bits = {name: float(np.mean(column.bits)) for name, column in columns.items()}
    recovery = float(np.mean(columns["kb-predicted"].of("object_recovery_iou50")))
    return [
        (f"{symbols['jscc'] / symbols['kb']:.0f}x", "less air than JSCC frames, with background and looks in the KB"),
        (f"{bits['each'] / bits['kb-predicted']:.1f}x", "fewer bits with KB and prediction than with knowledge in each clip"),
        (f"{recovery:.2f}", "of the objects recovered in place, with KB and prediction"),
    ]
