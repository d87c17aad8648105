"""The figures of a run's report. Each returns whether there was something to draw."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..metrics.calibration import noise_pairs, rank_correlation, rank_interval
from ..metrics.network import STEP_NS
from ..metrics.reduction import Reduction
from ..metrics.row import SHOWN, Row
from .theme import BLUE, CYCLE, GREY, MUTED, ORANGE, PINK, figure

STAGES = (
    ("extract_s", "extract"),
    ("queue_s", "queue for air"),
    ("air_s", "air"),
    ("backhaul_s", "links"),
    ("wait_s", "HARQ, CSI, other work"),
    ("generate_s", "generate"),
    ("encode_s", "encode"),
    ("decode_s", "decode"),
    ("calibrate_s", "calibrate"),
)
"""Column -> what the latency figure calls it."""
COLOURS = (*CYCLE, PINK)
BIN_DB = 4.0
DOTS = 2000
"""Requests drawn as dots; of more, evenly spaced ones."""
STEPS = 2000
"""Points of a line over time, likewise."""


def curve(folder: Path, rows: Sequence[Row]) -> bool:
    """Quality of what is shown over the true SNR of the downlink; of pictures that no judge knows, SSIM in place of recovery."""
    shown = [row for row in rows if row.snr_db is not None and row.psnr_db is not None and row.status == SHOWN]
    if len(shown) < 2:
        return False
    judged = all(row.object_recovery is not None and row.generated_recovery is not None for row in shown)
    first = [row.object_recovery if judged else row.ssim for row in shown]
    data = np.array([[row.snr_db for row in shown], first, [row.psnr_db for row in shown]], dtype=float).T
    with figure(folder, "curve", (8.2, 3.5), ncols=2) as (_, axes):
        left, right = axes
        _binned(left, data[:, 0], data[:, 1], BLUE, most=1.0)
        if judged:
            _level(left, float(np.mean([row.generated_recovery or 0.0 for row in shown])), "before the downlink")
        left.set_ylim(0, 1.03)
        label = "object recovery" if judged else "SSIM, against the encoder's input"
        title = "Objects that arrive" if judged else "Structure"
        left.set(xlabel="SNR of the downlink, Es/N0 (dB)", ylabel=label, title=title)
        _binned(right, data[:, 0], data[:, 2], ORANGE)
        right.set(
            xlabel="SNR of the downlink, Es/N0 (dB)", ylabel="PSNR (dB), against the encoder's input", title="Picture quality"
        )
    return True


def _level(ax: Any, y: float, label: str) -> None:
    """A dashed line across a plot, with its name at the right."""
    ax.axhline(y, color=GREY, linestyle="--", linewidth=1.2)
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "top", "xytext": (0, -3), "textcoords": "offset points"}
    ax.annotate(label, (1, y), fontsize=8, color=MUTED, **place)


def few(values: Any, most: int) -> Any:
    """Evenly spaced ones of values (n, ...), ``most`` at most, with the last; all where they are no more."""
    if len(values) <= most:
        return values
    chosen = np.arange(most) * (len(values) - 1) // (most - 1)
    return values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in chosen]


def _binned(ax: Any, x: np.ndarray, y: np.ndarray, colour: str, most: float = math.inf) -> None:
    """Every request as a faint dot; means of 4 dB bins with 95 % intervals of the mean, cut at 0 and ``most``."""
    ax.scatter(few(x, DOTS), few(y, DOTS), s=10, color=colour, alpha=0.22 if len(x) > 50 else 0.8, linewidths=0)
    centres, means, errors = [], [], []
    for low in np.arange(math.floor(x.min() / BIN_DB) * BIN_DB, x.max() + BIN_DB, BIN_DB):
        inside = y[(x >= low) & (x < low + BIN_DB)]
        if len(inside) >= 3:
            centres.append(float(x[(x >= low) & (x < low + BIN_DB)].mean()))
            means.append(float(inside.mean()))
            errors.append(1.96 * float(inside.std(ddof=1)) / math.sqrt(len(inside)))
    middle, half = np.array(means), np.array(errors)
    bars = np.array([np.minimum(half, middle), np.minimum(half, most - middle)])
    ax.errorbar(centres, means, yerr=bars, color=colour, marker="o", markersize=5, capsize=3)


def latency(folder: Path, rows: Sequence[Row]) -> bool:
    """Where the time goes: the mean request, and those of the slowest tenth."""
    shown = sorted((row for row in rows if row.status == SHOWN), key=lambda row: row.latency_s)
    if not shown:
        return False
    slow = shown[-max(1, len(shown) // 10) :]
    groups = [("mean of all", shown), ("slowest tenth", slow)]
    with figure(folder, "latency", (8.2, 2.5)) as (_, ax):
        for y, (_, members) in enumerate(groups):
            left = 0.0
            for (column, label), colour in zip(STAGES, COLOURS, strict=True):
                width = 1e3 * math.fsum(getattr(row, column) for row in members) / len(members)
                ax.barh(y, width, left=left, color=colour, height=0.55, label=label if y == 0 else None)
                left += width
            ax.annotate(f" {left:,.0f} ms", (left, y), va="center", fontsize=9, color=MUTED)
        ax.set_yticks(range(len(groups)), [name for name, _ in groups])
        ax.invert_yaxis()
        ax.grid(False, axis="y")
        ax.margins(x=0.1)
        ax.set(xlabel="latency from capture to display (ms, simulated)", title="Where the time goes")
        ax.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.45, -0.3), fontsize=8, columnspacing=1.2, handlelength=1.2)
    return True


def choices(folder: Path, rows: Sequence[Row]) -> bool:
    """What the encoder policy chose over the CSI that it had, and what the prompts were made of."""
    decided = [row for row in rows if row.csi_snr_db is not None and row.codec]
    if not decided:
        return False
    codecs = sorted({row.codec for row in decided})
    parts = Counter(row.prompt_parts for row in rows if row.prompt_parts)
    ratios = [2.2, 1] if parts else [1]
    options: dict[str, Any] = {"ncols": len(ratios), "width_ratios": ratios, "squeeze": False}
    with figure(folder, "choices", (8.2, 3.4), **options) as (_, axes):
        ax = axes[0][0]
        values = [[float(row.csi_snr_db or 0.0) for row in decided if row.codec == codec] for codec in codecs]
        low, high = min(map(min, values)), max(map(max, values))
        edges = np.arange(math.floor(low / 3) * 3, high + 3 + 1e-9, 3)
        ax.hist(
            values, bins=edges, stacked=True, color=[CYCLE[i % len(CYCLE)] for i in range(len(codecs))], label=codecs, rwidth=0.92
        )
        ax.set(xlabel="CSI at the decision (dB)", ylabel="requests", title="JSCC codec over CSI")
        ax.grid(False, axis="x")
        ax.legend(fontsize=8)
        if parts:
            _prompt_parts(axes[0][1], parts)
    return True


def _prompt_parts(ax: Any, parts: Counter[str]) -> None:
    names = sorted(parts, key=lambda name: (parts[name], name))
    ax.barh([name.replace("+", " +\n") for name in names], [parts[name] for name in names], color=BLUE, height=0.6)
    ax.set(xlabel="requests", title="Prompt parts")
    ax.tick_params(axis="y", labelsize=8)
    ax.grid(False, axis="y")


def noise(folder: Path, rows: Sequence[Row]) -> bool:
    """Estimated semantic noise against what generation really lost: dots of requests, means of fifths of the estimates."""
    pairs = noise_pairs(rows)
    rho = rank_correlation(pairs)
    if rho is None:
        return False
    low, high = rank_interval(pairs)
    order = np.argsort(pairs[:, 0], kind="stable")
    with figure(folder, "noise", (4.6, 3.5)) as (_, ax):
        ax.plot((0, 1), (0, 1), color=GREY, linestyle="--", linewidth=1.0)
        ax.scatter(*few(pairs, DOTS).T, s=12, color=BLUE, alpha=0.35, linewidths=0)
        for fifth in np.array_split(order, 5):
            ax.plot(*pairs[fifth].mean(axis=0), "o", color=ORANGE, markersize=8, markeredgecolor="white")
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel="semantic noise, estimated", ylabel="semantic error, realised")
        ax.set_title(f"Rank correlation {rho:.2f} [{low:.2f}, {high:.2f}]")
    return True


def symbols(folder: Path, reduction: Reduction, jscc_only: float | None) -> bool:
    """Complex symbols of a request by direction, beside what JSCC would take both ways for the same pictures."""
    rows = reduction.rows
    if not rows:
        return False
    mean = {column: math.fsum(getattr(row, column) for row in rows) / len(rows) for column in ("symbols_up", "symbols_down")}
    bars = [(f"{reduction.settings.scheme}\n(measured)", mean["symbols_up"], mean["symbols_down"])]
    if jscc_only is not None:
        bars.append(("JSCC only\n(same pictures,\nsame codec both ways)", jscc_only / 2, jscc_only / 2))
    ratio = "" if rows[0].cbr is None else "  (CBR {:.3f})"
    with figure(folder, "symbols", (8.2, 2.6)) as (_, ax):
        for y, (_, up, down) in enumerate(bars):
            ax.barh(y, up, color=ORANGE, height=0.5, label="uplink" if y == 0 else None)
            ax.barh(y, down, left=up, color=BLUE, height=0.5, label="downlink" if y == 0 else None)
            ax.annotate(
                f" {up + down:,.0f}{ratio.format((up + down) / 12288)}", (up + down, y), va="center", fontsize=9, color=MUTED
            )
        ax.set_yticks(range(len(bars)), [name for name, _, _ in bars], fontsize=8.5)
        ax.invert_yaxis()
        ax.margins(x=0.22)
        ax.grid(False, axis="y")
        ax.set(xlabel="complex symbols a request, pilots and retransmissions included", title="What a request costs on the air")
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=8, ncols=2)
    return True


def knowledge(folder: Path, reduction: Reduction) -> bool:
    """Knowledge bases over time (all agents of a role together), and branch models that were made."""
    network = reduction.network
    if not network.held:
        return False
    series = {role: _summed(steps) for role, steps in network.held.items()}
    names = {"user": "users", "edge": "edge servers", "cloud": "cloud", "bs": "base stations"}
    with figure(folder, "knowledge", (8.2, 3.2), ncols=2, width_ratios=[2, 1]) as (_, axes):
        for role, colour in zip(sorted(series), CYCLE, strict=False):
            x, y = zip(*few(series[role], STEPS), strict=True)
            axes[0].step([0, *x, network.end_ns / 1e9], [0, *y, y[-1]], where="post", color=colour, label=names.get(role, role))
        axes[0].set(xlabel="simulated time (s)", ylabel="items held", yscale="log", title="Knowledge bases")
        axes[0].legend(fontsize=8)
        sharing = sum(network.shares.values())
        bars = {"shared": sharing, "declined": len(network.shares) - sharing, "branch\nmodels": len(network.branches)}
        axes[1].bar(list(bars), list(bars.values()), color=[CYCLE[2], GREY, BLUE], width=0.6)
        for place, value in enumerate(bars.values()):
            axes[1].annotate(str(value), (place, value), ha="center", va="bottom", fontsize=9, color=MUTED)
        axes[1].grid(False, axis="x")
        axes[1].set(ylabel="users", title="Sharing")
    return True


def _summed(steps: Mapping[int, int]) -> list[tuple[float, int]]:
    """Growth by time -> (time in s, items held from then on)."""
    held, found = 0, []
    for step in sorted(steps):
        held += steps[step]
        found.append((step * STEP_NS / 1e9, held))
    return found
