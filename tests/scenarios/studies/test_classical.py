"""The study ``classical``: whole and honest in its short form; its verdicts in the full one."""

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("sionna")

from PIL import Image
from semcast.agents.models.codecs.classical import FORMATS
from semcast.bus.channel.bits import coder
from semcast.bus.errors import BadInput, Missing
from semcast.scenarios.studies import classical_pictures, classical_quality
from semcast.scenarios.studies.classical_links import BETWEEN, MARGIN, MEASURED, Point, compared, uncoded
from semcast.scenarios.studies.classical_quality import ANY, Measured, Task, gathered, ways
from semcast.scenarios.studies.findings import Claim
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from ...agents.models.photo_like import photo_like
from . import contract

torch.set_num_threads(1)
MOSAIC = classical_pictures.mosaics(1, 1)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contract.quick("classical", tmp_path_factory.mktemp("classical"))


def test_its_short_form_is_whole(folder: Path) -> None:
    contract.check(folder)


def test_the_cliff_is_visible_bit_by_bit(folder: Path) -> None:
    """Values, not verdicts: the short form has one picture, with which nothing is certain."""
    for codec in ("avif", "jpeg"):
        cliff, ours = contract.claim(folder, f"cliff-{codec}"), contract.claim(folder, f"no-cliff-jscc-{codec}")
        adapted = contract.claim(folder, f"no-cliff-adapted-{codec}")
        assert cliff["value"] > 5 > 2 > ours["value"] > 0 and 2 > adapted["value"] > 0


def test_our_codec_is_encoded_once_around_the_cliff(folder: Path) -> None:
    """Where it is planned for, it is what a sender that knows the SNR makes; elsewhere it is not."""
    middle = float(contract.claim(folder, "cliff-jpeg")["measured"].split()[3]) - 1
    found = [n for n in contract.found(folder)["numbers"] if n["name"] == "cliff_psnr_db" and n["arm"].startswith("JPEG")]
    held, adapted = (
        {n["at"]["snr_db"]: n["value"] for n in found if n["arm"].endswith(f": jscc, {what}")}
        for what in ("encoded once", "adapted")
    )
    assert held[middle] == adapted[middle]
    assert held[middle - 2] < adapted[middle - 2] - 0.1


def test_links_are_what_they_should_be(folder: Path) -> None:
    assert contract.claim(folder, "uncoded-as-closed-form")["verdict"] == "holds"
    tables = {table["title"]: table["rows"] for table in contract.found(folder)["tables"]}
    points = tables["Ten operating points, bit by bit and by the tables"]
    assert len(points) == 10 and all(abs(float(row["bit by bit"]) - float(row["tables"])) < 0.12 for row in points)


def test_infeasible_rows_are_there(folder: Path) -> None:
    """No format, channel or scheme is dropped because nothing fits."""
    tables = {table["title"]: table["rows"] for table in contract.found(folder)["tables"]}
    scenes = tables["Single scenes of 64 x 64 pixels"]
    assert [row["format"] for row in scenes] == [form.title for form in FORMATS.values() for _ in (0, 1)]
    jpeg = next(row for row in scenes if row["format"] == "JPEG" and row["CBR"] == "1/24")
    assert {jpeg[name] for name in ("QPSK 0.25", "16QAM 0.48", "802.11n 16QAM 0.50")} == {"infeasible at this CBR"}
    fixed = next(rows for title, rows in tables.items() if title.startswith("Fixed schemes: AWGN"))
    assert len(fixed) == len(FORMATS) * 13
    assert any("infeasible at this CBR" in row.values() for row in fixed)


def test_a_second_run_finds_the_same(folder: Path, tmp_path: Path) -> None:
    """Without processes of its own in between: what is measured does not depend on where."""
    plan = load_study("classical", quick=True)
    task = Task(MOSAIC, 0, Fraction(1, 16), ways(4, 16), (7.0,), 2, plan.file.seed)
    once, again = classical_quality.measure(task), classical_quality.measure(task)
    assert all(np.array_equal(once.jscc[name][0], again.jscc[name][0]) for name in once.jscc)
    quality = gathered(task.cbr, task, [once])
    numbers = contract.found(folder)["numbers"]
    told = next(n for n in numbers if n["name"] == "psnr_db" and n["arm"] == "awgn jscc" and n["at"]["snr_db"] == 7.0)
    assert told["n"] == 2 and abs(told["value"] - quality.jscc_db["awgn"][0, 0]) < 3


