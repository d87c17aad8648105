"""Clips through models of pictures: extractor and JSCC codecs take each frame by itself.

A clip is its frames' bytes one after the other. A call with a clip gives what its frames would give: the pictures or symbols one
after the other, or `Extractions`. It costs as much as all its frames, and no result depends on what shares a batch with it, as
frame n of a clip only ever meets frame n of others.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType, structs

from ...bus.calls import CallableModel, ModelSet
from .roles import PICTURE_SIDE, Decode, Extraction, Extractions, Picture, Symbols

FRAMEWISE = ("extractor", "jscc_encoder", "jscc_decoder")
"""Roles, without their variants."""
FRAME_BYTES = 3 * PICTURE_SIDE * PICTURE_SIDE
CLEAR_DB = 10.0


def frames_in(picture: bytes) -> int:
    """Frames of a clip; 1 for a picture (and a sketch)."""
    whole, rest = divmod(len(picture), FRAME_BYTES)
    return whole if whole and not rest else 1


def told_frames(picture: bytes) -> int | UnsetType:
    """The same for a header: not told where it is one."""
    frames = frames_in(picture)
    return frames if frames > 1 else UNSET


def frame(clip: bytes, number: int) -> bytes:
    """One frame of a clip."""
    return clip[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]


def still(picture: bytes) -> bytes:
    """What stands for a clip where one picture is wanted: its middle frame; a picture is what it is."""
    frames = frames_in(picture)
    return picture if frames == 1 else frame(picture, frames // 2)


def frame_snr_db(symbols: bytes, snr_db: float) -> float:
    """The SNR (Es/N0, dB) of one frame of a clip, which may have met another fade than the others.

    Frames are sent with unit power, and zero forcing leaves it so: what power is above 1 is noise. As n symbols tell it to some
    sqrt(2 / n), it says no more than that beyond `CLEAR_DB`; then ``snr_db``, of all frames, counts if it is larger.
    """
    received = np.frombuffer(symbols, "<c8")
    noise = float(np.mean(np.abs(received) ** 2)) - 1.0 if received.size else 0.0
    return -10 * math.log10(noise) if noise > 10 ** (-CLEAR_DB / 10) else max(snr_db, CLEAR_DB)


class FramewiseModels(Mapping[str, CallableModel]):
    """A `ModelSet` over another one."""

    def __init__(self, models: ModelSet) -> None:
        self._models = models
        self._made: dict[str, CallableModel] = {}

    def __getitem__(self, role: str) -> CallableModel:
        if role not in self._made:
            model = self._models[role]
            self._made[role] = _Framewise(model) if role.partition("@")[0] in FRAMEWISE else model
        return self._made[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


class _Framewise:
    """One model."""

    def __init__(self, model: CallableModel) -> None:
        self._model, self.batch = model, model.batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def flops(self, arguments: Any) -> int:
        """Of all frames."""
        return _frames(arguments) * self._model.flops(_part(arguments, 0))

    def group(self, arguments: Any) -> str:
        """Clips of equal length share a batch."""
        frames, group = _frames(arguments), self._model.group(_part(arguments, 0))
        return group if frames == 1 else f"{group} x{frames}"

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """A full batch, frame by frame."""
        frames = _frames(arguments[0])
        if frames == 1:
            return self._model.run(arguments)
        found = [self._model.run([_part(each, number) for each in arguments]) for number in range(frames)]
        return [_joined(results) for results in zip(*found, strict=True)]


def _frames(arguments: Any) -> int:
    return arguments.frames if isinstance(arguments, Decode) else frames_in(arguments.picture)


def _part(arguments: Any, number: int) -> Any:
    frames = _frames(arguments)
    if frames == 1:
        return arguments
    if isinstance(arguments, Decode):
        size = len(arguments.symbols) // frames
        symbols = arguments.symbols[number * size : (number + 1) * size]
        return structs.replace(arguments, symbols=symbols, snr_db=frame_snr_db(symbols, arguments.snr_db), frames=1)
    return structs.replace(arguments, picture=frame(arguments.picture, number))


def _joined(results: Sequence[Any]) -> Any:
    first = results[0]
    if isinstance(first, Extraction):
        return Extractions(list(results))
    if isinstance(first, Symbols):
        return Symbols(b"".join(each.symbols for each in results))
    return Picture(b"".join(each.picture for each in results))
