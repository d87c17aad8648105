"""Training of all that the study of handwritten digits uses: VAE, end-to-end codec, judge, verifier; each on its own pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ..cards import Card, write_card
from ..codecs.quantised import dequantise, quantise
from ..digits.data import CLASSES, PIXELS, SIDE, WHITE, Digits, digits
from ..digits.models import FILES, NETWORKS, WEIGHTS_FILE
from ..digits.networks import Joint, Vae, Verifier, binomial_nats, known_of
from ..digits.prompts import LATENTS, LAYERS
from .devices import CPU, drawn
from .diffusers_files import parameters
from .loop import Settings, fit

BATCH = 256
SETTINGS = Settings(rate=3e-3, weight_decay=1e-2, warm_steps=200, average=0.999, clip=5.0, bf16=False)
MINUTES = {"vae": 2.5, "joint": 1.5, "judge": 0.5, "verifier": 5.0}
"""With which the shipped ones were trained; other minutes are shared out alike."""
WITHOUT_LABEL, PREFIXES = 0.15, 0.95
"""Share of pictures whose decoder is not told the label, and of those that have the first layers instead of any."""
DIVERGENCE = 0.12
"""Weight of the latents' cost (beta of Higgins et al. 2017): with 1, all but eight latents are empty."""
SNRS_DB = (-8.0, 20.0)


def batch(name: str, of: Digits, step: int) -> tuple[Tensor, Tensor]:
    """Pictures ``(256, 64)`` in [0, 1], shifted, turned and scaled a little, and labels."""
    rng = keys.generator("digits", name, step)
    picked = rng.integers(0, len(of), BATCH)
    x = torch.from_numpy(of.pictures[picked].astype(np.float32) / WHITE).view(-1, 1, SIDE, SIDE)
    turn = torch.from_numpy(rng.normal(0, 0.10, BATCH).astype(np.float32))
    scale = torch.from_numpy(np.exp(rng.normal(0, 0.05, (2, BATCH))).astype(np.float32))
    shift = torch.from_numpy(rng.normal(0, 0.09, (2, BATCH)).astype(np.float32))  # of half the side: 0.36 pixels
    rows = [
        torch.stack([turn.cos() * scale[0], -turn.sin(), shift[0]], 1),
        torch.stack([turn.sin(), turn.cos() * scale[1], shift[1]], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), [BATCH, 1, SIDE, SIDE], align_corners=False)
    seen = functional.grid_sample(x, grid, align_corners=False).view(-1, PIXELS).clamp(0, 1)
    whole = torch.from_numpy(rng.random((BATCH, 1)) < 0.3)  # as they are
    return torch.where(whole, x.view(-1, PIXELS), seen), torch.from_numpy(of.labels[picked])


def masks(step: int) -> tuple[Tensor, Tensor]:
    """Which layers the decoder has, ``(256, layers)``, and whether it is told the label, ``(256,)``."""
    rng = keys.generator("digits", "masks", step)
    prefix = np.arange(len(LAYERS)) < rng.integers(0, len(LAYERS) + 1, (BATCH, 1))
    some = rng.random((BATCH, len(LAYERS))) < 0.5
    layers = np.where(rng.random((BATCH, 1)) < PREFIXES, prefix, some)
    return torch.from_numpy(layers.astype(np.float32)), torch.from_numpy(rng.random(BATCH) >= WITHOUT_LABEL)


def normal(shape: tuple[int, ...], *key: keys.Key) -> Tensor:
    """Unit normal noise."""
    return torch.from_numpy(keys.generator("digits", *key).standard_normal(shape, np.float32))


def _train_vae(network: Vae, of: Digits, work: Path, minutes: float, device: str) -> dict[str, Any]:
    def loss(step: int) -> Tensor:
        (x, labels), (layers, told), noise = drawn(
            lambda: (batch("vae", of, step), masks(step), normal((BATCH, LATENTS), "vae noise", step))
        )
        bound = network.bound(x, labels, torch.where(told, labels, CLASSES), known_of(layers), noise)
        return (bound.misfit + DIVERGENCE * bound.divergence).mean() / PIXELS + 0.1 * functional.cross_entropy(
            network.read(x), labels
        )

    progress = fit(network, loss, work, minutes, SETTINGS, device)
    with torch.no_grad():
        mean, _ = network.encode(torch.from_numpy(of.pictures.astype(np.float32) / WHITE), torch.from_numpy(of.labels))
        network.deviation.copy_(mean.square().mean(0).sqrt().clamp_min(1e-3))
    return progress


def _train_joint(network: Joint, of: Digits, work: Path, minutes: float, device: str) -> dict[str, Any]:
    def loss(step: int) -> Tensor:
        x, _ = drawn(lambda: batch("joint", of, step))
        rng = keys.generator("digits", "joint", "snr", step)
        snr_db = drawn(lambda: torch.from_numpy(rng.uniform(*SNRS_DB, (BATCH, 1)).astype(np.float32)))
        reals = network.send(x)
        reals = reals / reals.square().mean().sqrt()  # of the batch: a page's power varies little around it
        noise = drawn(lambda: normal(tuple(reals.shape), "joint noise", step))
        return binomial_nats(x, network.receive(reals + noise * 10 ** (-snr_db / 20), snr_db)).mean()

    return fit(network, loss, work, minutes, SETTINGS, device)


