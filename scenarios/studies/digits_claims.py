"""What Grassucci et al. say of conditioning, adaptivity and trust, as inequalities about what was measured of digits."""

from collections.abc import Sequence

import numpy as np

from ...agents.models.digits.models import UNKNOWN
from ...agents.models.digits.prompts import PARTS
from . import inference
from .digits_measure import (
    CLASSICAL as PIXELS,
)  # fmt: skip
from .digits_measure import (
    DISCORD,
    FOREIGN_LATENTS,
    GENERATIVE,
    LINEAR,
    NO_LABEL,
    ONE_FILE,
    PREFIX,
    RIGHT,
    SECOND_JUDGE,
    SPREAD,
    VARIANCE,
    WHATEVER,
    WRONG_LABEL,
    WRONG_LABEL_COARSE,
    Column,
    Grain,
    Journeys,
    Pool,
)
from .digits_trust import area, area_interval
from .digits_ways import ADAPTIVE, CLASSICAL_CSI, CLASSICAL_FINE, EQUAL, FIXED, JOINT, LAYERED, ORACLE, Shop
from .findings import Claim

Curves = dict[str, dict[float, Journeys]]
MISLEADS = "mechanism 2: 'slightly inaccurate information may lead to a completely incorrect generation'"
LOSS = 0.3
"""Share of lost packets at which claims are looked at."""
FLIPPED = 0.01
"""Share of flipped bits of a prompt that counts as slightly wrong."""
FLAGS = {
    SECOND_JUDGE: "A second judge that compares picture and label",
    DISCORD: "Discord of samples (other classes by the sender's reader)",
    VARIANCE: "Spread of samples (variance of pixels)",
}
STEP = -0.01
"""A quality that falls by no more from one SNR to the next counts as not falling."""


def less(name: str, text: str, measured: str, first: np.ndarray, second: np.ndarray, remark: str = "") -> Claim:
    """That the mean of paired differences ``first - second`` is at least 0."""
    value, low, high = inference.difference(first.tolist(), second.tolist(), "digits", name)
    return Claim(name, text, measured, value, low, high, 0.0, len(first), remark=remark)


def of_conditioning(grains: Sequence[Grain], swapped: dict[str, Column], flipped: dict[float, Column]) -> list[Claim]:
    """Mechanisms 1 and 2: meaning kept, and the closer the better one is told."""
    told = {grain.name: grain.scores for grain in grains if grain.arm == GENERATIVE}
    label, base, full = (told[name] for name in (PARTS[0], f"+ {PARTS[1]}", f"+ {PARTS[-1]}"))
    bits = {grain.name: grain.bits for grain in grains if grain.arm == GENERATIVE}
    few, most = bits[f"+ {PARTS[1]}"], bits[f"+ {PARTS[-1]}"]
    linear = {grain.bits: grain.scores for grain in grains if grain.arm == LINEAR}
    pixels = next(grain for grain in grains if grain.arm == PIXELS)
    found = [
        _share("meaning_kept", f"With {few:.0f} bits a digit, what is generated shows the class of the original",
               "share that the first judge reads as what the original is", base["right"], 0.9, "mechanism 1"),
        _share("not_bit_by_bit", "It is not the original bit by bit", "share of identical pictures", base["equal"], 0.01,
               "mechanism 1", at_most=True),
        less("base_above_label", "Label and coarse latents bring the picture closer than the label alone",
             "alignment, label and base - label", base["alignment"], label["alignment"], "mechanism 2"),
        less("full_above_base", "All latents bring it closer than coarse ones", "alignment, all layers - label and base",
             full["alignment"], base["alignment"], "mechanism 2"),
        less("above_linear_few_bits", f"With {few:.0f} bits, the generative code is closer than a linear code of equal bits",
             "alignment, generative - KLT", base["alignment"], linear[few]["alignment"]),
        less("above_linear_most_bits", f"So it is with {most:.0f} bits", "alignment, generative - KLT",
             full["alignment"], linear[most]["alignment"]),
        less("above_pixels", f"With {most:.0f} bits it is closer than pixels of 1 bit, which take {pixels.bits:.0f}",
             "alignment, generative - pixels", full["alignment"], pixels.scores["alignment"]),
        less("accurate_label", "An accurate label leads the generation, a wrong one misleads it, all latents being right",
             "class right, own label - another label", swapped[RIGHT]["right"], swapped[WRONG_LABEL]["right"], "mechanism 2"),
        _share("slightly_wrong", f"Slightly wrong information misleads the generation: {FLIPPED:.0%} of a prompt's bits flipped",
               "share of wrong classes, all layers", 1 - flipped[FLIPPED]["right"], 0.1, MISLEADS),
        _share("wrong_label_coarse", f"A wrong label misleads it: {few:.0f} bits",
               "share of wrong classes, right coarse latents", 1 - swapped[WRONG_LABEL_COARSE]["right"], 0.5, "mechanism 2"),
        _share("wrong_label", f"So it does with {most:.0f} bits", "share of wrong classes, all latents being right",
               1 - swapped[WRONG_LABEL]["right"], 0.5, "mechanism 2"),
        less("accurate_latents", "Accurate latents bring the picture closer, another digit's do not", "SSIM, own - another's",
             swapped[RIGHT]["ssim"], swapped[FOREIGN_LATENTS]["ssim"], "mechanism 2"),
    ]  # fmt: skip
    return found


