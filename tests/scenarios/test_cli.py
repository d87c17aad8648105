"""The command line: help, exit codes, messages, machine-readable forms."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from semcast.scenarios.cli import COMMANDS, main


def semcast(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command: exit code, stdout, stderr."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as exit:
        code = int(exit.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_is_quick_and_lists_every_command() -> None:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "semcast", "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 3.0  # 0.2 s alone; the bound is for a busy machine
    assert all(f"    {command}" in done.stdout for command in COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from semcast.scenarios import cli; cli.parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "torch", "pydantic", "ray", "matplotlib", "pyarrow", "rich", "msgspec"} & set(loaded)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = semcast(capsys, command, "--help")
    assert code == 0
    assert f"example:\n  semcast {command} " in out


def test_check_tells_a_right_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = semcast(capsys, "check", "quickstart")
    assert (code, out.startswith("quickstart: ok (24 users, 3 base stations, 2 edges, 1 cloud")) == (0, True)


def test_bad_input_is_exit_code_2_with_one_message_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(
        'name = "x"\ntitle = "X"\nseeed = 3\n[network]\nusers = 2\nstations = 1\nedges = 1\n[policies]\nnoise = "none"\n'
    )
    code, out, err = semcast(capsys, "check", bad)
    assert (code, out) == (2, "")
    assert "5 mistakes" in err
    assert "seeed: unknown key; did you mean seed?" in err
    assert "policies.prompt: is missing" in err
    assert "Traceback" not in err
    bad.write_text("name = quickstart")
    code, _, err = semcast(capsys, "run", bad)
    assert (code, "no valid TOML" in err, "line 1" in err) == (2, True, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "two-user"], "did you mean two-users?"),
        (["run", "two-users", "--policy", "encoders=fixed"], "kind one of"),
        (["run", "two-users", "--policy", "encoder=fixd"], "did you mean 'fixed'?"),
        (["run", "two-users", "--set", "traffic.rate=3"], "traffic.rate: unknown key; did you mean rate_hz?"),
        (["run", "two-users", "--host", "cluster"], "none of memory, nats, ray"),
        (["report", "nowhere"], "no run folder"),
        (["trace", "nowhere"], "no run folder"),
        (["bench", "nothing"], "no benchmark 'nothing'"),
        (["train", "nothing"], "no training recipe 'nothing'"),
        (["eval", "nothing"], "nothing to measure"),
        (["compare", "quickstart"], "compare wants one list of choices"),
    ],
)
def test_messages_name_what_is_wrong(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = semcast(capsys, *arguments)
    assert code == 2
    assert says in err
    assert out == ""


def test_a_full_out_folder_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious.txt").write_text("x")
    code, _, err = semcast(capsys, "run", "two-users", "--host", "memory", "--out", tmp_path)
    assert code == 2
    assert "already holds something" in err
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("what", ["scenarios", "policies", "models"])
def test_lists_have_a_machine_readable_form(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = semcast(capsys, "list", what, "--json")
    rows = json.loads(out)[what]
    assert code == 0
    assert rows
    assert semcast(capsys, "list", what)[1].count("\n") > len(rows)


def test_runs_are_listed(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = semcast(capsys, "list", "runs", "--runs", told.parent, "--json")
    (row,) = json.loads(out)["runs"]
    assert (row["folder"], row["status"], row["digest"]) == (str(told), "ok", "abababababab")


def test_trace_filters(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def kinds(*options: object) -> list[str]:
        code, out, _ = semcast(capsys, "trace", told, "--json", *options)
        assert code == 0
        return [record["kind"] for record in json.loads(out)["records"]]

    assert kinds("--kind", "failure") == ["failure"]
    assert set(kinds("--agent", "cloud.0")) == {"picture", "content"}
    assert "capture" not in kinds()
    assert kinds("--private").count("capture") == 2
    assert kinds("--from", "0.2", "--to", "0.211") == ["air_record"]
    assert kinds("--request", "user.a/1") == ["air_record", "failure"]
    assert len(kinds("--limit", "3")) == 3


def test_a_request_is_followed_from_capture_to_feedback(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = semcast(capsys, "trace", told, "--follow", "user.a/0")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("user.a/0 starts at 0.010000 s")
    told_kinds = [line.split()[3] for line in lines[1:]]
    assert told_kinds[:2] == ["capture", "extraction"]
    assert told_kinds[-3:] == ["shown", "uplink", "air_record"]
    assert "symbols" in told_kinds  # results of model calls belong to the story
    assert "user.z" not in out
    code, _, err = semcast(capsys, "trace", told, "--follow", "user.a/7")
    assert (code, "there is no request" in err) == (2, True)


def test_a_killed_run_says_that_it_was_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "semcast", "run", "two-users", "--host", "memory", "--display", "none", "--out", "run"]
    driver = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    file = tmp_path / "run" / "run.json"
    while not file.exists():
        assert driver.poll() is None
        time.sleep(0.05)
    driver.terminate()
    assert driver.wait(60) == 130
    assert json.loads(file.read_text())["status"] == "interrupted"


def test_what_lists_there_are_and_where_runs_of_a_comparison_go_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list"])
    assert "required: {scenarios,studies,policies,models,runs}" in capsys.readouterr().err
    for command in ("compare", "sweep"):
        assert main([command, "two-users", "--host", "nats", "--policy", "encoder=fixed,snr-table"]) == 2
        assert "--address A: on a Ray cluster" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--nats", "nats://127.0.0.1:1"), ("--address", "auto")])
def test_an_option_that_says_nothing_to_a_host_is_refused(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = semcast(capsys, "run", "two-users", "--quick", "--host", "memory", "--out", str(tmp_path / "run"), *option)
    assert code == 2 and f"{option[0]} says nothing to host memory" in err
