"""Models that remember: what was answered once to the same arguments is read from a folder and not computed again.

A model is a pure function of its arguments (`roles`), so results are the same with and without. It pays where the same world is
run again and again, as in reinforcement learning: pictures, what is seen in them and what is drawn from equal prompts come back.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ...bus.calls import CallableModel, ModelSet
from . import roles

REMEMBERED = ("extractor", "captioner", "keywords", "personaliser", "embedder", "generator")
"""Roles, without their variants, that the radio channel has no part in: it is another at every moment."""


class _Answer(Struct):
    """One file: what kind of result, and the result."""

    kind: str
    result: msgspec.Raw


class Remembered(Mapping[str, CallableModel]):
    """A `ModelSet` over another one.

    Args:
        models: Those that compute.
        folder: Where results lie; made if needed. One folder for one set of weights; several processes may share it.
    """

    def __init__(self, models: ModelSet, folder: Path) -> None:
        self._models, self._folder = models, folder
        self._made: dict[str, CallableModel] = {}

    def __getitem__(self, role: str) -> CallableModel:
        if role not in self._made:
            model = self._models[role]
            remembers = role.partition("@")[0] in REMEMBERED
            self._made[role] = _Remembering(model, self._folder / role) if remembers else model
        return self._made[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


class _Remembering:
    """One model with its folder of results."""

    def __init__(self, model: CallableModel, folder: Path) -> None:
        self._model, self._folder = model, folder
        self.batch = model.batch
        folder.mkdir(parents=True, exist_ok=True)

    def flops(self, arguments: Any) -> int:
        return self._model.flops(arguments)

    def group(self, arguments: Any) -> str:
        return self._model.group(arguments)

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Results in order; those that are not known are computed in one full batch."""
        paths = [self._folder / blake2b(msgspec.msgpack.encode(one), digest_size=16).hexdigest() for one in arguments]
        results = [_read(path) for path in paths]
        missing = [i for i, result in enumerate(results) if result is None]
        if missing:
            asked = [arguments[i] for i in missing]
            asked += asked[-1:] * (len(arguments) - len(asked))
            for i, result in zip(missing, self._model.run(asked), strict=False):
                results[i] = result
                _write(paths[i], result)
        return results


def _read(path: Path) -> Any:
    try:
        answer = msgspec.msgpack.decode(path.read_bytes(), type=_Answer)
        return msgspec.msgpack.decode(answer.result, type=getattr(roles, answer.kind))
    except (OSError, msgspec.DecodeError):  # not there, or cut short when a process was ended
        return None


def _write(path: Path, result: Any) -> None:
    answer = _Answer(type(result).__name__, msgspec.Raw(msgspec.msgpack.encode(result)))
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(msgspec.msgpack.encode(answer))
    fresh.replace(path)
