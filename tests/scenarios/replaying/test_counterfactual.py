"""``semcast replay RUN --policy kind=name``: the same world decided anew, compared request by request."""

import json
import math
from pathlib import Path

import pytest
from msgspec.structs import replace
from scipy import stats
from semcast.agents.base import PAYLOADS
from semcast.bus import keys
from semcast.bus.envelope import Codec, Envelope
from semcast.bus.errors import RunFailed
from semcast.bus.records import Capture, Shown
from semcast.bus.trace_reading import TraceReader, TraceRecord
from semcast.scenarios.cli import main
from semcast.scenarios.comparison.objectives import with_derived
from semcast.scenarios.comparison.statistics import paired
from semcast.scenarios.metrics.table import read_rows
from semcast.scenarios.replaying import counterfactual as module
from semcast.scenarios.replaying.counterfactual import BEFORE as BEFORE_RUN
from semcast.scenarios.replaying.counterfactual import NOW as NOW_RUN

from ..comparison.worlds import cell


def anew(recorded: Path, out: Path, *options: str) -> dict:  # type: ignore[type-arg]
    assert main(["replay", str(recorded), *options, "--display", "none", "--out", str(out)]) == 0
    found: dict = json.loads((out / "counterfactual.json").read_text())  # type: ignore[type-arg]
    return found


