"""Small helpers for diffusers models that are shipped in float16."""

from typing import Any

from torch import nn


def parameters(module: nn.Module) -> int:
    """Number of weights."""
    return sum(value.numel() for value in module.parameters())


def halved(model: Any) -> Any:
    """A copy of a diffusers model with float16 weights."""
    copy = type(model).from_config({key: value for key, value in model.config.items() if key != "_name_or_path"})
    copy.load_state_dict({key: value.half() for key, value in model.state_dict().items()}, assign=True)
    return copy
