"""Runs of other versions: a newer semcast's are refused with both versions named, by all that would need to understand them."""

import shutil
from pathlib import Path

import pytest
from semcast import __version__
from semcast.agents.base import PAYLOADS
from semcast.bus.envelope import VERSION, Codec, Envelope
from semcast.bus.trace import TraceWriter
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.cli import main
from semcast.scenarios.replaying.recorded import newer

MODES = (
    ["replay", "RUN", "--verify", "--display", "none"],
    ["replay", "RUN", "--agent", "user.mia"],
    ["replay", "RUN", "--policy", "encoder=snr-table", "--display", "none"],
    ["replay", "RUN", "--shadow", "encoder=snr-table"],
    ["replay", "RUN", "--tap", "--wait", "0", "--speed", "max"],
    ["report", "RUN"],
)


def written_again(recorded: Path, folder: Path, envelope_version: int = VERSION, **metadata: str) -> Path:
    """A copy of the run with other metadata, and envelopes of another version."""
    shutil.copytree(recorded, folder, ignore=shutil.ignore_patterns("trace"))
    reader = TraceReader(recorded, Codec(PAYLOADS))
    writer = TraceWriter(folder / "trace", 0, reader.metadata | metadata)
    for record in sorted(reader.records(), key=lambda record: (record.envelope.source, record.number)):
        values = [getattr(record.envelope, name) for name in record.envelope.__struct_fields__[1:]]
        other = Envelope(envelope_version, *values)
        writer.write(other, Codec().encode(other), record.private)
    writer.close(reader.chains)
    return folder


@pytest.fixture(scope="module")
def future(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_again(recorded, tmp_path_factory.mktemp("future") / "run", **{"version.semcast": "9.12.1"})


@pytest.fixture(scope="module")
def other(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written_again(recorded, tmp_path_factory.mktemp("other") / "run", envelope_version=VERSION + 1)


@pytest.mark.parametrize("words", MODES, ids=lambda words: words[2] if len(words) > 2 else words[0])
def test_a_newer_run_is_refused(
    words: list[str], future: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(future) if word == "RUN" else word for word in words]) == 2
    told = capsys.readouterr().err
    assert f"was made by semcast 9.12.1, and this is semcast {__version__}" in told and "semcast trace" in told
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_records_of_a_newer_run_can_be_looked_at(future: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(future), "--limit", "3"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3 and "9.12.1" in told.err


@pytest.mark.parametrize("words", [*MODES, ["trace", "RUN"]], ids=lambda words: words[2] if len(words) > 2 else words[0])
def test_records_of_another_version_are_refused(
    words: list[str], other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(other) if word == "RUN" else word for word in words]) == 2
    told = capsys.readouterr().err
    assert f"has version {VERSION + 1} of the envelope; this semcast reads {VERSION}" in told and "semcast that made" in told


@pytest.mark.parametrize(
    ("made", "is_newer"), [("0.0.9", False), (__version__, False), ("9.0", True), ("10.2.3", True), ("", False), ("dev", False)]
)
def test_versions_are_numbers(recorded: Path, made: str, is_newer: bool) -> None:
    reader = TraceReader(recorded)
    reader.metadata["version.semcast"] = made
    assert newer(reader) == (made if is_newer else "")
