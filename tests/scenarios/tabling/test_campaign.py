"""Measuring a table: what one run shows, how a table is written, and that all of it comes out the same again."""

import msgspec
import pytest
from semcast.agents.models.codecs.library import read_library
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.table import outcomes
from semcast.agents.models.table.store import TABLE_NAME, Table
from semcast.scenarios.loading import load
from semcast.scenarios.tabling import campaign
from semcast.scenarios.tabling.measuring import Measured, measure
from semcast.scenarios.tabling.writing import MOST_LOOKS, _thinned

BRIEF = {
    "traffic.duration_s": 4.2,
    "traffic.rate_hz": 0.3,
    "models.generator_steps": 1,
    "traffic.subject_share": 1.0,
    "network.users": 12,
}


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure(load("quickstart", overrides=BRIEF), read_library(WEIGHTS / "jscc"))


def test_every_request_has_an_outcome_with_its_causes(measured: Measured) -> None:
    shown = [(cause, effect) for cause, effect in measured.outcomes if cause.end == outcomes.SHOWN]
    assert shown
    for cause, effect in shown:
        assert cause.made and cause.steps == 1 and cause.codec and 0 < cause.quality_db < 30
        assert effect.psnr_db > effect.grey_psnr_db or cause.quality_db < 15
    assert any(cause.subject for cause, _ in shown)


def test_looks_are_sorted_by_state_and_number(measured: Measured) -> None:
    states = {cell.split("/")[0] for cell in measured.looks}
    assert {"photograph", "drawn"} < states and any(state.startswith("received") for state in states)
    assert all(pattern[1] == int(cell.split("/")[2]) for cell, patterns in measured.looks.items() for pattern in patterns)


def test_thinning_keeps_the_order_and_the_ends_apart() -> None:
    assert _thinned(range(10), 3) == [0, 3, 6]
    assert _thinned([1, 2], MOST_LOOKS) == [1, 2]


@pytest.mark.slow
def test_a_campaign_goes_on_and_gives_the_same_file(tmp_path) -> None:
    told: list[tuple[int, int]] = []
    card = campaign.calibrate(tmp_path / "a", quick=True, progress=lambda done, total, what: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]
    raw = (tmp_path / "a" / TABLE_NAME).read_bytes()
    assert card.data["samples"]["requests"] > 10 and card.data["profile"] == "tiny"
    assert msgspec.msgpack.decode(raw, type=Table).codecs
    parts = sorted((tmp_path / "a" / "parts").iterdir())
    before = [part.stat().st_mtime_ns for part in parts]
    campaign.calibrate(tmp_path / "a", quick=True)
    assert [part.stat().st_mtime_ns for part in parts] == before  # nothing was run again
    campaign.calibrate(tmp_path / "b", quick=True)
    assert (tmp_path / "b" / TABLE_NAME).read_bytes() == raw
    assert (tmp_path / "b" / "card.json").read_bytes() == (tmp_path / "a" / "card.json").read_bytes()
