"""Study aigc-scm-fig6: one prompt to two receivers, against JSCC and JPEG files."""

from pathlib import Path

import numpy as np
import pytest
from semcast.agents.picture_files import written
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.scenarios.studies.fig6 import ARMS, ORIGINAL_BITS, column_of, header_bytes
from semcast.scenarios.studies.fig6_jpeg import SCORES as SWEPT
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study
from semcast.scenarios.studies.study import Arm

from .contract import check, claim, found, quick

VERDICTS = {
    "history-hi-subject_alignment": "holds",
    "history-hi-object_alignment": "holds",
    "history-hi-image_alignment": "holds",
    "history-hi-text_alignment": "fails",
    "history-ha-subject_alignment": "holds",
    "history-ha-object_alignment": "holds",
    "history-ha-image_alignment": "holds",
    "history-ha-text_alignment": "fails",
    "above-jscc-low-image_alignment": "fails",
    "above-jscc-low-text_alignment": "holds",
    "places-na": "holds",
    "places-ha": "holds",
    "shannon-highest-image_alignment": "holds",
    "shannon-bandwidth": "holds",
    "shannon-bandwidth-aigc": "holds",
    "jscc-low-bandwidth-aigc": "holds",
}
"""Of the full form, of what is certain. What fails is told so: the lowest rate of our JSCC keeps places, captions do not."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quick("aigc-scm-fig6", tmp_path_factory.mktemp("fig6"))


def test_the_study_is_whole(folder: Path) -> None:
    check(folder)


def test_the_order_of_bandwidths_holds_in_the_quick_form(folder: Path) -> None:
    for name in ("shannon-bandwidth", "shannon-bandwidth-aigc", "jscc-low-bandwidth-aigc"):
        assert claim(folder, name)["verdict"] == "holds", name


def test_a_common_prompt_is_charged_once_for_both_receivers(folder: Path) -> None:
    arm = Arm("ha", folder / "arms" / "ha")
    column = column_of("HA", arm)
    airs = [air for story in arm.stories() for air in story.airs if air.purpose == "prompt"]
    assert sum(column.up) + sum(column.down) == sum(air.complex_symbols for air in airs)
    numbers = {(each["name"], each["arm"]): each["value"] for each in found(folder)["numbers"]}
    assert numbers["bandwidth_ratio_k_over_n_total", "HA"] == pytest.approx(np.mean(column.total) / ORIGINAL_BITS)
    assert numbers["cbr_total", "HA"] == pytest.approx(8 * numbers["bandwidth_ratio_k_over_n_total", "HA"])


def test_the_same_pictures_go_through_every_arm(folder: Path) -> None:
    pictures = []
    for arm in ARMS.values():
        stories = Arm(arm, folder / "arms" / arm).stories()
        pictures.append({story.request.partition(">")[0]: story.capture.picture for story in stories})
    assert len(pictures[0]) == load_study("aigc-scm-fig6", quick=True).options.pictures
    assert all(each == pictures[0] for each in pictures)


def test_files_of_other_qualities_are_charged_as_the_run_charges_its_own(folder: Path) -> None:
    numbers = {(each["name"], each["arm"], each["at"].get("quality")): each["value"] for each in found(folder)["numbers"]}
    for name in ("bandwidth_ratio_k_over_n_total", *SWEPT):
        assert numbers[name, "JPEG, by its size", 75.0] == pytest.approx(numbers[name, "Shannon", None]), name
    assert (
        numbers["bandwidth_ratio_k_over_n_total", "JPEG, by its size", 5.0]
        < numbers["bandwidth_ratio_k_over_n_total", "JSCC_H", None]
    )


def test_who_has_no_history_sees_what_none_would_show(folder: Path) -> None:
    def shown(arm: str, receiver: str) -> dict[str, bytes]:
        stories = Arm(arm, folder / "arms" / arm).stories()
        return {s.request.partition(">")[0]: s.shown.picture for s in stories if s.capture.recipient == receiver and s.shown}

    assert shown("na", "user.b") == shown("na", "user.c")
    assert shown("ha", "user.b") == shown("na", "user.b")
    assert shown("ha", "user.c") != shown("na", "user.c")
    assert shown("hi", "user.c") != shown("hi", "user.b")


def test_headers_are_all_that_comes_before_the_coded_data() -> None:
    picture = draw(make_scene("header", 1)).tobytes()
    coarse, fine = (written(picture, "jpeg", quality) for quality in (10, 90))
    for file in (coarse, fine):
        at = header_bytes(file)
        assert file[:2] == b"\xff\xd8" and file[at - 14 : at - 12] == b"\xff\xda"  # three components: a header of 12 bytes
        assert 300 < at < len(file) - 2
    assert len(fine) - header_bytes(fine) > 2 * (len(coarse) - header_bytes(coarse))


@pytest.mark.slow
def test_verdicts_of_the_full_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("aigc-scm-fig6"), out=str(tmp_path / "fig6"))
    assert outcome.status == "ok", outcome.error
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    assert {name: verdicts[name] for name in VERDICTS} == VERDICTS
