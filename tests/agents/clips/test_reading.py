"""Clips of files, read by path; files of this machine where SEMCAST_CLIPS names a folder of them."""

import os
from pathlib import Path

import numpy as np
import pytest
from semcast.agents.clips.background import background_of
from semcast.agents.clips.detecting import moving_boxes
from semcast.agents.clips.reading import read_clip
from semcast.agents.clips.tracking import tracks_of
from semcast.bus.errors import BadInput, Missing

av = pytest.importorskip("av")
FOLDER = os.environ.get("SEMCAST_CLIPS", "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three seconds at 16 frames a second of a square that goes right over a grey ground."""
    path = tmp_path / "square.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=16)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 192, 128, "yuv420p", 4_000_000
        for number in range(48):
            picture = np.full((128, 192, 3), 90, np.uint8)
            picture[40:72, 40 + 2 * number : 72 + 2 * number] = (240, 30, 30)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


def test_frames_are_cropped_reduced_and_thinned(file: Path) -> None:
    clip = read_clip(file, side=64, fps=8, frames=10, start_s=0.5)
    assert clip.shape == (10, 64, 64, 3)
    for number, frame in enumerate(clip):
        columns = np.nonzero(frame[28, :, 0] > 170)[0]
        assert columns.mean() == pytest.approx((40 + 16 + 2 * (8 + 2 * number) - 32) / 2 - 0.5, abs=1)


def test_what_moves_in_it_is_tracked(file: Path) -> None:
    clip = read_clip(file, fps=8, frames=16)
    ground = background_of(read_clip(file, fps=8, frames=24), []).picture  # a stretch in which each pixel is mostly free
    (track,) = tracks_of(moving_boxes(clip, ground))
    assert track.first == 0 and track.last == 15
    speed = (track.places[15].cx - track.places[0].cx) / 15
    assert speed == pytest.approx(2.0, abs=0.15)


def test_mistakes_are_named(tmp_path: Path, file: Path) -> None:
    with pytest.raises(Missing):
        read_clip(tmp_path / "none.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"no clip at all")
    with pytest.raises(BadInput):
        read_clip(tmp_path / "bad.mp4")
    with pytest.raises(BadInput):
        read_clip(file, start_s=99)


@pytest.mark.skipif(not FOLDER, reason="SEMCAST_CLIPS names no folder of clips")
def test_real_clips_are_read_and_something_moves() -> None:
    files = sorted(Path(FOLDER).glob("*.mp4"))
    assert files
    for path in files:
        clip = read_clip(path, side=128, fps=4, frames=64, start_s=14)
        empty = read_clip(path, side=128, fps=4, frames=1)[0]  # nothing is there when a clip begins
        tracks = tracks_of(moving_boxes(clip, empty))
        assert len(clip) > 8 and tracks, path.name