def _share(name: str, text: str, measured: str, values: np.ndarray, bound: float, remark: str, at_most: bool = False) -> Claim:
    value, low, high = inference.share(int(round(values.sum())), len(values))
    return Claim(name, text, measured, value, low, high, bound, len(values), at_most=at_most, remark=remark)


def of_adaptivity(still: Curves, fading: Curves, shop: Shop) -> list[Claim]:
    """Mechanism 3: quality that follows the channel, without end-to-end training; and the classical cliff."""
    found = [_rising(way, still[way]) for way in (LAYERED, ORACLE, ADAPTIVE)]
    most = max(float(one.symbols.max()) for one in fading[ADAPTIVE].values())
    for name in (name for name in FIXED.values() if name in fading):
        found.append(less(
            f"adaptive_over_{name.replace(', ', '_').replace(' ', '_')}",
            f"Over Rayleigh fading, the number of layers by CSI is at least as good as always '{name}'",
            "alignment, adaptive - fixed", pooled(fading[ADAPTIVE]), pooled(fading[name]),
            f"mechanism 3; adaptive uses at most {most:.0f} of {shop.room} channel uses, CSI included",
        ))  # fmt: skip
    found.append(less(
        "adaptive_over_classical", "Over Rayleigh fading it is closer than the best classical file with the best MCS",
        "alignment, adaptive - classical", pooled(fading[ADAPTIVE]), pooled(fading[CLASSICAL_CSI]), "both pay for CSI",
    ))  # fmt: skip
    for name, way, room in (("modular_as_end_to_end", EQUAL, shop.joint_room), ("modular_with_more_room", ADAPTIVE, shop.room)):
        most = max(float(one.symbols.max()) for one in still[way].values())
        found.append(less(
            name,
            f"Without end-to-end training, in {room} channel uses, nothing is lost against a codec trained with its channel in "
            f"{shop.joint_room} (AWGN)", "alignment, adaptive - end to end, all SNRs", pooled(still[way]), pooled(still[JOINT]),
            f"mechanism 3 says 'without requiring', not 'as good as': this asks what it costs. At most {most:.0f} of these "
            "channel uses are taken, CSI included",
        ))  # fmt: skip
    return found + _cliff(still, shop)


def pooled(curve: dict[float, Journeys], metric: str = "alignment") -> np.ndarray:
    """Mean of each page over all SNRs and journeys, ``(pages,)``; its journeys at all SNRs share fades and count once."""
    means: np.ndarray = np.stack([one.by_page(metric) for one in curve.values()]).mean(axis=0)
    return means


