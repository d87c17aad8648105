"""``semcast eval jscc``: equal channel uses, everything charged, losses counted; on drawn pictures with an untrained codec."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from semcast.agents.models.cards import Card, file_sha256
from semcast.agents.models.codecs import photo
from semcast.agents.models.codecs.photo import PhotoCodec, Sent, Sketch
from semcast.agents.models.codecs.photo_side import succession_odds
from semcast.bus.channel import MCS_TABLE, bler, segment
from semcast.bus.channel.mcs import largest_payload_bits
from semcast.bus.errors import BadInput
from semcast.scenarios.cli import main
from semcast.scenarios.evaluations import Request, jscc, jscc_tables
from semcast.scenarios.evaluations.score import Score, Skipped

from ...agents.models.photo_like import linear_codec, maps, photo_like

torch.set_num_threads(1)
PICTURE = photo_like(96, 128, "evaluation")


class Counting(PhotoCodec):
    """Notes how many symbols it was asked for."""

    asked: list[int] = []

    def encode(self, sketch: Sketch, symbols: int, snr_db: float) -> Sent:
        self.asked.append(symbols)
        return super().encode(sketch, symbols, snr_db)


@pytest.fixture
def codec(monkeypatch: pytest.MonkeyPatch) -> Counting:
    linear = linear_codec()
    counting = Counting(linear.encoder, linear.decoder, succession_odds(maps()))
    monkeypatch.setattr(counting, "asked", [])
    monkeypatch.setattr(photo, "load_photo_codec", lambda: counting)
    return counting


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        Image.fromarray(photo_like(96, 128, "folder", i)).save(tmp_path / f"{i}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_side_information_and_symbols_together_are_the_budget(codec: Counting) -> None:
    """Nothing is sent for free: of the 2304 uses of 96x128 at 1/16, those of header and classes are gone."""
    jscc.ours(codec, PICTURE, Request(cbr=Fraction(1, 16), snrs_db=(4.0, 10.0)), "a")
    bits = codec.sketch(PICTURE).bits
    blocks = [jscc.side_blocks(bits, snr_db) for snr_db in (4.0, 10.0)]
    assert bits > 40 and codec.asked == [2304 - one.complex_symbols for one in blocks]
    assert all(one.payload_bits == bits and jscc.arrival(one, snr_db) > 0.99 for one, snr_db in zip(blocks, (4, 10), strict=True))
    assert blocks[0].complex_symbols > blocks[1].complex_symbols


@pytest.mark.parametrize("form", jscc.RIVALS)
def test_every_file_is_paid_from_the_same_budget(form: str) -> None:
    found = jscc.rivals(PICTURE, form, Fraction(1, 6))
    assert len(found) == len(MCS_TABLE) and all(found[1:])
    for mcs, rival in zip(MCS_TABLE, found, strict=True):
        if rival is None:  # the smallest JPEG is larger than what the most robust scheme carries
            continue
        assert rival.blocks.mcs == mcs
        assert rival.blocks.complex_symbols <= jscc.budget_symbols(PICTURE, Fraction(1, 6)) == 6144
    qualities = [rival.psnr_db for rival in found if rival]
    assert qualities == sorted(qualities)


def test_the_budget_in_bits_is_the_largest_that_fits() -> None:
    for mcs in MCS_TABLE:
        for symbols in (40, 131, 2304, 73_728):
            bits = largest_payload_bits(symbols, mcs)
            assert bits == 0 or segment(bits, mcs).complex_symbols <= symbols
            assert segment(bits + 1, mcs).complex_symbols > symbols


def test_a_picture_arrives_if_all_its_blocks_do_and_is_grey_else() -> None:
    blocks = segment(20_000, MCS_TABLE[4])
    one = 1 - bler(MCS_TABLE[4], blocks.block_bits, 5.8)
    rival = jscc.Rival(30.0, blocks)
    assert blocks.count == 6 and jscc.arrival(blocks, 5.8) == pytest.approx(one**6)
    assert jscc.expected_psnr_db(rival, 12.0, 5.8) == pytest.approx(one**6 * 30 + (1 - one**6) * 12)
    assert jscc.expected_psnr_db(rival, 12.0, 20.0) == pytest.approx(30.0)
    assert jscc.expected_psnr_db(rival, 12.0, 0.0) == pytest.approx(12.0)
    assert jscc.expected_psnr_db(None, 12.0, 20.0) == 12.0
    assert rival.arrives(rival.cliff_db()) == pytest.approx(0.5)


def test_grey_is_measured_against_the_picture() -> None:
    """Mid-grey against white: 10 log10(255^2 / 127^2)."""
    assert jscc.grey_psnr_db(np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(20 * np.log10(255 / 127))


def test_a_lost_picture_lowers_the_mean_and_best_is_the_best_at_each_snr() -> None:
    blocks = [segment(20_000, mcs) for mcs in MCS_TABLE]
    files: list[jscc.Rival | None] = [jscc.Rival(20.0 + 2 * i, block) for i, block in enumerate(blocks)]
    none: list[jscc.Rival | None] = [None] * len(MCS_TABLE)
    rows = [jscc.Row([25.0, 30.0], {"jpeg": files, "avif": none}, 10.0), jscc.Row(None, {"jpeg": none, "avif": none}, 6.0)]
    found = jscc.figures(rows, (0.0, 30.0))
    assert _value(found["jpeg_mcs9_psnr_db_snr30"]) == pytest.approx((38 + 6) / 2)
    assert _value(found["jpeg_mcs9_psnr_db_snr0"]) == pytest.approx((10 + 6) / 2)
    assert _value(found["jpeg_best_mcs_psnr_db_snr0"]) == pytest.approx((22 + 6) / 2)
    assert _value(found["jpeg_mcs9_infeasible_share"]) == 0.5
    assert _value(found["semcast_psnr_db_snr0"]) == pytest.approx((25 + 6) / 2)
    assert _value(found["gap_to_best_jpeg_db_snr30"]) == pytest.approx((30 + 6) / 2 - 22)
    for name in ("avif_best_mcs_psnr_db_snr0", "avif_mcs0_cliff_snr_db", "gap_to_best_avif_db_snr0"):
        assert isinstance(found[name], Skipped)


def _value(score: Score | Skipped) -> float:
    assert isinstance(score, Score)
    return score.value


def test_the_command_prints_figures_and_tables(codec: Counting, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["eval", "jscc", "--images", str(folder), "--cbr", "1/12", "--snr", "1,10"]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["semcast_psnr_db_snr10"]["n"] == 3
    assert figures["semcast_psnr_db_snr10"]["value"] > figures["semcast_psnr_db_snr1"]["value"]
    assert figures["avif_mcs9_psnr_db_snr1"]["value"] < 20 < figures["avif_best_mcs_psnr_db_snr10"]["value"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "best MCS" in shown and "cliff" in shown and "BLER tables (Sionna, AWGN)" in shown and "mid-grey" in shown


def test_a_budget_too_small_is_called_infeasible(codec: Counting, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "jscc", "--images", str(folder), "--cbr", "1/48", "--snr", "10", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["jpeg_mcs0_psnr_db_snr10"]["value"] is None
    assert figures["jpeg_mcs0_psnr_db_snr10"]["skipped"].startswith("infeasible")
    assert main(["eval", "jscc", "--images", str(folder), "--cbr", "1/48", "--snr", "10"]) == 0
    assert "infeasible" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which pictures"),
        (["--images", "nowhere"], "no folder"),
        (["--images", ".", "--cbr", "1/3"], "1/48 to 1/6"),
        (["--cbr", "a"], "--cbr a"),
        (["--snr", "1,b"], "--snr 1,b"),
        (["--snr", "nan"], "--snr nan"),
        (["--save"], "alone"),
        (["extraction"], "alone"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["eval", "jscc", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_cbr_out_of_range_and_broken_pictures_are_told(folder: Path) -> None:
    with pytest.raises(BadInput, match="1/48 to 1/6"):
        jscc.evaluate(Request(images=folder, cbr=Fraction(1, 3)))
    (folder / "broken.png").write_bytes(b"broken")
    with pytest.raises(BadInput, match="broken.png"):
        jscc.read_picture(folder / "broken.png")


@pytest.mark.skipif(not (photo.FOLDER / "card.json").is_file(), reason="the codec is not trained: semcast train jscc-photos")
def test_the_shipped_codec_is_above_jpeg_at_every_snr_and_above_fixed_avif_below_its_cliff(tmp_path: Path) -> None:
    """On drawn pictures, which are harder than photographs; on photographs the command measures it."""
    for i in range(3):
        Image.fromarray(photo_like(192, 256, "shipped", i)).save(tmp_path / f"{i}.png")
    request = Request(images=tmp_path)
    found = jscc.evaluate(request)
    for snr_db in request.snrs_db:
        assert _value(found[f"gap_to_best_jpeg_db_snr{snr_db:g}"]) > 0.5
        for mcs in MCS_TABLE:
            name = jscc.scheme_name("avif", mcs)
            cliff = found[f"{name}_cliff_snr_db"]
            if isinstance(cliff, Score) and snr_db <= cliff.value - 2:
                assert _value(found[f"semcast_psnr_db_snr{snr_db:g}"]) > _value(found[f"{name}_psnr_db_snr{snr_db:g}"])
    assert "leads every fixed avif scheme" in jscc_tables.remarks(found, request)[-1]


def test_pictures_that_the_codec_was_trained_on_are_left_out(folder: Path) -> None:
    paths = jscc.picture_paths(folder)
    card = Card(folder, {"training": {"data": [file_sha256(paths[0])]}}, "")
    assert jscc.unseen(paths, card) == (paths[1:], 1) and jscc.unseen(paths, None) == (paths, 0)
    everything = Card(folder, {"training": {"data": [file_sha256(path) for path in paths]}}, "")
    with pytest.raises(BadInput, match="trained on 3 of 3"):
        jscc.unseen(paths, everything)


def test_too_large_pictures_are_refused_by_name_before_any_is_coded(folder: Path) -> None:
    Image.fromarray(np.zeros((1, 8200, 3), np.uint8)).save(folder / "wide.png")
    with pytest.raises(BadInput, match=r"wide\.png has 8200 x 1"):
        jscc.check_size(folder / "wide.png")
