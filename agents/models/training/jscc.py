"""Training of the JSCC codec library: each codec at one SNR (and a little around it), with the channel inside.

A stage trains some codecs side by side on the same batches, so that those of one rate have had exactly the same schooling when
they are compared. Base codecs meet all SNRs; the specialists start from the base of their rate. Stages, and within them
the learning rate (a half cosine), follow the time used, which a checkpoint keeps: a stopped training goes on where it was.
"""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ....bus import keys
from ..cards import Card
from ..codecs.library import codec_name
from ..codecs.models import to_planes
from ..codecs.network import BLOCK_VALUES, Decoder, Encoder
from .devices import CPU, described, moved
from .jscc_export import VALIDATION_SCENES, export, scene_pictures

log = logging.getLogger(__name__)

SNRS_DB = (1.0, 7.0, 13.0)
RATES = (Fraction(1, 12), Fraction(1, 24))
JITTER_DB = 1.5
"""A specialist meets SNRs up to this far from its own."""
BASE_SNRS_DB = (-1.0, 15.0)
BATCH = 16
CHECKPOINT_S = 60.0
MOMENTS = ("exp_avg", "exp_avg_sq")
"""AdamW's running means of the gradient and of its square."""


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        name: Also the name of its checkpoint.
        cbr: Rate of its codecs.
        snrs_db: Codec name -> lowest and highest SNR (Es/N0, dB) that it meets.
        start: Stage whose (only) codec all of these start from, or empty.
        share: Of the whole time.
        peak: Highest learning rate.
    """

    name: str
    cbr: Fraction
    snrs_db: dict[str, tuple[float, float]]
    start: str
    share: float
    peak: float


def stages() -> list[Stage]:
    """A base for each rate (the second from the first), then the specialists of each rate."""
    plan, previous = [], ""
    for cbr, share in zip(RATES, (0.26, 0.16), strict=True):
        name = f"base-cbr{cbr.denominator}"
        plan.append(Stage(name, cbr, {name: BASE_SNRS_DB}, previous, share, 3e-3))
        previous = name
    for cbr in RATES:
        snrs = {codec_name(snr, cbr): (snr - JITTER_DB, snr + JITTER_DB) for snr in SNRS_DB}
        plan.append(Stage(f"specialists-cbr{cbr.denominator}", cbr, snrs, f"base-cbr{cbr.denominator}", 0.29, 1.5e-3))
    return plan


class Pair(torch.nn.Module):
    """Encoder, AWGN channel and decoder of one codec."""

    def __init__(self, cbr: Fraction) -> None:
        super().__init__()
        channels = int(cbr * 2 * BLOCK_VALUES)
        self.encoder = Encoder(channels)
        self.decoder = Decoder(channels)

    def forward(self, pictures: Tensor, snr_db: Tensor, noise: Tensor) -> Tensor:
        """(B, 3, H, W), (B,) and unit-variance (B, n, 2) -> restored (B, 3, H, W).

        N0 = 10^(-SNR/10), half of it on I and half on Q.
        """
        symbols = self.encoder(pictures)
        received = symbols + noise * torch.sqrt(0.5 * torch.pow(10.0, -snr_db / 10))[:, None, None]
        restored: Tensor = self.decoder(received, snr_db, pictures.shape[2], pictures.shape[3])
        return restored


class Job:
    """One stage under way: its codecs, their optimisers, and the seconds and steps it has used."""

    def __init__(self, stage: Stage, checkpoints: Path, device: str = CPU) -> None:
        self.stage, self.path = stage, checkpoints / f"{stage.name}.safetensors"
        self.device = torch.device(device)
        torch.manual_seed(0)
        self.pairs = {name: _fast(Pair(stage.cbr)).to(self.device) for name in stage.snrs_db}
        self.optimisers = {name: _optimiser(pair, stage.peak) for name, pair in self.pairs.items()}
        self.steps, self.elapsed_s = 0, 0.0
        if self.path.is_file():
            self._resume()
        elif stage.start:
            tensors = load_file(checkpoints / f"{stage.start}.safetensors")
            for pair in self.pairs.values():
                _adopt(pair, {key.split("/", 2)[2]: value for key, value in tensors.items() if key.startswith("weight/")})

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        tensors: dict[str, Tensor] = {}
        for name, pair in self.pairs.items():
            for key, weight in pair.named_parameters():
                tensors[f"weight/{name}/{key}"] = weight.detach().to(CPU).contiguous()
                state = self.optimisers[name].state.get(weight, {})
                for moment in MOMENTS:
                    if moment in state:
                        tensors[f"{moment}/{name}/{key}"] = state[moment].to(CPU).contiguous()
        partial = self.path.with_suffix(".partial")
        save_file(tensors, partial, metadata={"steps": str(self.steps), "elapsed_s": str(self.elapsed_s)})
        partial.replace(self.path)

    def _resume(self) -> None:
        tensors = load_file(self.path)
        with safe_open(self.path, "pt") as file:
            self.steps, self.elapsed_s = int(file.metadata()["steps"]), float(file.metadata()["elapsed_s"])
        for name, pair in self.pairs.items():
            for key, weight in pair.named_parameters():
                weight.data.copy_(tensors[f"weight/{name}/{key}"])
                if f"exp_avg/{name}/{key}" in tensors:
                    # fused AdamW walks through memory: moments must lie in it as their weights do
                    moments = {m: torch.empty_like(weight).copy_(tensors[f"{m}/{name}/{key}"]) for m in MOMENTS}
                    self.optimisers[name].state[weight] = {"step": torch.tensor(float(self.steps), device=self.device), **moments}

    def step(self, batch: np.ndarray, rate: float) -> float:
        """Train every codec on one batch of pictures; returns the mean PSNR in dB of the batch over the codecs."""
        rng = keys.generator("jscc", "step", self.stage.name, self.steps)
        planes = to_planes(batch[:, :, :: int(1 - 2 * rng.integers(2))].copy())
        symbols = int(self.stage.cbr * planes[0].numel())
        noise = torch.from_numpy(rng.standard_normal((len(batch), symbols, 2), dtype=np.float32))
        place = torch.from_numpy(rng.random(len(batch), dtype=np.float32))
        planes, noise, place = moved((planes, noise, place), self.device)
        total = 0.0
        for name, pair in self.pairs.items():
            low, high = self.stage.snrs_db[name]
            optimiser = self.optimisers[name]
            optimiser.param_groups[0]["lr"] = rate
            with torch.autocast(self.device.type, torch.bfloat16):
                restored = pair(planes, low + (high - low) * place, noise)
            loss = (restored.float() - planes).square().mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(pair.parameters(), 1.0)
            optimiser.step()
            total += -10 * math.log10(float(loss.detach()))
        self.steps += 1
        return total / len(self.pairs)


def _fast(pair: Pair) -> Pair:
    """Weights in the memory order that CPU convolutions like best."""
    placed: Pair = pair.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed


def _optimiser(pair: Pair, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(pair.parameters(), rate, weight_decay=1e-4, fused=True)


def _adopt(pair: Pair, source: dict[str, Tensor]) -> None:
    """Take over weights; where the rates' channels differ in number, the first ones, as far as they go."""
    for key, weight in pair.named_parameters():
        given = source[key]
        common = tuple(slice(0, min(a, b)) for a, b in zip(weight.shape, given.shape, strict=True))
        with torch.no_grad():
            weight[common] = given[common]


