"""Models of `transformers` in their own folder layout: kept in half precision, computed in float32, plain attention."""

from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.utils import logging


def ready(model: Any) -> Any:
    """Choose attention as plain products: the fused kernel's gradient is slow on CPUs."""
    model.set_attn_implementation("eager")
    return model


def read(kind: type[PreTrainedModel], folder: Path) -> Any:
    """A model from its folder, in float32 and eval mode; nothing is fetched."""
    logging.disable_progress_bar()  # a fraction of a second
    return ready(kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True, use_safetensors=True)).eval()


def write(model: Any, folder: Path) -> None:
    """Save in half precision; `model` then holds, in float32, what will be read again."""
    logging.disable_progress_bar()
    model.half().save_pretrained(folder)
    model.float().eval()
