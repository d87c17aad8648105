"""What a run shows while it runs."""

import io
import time

import pytest
from semcast.agents.request import Progress
from semcast.scenarios.live import Plain, Rich, Silent, display


def test_a_pipe_gets_plain_lines_and_not_too_many() -> None:
    stream = io.StringIO()
    with display("", "x", 20.0, stream) as shown:
        assert isinstance(shown, Plain)
        for i in range(50):
            shown(Progress(i * 10**9, i, {"user": 10, "bs": 2}, started=3, done=1))
    (line,) = stream.getvalue().splitlines()
    assert "simulated   0.00 of 20 s" in line
    assert "requests 1/3  events bs 2 user 10" in line


def test_none_shows_nothing() -> None:
    stream = io.StringIO()
    with display("none", "x", 20.0, stream) as shown:
        assert isinstance(shown, Silent)
        shown(Progress(1, 1, {}))
    assert stream.getvalue() == ""


def test_rich_shows_the_simulated_time() -> None:
    stream = io.StringIO()
    with display("rich", "quickstart", 20.0, stream) as shown:
        assert isinstance(shown, Rich)
        shown(Progress(5 * 10**9, 100, {"user": 1}, started=4, done=2))
    assert "5.00 / 20 s" in stream.getvalue()


def test_what_takes_its_time_before_and_after_is_said() -> None:
    for name in ("plain", "rich"):
        stream = io.StringIO()
        with display(name, "x", 20.0, stream) as shown:
            shown.note("starting Ray")
        assert "starting Ray" in stream.getvalue()


def test_the_rest_is_estimated_from_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    with display("plain", "x", 20.0, stream) as shown:
        shown(Progress(2 * 10**9, 1, {"user": 10}))
        now[0] += 12.0
        shown(Progress(5 * 10**9, 2, {"user": 132}, memory_bytes=2_500_000_000))
    first, second = stream.getvalue().splitlines()
    assert "left" not in first
    assert second.endswith("  11 events/s  2.5 GB  about 60 s left")
