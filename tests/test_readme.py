"""Every command that the README names works: quick ones are run, long ones at least parse."""

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image
from semcast.scenarios import cli
from semcast.scenarios.loading import studies

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
COMMANDS = sorted(
    {match.strip() for match in re.findall(r"(?:^    \.venv/bin/semcast |`semcast )([^`#\n]+)", README, flags=re.M)}
)
LONG = {"compare", "sweep", "eval", "bench", "train", "calibrate"}


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme") / "run"
    options = ["--quick", "--host", "memory", "--display", "none", "--no-report", "--out", str(folder)]
    assert cli.main(["run", "two-users", *options]) == 0
    return folder


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command.replace("runs/quickstart-001", str(run_folder)).replace("user.03", "user.mia"))
    if words[0] in ("compare", "sweep") and words[1:3] == ["two-users", "--quick"]:
        words += ["--jobs", "1", "--out", str(tmp_path / "many")]
    elif words[0] in LONG:
        cli.parser().parse_args(words)
        return
    if words[0] == "new":
        words += ["--out", str(tmp_path)]
    if words[0] == "run" and words[1] in studies():  # tests of their own run them
        words = ["check", words[1]]
    if words[0] == "run":
        words[1:2] = ["two-users", "--quick"]
        words += ["--host", "nats" if "--external" in words else "memory"]
        words += ["--display", "none", "--no-report", "--out", str(tmp_path / "run")]
    if words[0] == "replay" and "--policy" in words:
        words += ["--display", "none", "--out", str(tmp_path / "anew")]
    if "--tap" in words:
        words += ["--wait", "0"]  # nobody comes
    if "--images" in words:
        Image.new("RGB", (80, 64), (200, 60, 40)).save(tmp_path / "one.png")
        words[words.index("--images") + 1] = str(tmp_path)
    if "hub" in words:
        words += ["--set", f"models.hub.folder={tmp_path}"]  # whatever this machine has
    try:
        status = cli.main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    told = capsys.readouterr()
    if "hub" in words:  # as the README says: without the checkpoints, it tells how to fetch them
        assert status == 3 and "hf download" in told.err
        return
    assert status == 0, told.err
    assert told.out