def faded(x: Tensor, step: int) -> Tensor:
    """Pictures as receivers may see them: blurred, drawn towards the mean of the batch, noisy, each by an amount of its own."""
    rng = keys.generator("digits", "faded", step)
    blur, fade, noise = (torch.from_numpy(rng.uniform(0, most, (BATCH, 1)).astype(np.float32)) for most in (0.6, 0.4, 0.12))
    soft = functional.avg_pool2d(x.view(-1, 1, SIDE, SIDE), 3, 1, 1, count_include_pad=False).view(-1, PIXELS)
    mixed = torch.lerp(torch.lerp(x, soft, blur), x.mean(0, keepdim=True), fade)
    return (mixed + noise * normal((BATCH, PIXELS), "faded noise", step)).clamp(0, 1)


def _train_classifier(network: nn.Module, of: Digits, work: Path, minutes: float, device: str) -> dict[str, Any]:
    def draw(step: int) -> tuple[Tensor, Tensor]:
        x, labels = batch(work.name, of, step)
        return (faded(x, step) if isinstance(network, Verifier) else x), labels

    def loss(step: int) -> Tensor:
        x, labels = drawn(lambda: draw(step))
        return functional.cross_entropy(network(x), labels, label_smoothing=0.05)

    return fit(network, loss, work, minutes, SETTINGS, device)


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``digits``."""
    torch.manual_seed(0)
    networks: dict[str, Any] = {name: make() for name, make in NETWORKS.items()}
    progress = {
        name: TRAINERS[name](network, digits(PARTS[name]), work / name, minutes * MINUTES[name] / sum(MINUTES.values()), device)
        for name, network in networks.items()
    }
    for name, network in networks.items():
        kept = quantise(network.state_dict())
        network.load_state_dict(dequantise(kept))
        folder.mkdir(parents=True, exist_ok=True)
        save_file(kept, folder / WEIGHTS_FILE.format(name))
    return write_card(folder, {
        "name": "digits", "roles": ["digits"], "recipe": "digits", "batch": 1,
        "params": sum(parameters(network) for network in networks.values()), "flops": count_flops(networks["vae"]),
        "data": {name: f"scikit-learn load_digits, part {part!r}: {len(digits(part))} pictures" for name, part in PARTS.items()},
        "held_out": "part 'validation'", "command": f"semcast train digits --minutes {minutes:g}", "training": progress,
        "metrics": measure(networks), "files": list(FILES),
    })  # fmt: skip


TRAINERS: dict[str, Any] = {
    "vae": _train_vae, "joint": _train_joint, "judge": _train_classifier, "verifier": _train_classifier,
}  # fmt: skip
PARTS: dict[str, Any] = {"vae": "codec", "joint": "codec", "judge": "judge", "verifier": "verifier"}


def count_flops(network: Vae) -> int:
    """FLOPs of one digit, counted by torch: reading, encoding, decoding."""
    x, labels, latents = torch.zeros(1, PIXELS), torch.zeros(1, dtype=torch.int64), torch.zeros(1, LATENTS)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.read(x), network.encode(x, labels), network.decode(latents, latents, labels)
    return int(counter.get_total_flops())


def measure(networks: dict[str, Any]) -> dict[str, float]:
    """On the validation part: who reads right; the bound of every prefix of layers in bits a picture, PSNR of its means."""
    of = digits("validation")
    x, labels = torch.from_numpy(of.pictures.astype(np.float32) / WHITE), torch.from_numpy(of.labels)
    vae: Vae = networks["vae"]
    found = {}
    with torch.no_grad():
        for name, scores in (("reader", vae.read(x)), ("judge", networks["judge"](x)), ("verifier", networks["verifier"](x))):
            found[f"{name}_accuracy"] = round(float((scores.argmax(1) == labels).float().mean()), 4)
        mean, _ = vae.encode(x, labels)
        noise = normal((len(of), LATENTS), "measure")
        for number in range(len(LAYERS) + 1):
            known = known_of((torch.arange(len(LAYERS)) < number).float().expand(len(of), -1))
            bound = vae.bound(x, labels, labels, known, noise)
            found[f"bound_bits_{number}"] = round(float((bound.misfit + bound.divergence).mean()) / float(np.log(2)), 2)
            error = (torch.sigmoid(vae.decode(mean, known, labels)) - x).square().mean()
            found[f"psnr_db_{number}"] = round(-10 * float(torch.log10(error)), 2)
        for snr_db in (0, 10, 20):
            reals = networks["joint"].send(x)
            reals = reals / reals.square().mean().sqrt() + normal(tuple(reals.shape), "measure joint") * 10 ** (-snr_db / 20)
            error = (torch.sigmoid(networks["joint"].receive(reals, torch.full((len(of), 1), float(snr_db)))) - x).square().mean()
            found[f"joint_psnr_db_{snr_db}"] = round(-10 * float(torch.log10(error)), 2)
    return found
