"""A comparison in words and tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

COST_NAMES = {"symbols_total": "total", "symbols_up": "uplink", "symbols_down": "downlink"}
ENOUGH_SEEDS = 5
"""With fewer, pointwise intervals are too narrow where seeds differ much (see `statistics.interval`)."""


def shown(answer: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Title and rows of the tables that a comparison shows, the verdicts first."""
    if answer["compared"] == "scheme":
        yield f"{answer['requests']} requests a point; complex symbols per request", point_table(answer["rows"])
        return
    primary = answer["objective"]["primary"]
    yield (
        f"{answer['compared']}: paired differences to {answer['baseline']}, {answer['requests']} requests, "
        + seed_names(answer["seeds"]),
        [difference(row) for metric in primary for row in answer["rows"] if row["metric"] == metric],
    )
    if answer.get("equal_cost"):
        yield f"at equal {answer['plane']['cost']}", [at_equal_cost(row) for row in answer["equal_cost"]]
    if answer.get("oracle_gain"):
        yield "share of the oracle's gain over the best fixed choice", [gain(row) for row in answer["oracle_gain"]]
    yield "means", means(answer["rows"])
    if answer.get("sharing"):
        yield "what the incentives bought in a run", answer["sharing"]


def seed_names(seeds: Sequence[int]) -> str:
    """``seeds 1 to 10``."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


def bounds(row: Mapping[str, Any], suffix: str = "", prefix: str = "") -> str:
    """``[low, high]`` of a row, empty if there is no interval."""
    low, high = row.get(f"{prefix}low{suffix}"), row.get(f"{prefix}high{suffix}")
    return "" if low is None or high is None else f"[{low:.3g}, {high:.3g}]"


def difference(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``rows`` as people read it; the baseline's own has no differences."""
    own = row["choice"] == row["against"]
    return {
        "choice": row["choice"],
        "metric": row["metric"],
        "mean": row["mean"],
        "difference": None if own else row["difference"],
        "95 % interval": "" if own else bounds(row),
        "95 % for all at once": bounds(row, "_all"),
        "verdict": row["verdict"] or "",
        "times narrower": row["times_narrower"],
    }


def at_equal_cost(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``equal_cost`` as people read it."""
    return {
        "choice": row["choice"],
        row["metric"]: row["mean"],
        row["cost_is"]: row["cost"],
        "against": row["against"] + (" (dearer: no fixed choice is as cheap)" if row["cheaper_than_all"] else ""),
        f"its {row['metric']}": row["rival_mean"],
        f"its {row['cost_is']}": row["rival_cost"],
        "difference": row["difference"],
        "95 % interval": bounds(row),
        "95 % for all at once": bounds(row, "_all"),
        "verdict": row["verdict"],
    }


def gain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``oracle_gain`` as people read it."""
    return {
        "choice": row["choice"],
        "oracle": row["oracle"],
        "over": row["against"],
        "gain": row["gain"],
        "oracle's gain": row["oracle_gain"],
        "its 95 % interval": bounds(row, prefix="oracle_gain_"),
        "share": "not defined: the oracle may gain nothing" if row["share"] is None else f"{row['share']:.1%}".replace("%", " %"),
        "95 % interval": "" if row["low"] is None else f"[{row['low']:.1%}, {row['high']:.1%}]".replace("%", " %"),
    }


def means(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a metric, one column a choice."""
    choices = list(dict.fromkeys(row["choice"] for row in rows))
    table: dict[str, dict[str, Any]] = {}
    for row in rows:
        table.setdefault(row["metric"], dict.fromkeys(choices))[row["choice"]] = row["mean"]
    return [{"metric": metric} | values for metric, values in table.items()]


_LINK = {"not distinguishable": "from", "identical": "to"}


def sentences(answer: Mapping[str, Any]) -> list[str]:
    """What came out, one line each."""
    if answer["compared"] == "scheme":
        return ratio_lines(answer["ratios"])
    found = []
    if answer.get("tuning"):
        first, *rest = answer["tuning"]
        metric, tuning = answer["objective"]["metric"], answer["tuning_seeds"]
        text = f"best of {len(rest) + 1} fixed choices by {metric} on {seed_names(tuning)}: "
        text += f"{first['fixed']} ({first[metric]:.4g}"
        found.append(text + (f"; next {rest[0]['fixed']}, {rest[0][metric]:.4g})" if rest else ")"))
    for row in answer.get("verdicts", []):
        found.append(
            f"{row['choice']} is {row['verdict']} {_LINK.get(row['verdict'], 'than')} {row['against']}"
            + ("" if row["difference"] is None else f": {row['metric']} {row['difference']:+.3g} {bounds(row)}")
            + (f", for all at once {bounds(row, '_all')}" if bounds(row, "_all") else "")
        )
    if answer.get("verdicts") and len(answer["seeds"]) < ENOUGH_SEEDS:
        found.append(f"{seed_names(answer['seeds'])}: too few for verdicts on other networks than these; give --seeds 10")
    return found


def point_table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a point: symbols by direction and recovery."""
    points: dict[str, dict[str, Any]] = {}
    for row in rows:
        points.setdefault(row["choice"], {})[row["metric"]] = row["mean"]
    return [
        {
            "choice": name,
            "uplink": values["symbols_up"],
            "downlink": values["symbols_down"],
            "total": values["symbols_total"],
            "object_recovery": values["object_recovery"],
            "psnr_to_original_db": values["psnr_to_original_db"],
            "latency_s": values["latency_s"],
        }
        for name, values in points.items()
    ]


def ratio_lines(ratios: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ratios as sentences; says so where there is none."""
    if not ratios:
        return ["The schemes reach no common object recovery: no ratio."]
    return [
        f"At object recovery {ratio['recovery']:.2f}: {ratio['second']} takes {ratio['ratio']:.2f} times the "
        f"{COST_NAMES[ratio['cost']]} symbols of {ratio['first']}"
        + ("" if ratio["low"] is None else f" (95 % interval {ratio['low']:.2f} to {ratio['high']:.2f})")
        for ratio in ratios
    ]
