"""The table maker: its statistics on known curves, and a real (slow) check of shipped curves with other noise."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from semcast.bus import keys
from semcast.bus.channel import MCS_TABLE, bler, calibrate


def fake_counts(snr_db: float, blocks: int, draw: int) -> int:
    """A code whose waterfall is known: middle 3.7 dB, width 0.4 dB."""
    p = norm.cdf((3.7 - snr_db) / 0.4)
    return int(keys.generator("counts", round(snr_db * 1000), draw).binomial(blocks, p))


def test_a_known_waterfall_is_found_and_fitted() -> None:
    curve = calibrate._curve(MCS_TABLE[3], 256, fake_counts, 3000)
    assert curve["middle_db"] == pytest.approx(3.7, abs=4 * curve["middle_se_db"])
    assert curve["width_db"] == pytest.approx(0.4, abs=4 * curve["width_se_db"])
    assert curve["middle_se_db"] < 0.03
    assert all(p["low"] <= p["errors"] / p["blocks"] <= p["high"] for p in curve["points"])


def test_standard_errors_are_those_of_repetition() -> None:
    points = [{"snr_db": s, "blocks": 400, "errors": 0} for s in (3.1, 3.4, 3.7, 4.0, 4.3, 4.6)]
    fits = []
    for i in range(60):
        for point in points:
            point["errors"] = int(
                keys.generator(i, round(point["snr_db"] * 10)).binomial(400, norm.cdf((3.7 - point["snr_db"]) / 0.4))
            )
        fits.append(calibrate._fit(points))
    spread = np.std([fit["middle_db"] for fit in fits])
    assert spread == pytest.approx(np.mean([fit["middle_se_db"] for fit in fits]), rel=0.4)


def test_wilson_interval() -> None:
    expected = binomtest(7, 50).proportion_ci(method="wilson")
    assert calibrate._wilson(7, 50) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert calibrate._wilson(0, 50)[0] == 0.0


def test_a_stopped_run_leaves_a_readable_file(tmp_path: Path) -> None:
    out = tmp_path / "sub" / "phy.json"
    calibrate._write(out, {"provenance": {"seed": 1}, "curves": [{"mcs": 0}, {"mcs": 1}]})
    assert json.loads(out.read_text())["curves"] == [{"mcs": 0}, {"mcs": 1}]
    assert [path.name for path in out.parent.iterdir()] == ["phy.json"]


@pytest.mark.slow
@pytest.mark.parametrize(("index", "block_bits"), [(0, 64), (4, 256), (7, 512), (9, 1024)])
def test_shipped_curves_hold_with_other_noise(index: int, block_bits: int) -> None:
    """512 bits were never measured: there the interpolation between lengths is what is tested."""
    pytest.importorskip("sionna")
    mcs = MCS_TABLE[index]
    simulate = calibrate._simulator(mcs, block_bits, seed=99, threads=1)
    middle = next(s / 100 for s in range(-600, 2500) if bler(mcs, block_bits, s / 100) < 0.3)
    lost, expected = simulate(middle, 800, 1) / 800, bler(mcs, block_bits, middle)
    assert lost == pytest.approx(expected, abs=4 * math.sqrt(0.21 / 800) + 0.05)
