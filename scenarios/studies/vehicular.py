"""Study ``vehicular``: positions and incidents of a street as prompts, against pictures in which each receiver looks for itself.

AIGC-SCM (Wang et al.), section II-C, "vehicular networking": location-related information is distilled and sent, and the receiver
shows traffic and unusual incidents. The paper gives no numbers for this service. The sender tracks what its detector finds, and
one rule (`agents.clips.incidents`) makes incidents of tracks: at the sender where prompts go, at the receiver where pictures do.
Clips are the same in all arms, and are the units of all intervals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..metrics.row import SHOWN, Row
from ..metrics.story import Story
from ..schema import Section
from . import inference
from .findings import Claim, Findings, Number, Table
from .study import Arm, Study
from .vehicular_figures import figures, gallery

ARMS = {
    "prompts": "prompt to one vehicle",
    "multicast": "prompt to three vehicles at once",
    "jscc": "every frame by JSCC, receiver detects",
    "jscc-low": "every frame by JSCC, lowest rate",
}
LOSS, LOSS_PX = 0.05, 1.0
"""Most of the incidents, and of the accuracy of places, that "no worse" may cost. Set before looking."""


class Options(Section):
    """Options of the study."""

    metres_per_pixel: float = Field(default=0.5, gt=0)
    """Of the street: a lane is 18 pixels, 9 m; cars are some 8 m long, as signs on maps are larger than life."""


@dataclass(frozen=True)
class Column:
    """One arm: a row for each clip and receiver, in order."""

    name: str
    rows: list[Row]

    def by_clip(self, name: str) -> dict[str, float]:
        """Clip -> mean of a column over its receivers; without those that have no value, or no latency as they were not shown."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            value = getattr(row, name)
            if value is not None and (row.status == SHOWN or name != "latency_s"):
                found.setdefault(row.request.partition(">")[0], []).append(float(value))
        return {clip: float(np.mean(values)) for clip, values in found.items()}

    def paired(self, other: "Column", name: str) -> tuple[list[float], list[float]]:
        """The same column of both, clip by clip."""
        mine, theirs = self.by_clip(name), other.by_clip(name)
        clips = [clip for clip in mine if clip in theirs]
        return [mine[clip] for clip in clips], [theirs[clip] for clip in clips]

    @property
    def found(self) -> tuple[int, int]:
        """(Incidents told or found, true ones), over clips: at the first receiver, as those of a group share one prompt."""
        return sum(row.incidents_found or 0 for row in self.firsts), sum(row.incidents or 0 for row in self.firsts)

    @property
    def alarmed(self) -> tuple[int, int]:
        """(Clips with a false incident, clips), likewise."""
        return sum(bool(row.false_incidents) for row in self.firsts), len(self.firsts)

    @property
    def firsts(self) -> list[Row]:
        """The row of each clip's first receiver."""
        clips: dict[str, Row] = {}
        for row in self.rows:
            clips.setdefault(row.request.partition(">")[0], row)
        return list(clips.values())


def column_of(arm: Arm) -> Column:
    """Rows by clip, then receiver."""

    def place(row: Row) -> tuple[int, str]:
        return int(row.request.partition(">")[0].rpartition("/")[2]), row.receiver

    return Column(arm.name, sorted(arm.rows, key=place))


def find(study: Study) -> Findings:
    """Read what the arms measured."""
    columns = {name: column_of(arm) for name, arm in study.arms.items()}
    stories = {name: {story.request: story for story in arm.stories()} for name, arm in study.arms.items()}
    metres = study.options.metres_per_pixel
    return Findings(
        question="A roadside camera tells vehicles what moves on a street ahead and what has happened there. Are positions and "
        "incidents in a few hundred bits as good as pictures in which every vehicle looks for itself, and how old is each?",
        paper="Wang et al., Harnessing the Power of AI-Generated Content for Semantic Communication (AIGC-SCM), section II-C",
        numbers=numbers(columns, metres),
        claims=claims(columns),
        tables=[table(columns, metres), kinds(stories)],
        charts=figures(study.figures, columns),
        galleries=[gallery(study, stories)],
        same=[
            "Location-related information is distilled at the sender; the receiver shows traffic and incidents on a map.",
            "One prompt can go to several vehicles at once.",
        ],
        different=[
            "The paper describes the service in words and gives neither numbers nor a network: no figure of it is compared.",
            "Streets are drawn: two lanes, one to three road users, at most one incident a clip (none in two of five clips).",
            "The map's signs are drawn by class and colour; no diffusion model draws them.",
        ],
        headline=headline(columns),
        notes=_NOTES,
    )


_NOTES = [
    "An incident counts as found where one of its kind is told within 10 pixels; all others that are told are false. Truth "
    "is the same rule on the true movement.",
    "Sender and receiver have the same detector, tracker (OC-SORT) and rule: what differs is whether they see pixels before or "
    "after the channel.",
    "Age is the time from the last frame of a clip until it, and what happened in it, is on display, of clips that are shown.",
    "A failed clip counts as one in which nothing was found. Place errors are of things that were matched, in clips where any "
    "was in both arms.",
]


