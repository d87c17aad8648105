"""The GAN family: a painter trained against a discriminator (Goodfellow et al. 2014), which is not shipped (`training.gan`)."""

from pathlib import Path

from .model import FamilyGenerator, examples, load_family
from .painter import Painter

__all__ = ["examples", "load"]


def load(folder: Path) -> FamilyGenerator:
    """Read the model; see `load_family`."""
    return load_family(folder, Painter())
