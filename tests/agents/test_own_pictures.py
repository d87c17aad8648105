"""Pictures of one's own: which are found, how they are cut, what annotations become, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from semcast.agents.own_pictures import Album, squared
from semcast.bus.errors import BadInput


def _save(path: Path, width: int, height: int, colour: tuple[int, int, int] = (10, 200, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), colour).save(path)


def test_pictures_of_all_folders_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "sub/c.webp"):
        _save(tmp_path / name, 90, 70)
    (tmp_path / "notes.txt").write_text("no picture")
    album = Album(str(tmp_path))
    assert [album[i].file for i in range(len(album))] == ["a.jpg", "b.png", "c.webp"]
    assert all(len(album[i].picture) == 64 * 64 * 3 for i in range(3))


def test_the_square_is_that_in_the_middle(tmp_path: Path) -> None:
    stripes = np.zeros((40, 120, 3), np.uint8)
    stripes[:, 40:80] = 255
    assert np.asarray(squared(Image.fromarray(stripes), 16)).min() > 200


def test_boxes_are_moved_into_the_square_and_cut_at_its_edges(tmp_path: Path) -> None:
    _save(tmp_path / "images" / "a.png", 256, 128)
    boxes = [("bear", [64, 0, 64, 128]), ("edge", [32, 32, 64, 32]), ("outside", [0, 0, 40, 40])]
    note = {"file": "a.png", "captions": ["a bear"], "boxes": [{"name": name, "bbox_xywh": box} for name, box in boxes]}
    (tmp_path / "annotations.json").write_text(json.dumps([note]))
    picture = Album(str(tmp_path / "images"))[0]
    assert picture.captions == ("a bear",)
    assert picture.things == (("bear", "", 16.0, 32.0, 32.0, 64.0, ""), ("edge", "", 8.0, 24.0, 16.0, 16.0, ""))


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[1]", '[{"file": 3}]', '[{"file": "a", "boxes": [{"name": "x", "bbox_xywh": [1]}]}]'),
        *('[{"file": "a", "boxes": [{"name": "x", "bbox_xywh": ["1", 2, 3, 4]}]}]',),
        *('[{"file": "a", "boxes": [{"name": "x", "bbox_xywh": [NaN, 2, 3, 4]}]}]',),
    ],
)
def test_annotations_that_cannot_be_used_say_what_they_should_be(tmp_path: Path, text: str) -> None:
    _save(tmp_path / "a.png", 8, 8)
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(BadInput, match="annotations") as error:
        Album(str(tmp_path))
    assert "bbox_xywh" in str(error.value)


def test_an_empty_folder_none_and_a_broken_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        Album(str(tmp_path / "none"))
    with pytest.raises(BadInput, match="no picture there"):
        Album(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"\x89PNG but not really")
    with pytest.raises(BadInput, match=r"a\.png"):
        Album(str(tmp_path))[0]


def test_a_changed_pixel_changes_the_fingerprint(tmp_path: Path) -> None:
    _save(tmp_path / "a.png", 8, 8)
    before = Album(str(tmp_path)).fingerprint()
    assert Album(str(tmp_path)).fingerprint() == before
    _save(tmp_path / "a.png", 8, 8, (10, 200, 31))
    assert Album(str(tmp_path)).fingerprint() != before


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 16, 64]))
def test_every_size_becomes_a_square(width: int, height: int, side: int) -> None:
    assert squared(Image.new("RGB", (width, height)), side).size == (side, side)
