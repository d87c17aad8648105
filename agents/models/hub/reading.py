"""From a checkpoint on disk to modules of torch: safetensors only, nothing fetched, every weight present."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ....bus.errors import BadInput, SemcastError
from .settings import HubSettings
from .snapshot import Snapshot

log = logging.getLogger(__name__)

for _library in (diffusers, transformers):  # what matters is checked here, and progress is told by the run's display
    _library.utils.logging.set_verbosity_error()
    _library.utils.logging.disable_progress_bar()

LOCAL: dict[str, Any] = {"local_files_only": True}
WEIGHTS: dict[str, Any] = {**LOCAL, "use_safetensors": True, "output_loading_info": True}


@contextmanager
def told(snapshot: Snapshot) -> Iterator[None]:
    """Whatever a library says about a checkpoint while this is open, the user is told which one it is.

    Raises:
        BadInput: Any other error.
    """
    try:
        yield
    except SemcastError:
        raise
    except Exception as error:
        raise BadInput(
            f"cannot read {snapshot.pick} in {snapshot.path}: {type(error).__name__}: {error}",
            f"fetch it again, or name another: models.hub.{snapshot.pick.part}",
        ) from error


def network(snapshot: Snapshot, settings: HubSettings) -> Any:
    """The network of a snapshot of transformers, in float32, for inference.

    Raises:
        BadInput: Weights are missing or of another shape.
    """
    with told(snapshot):
        return _frozen(_read(getattr(transformers, snapshot.kind), snapshot.path, dtype=torch.float32), settings.device)


def component(snapshot: Snapshot, folder: str, kind: str, settings: HubSettings) -> Any:
    """One module of a pipeline: class `kind` of diffusers or transformers, from its folder, in the settings' precision."""
    ours = hasattr(diffusers, kind)
    wanted = {"torch_dtype" if ours else "dtype": getattr(torch, settings.precision)}
    with told(snapshot):
        cls = getattr(diffusers if ours else transformers, kind)
        return _frozen(_read(cls, snapshot.path / folder, **wanted), settings.device)


def processor(snapshot: Snapshot) -> Any:
    """What makes the network's pixels of a picture; by Pillow, so that no torchvision is needed."""
    with told(snapshot):
        return transformers.AutoImageProcessor.from_pretrained(snapshot.path, backend="pil", **LOCAL)


def tokenizer(snapshot: Snapshot) -> Any:
    """What makes tokens of a text and back."""
    with told(snapshot):
        return transformers.AutoTokenizer.from_pretrained(snapshot.path, **LOCAL)


def flops_of(call: Callable[[], Any]) -> int:
    """Floating-point operations of a call, counted while it runs (a multiply-add is two; attention as plain products)."""
    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        call()
    return int(counter.get_total_flops())


def _read(cls: Any, path: Path, **more: Any) -> nn.Module:
    found, info = cls.from_pretrained(path, **WEIGHTS, **more)
    missing = sorted(info["missing_keys"]) + sorted(str(name) for name in info.get("mismatched_keys", ()))
    if missing:
        raise BadInput(
            f"{path} lacks {len(missing)} weights of {cls.__name__}, such as {missing[0]}",
            "fetch it again, or name the checkpoint of another class",
        )
    log.info("read %s from %s", cls.__name__, path)
    return found  # type: ignore[no-any-return]


def _frozen(module: nn.Module, device: str) -> nn.Module:
    return module.requires_grad_(False).eval().to(device)