def numbers(columns: Mapping[str, Column], metres: float) -> list[Number]:
    """Of every arm."""
    found = []
    for name, column in columns.items():
        for metric, (hits, of) in (("incidents_found", column.found), ("false_alarm_clips", column.alarmed)):
            found.append(Number(metric, name, *inference.share(hits, of), of))
        for metric, field, factor in (
            ("place_error_px", "place_error_px", 1.0),
            ("place_error_m", "place_error_px", metres),
            ("idf1", "idf1", 1.0),
            ("bits_per_clip", "prompt_bits", 1.0),
            ("air_symbols_per_clip", "symbols_total", 1.0),
            ("age_s", "latency_s", 1.0),
        ):
            values = [factor * value for value in column.by_clip(field).values()]
            found.append(Number(metric, name, *inference.mean(values, metric, name), len(values)))
    return found


def claims(columns: Mapping[str, Column]) -> list[Claim]:
    """What the service promises, as inequalities."""
    prompts, jscc, low, group = (columns[name] for name in ("prompts", "jscc", "jscc-low", "multicast"))
    count = len(prompts.firsts)
    remark = f"No worse: by at most {LOSS} of an incident a clip, set before looking."

    def less(name: str, text: str, more: Column, one: Column, field: str, measured: str) -> Claim:
        pairs = more.paired(one, field)
        return Claim(name, text, measured, *inference.ratio(*pairs, name), 1.0, len(pairs[0]))

    def difference(one: Column, other: Column, field: str) -> tuple[float, float, float]:
        return inference.difference(*one.paired(other, field), field, one.name)

    hits = difference(prompts, jscc, "incidents_found")
    false = difference(jscc, prompts, "false_incidents")
    error = difference(prompts, jscc, "place_error_px")
    matched = len(prompts.paired(jscc, "place_error_px")[0])
    told, shown = "Prompts tell no fewer incidents than receivers find in JSCC frames", "What happened is on display sooner"
    good = f"As good: within {LOSS_PX} px (0.5 m), set before looking."
    return [
        Claim("finds_as_much", told, "prompts - jscc, found a clip", *hits, -LOSS, count, remark=remark),
        Claim("no_more_false", "and no more false ones", "jscc - prompts, false a clip", *false, -LOSS, count, remark=remark),
        Claim("places", "Places are like those in JSCC frames", "prompts - jscc", *error, LOSS_PX, matched, True, remark=good),
        less("less_air", "Prompts need less air than JSCC frames", jscc, prompts, "symbols_total", "jscc / prompts, symbols"),
        less(
            "less_air_low", "and less than JSCC at the lowest rate", low, prompts, "symbols_total", "jscc-low / prompts, symbols"
        ),
        less("sooner", shown, jscc, prompts, "latency_s", "jscc / prompts, age"),
        less(
            "multicast_saves",
            "One prompt for three vehicles needs less air for each",
            prompts,
            group,
            "symbols_total",
            "prompts / multicast, symbols a vehicle",
        ),
    ]


def table(columns: Mapping[str, Column], metres: float) -> Table:
    """All arms side by side."""
    rows = []
    for name, column in columns.items():
        (hits, of), (alarms, clips) = column.found, column.alarmed

        def mean(field: str, column: Column = column) -> float:
            return float(np.mean(list(column.by_clip(field).values())))

        rows.append(
            {
                "arm": ARMS.get(name, name),
                "incidents found": f"{hits} of {of}",
                "clips with false alarms": f"{alarms} of {clips}",
                "place error px": round(mean("place_error_px"), 2),
                "place error m": round(metres * mean("place_error_px"), 2),
                "IDF1": round(mean("idf1"), 3),
                "prompt bits": round(mean("prompt_bits")) or None,
                "symbols a receiver": round(mean("symbols_total")),
                "age s": round(mean("latency_s"), 3),
            }
        )
    return Table("A street, as vehicles see it", rows, "Bits and symbols of both hops; what a group shares is shared out.")


def kinds(stories: Mapping[str, Mapping[str, Story]]) -> Table:
    """What is found of each kind of incident."""
    from ..metrics.clips import told_incidents

    rows: dict[str, dict[str, str]] = {}
    for name, of in stories.items():
        counts: dict[str, list[int]] = {}
        for story in of.values():
            truth, told = story.capture.clip, story.shown.clip if story.shown else None
            for incident in truth.incidents if truth else ():
                count = counts.setdefault(incident.kind, [0, 0])
                count[1] += 1
                if truth and told:
                    one = type(truth)(truth.fps, [], [incident])
                    count[0] += told_incidents(one, told)[0]
        for kind, (hits, all_) in sorted(counts.items()):
            rows.setdefault(kind, {"incident": kind})[ARMS.get(name, name)] = f"{hits} of {all_}"
    return Table("Incidents by kind", list(rows.values()))


def headline(columns: Mapping[str, Column]) -> list[tuple[str, str]]:
    """What the page begins with."""
    prompts, jscc = columns["prompts"], columns["jscc"]
    air, less = (np.mean(each) for each in jscc.paired(prompts, "symbols_total"))
    late, soon = (np.mean(each) for each in jscc.paired(prompts, "latency_s"))
    hits, of = prompts.found
    return [
        (f"{air / less:.0f}x", "less air than pictures"),
        (f"{hits} of {of}", "incidents told"),
        (f"{1000 * soon:.0f} ms", f"old when they are on display; {1000 * late:.0f} ms with pictures"),
    ]