@pytest.fixture(scope="module")
def other(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("other") / "out"
    anew(recorded, out, "--policy", "encoder=fixed:codec=snr07-cbr24")
    return out


def test_the_same_policy_makes_exactly_no_difference(
    recorded: Path, policy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = anew(recorded, tmp_path / "same", "--policy", f"prompt={policy}:Mine")
    assert found["digests"][0] == found["digests"][1]
    assert found["captures"]["same"] == found["requests"] > 1
    assert all(row["difference"] == 0.0 and row["low"] in (0.0, None) and row["high"] in (0.0, None) for row in found["rows"])
    assert all(row["change"] == 0.0 for row in found["by_request"])
    assert all(row[name][0] == row[name][1] for row in found["by_request"] for name in ("latency_s", "psnr_db", "joules"))
    page = (tmp_path / "same/report.html").read_text()
    assert "same digest" in page and "No request has changed" in page
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == str(tmp_path / "same") and out[-2].startswith(f"{found['requests']} captures are the same")


def test_differences_are_those_of_the_rows_of_both_runs(recorded: Path, other: Path) -> None:
    found = json.loads((other / "counterfactual.json").read_text())
    before, now = (read_rows(folder / "metrics.parquet") for folder in (recorded, other / "run"))
    assert [row.request for row in before] == [row.request for row in now]
    rows = {row["metric"]: row for row in found["rows"]}
    for metric in ("psnr_db", "latency_s", "symbols_picture", "joules"):
        differences = [getattr(b, metric) - getattr(a, metric) for a, b in zip(before, now, strict=True)]
        assert rows[metric]["difference"] == pytest.approx(math.fsum(differences) / len(differences), abs=1e-12)
        assert rows[metric]["low"] <= rows[metric]["difference"] <= rows[metric]["high"]
    assert rows["symbols_picture"]["total"] == sum(
        b.symbols_picture - a.symbols_picture for a, b in zip(before, now, strict=True)
    )
    assert rows["symbols_picture"]["difference"] != 0 and rows["psnr_db"]["total"] is None
    assert found["metric"] == "encoder_worth_db" and found["changed"]["policies.encoder"][1] == "fixed:codec=snr07-cbr24"
    row = rows["psnr_db"]
    widths = [row[f"{prefix}high"] - row[f"{prefix}low"] for prefix in ("unpaired_", "")]
    assert row["times_narrower"] == pytest.approx(widths[0] / widths[1])
    changes = [each["change"] for each in found["by_request"]]
    assert changes == sorted(changes, reverse=True) and changes[0] > 0.0


def test_the_page_shows_the_pictures_that_changed(recorded: Path, other: Path) -> None:
    from semcast.scenarios.report.pictures import png_uri

    page = (other / "report.html").read_text()
    request = json.loads((other / "counterfactual.json").read_text())["by_request"][0]["request"]
    payloads = {BEFORE: recorded, NOW: other / "run"}
    shown = {
        name: next(p.picture for p in _payloads(folder) if isinstance(p, Shown) and p.request == request)
        for name, folder in payloads.items()
    }
    assert shown[BEFORE] != shown[NOW]
    assert all(png_uri(picture) in page for picture in shown.values())
    assert page.count("shown now") >= 1 and "http" not in page.replace("http-equiv", "")


BEFORE, NOW = "before", "now"


def _payloads(folder: Path) -> list[object]:
    return [record.envelope.payload for record in TraceReader(folder, Codec(PAYLOADS)).records()]


def _capture(picture: bytes, t_ns: int = 5, request: str = "user.a/0") -> TraceRecord:
    payload = Capture(request, "user.b", picture, [], "white", "greeting")
    return TraceRecord(Envelope(1, t_ns, t_ns, 2, "user.a", "user.a", 0, "", "private", payload), "capture", b"", True, 0)


def test_pictures_of_a_group_are_those_of_each_receiver() -> None:
    def shown(user: str, picture: bytes) -> TraceRecord:
        payload = Shown("user.a/0", picture, "", 9.0, 9)
        return TraceRecord(Envelope(9, 9, 9, 2, user, user, 0, "", "private", payload), "shown", b"", True, 0)

    group = replace(_capture(b"p").envelope.payload, further=["user.c"])
    taken = TraceRecord(replace(_capture(b"p").envelope, payload=group), "capture", b"", True, 0)
    found = module._pictures([taken, shown("user.b", b"b"), shown("user.c", b"c")], [taken, shown("user.c", b"d")])
    assert found == {
        "user.a/0>user.b": module.Pictures(b"p", b"b", None),
        "user.a/0>user.c": module.Pictures(b"p", b"c", b"d"),
    }


def test_another_world_is_refused_and_the_first_difference_named(recorded: Path, other: Path) -> None:
    assert module._same_world(
        recorded, other / "run", [_capture(b"a")], [_capture(b"a"), _capture(b"c", request="user.a/1")]
    ) == {
        "same": 1,
        "only_recorded": 0,
        "only_now": 1,
    }
    with pytest.raises(RunFailed, match="request user.a/0 differs in picture"):
        module._same_world(recorded, other / "run", [_capture(b"a")], [_capture(b"b")])
    with pytest.raises(RunFailed, match="differs in t_ns: 5 then, 6 now"):
        module._same_world(recorded, other / "run", [_capture(b"a")], [_capture(b"a", 6)])


@pytest.mark.parametrize("options", [["--policy", "encoder=nothing"], ["--policy", "encode=fixed"], ["--scheme", "x"]])
def test_wrong_choices_are_told_as_run_tells_them(
    recorded: Path, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(recorded), *options, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert main(["run", str(recorded), *options, "--out", str(tmp_path / "out")]) == 2
    assert told == capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_damaged_trace_is_told_with_its_chunk_and_nothing_is_made(
    damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(damaged), "--policy", "encoder=snr-table", "--out", str(tmp_path / "out")]) == 1
    assert "w0-0.mcap: chunk 0" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_intervals_are_those_of_normal_theory_paired_and_unpaired(other: Path) -> None:
    """200 requests whose values go together: Student's intervals of the differences, and of two means, by numpy and scipy."""
    rng = keys.generator("test", "counterfactual")
    shared = 3.0 * rng.standard_normal(200)
    then, now = shared + rng.standard_normal(200), shared + 0.5 + rng.standard_normal(200)
    requests = [f"u/{i}" for i in range(200)]
    cells = [cell(name, 1, requests, psnr_db=list(values)) for name, values in ((BEFORE_RUN, then), (NOW_RUN, now))]
    data = with_derived(paired((BEFORE_RUN, NOW_RUN), cells))
    row = next(row for row in module.rows_of(data) if row["metric"] == "psnr_db")
    difference = now - then
    assert row["difference"] == pytest.approx(difference.mean()) and row[NOW_RUN] == pytest.approx(now.mean())
    half = stats.t.ppf(0.975, 199) * difference.std(ddof=1) / math.sqrt(200)
    assert (row["low"], row["high"]) == pytest.approx((difference.mean() - half, difference.mean() + half), abs=0.12 * half)
    apart = stats.t.ppf(0.975, 398) * math.sqrt((then.var(ddof=1) + now.var(ddof=1)) / 200)
    low, high = row["unpaired_low"], row["unpaired_high"]
    assert (low, high) == pytest.approx((difference.mean() - apart, difference.mean() + apart), abs=0.12 * apart)
    ratio = math.sqrt(then.var(ddof=1) + now.var(ddof=1)) / difference.std(ddof=1)
    assert row["times_narrower"] == pytest.approx(ratio, rel=0.1) and ratio > 2.5
    page = (other / "report.html").read_text()
    assert "unpaired" in page and "times narrower" in page
