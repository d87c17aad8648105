"""What every study keeps to; the test of each runs its quick form once by `quick` and passes the folder on to `check`."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from semcast.scenarios.folder import read_run
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .rendering import check_rendering

FEWEST_WORDS = 4
_VERDICTS = ("holds", "fails", "not certain")


def quick(name: str, folder: Path) -> Path:
    """Run the quick form of a study in memory, and return its folder."""
    outcome = run_study(load_study(name, quick=True), out=str(folder / name), quick=True)
    assert outcome.status == "ok", outcome.error
    return outcome.folder


def found(folder: Path) -> dict[str, Any]:
    """The content of ``study.json``."""
    return json.loads((folder / "study.json").read_text())


def claim(folder: Path, name: str) -> dict[str, Any]:
    """One of its claims."""
    return next(each for each in found(folder)["claims"] if each["name"] == name)


def check(folder: Path) -> None:
    """Folder, numbers, claims and page are whole and agree."""
    run, told = read_run(folder), found(folder)
    assert run["status"] == "ok" and len(run["digest"]) == 32 and run["study"]
    _check_claims(told)
    numbers = pq.read_table(folder / "numbers.parquet").to_pylist()
    assert len(numbers) == len(told["numbers"]) > 0
    for row, number in zip(numbers, told["numbers"], strict=True):
        assert (row["name"], row["arm"], row["n"]) == (number["name"], number["arm"], number["n"])
        assert {place: row[place] for place in number["at"]} == number["at"]
        if number["low"] is not None and number["value"] is not None:
            slack = 1e-9 * max(1.0, abs(number["value"]))
            assert number["low"] - slack <= number["value"] <= number["high"] + slack, number
    places = [(number["name"], number["arm"], tuple(sorted(number["at"].items()))) for number in told["numbers"]]
    assert len(set(places)) == len(places), "a number twice"
    for drawn in [*told["charts"], *told["galleries"]]:
        for suffix in ("png", "svg"):
            assert (folder / "figures" / f"{drawn['name']}.{suffix}").stat().st_size > 1000
    _check_page(folder, told)


def _check_claims(told: dict[str, Any]) -> None:
    assert told["claims"] and told["question"] and told["paper"] and told["different"]
    assert len({each["name"] for each in told["claims"]}) == len(told["claims"])
    for each in told["claims"]:
        assert each["verdict"] in _VERDICTS and len(each["text"].split()) >= FEWEST_WORDS and each["measured"], each
        if each["value"] is not None and each["low"] is not None:
            assert each["low"] <= each["value"] + 1e-9 and each["value"] <= each["high"] + 1e-9, each
    for table in told["tables"]:
        assert table["title"] and len({tuple(row) for row in table["rows"]}) <= 1, f"rows of {table['title']} have other keys"


def _check_page(folder: Path, told: dict[str, Any]) -> None:
    page = (folder / "report.html").read_text()
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page), "the page must be self-contained"
    assert "width=device-width" in page
    for each in told["claims"]:
        assert each["verdict"] in page
    assert ">nan<" not in page and ">None<" not in page
    check_rendering(folder / "report.html")
