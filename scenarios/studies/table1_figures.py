"""Figures of the study ``gai-scn-table1``."""

from pathlib import Path
from typing import Any

import numpy as np

from ..report.theme import BLUE, GREEN, MUTED, ORANGE, figure
from .findings import Chart, Gallery
from .operating import Mix, Point
from .study import Study

COLOURS = {"GAI-SCN": BLUE, "SemCom": ORANGE, "GAI-traditional": GREEN}
PAPER_RATIOS = {"GAI-SCN": 1.0, "SemCom": 5.99 / 3.03, "GAI-traditional": 12.8 / 3.03}
SHOWN = 6
"""Pictures in the gallery."""


def figures(
    folder: Path,
    families: dict[str, list[Point]],
    mixes: dict[str, dict[str, Mix]],
    exact: Mix,
    targets: dict[str, float],
    use_bits: int,
) -> list[Chart]:
    """Draw them."""
    return [_ratios(folder, mixes, exact), _frontiers(folder, families, mixes, exact, targets, use_bits)]


def _ratios(folder: Path, mixes: dict[str, dict[str, Mix]], exact: Mix) -> Chart:
    groups = {"the paper": dict(PAPER_RATIOS)}
    for rule, name in (("recovery", "ours, equal\nrecovery"), ("psnr_db", "ours, equal\nPSNR")):
        down = {scheme: float(mixes[rule][scheme].values("down").mean()) for scheme in COLOURS}
        groups[name] = {scheme: down[scheme] / down["GAI-SCN"] for scheme in COLOURS}
    own = float(mixes["recovery"]["GAI-SCN"].values("down").mean())
    groups["ours, precise\nfile"] = {"GAI-SCN": 1.0, "GAI-traditional": float(exact.values("down").mean()) / own}
    with figure(folder, "ratios", (7.2, 3.6)) as (_, axes):
        for place, (name, ratios) in enumerate(groups.items()):
            for step, (scheme, colour) in enumerate(COLOURS.items()):
                if scheme not in ratios:
                    continue
                x = place + (step - 1) * 0.27
                hatch: dict[str, Any] = {"alpha": 0.45} if name == "the paper" else {}
                axes.bar(x, ratios[scheme], 0.25, color=colour, label=scheme if place == 1 else None, **hatch)
                axes.annotate(
                    f"{ratios[scheme]:.2f}", (x, ratios[scheme]), (0, 2), textcoords="offset points", ha="center", fontsize=9
                )
        axes.set_xticks(range(len(groups)), list(groups))
        axes.set_ylabel("downlink bits, GAI-SCN = 1")
        axes.grid(axis="x", visible=False)
        axes.margins(y=0.12)
        axes.legend(loc="upper left")
    caption = "Bits on the downlink, as multiples of what GAI-SCN needs. Pale: the paper's Table I."
    return Chart("ratios", "What the downlink carries", caption)


def _frontiers(
    folder: Path,
    families: dict[str, list[Point]],
    mixes: dict[str, dict[str, Mix]],
    exact: Mix,
    targets: dict[str, float],
    use_bits: int,
) -> Chart:
    labels = {"recovery": "objects recovered", "psnr_db": "PSNR in dB, against the\npicture to be delivered"}
    with figure(folder, "operating-points", (9.0, 3.8), ncols=2) as (_, both):
        for axes, rule in zip(both, labels, strict=True):
            for scheme, colour in COLOURS.items():
                ordered = sorted(families[scheme], key=lambda point: float(_held(point, "down").mean()))
                x = [use_bits * float(_held(point, "down").mean()) for point in ordered]
                axes.plot(x, [float(_held(point, rule).mean()) for point in ordered], "o-", color=colour, label=scheme)
                mix = mixes[rule][scheme]
                chosen = use_bits * float(mix.values("down").mean()), float(mix.values(rule).mean())
                axes.plot(*chosen, "o", ms=12, mfc="none", mec=colour, mew=2)
            axes.axhline(targets[rule], color=MUTED, lw=1, ls="--")
            axes.set_xscale("log")
            axes.set_xticks([1000, 2000, 5000, 10000], ["1,000", "2,000", "5,000", "10,000"])
            axes.minorticks_off()
            axes.set_xlabel("bits on the downlink a picture")
            axes.set_ylabel(labels[rule])
        both[0].yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        both[1].legend(loc="lower right")
    caption = (
        "Every dot is a run of all pictures at one operating point: a JSCC codec, or a file's quality. Dashed: what all schemes "
        "have to reach; rings: what each takes to reach it, chosen on other pictures."
    )
    return Chart("operating-points", "Quality over bits on the downlink", caption)


def _held(point: Point, column: str) -> np.ndarray:
    return np.asarray(point.column(column)[~point.tuned])


def gallery(study: Study, mixes: dict[str, Mix]) -> Gallery:
    """The same pictures by all schemes, at the operating points that most of them take."""
    arms = {name: study.arms[mixes[name].main.name] for name in COLOURS}
    held = ~mixes["GAI-SCN"].first.tuned
    requests = sorted(row.request for row in arms["GAI-SCN"].rows)
    step = max(1, int(held.sum()) // SHOWN)
    chosen = [request for request, is_held in zip(requests, held, strict=True) if is_held][::step][:SHOWN]
    views = {name: arm.views(chosen) for name, arm in arms.items()}
    original = [_picture(views["GAI-SCN"][request].original) for request in chosen]
    generated = [_picture(views["GAI-SCN"][request].generated) for request in chosen]
    rows: list[tuple[str, list[Any]]] = [("original", original), ("generated", generated)]
    rows += [(f"shown, {name}", [_picture(views[name][request].shown) for request in chosen]) for name in COLOURS]
    caption = (
        "Each scheme at the operating point that most pictures take at equal recovery; files hold the same generated picture."
    )
    return Gallery("pictures", "The same pictures by three schemes", [str(i + 1) for i in range(len(chosen))], rows, caption)


def _picture(raw: bytes) -> np.ndarray | None:
    return np.frombuffer(raw, np.uint8).reshape(64, 64, 3) if raw else None
