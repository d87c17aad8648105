"""Where a checkpoint lies on this machine, whether it may be read, and what it is. Nothing is ever fetched; no torch here.

The layout is the hub's own cache (``models--org--name/snapshots/COMMIT``), as ``hf download`` makes it, or a folder that the
scenario names. Weights are read from safetensors only: pickle files run code when they are opened.
"""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from ....bus.errors import BadInput, Missing
from ..cards import file_sha256
from .table import ADAPTER, ADAPTER_FILES, CLASSES, Pick

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
COMPONENTS = {
    "text_encoder": "model.safetensors",
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
}
"""Folders of a pipeline with weights, and the file that is read."""


@dataclass(frozen=True)
class Snapshot:
    """A checkpoint that is here and may be read.

    Attributes:
        pick: What the run asked for.
        path: Folder.
        commit: The commit that the revision stands for; empty for a folder of the user's own.
        config: ``config.json``, of a pipeline ``model_index.json``.
        kind: Class of transformers or diffusers that reads it.
    """

    pick: Pick
    path: Path
    commit: str
    config: Mapping[str, Any]
    kind: str

    @property
    def weights(self) -> list[Path]:
        """The safetensors files that are read."""
        if self.pick.part == "generator":
            return [self.path / folder / name for folder, name in COMPONENTS.items()]
        if self.pick.part == ADAPTER:
            return [self.path / ADAPTER_FILES[0]]
        index = self.path / "model.safetensors.index.json"
        if not index.is_file():
            return [self.path / "model.safetensors"]
        return [self.path / name for name in sorted(set(json.loads(index.read_text())["weight_map"].values()))]

    @property
    def params(self) -> int:
        """Number of weights, from the headers of the files."""
        return sum(_params(path) for path in self.weights)

    @property
    def size_bytes(self) -> int:
        """Size of the weights."""
        return sum(path.stat().st_size for path in self.weights)

    def identity(self) -> dict[str, Any]:
        """What it is: id, commit and the SHA-256 (hex) of every file that may be read."""
        files = [path for path in sorted(self.path.rglob("*")) if path.is_file() and self._used(path)]
        hashes = {str(path.relative_to(self.path)): _sha256(path) for path in files}
        return {"id": self.pick.id if not self.pick.folder else "", "commit": self.commit, "files": hashes}

    def _used(self, path: Path) -> bool:
        name = path.relative_to(self.path).as_posix()
        return path in self.weights or (path.suffix != ".safetensors" and any(fnmatch(name, p) for p in self.pick.files))


def cache_folder(folder: str = "") -> Path:
    """The hub cache that is looked into: `folder`, or where huggingface_hub keeps it (``HF_HOME``, ``HF_HUB_CACHE``)."""
    from huggingface_hub import constants

    return Path(folder or constants.HF_HUB_CACHE).expanduser()


def find(pick: Pick, folder: str = "") -> Snapshot:
    """Look for a checkpoint.

    Args:
        pick: Which.
        folder: See `cache_folder`.

    Raises:
        Missing: It is not here, or not whole; the hint is the command that fetches it.
        BadInput: It has no safetensors, or is of a class that cannot do this part.
    """
    path, commit = _place(pick, folder)
    found = Snapshot(pick, path, commit, {}, "LoRA") if pick.part == ADAPTER else _model(pick, path, commit, folder)
    for file in found.weights:
        _check_weights(pick, file, folder)
    return found


def _model(pick: Pick, path: Path, commit: str, folder: str) -> Snapshot:
    name = "model_index.json" if pick.part == "generator" else "config.json"
    if not (path / name).is_file():
        raise Missing(f"{pick.part}: {pick} has no {name} in {path}", command(pick, folder))
    config = _object(path / name)
    return Snapshot(pick, path, commit, config, _kind(pick, config, path))


def find_all(picks: Sequence[Pick], folder: str = "") -> list[Snapshot]:
    """Look for several checkpoints.

    Raises:
        Missing: Some are not here; the message names all of them, the hint has the commands.
        BadInput: As `find`; told first, since fetching would not mend it.
    """
    found, absent = [], []
    for pick in picks:
        try:
            found.append(find(pick, folder))
        except Missing as error:
            absent.append((pick, error))
    if not absent:
        return found
    lines = "".join(f"\n  {error.message}" for _, error in absent)
    rows = [pick.entry for pick, _ in absent]
    size = f" ({sum(row.gigabytes for row in rows if row):.1f} GB)" if all(rows) else ""
    commands = "".join(f"\n    {error.hint}" for _, error in absent)
    number = f"{len(absent)} checkpoints are" if len(absent) > 1 else "a checkpoint is"
    raise Missing(f"model profile hub: {number} missing; semcast fetches nothing by itself{lines}", f"fetch{size}:{commands}")


