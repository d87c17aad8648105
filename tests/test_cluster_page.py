"""The page "from laptop to cluster": its commands are understood, its example of a server with TLS works as it stands."""

import json
import re
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from semcast.bus.server import find_binary
from semcast.scenarios import cli
from semcast.scenarios.commands.options import load_scenario

PAGE = (Path(__file__).resolve().parent.parent / "agents" / "CLUSTER.md").read_text()
COMMANDS = [
    line.partition("semcast ")[2].split(" #")[0] for line in re.findall(r"^    (?:ray .*-- )?semcast .*$", PAGE, flags=re.M)
]


def test_the_page_has_commands_and_one_digest() -> None:
    assert (
        len(COMMANDS) >= 10
        and "[From laptop to cluster](agents/CLUSTER.md)" in (Path(__file__).resolve().parent.parent / "README.md").read_text()
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    words = shlex.split(command)
    args = cli.parser().parse_args(words)
    if words[0] == "run" and args.scenario:
        scenario = load_scenario(args, scheme=args.scheme, host=args.host, workers=args.workers, exchange=args.exchange)
        assert scenario.host == args.host


@pytest.mark.skipif(not shutil.which("openssl"), reason="the page makes certificates with openssl")
def test_the_server_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    script, config = re.findall(r"^```(?:sh)?\n((?:openssl|port).*?)^```", PAGE, flags=re.M | re.S)
    subprocess.run(["sh", "-e", "-c", script], check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "nats.conf").write_text(config.replace("4222", str(port)))
    command = next(each for each in COMMANDS if "127.0.0.1:4222" in each).replace("4222", str(port))
    process = subprocess.Popen([str(find_binary()), "-c", "nats.conf"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        status = cli.main([*shlex.split(command), "--display", "none", "--no-report", "--json", "--out", "run"])
    finally:
        process.terminate()
        process.wait(10)
    told = capsys.readouterr()
    assert status == 0, told.err
    assert json.loads(told.out)["status"] == "ok" and "user:password" not in (tmp_path / "run" / "run.json").read_text()


def _wait_for(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the server did not come up")
