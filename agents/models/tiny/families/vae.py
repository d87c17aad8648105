"""The VAE family: the decoder of a conditional variational autoencoder (Kingma and Welling 2014; Sohn, Lee and Yan 2015).

What is sent is the mean of its normal distribution for noise drawn from the prior; the posterior network is used in training
alone (`training.vae`).
"""

from pathlib import Path

from .model import FamilyGenerator, examples, load_family
from .painter import Painter

__all__ = ["examples", "load"]


def load(folder: Path) -> FamilyGenerator:
    """Read the model; see `load_family`."""
    return load_family(folder, Painter())
