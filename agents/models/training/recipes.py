"""What ``semcast train NAME`` can train. To add one: a line here, and a function ``(folder, work, minutes, device) -> Card``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ..cards import Card
from ..loading import WEIGHTS


@dataclass(frozen=True)
class Recipe:
    """How one model is trained.

    Attributes:
        what: One line for the list.
        module: Below ``semcast.agents.models.training``; imported only when it is used.
        function: Of the module: ``(folder, work, minutes, device) -> Card``. It writes weights and card to ``folder``, keeps
            checkpoints in ``work``, goes on from those it finds there, and trains for ``minutes`` in all on ``device``.
        folder: Below the weights folder: where the package reads this model from.
        photos: It needs a folder of photographs, and its function takes it as ``photos``.
        minutes: How long it is trained unless told otherwise.
    """

    what: str
    module: str
    folder: str
    function: str = "train"
    photos: bool = False
    minutes: float = 60.0


TINY = "tiny"
"""Name of all recipes together."""

# In an order in which each finds what it builds on.
RECIPES: Mapping[str, Recipe] = {
    "autoencoder": Recipe(
        "pictures to latents and back, for the generator; train it first", "autoencoder", "generator/autoencoder"
    ),
    "generator": Recipe(
        "latent diffusion by text, boxes and reference pictures; goes on from weights that are there", "generator", "generator"
    ),
    "vae": Recipe("the generator's VAE family; train the generator first", "vae", "vae"),
    "gan": Recipe("the generator's GAN family; train the generator first", "gan", "gan"),
    "flow": Recipe("the generator's flow family; train the generator first", "flow", "flow"),
    "restorer": Recipe("the generator on inverse problems: a card, no weights of its own", "restorer", "restorer", minutes=1.0),
    "jscc": Recipe("library of JSCC codecs, one for each SNR and rate", "jscc", "jscc"),
    "jscc-adaptive": Recipe(
        "one JSCC codec for all SNRs and four rates, added to the library; train jscc first",
        "jscc_adaptive",
        "jscc",
        minutes=20.0,
    ),
    "jscc-photos": Recipe(
        "one JSCC codec for photographs, all rates and SNRs; needs --photos DIR", "photos", "jscc_photos", photos=True
    ),
    "personaliser": Recipe("identifier vectors of personal subjects; train it before the extractor", "subjects", "personaliser"),
    "extractor": Recipe("detector of the terminals: trunk, then RT-DETR", "extractor", "extractor"),
    "extractor-small": Recipe(
        "the extractor's variant for small devices, taught by the extractor", "small_extractor", "extractor_small"
    ),
    "extractor-int8": Recipe(
        "the extractor in 8 bits, made of the extractor", "int8", "extractor_int8", "make_extractor", minutes=0.1
    ),
    "jscc-decoder-int8": Recipe(
        "the JSCC decoders in 8 bits, made of the library", "int8", "jscc_decoder_int8", "make_jscc_decoder", minutes=0.1
    ),
    "generator-int8": Recipe(
        "the generator in 8 bits, made of the generator", "int8", "generator_int8", "make_generator", minutes=0.1
    ),
    "generator-small": Recipe(
        "the generator's variant for small devices: thin blocks, 8 bits, two steps",
        "small_generator",
        "generator_small",
        minutes=5.0,
    ),
    "adapters": Recipe(
        "LoRA adapters of the catalog's subjects; train generator, personaliser and extractor first", "branches", "personaliser"
    ),
    "captioner": Recipe(
        "sentences about pictures: ViT and GPT-2 over the extractor's trunk; train the extractor first", "captioner", "captioner"
    ),
    "keywords": Recipe("a user's goal and keywords from its message and what was seen: GPT-Neo", "keywords", "keywords"),
    "denoiser": Recipe("diffusion over received JSCC features; train the codecs first", "denoiser", "denoiser"),
    "calibrator": Recipe("repairs received pictures; train the codecs first", "calibrator", "calibrator"),
    "judge": Recipe("detector of reports, trained apart", "detectors", "judge", "train_judge"),
    "clip-judge": Recipe("features of pictures, objects and texts for reports, trained apart", "clip_judge", "clip_judge"),
    "digits": Recipe("handwritten digits: conditional VAE, end-to-end codec, two judges", "digits", "digits", minutes=9.5),
}


def train(
    name: str,
    minutes: float,
    work: Path,
    folder: Path | None = None,
    threads: int = 1,
    photos: Path | None = None,
    device: str = "cpu",
) -> Card:
    """Train `name` of `RECIPES` (or go on with it) and write it to `folder`, by default where the package reads it from.

    Args:
        name: A key of `RECIPES`.
        minutes: Wall time to train for, counted over all resumed runs.
        work: Folder of checkpoints; made if needed.
        folder: Where weights and card go.
        threads: Threads of torch.
        photos: Folder of photographs, for the recipes that need one.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        BadInput: There is no such device.
    """
    import torch

    from .devices import CPU, checked_device

    recipe = RECIPES[name]
    torch.set_num_threads(threads)
    more: dict[str, Any] = {"photos": photos} if recipe.photos else {}
    if checked_device(device) != CPU:
        more["device"] = device
    work.mkdir(parents=True, exist_ok=True)
    run: Callable[..., Card] = getattr(import_module(f".{recipe.module}", __package__), recipe.function)
    return run(folder or WEIGHTS / recipe.folder, work, minutes, **more)
