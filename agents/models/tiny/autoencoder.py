"""The tiny profile's autoencoder: 64x64 pictures to 16x16 latents of 8 channels and back, a real `diffusers.AutoencoderKL`.

The stem is a space-to-depth of 4, so nothing convolves at full resolution: that is what makes it quick on a CPU.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional

from ..roles import PICTURE_SIDE

PATCH = 4
LATENT_SIDE = PICTURE_SIDE // PATCH
LATENT_CHANNELS = 8


def build(width: int = 128) -> AutoencoderKL:
    """A new autoencoder with random weights; `width` channels at the one resolution (16x16)."""
    return AutoencoderKL(
        in_channels=3 * PATCH**2,
        out_channels=3 * PATCH**2,
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        block_out_channels=(width,),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=LATENT_SIDE,
        mid_block_add_attention=False,
        latents_mean=[0.0] * LATENT_CHANNELS,
        latents_std=[1.0] * LATENT_CHANNELS,
    )


def load(folder: Path) -> AutoencoderKL:
    """Read an autoencoder in Hugging Face layout, in float32 for inference."""
    options = {"torch_dtype": torch.float32, "local_files_only": True, "low_cpu_mem_usage": False}
    return frozen(AutoencoderKL.from_pretrained(folder, **options))


def frozen(model: AutoencoderKL) -> AutoencoderKL:
    """The same model, ready for inference: no gradients, channels last."""
    model.requires_grad_(False).eval().to(memory_format=torch.channels_last)
    return model


def to_tensor(pictures: np.ndarray) -> Tensor:
    """uint8 (n, 64, 64, 3) to float32 (n, 48, 16, 16) in [-1, 1]."""
    planes = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return functional.pixel_unshuffle(planes, PATCH).contiguous(memory_format=torch.channels_last)


def to_pictures(planes: Tensor) -> np.ndarray:
    """float (n, 48, 16, 16) in [-1, 1] to uint8 (n, 64, 64, 3)."""
    image = functional.pixel_shuffle(planes.float(), PATCH).clamp(-1, 1)
    pixels = (image * 127.5 + 127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().numpy()


def _statistics(model: AutoencoderKL) -> tuple[Tensor, Tensor]:
    mean = torch.tensor(model.config.latents_mean).view(1, -1, 1, 1)
    std = torch.tensor(model.config.latents_std).view(1, -1, 1, 1)
    return mean, std


def encode(model: AutoencoderKL, pictures: np.ndarray) -> Tensor:
    """Latents of pictures, scaled to zero mean and unit variance a channel: float32 (n, 8, 16, 16)."""
    mean, std = _statistics(model)
    with torch.no_grad():
        latents: Tensor = model.encode(to_tensor(pictures)).latent_dist.mode()
    return (latents.float() - mean) / std


def decode(model: AutoencoderKL, latents: Tensor) -> np.ndarray:
    """Pictures of scaled latents: uint8 (n, 64, 64, 3)."""
    mean, std = _statistics(model)
    with torch.no_grad():
        scaled = (latents * std + mean).contiguous(memory_format=torch.channels_last)
        return to_pictures(model.decode(scaled).sample)