def test_gains_are_those_of_rayleigh_fading_and_dense_where_low() -> None:
    powers, weights = classical_quality.likely_powers(256)
    assert weights.sum() == pytest.approx(1) and (weights * powers).sum() == pytest.approx(1, abs=0.01)
    assert (np.diff(powers) > 0).all() and (weights[powers < 0.1]).sum() == pytest.approx(1 - np.exp(-0.1), abs=0.005)
    assert (powers < 0.1).sum() > 70  # 24 equally likely ones


def made(best: dict[str, float], lacking: str = "") -> Measured:
    """One picture, whose formats have these PSNRs at every scheme and SNR, one of them nowhere feasible."""
    rows = {}
    for codec in FORMATS:
        for mcs in classical_quality.ALL_SCHEMES:
            row = (np.full(1, best[codec] + mcs.index), np.full(1, 1.0 + mcs.index / 10))
            rows["awgn", classical_quality.scheme(codec, mcs)] = None if codec == lacking else row
    return Measured(10.0, rows, {"awgn": (np.full(1, 30.0), np.ones(1))})


def test_the_best_is_chosen_by_the_mean_and_infeasible_pictures_are_grey() -> None:
    task = Task(MOSAIC, 0, Fraction(1, 16), ways(4, 16)[:1], (7.0,), 2, 1)
    levels = dict(zip(FORMATS, (20.0, 21.0, 22.0, 23.0), strict=True))
    quality = gathered(task.cbr, task, [made(levels, "avif"), made(levels)])
    assert quality.lacking["awgn", "avif nr 0"] == 0.5 and quality.lacking["awgn", "jpeg nr 0"] == 0.0
    avif = quality.staircase("awgn", "avif", "nr")
    assert avif is not None and avif[:, 0].tolist() == [10.0, 32.0]
    choice = quality.best("awgn", ANY, "nr")[0]
    assert choice is not None and (choice[0], choice[1].index) == ("webp", 9)
    assert quality.spent_by_best("awgn", "webp", "nr", [7.0]) == pytest.approx(1.9)
    nowhere = gathered(task.cbr, task, [made(levels, "avif")])
    assert nowhere.staircase("awgn", "avif", "nr") is None and nowhere.best("awgn", "avif", "nr") == [None]


def test_a_point_is_the_same_only_within_the_whole_interval() -> None:
    scheme = classical_quality.ALL_SCHEMES[0]
    near, wide = (Point(scheme, 64, "awgn", 1.0, 1000, 0.32, 0.30, half) for half in (0.02, 0.04))
    assert near.bound <= MARGIN < wide.bound
    claim = Claim("x", "They agree at the point", "difference", 0.02, 0.0, wide.bound, MARGIN, 1000, True)
    assert claim.verdict == "not certain" and len(MEASURED) == 10 and len(BETWEEN) == 3


def test_few_expected_errors_are_not_compared() -> None:
    found = uncoded(2000, 1, lambda text: None)
    assert (
        len(found) == 48
        and all(one.exact * one.bits >= 1000 * one.bits_per_symbol for one in compared(found))
        and len(compared(found)) < 20
    )


def test_own_photographs_take_the_place_of_mosaics(tmp_path: Path) -> None:
    for i, side in enumerate((300, 260, 200)):
        Image.fromarray(photo_like(side, 320, "own", i)).save(tmp_path / f"{i}.png")
    pictures, what = classical_pictures.of_study(tmp_path, 5, 256, 1)
    assert [picture.shape for picture in pictures] == [(256, 256, 3)] * 2 and what.startswith("photographs")
    (tmp_path / "0.png").unlink()
    with pytest.raises(BadInput, match="holds 1 pictures"):
        classical_pictures.of_study(tmp_path, 5, 256, 1)


def test_without_sionna_it_says_what_mends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Told before minutes are spent on pictures."""
    coder.cache_clear()
    monkeypatch.setitem(sys.modules, "sionna.phy.fec.ldpc", None)
    outcome = run_study(load_study("classical", quick=True), out=str(tmp_path / "none"), quick=True)
    assert outcome.status == "failed" and isinstance(outcome.error, Missing)
    assert outcome.error.hint == "pip install 'semcast[phy]'"


@pytest.mark.slow
def test_the_full_form_has_its_verdicts(tmp_path: Path) -> None:
    outcome = run_study(load_study("classical"), out=str(tmp_path / "classical"))
    assert outcome.status == "ok", outcome.error
    contract.check(outcome.folder)
    for name in ("bits-as-tables", "uncoded-as-closed-form", "cliff-avif", "cliff-jpeg", "lead-awgn-jpeg"):
        assert contract.claim(outcome.folder, name)["verdict"] == "holds", name
