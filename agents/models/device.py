"""Models of the tiny profile on another device of torch, such as a GPU, without a line of theirs knowing of it.

Their weights are read onto the device; what they compute with goes there when it is used and comes back where numpy wants it.
Results of a GPU are those of another kind of machine (last bits differ from a CPU's); equal GPUs and equal versions of CUDA and
torch are needed for equal digests, recorded activities elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ...bus.errors import Missing
from .roles import Model

_TO_NUMPY = (Tensor.numpy, Tensor.__array__)


class Elsewhere(TorchFunctionMode):
    """Within, torch computes on ``device``: new tensors are made there, and others are brought there by what uses them."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self._device = torch.device(device)
        self._made = self._device  # a context manager of its own, under this one

    def __enter__(self) -> Elsewhere:
        self._made.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self._made.__exit__(*raised)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """See ``TorchFunctionMode``."""
        kwargs = kwargs or {}
        if func in _TO_NUMPY:
            return func(args[0].cpu(), *args[1:], **kwargs)
        if func in (Tensor.to, Tensor.cpu) or getattr(func, "__name__", "") in {"__get__", "__set__"}:
            return func(*args, **kwargs)
        return func(*self._brought(args), **{name: self._brought(value) for name, value in kwargs.items()})

    def _brought(self, value: Any) -> Any:
        if isinstance(value, torch.nn.Parameter):
            return value  # its module is on the device already
        if isinstance(value, Tensor):
            return value.to(self._device) if value.device.type == "cpu" else value
        if value.__class__ in (list, tuple):
            return value.__class__(self._brought(each) for each in value)
        return value


class OnDevice:
    """A model that runs on a device. Implements `semcast.agents.models.roles.Model`.

    Args:
        read: Makes the model; called with the device ready.
        device: Of torch, such as ``cuda``.
        batch: Calls that run together, one fixed padded number; 0 for the model's own.

    Raises:
        Missing: Torch does not see the device.
    """

    def __init__(self, read: Callable[[], Model], device: str, batch: int = 0) -> None:
        check_device(device)
        self._device = device
        with Elsewhere(device):
            self._model = read()
        if batch:
            self._model.batch = batch
        self.role, self.name, self.batch = self._model.role, self._model.name, self._model.batch
        self.sha256 = self._model.sha256

    def flops(self, arguments: Any) -> int:
        """As on any device: simulated time does not depend on where a model runs."""
        return self._model.flops(arguments)

    def group(self, arguments: Any) -> str:
        """As on any device."""
        return self._model.group(arguments)

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Run one full batch there."""
        with Elsewhere(self._device):
            return self._model.run(arguments)


def check_device(device: str) -> None:
    """See that torch can use a device.

    Raises:
        Missing: It cannot.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        built = torch.version.cuda
        raise Missing(
            f"models.device = {device!r}: torch {torch.__version__} sees no GPU here"
            + ("" if built else " (it was built without CUDA)"),
            "--set models.device=cpu, or see nvidia-smi and install a torch with CUDA: pip install torch "
            "--index-url https://download.pytorch.org/whl/cu128",
        )
