"""The study ``digits``: its short form whole, deterministic; its full form with the verdicts that were found."""

from pathlib import Path

import pytest
from semcast.scenarios.folder import read_run
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from . import contract


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contract.quick("digits", tmp_path_factory.mktemp("digits"))


def test_the_short_form_is_whole(folder: Path) -> None:
    contract.check(folder)


def test_the_more_is_told_the_closer(folder: Path) -> None:
    for name in ("meaning_kept", "base_above_label", "full_above_base", "above_linear_few_bits", "accurate_latents"):
        assert contract.claim(folder, name)["verdict"] == "holds", name


def test_layers_follow_the_channel(folder: Path) -> None:
    assert contract.claim(folder, "graceful_below_cliff")["verdict"] == "holds"
    for way in ("label_base", "label_to_style", "label_to_detail", "all_layers"):
        assert contract.claim(folder, f"adaptive_over_{way}")["value"] > 0


def test_the_end_to_end_codec_is_met_with_as_many_channel_uses(folder: Path) -> None:
    used: dict[str, float] = {}
    for each in contract.found(folder)["numbers"]:
        if each["name"].endswith("_channel_uses"):
            used[each["arm"]] = max(used.get(each["arm"], 0.0), each["value"])
    assert used["end to end"] == 356 >= used["adaptive, room of end to end"] > 200
    assert {contract.claim(folder, name)["n"] for name in ("modular_as_end_to_end", "modular_with_more_room")} == {8}  # pages


def test_flags_stand_beside_the_one_that_needs_no_thought(folder: Path) -> None:
    areas = {each["arm"]: each["value"] for each in contract.found(folder)["numbers"] if each["name"] == "auc"}
    assert 0.5 < areas["no label came: parts lost"] < 1
    assert (
        contract.claim(folder, "auc_second_judge_parts_lost_label_came")["n"]
        < contract.claim(folder, "auc_second_judge_parts_lost")["n"]
    )


def test_no_way_uses_more_than_its_frame(folder: Path) -> None:
    used = [each["value"] for each in contract.found(folder)["numbers"] if each["name"].endswith("_channel_uses")]
    assert used and max(used) <= 512


def test_the_same_seed_finds_the_same(folder: Path, tmp_path: Path) -> None:
    again = contract.quick("digits", tmp_path)
    assert (again / "study.json").read_bytes() == (folder / "study.json").read_bytes()
    assert read_run(again)["digest"] == read_run(folder)["digest"]


@pytest.mark.slow
def test_the_full_form_finds_what_was_found(tmp_path: Path) -> None:
    outcome = run_study(load_study("digits"), out=str(tmp_path / "digits"))
    assert outcome.status == "ok", outcome.error
    contract.check(outcome.folder)
    verdicts = {each["name"]: each["verdict"] for each in contract.found(outcome.folder)["claims"]}
    assert {name for name in HOLD if verdicts[name] != "holds"} == set()
    assert {name for name in FAIL if verdicts[name] != "fails"} == set()


HOLD = {
    "meaning_kept",
    "not_bit_by_bit",
    "base_above_label",
    "full_above_base",
    "above_linear_few_bits",
    "above_pixels",
    "accurate_label",
    "accurate_latents",
}
FAIL = {"wrong_label", "auc_spread_of_samples_parts_lost", "auc_spread_of_samples_analogue_symbols"}
"""What does not hold here; the report says so. Claims that are in neither set are left open."""
