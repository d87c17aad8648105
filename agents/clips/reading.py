"""Clips of files (MP4 and what else PyAV opens), by path: cropped to a square, reduced, at fewer frames a second."""

from pathlib import Path

import numpy as np
from PIL import Image

from ...bus.errors import BadInput, Missing
from ..scenes.draw import Pixels
from .world import MAX_FRAMES


def read_clip(path: Path, *, side: int = 64, fps: float = 8.0, frames: int = 16, start_s: float = 0.0) -> Pixels:
    """Read a part of a clip.

    Args:
        path: The file.
        side: Pixels; the largest centred square is reduced to side x side (mean over areas).
        fps: Frames a second to keep: the first one shown at or after each multiple of 1 / fps.
        frames: At most so many, `MAX_FRAMES` at most.
        start_s: From where.

    Returns:
        uint8 (at most ``frames``, side, side, 3); fewer where the file ends before.

    Raises:
        Missing: No such file, or the package ``av`` is not installed.
        BadInput: No clip that can be read, or nothing is left of it at ``start_s``.
    """
    try:
        import av
    except ImportError:
        raise Missing("clips are read by the package av, which is not installed", 'pip install "semcast[video]"') from None
    if not path.is_file():
        raise Missing(f"no clip at {path}", "give the path of an MP4 file")
    if side < 8 or fps <= 0 or not 1 <= frames <= MAX_FRAMES:
        raise BadInput(f"a clip of {frames} frames of {side} pixels at {fps} fps", f"1 to {MAX_FRAMES} frames, 8 pixels or more")
    kept: list[np.ndarray] = []
    try:
        with av.open(str(path)) as file:
            for frame in file.decode(video=0):
                due_s = start_s + len(kept) / fps
                if frame.time is not None and frame.time >= due_s - 1e-6:
                    kept.append(_square(frame.to_ndarray(format="rgb24"), side))
                    if len(kept) == frames:
                        break
    except (av.error.FFmpegError, IndexError) as error:
        raise BadInput(f"{path} cannot be read as a clip: {error}", "an MP4 file that ffmpeg opens") from None
    if not kept:
        raise BadInput(f"{path} has no frame at or after {start_s} s", "an earlier start")
    return np.stack(kept)


def _square(picture: np.ndarray, side: int) -> np.ndarray:
    height, width = picture.shape[:2]
    inner = min(height, width)
    left, top = (width - inner) // 2, (height - inner) // 2
    image = Image.fromarray(picture).crop((left, top, left + inner, top + inner))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))