def _rising(way: str, curve: dict[float, Journeys]) -> Claim:
    rows = [one.by_page("alignment").tolist() for one in curve.values()]
    value, low, high = inference.bootstrap(lambda means: np.diff(means, axis=0).min(axis=0), rows, "digits", "rising", way)
    name, what = f"rising_{way}".replace(", ", "_").replace(" ", "_"), f"Quality never falls as the SNR rises: {way}"
    return Claim(name, what, "least step of alignment from one SNR to the next", value, low, high, STEP, len(rows[0]),
                 remark="mechanism 3; within 0.01")  # fmt: skip


def _cliff(still: Curves, shop: Shop) -> list[Claim]:
    """Below the threshold of the classical file that is as good as all layers."""
    edge_db = shop.classical_fine.plan[0].threshold_db
    below = max((snr_db for snr_db in still[LAYERED] if snr_db <= edge_db - 2), default=min(still[LAYERED]))

    def drops(means: np.ndarray) -> np.ndarray:
        half = len(means) // 2
        steepest: np.ndarray = np.diff(means[:half], axis=0).max(axis=0) - np.diff(means[half:], axis=0).max(axis=0)
        return steepest

    rows = [one.by_page("alignment").tolist() for way in (CLASSICAL_FINE, LAYERED) for one in still[way].values()]
    value, low, high = inference.bootstrap(drops, rows, "digits", "drops")
    return [
        less(
            "graceful_below_cliff",
            f"At {below:g} dB, below the cliff of a classical file as good as all layers ({edge_db:.1f} dB), layers show it",
            "class right, layered - classical", still[LAYERED][below].by_page("right"),
            still[CLASSICAL_FINE][below].by_page("right"), "neither knows the channel",
        ),
        Claim(
            "smaller_steps", "Layers lose less in their worst step of SNR than the classical file in its", "greatest fall of "
            "alignment from one SNR to the next, classical - layered", value, low, high, 0.0, len(rows[0]),
            remark="the layered code has a cliff of its own where its label is lost",
        ),
    ]  # fmt: skip


def of_packets(curves: Curves) -> list[Claim]:
    """When packets are lost."""
    at = {name: {metric: curve[LOSS].by_page(metric) for metric in ("right", "alignment")} for name, curve in curves.items()}
    percent = f"{LOSS:.0%} of packets"
    return [
        less("packets_one_file", f"With {percent} lost, prompts keep the class better than one file of as many bits",
             "class right, latents - file", at[WHATEVER]["right"], at[ONE_FILE]["right"]),
        less("packets_spread", f"With {percent} lost, better than spread pixels of as many bits that are filled in",
             "class right, latents - pixels", at[WHATEVER]["right"], at[SPREAD]["right"]),
        less("packets_any_layer", "A receiver that uses whatever layers came does better than one that stops at the first gap",
             "alignment, whatever came - first layers only", at[WHATEVER]["alignment"], at[PREFIX]["alignment"]),
    ]  # fmt: skip


def of_trust(pools: Sequence[Pool]) -> list[Claim]:
    """Flags tell wrong pictures from right ones: of all, and of those whose label came; and better than that it did not come."""
    found = []
    for pool in pools:
        came = pool.labels != UNKNOWN
        trivial = area(pool.doubts[NO_LABEL], pool.wrong)
        for flag, what in FLAGS.items():
            for name, where, kept in (("", "", np.ones_like(came)), ("_label_came", ", where the label came", came)):
                wrong, n = pool.wrong[kept], int(kept.sum())
                value, low, high = area_interval(pool.doubts[flag][kept], wrong, pool.unit[kept], pool.name, f"{flag}{name}")
                found.append(Claim(
                    f"auc_{flag}_{pool.name}{name}".replace(" ", "_").replace(",", ""),
                    f"{what} finds wrong generations: {pool.name}{where}", "area under the ROC", value, low, high, 0.8, n,
                    remark=f"{int(wrong.sum()):,} of {n:,} pictures are wrong"
                    + ("" if name else f"; the flag '{NO_LABEL}' alone has {trivial:.2f}"),
                ))  # fmt: skip
    return found