def command(pick: Pick, folder: str = "") -> str:
    """The command that fetches a checkpoint, or what to do about a folder."""
    if pick.folder is not None:
        return f'make the folder {pick.folder} whole, or name an id: models.hub.{pick.part} = "org/name@revision"'
    return pick.command + (f" --cache-dir {folder}" if folder else "")


def _place(pick: Pick, folder: str) -> tuple[Path, str]:
    if pick.folder is not None:
        if not pick.folder.is_dir():
            raise Missing(f"{pick.part}: no folder {pick.folder}", command(pick, folder))
        return pick.folder, ""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    where = cache_folder(folder)
    try:
        path = Path(snapshot_download(pick.id, revision=pick.revision, cache_dir=where, local_files_only=True))
    except LocalEntryNotFoundError:
        raise Missing(f"{pick.part}: {pick} is not in {where}", command(pick, folder)) from None
    return path, path.name


def _kind(pick: Pick, config: Mapping[str, Any], path: Path) -> str:
    if pick.part == "generator":
        kind = str(config.get("_class_name", "a pipeline without a name"))
        kind = {"StableDiffusionSafePipeline": "StableDiffusionPipeline"}.get(kind, kind)
        unet = path / "unet" / "config.json"
        attention = _object(unet).get("attention_type") if unet.is_file() else None
        if attention == "gated" and kind == "StableDiffusionPipeline":
            kind = "StableDiffusionGLIGENPipeline"  # the published one calls itself a plain pipeline
    else:
        kind = str((config.get("architectures") or ["a model without a class"])[0])
    if kind not in CLASSES[pick.part]:
        raise BadInput(f"{pick.part}: {pick} is a {kind}", f"models.hub.{pick.part} wants one of {', '.join(CLASSES[pick.part])}")
    return kind


def _check_weights(pick: Pick, file: Path, folder: str) -> None:
    """Refuse what is pickle only, and tell what is not there (of a cache, a link to nothing)."""
    if file.is_file():
        return
    pickles = sorted(path.name for path in file.parent.glob("*") if path.suffix in PICKLES)
    if pickles:
        raise BadInput(
            f"{pick.part}: {pick} has its weights only as pickle ({file.parent / pickles[0]}), which runs code when it is opened",
            "name a revision with safetensors (the page's Community tab often has one, refs/pr/N):"
            f' models.hub.{pick.part} = "{pick.id}@refs/pr/N"',
        )
    raise Missing(f"{pick.part}: {pick} is not whole, no {file.name} in {file.parent}", command(pick, folder))


def _object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} is no JSON ({error})", "fetch the checkpoint again") from None
    if not isinstance(data, dict):
        raise BadInput(f"{path} is no JSON object", "fetch the checkpoint again")
    return data


def _params(path: Path) -> int:
    """Number of weights in a safetensors file, by its header.

    Raises:
        BadInput: It has none, or one that claims more than the file has.
    """
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > path.stat().st_size:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(stream.read(length))
        return sum(prod(about["shape"]) for name, about in header.items() if name != "__metadata__")
    except (ValueError, RecursionError, TypeError, LookupError, AttributeError, struct.error) as error:
        raise BadInput(f"{path} is no safetensors file ({error})", "fetch the checkpoint again") from None


def _sha256(path: Path) -> str:
    """SHA-256 of a file; large files of a hub cache are named by it, and are not read again."""
    blob = path.resolve()
    if path.is_symlink() and len(blob.name) == 64 and blob.parent.name == "blobs":
        return blob.name
    about = blob.stat()
    return _hashed(blob, about.st_size, about.st_mtime_ns)


@cache
def _hashed(path: Path, size: int, changed_ns: int) -> str:
    return file_sha256(path)


def digest(parts: Sequence[Snapshot], settings: Mapping[str, Any]) -> str:
    """SHA-256 (hex) that stands for a role's model in a run's record: its checkpoints and the settings that change results."""
    about = {"checkpoints": [part.identity() for part in parts], "settings": dict(settings)}
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
