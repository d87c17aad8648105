"""``semcast new policy`` and ``semcast check policy``: what is written passes, what breaks a rule is told."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from semcast.policies.checks import check_policy
from semcast.policies.registry import KINDS, load, resolve
from semcast.policies.skeleton import package_files
from semcast.scenarios.cli import main


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_keeps_the_rules_of_its_kind(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "policy", "my-first", "--kind", kind, "--out", str(tmp_path)]) == 0
    folder = tmp_path / "my-first"
    assert capsys.readouterr().out.splitlines()[-1] == str(folder)
    spec = resolve(kind, "my_first/policy.py:MyFirst", folder=folder)
    assert len(spec.parameters) == 1
    check_policy(kind, load(spec))
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["semcast.policies"]
    assert points == {f"{kind}.my-first": "my_first.policy:MyFirst"} and project["name"] == "my-first"
    assert main(["check", "policy", f"{folder}/my_first/policy.py:MyFirst"]) == 0
    assert capsys.readouterr().out.startswith(f"{kind} policy")


def test_its_own_test_passes_where_it_lies(tmp_path: Path) -> None:
    assert main(["new", "policy", "any", "--kind", "prompt", "--out", str(tmp_path)]) == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path / "any", capture_output=True, text=True
    )
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("name", ["", "My", "a_b", "a-", "class", "a--b", "ä", "none", "parameters", "draw", "random", "semcast"])
def test_names_that_are_none_are_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "policy", name, "--kind", "prompt", "--out", str(tmp_path)]) == 2
    assert not list(tmp_path.iterdir())
    assert name in capsys.readouterr().err


def test_an_existing_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    assert main(["new", "policy", "mine", "--kind", "noise", "--out", str(tmp_path)]) == 2
    assert "exists" in capsys.readouterr().err and not list((tmp_path / "mine").iterdir())


def test_every_file_ends_with_one_line_break() -> None:
    for kind in KINDS:
        for text in package_files(kind, "some-name").values():
            assert text.endswith("\n") and not text.endswith("\n\n")


def test_a_policy_that_breaks_the_rules_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = package_files("encoder", "mine")["mine/policy.py"]
    bad = tmp_path / "bad.py"
    bad.write_text(source.replace('EncoderChoice(codec.name, f"', 'EncoderChoice("none", f"'))
    assert main(["check", "policy", f"{bad}:Mine"]) == 2
    assert "the codec is none of the context's" in capsys.readouterr().err
    assert main(["check", "policy", f"encoder={bad}:Mine", "--json"]) == 2
    assert "the codec is none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["policy"], "which policy?"),
        (["policy", "fixed"], "say which: semcast check policy prompt=fixed"),
        (["policy", "nothing.py:Mine"], "no file"),
        (["policy", "prompt=zzz"], "no prompt policy 'zzz'"),
        (["policy", "zzz"], "zzz"),
        (["two-users", "more"], "one scenario"),
        (["policy", "prompt=fixed", "--seed", "3"], "no option of a scenario"),
    ],
)
def test_mistakes_are_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_built_in_with_parameters_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "policy", "threshold:more=0.1,share=0.3"]) == 0
    assert "prompt policy threshold: ok" in capsys.readouterr().out
