"""A network that sends somebody's own pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from semcast.bus import keys
from semcast.scenarios.cli import main
from semcast.scenarios.loading import load
from semcast.scenarios.metrics.table import read_rows
from semcast.scenarios.mistakes import ScenarioMistakes
from semcast.scenarios.runner import resume, run


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        rng = keys.generator("own pictures", i)
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def test_own_pictures_cross_as_symbols_and_are_judged_by_their_pixels_alone(pictures: Path, tmp_path: Path) -> None:
    overrides = {"traffic.images": str(pictures), "scheme": "semcom", "host": "memory"}
    outcome = run(load("two-users", quick=True, overrides=overrides), out=str(tmp_path / "run"))
    assert outcome.status == "ok", outcome.error
    rows = read_rows(outcome.folder / "metrics.parquet")
    assert rows and all(row.object_recovery is None and row.image_alignment is None for row in rows)
    assert all(row.psnr_to_original_db is not None and row.psnr_to_original_db > 15 for row in rows)
    assert (outcome.folder / "report.html").is_file()


def test_what_the_models_cannot_do_with_them_is_said_before_the_run(pictures: Path) -> None:
    with pytest.raises(ScenarioMistakes, match="scheme semcom"):
        load("two-users", overrides={"traffic.images": str(pictures)})
    with pytest.raises(ScenarioMistakes, match="no such folder"):
        load("two-users", overrides={"traffic.images": str(pictures / "none"), "scheme": "semcom"})


def test_a_run_is_not_resumed_with_other_pictures(pictures: Path, tmp_path: Path) -> None:
    from semcast.bus.errors import BadInput
    from semcast.scenarios.folder import read_run, write_run

    overrides = {"traffic.images": str(pictures), "scheme": "semcom", "host": "memory", "traffic.rate_hz": 0.0}
    folder = run(load("two-users", quick=True, overrides=overrides), out=str(tmp_path / "run"), report=False).folder
    write_run(folder, read_run(folder) | {"status": "interrupted"})
    Image.new("RGB", (64, 64)).save(pictures / "0.png")
    with pytest.raises(BadInput, match="another pictures"):
        resume(folder)


def test_schemes_are_not_compared_by_objects_that_nobody_knows(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = pictures / "mine.toml"
    scenario.write_text('like = "two-users"\nname = "mine"\nscheme = "semcom"\n[traffic]\nimages = "."\n')
    assert load(str(scenario)).traffic.images == str(pictures.resolve())  # beside the file, from wherever it is read
    assert main(["compare", str(scenario), "--scheme", "semcom,traditional", "--out", str(pictures / "out")]) == 2
    assert "judged by the objects" in capsys.readouterr().err