def run_stage(stage: Stage, checkpoints: Path, pictures: np.ndarray, budget_s: float, device: str = CPU) -> Job:
    """Train a stage until it has used `budget_s` seconds, those before its checkpoint included."""
    job = Job(stage, checkpoints, device)
    began, saved, mean = time.monotonic() - job.elapsed_s, time.monotonic(), 0.0
    for batch in _batches(stage.name, pictures, job.steps):
        job.elapsed_s = time.monotonic() - began
        if job.elapsed_s >= budget_s:
            break
        done = job.elapsed_s / budget_s
        warm = min(1.0, (job.steps + 1) / 100)
        mean += 0.01 * (job.step(batch, stage.peak * warm * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-6) - mean)
        if job.steps % 200 == 0:
            log.info("%s step %d, %.0f of %.0f s, %.2f dB", stage.name, job.steps, job.elapsed_s, budget_s, mean)
        if time.monotonic() - saved > CHECKPOINT_S:
            saved = time.monotonic()
            job.save()
    job.save()
    return job


def _batches(name: str, pictures: np.ndarray, start: int) -> Iterator[np.ndarray]:
    step = start
    while True:
        yield pictures[keys.generator("jscc", "batch", name, step).integers(0, len(pictures), BATCH)]
        step += 1


def train(
    folder: Path,
    work: Path,
    minutes: float = 60.0,
    device: str = CPU,
    scenes: int = 30000,
    validation: int = VALIDATION_SCENES,
) -> Card:
    """Train the whole library and write weights and ``library.json`` to `folder`.

    Args:
        folder: Where the library goes.
        work: Folder of the checkpoints; finished stages found there are not repeated.
        minutes: Training time over all stages; drawing and measuring come on top.
        device: Where to train; a stage's checkpoint can be gone on with on any.
        scenes: Training pictures.
        validation: Pictures to measure the PSNR of the card on.
    """
    work.mkdir(parents=True, exist_ok=True)
    pictures = scene_pictures("train", scenes)
    log.info("drew %d scenes", scenes)
    codecs: dict[str, tuple[Fraction, float, Encoder, Decoder]] = {}
    steps: dict[str, int] = {}
    for stage in stages():
        job = run_stage(stage, work, pictures, 60 * minutes * stage.share, device)
        steps[stage.name] = job.steps
        if stage.name.startswith("specialists"):
            codecs |= finished(job)
    how = {"minutes": minutes, "device": described(device), "scenes": scenes, "steps": steps, "batch": BATCH}
    return export(codecs, folder, how, validation)


def finished(job: Job) -> dict[str, tuple[Fraction, float, Encoder, Decoder]]:
    """What `jscc_export.export` takes of a stage of specialists."""
    middles = {name: (low + high) / 2 for name, (low, high) in job.stage.snrs_db.items()}
    return {name: (job.stage.cbr, middles[name], pair.encoder.to(CPU), pair.decoder.to(CPU)) for name, pair in job.pairs.items()}
