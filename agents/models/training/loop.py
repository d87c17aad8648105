"""One training loop for all small models: AdamW, cosine schedule by wall minutes, averaged weights, checkpoints that resume.

Use::

    def loss(step: int) -> Tensor:                      # draws its own keyed batch; called with gradients on
        pictures, targets = drawn(lambda: batch("mine", seed, step))
        return criterion(network(pictures), targets)

    fit(network, loss, work / "mine", minutes=15)       # network now holds the averaged weights

Called again with the same folder, `fit` goes on where it stopped: with more minutes it trains for the difference.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, isfinite, pi
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .devices import CPU, described, working_on

log = logging.getLogger(__name__)

PAUSE_S = 30.0
"""No step is counted as longer than this: a stopped process does not train."""
FIRST_REPORT_S = 2.0


@dataclass(frozen=True)
class Settings:
    """How to optimise.

    Attributes:
        rate: Peak learning rate; it rises over `warm_steps` and falls to zero at the end.
        weight_decay: Of AdamW, on weights of two or more dimensions.
        warm_steps: Steps of the linear rise.
        betas: AdamW's decays of the mean gradient and of its square.
        average: Decay of the averaged weights per step.
        clip: Largest norm of the gradient.
        bf16: Run the forward pass under bfloat16 autocast.
        save_every_s: Seconds between checkpoints.
        report_every_s: Seconds between progress lines.
    """

    rate: float = 2e-3
    weight_decay: float = 0.02
    warm_steps: int = 100
    betas: tuple[float, float] = (0.9, 0.999)
    average: float = 0.995
    clip: float = 5.0
    bf16: bool = True
    save_every_s: float = 60.0
    report_every_s: float = 20.0


def fit(
    network: nn.Module,
    loss: Callable[[int], Tensor],
    work: Path,
    minutes: float,
    settings: Settings | None = None,
    device: str = CPU,
) -> dict[str, Any]:
    """Train `network` in place and leave the averaged weights in it, on the CPU and in eval mode.

    Args:
        network: Float32 parameters; buffers are copied, not averaged.
        loss: Step number -> scalar loss; its batch must depend on the step alone.
        work: Folder of the checkpoint, made if needed.
        minutes: Wall time to train for, earlier runs from this checkpoint counted in.
        settings: How to optimise.
        device: Where; a checkpoint can be gone on with on any.

    Returns:
        ``steps``, ``minutes``, ``device``, the ``curve`` (at most eight of [step, mean loss of the report then]) and, if a step
        was made, the mean ``loss`` since the last report.
    """
    chosen = settings or Settings()
    run = _Run(network.to(device), work, chosen, device)
    save_s = time.monotonic()
    report_s = save_s - chosen.report_every_s + FIRST_REPORT_S
    total, terms, mean = 0.0, 0, float("nan")
    network.train()
    while run.elapsed_s < 60 * minutes:
        began_s = time.monotonic()
        total += run.step(loss, run.elapsed_s / (60 * minutes))
        terms += 1
        now_s = time.monotonic()
        run.elapsed_s += min(now_s - began_s, PAUSE_S)
        if now_s - report_s > chosen.report_every_s:
            mean, report_s = total / terms, now_s
            run.note(mean)
            log.info("%s: %.1f of %g min, step %d, loss %.4f", work.name, run.elapsed_s / 60, minutes, run.steps, mean)
            total, terms = 0.0, 0
        if now_s - save_s > chosen.save_every_s:
            run.save()
            save_s = now_s
    run.save()
    network.load_state_dict(run.average)
    network.to(CPU).eval()
    result: dict[str, Any] = {"steps": run.steps, "minutes": round(run.elapsed_s / 60, 2), "device": described(device)}
    result["curve"] = run.curve
    if terms or isfinite(mean):
        result["loss"] = round(total / terms if terms else mean, 5)
    return result


class _Run:
    """Network, optimiser, average and progress; all of it in one safetensors file and one JSON file."""

    def __init__(self, network: nn.Module, work: Path, settings: Settings, device: str) -> None:
        self.network, self.work, self.settings, self.device = network, work, settings, device
        self.steps, self.elapsed_s = 0, 0.0
        self.curve: list[list[float]] = []
        self._reports, self._stride = 0, 1
        named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        self._names = [name for name, _ in named]
        self._parameters = [p for _, p in named]
        groups = [
            {"params": [p for p in self._parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
            {"params": [p for p in self._parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, lr=settings.rate, betas=settings.betas)
        self.average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        if (work / "progress.json").is_file():
            self._load()

    def step(self, loss: Callable[[int], Tensor], progress: float) -> float:
        warm = min(1.0, (self.steps + 1) / self.settings.warm_steps)
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.rate * warm * 0.5 * (1 + cos(pi * min(progress, 1.0)))
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.bf16), working_on(self.device):
            value = loss(self.steps)
        self._optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, self.settings.clip)
        self._optimiser.step()
        self.steps += 1
        keep = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, live in self.network.state_dict().items():
                mean = self.average[name]
                if mean.is_floating_point():
                    mean.lerp_(live, 1 - keep)
                else:
                    mean.copy_(live)
        return float(value.detach())

    def note(self, mean_loss: float) -> None:
        """Keep a point of the curve: every report, then every second, every fourth, so that there are never many."""
        self._reports += 1
        if self._reports % self._stride == 0:
            self.curve.append([self.steps, round(mean_loss, 4)])
        if len(self.curve) > 8:
            self.curve, self._stride = self.curve[1::2], 2 * self._stride

    def save(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        tensors = {f"live.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"mean.{name}": value for name, value in self.average.items()}
        for name, parameter in zip(self._names, self._parameters, strict=True):
            state = self._optimiser.state.get(parameter, {})
            tensors |= {f"adam.{name}.{part}": value for part, value in state.items()}
        part = self.work / "state.part"
        save_file({name: value.detach().to(CPU).contiguous().clone() for name, value in tensors.items()}, part)
        part.replace(self.work / "state.safetensors")
        progress = {"steps": self.steps, "elapsed_s": self.elapsed_s, "curve": self.curve, "stride": self._stride}
        (self.work / "progress.json").write_text(json.dumps(progress))

    def _load(self) -> None:
        tensors = load_file(self.work / "state.safetensors")
        self.network.load_state_dict({name: tensors[f"live.{name}"] for name in self.average})
        self.average = {name: tensors[f"mean.{name}"].to(live.device).clone() for name, live in self.average.items()}
        for name, parameter in zip(self._names, self._parameters, strict=True):
            if f"adam.{name}.step" in tensors:
                kept = {part: tensors[f"adam.{name}.{part}"].clone() for part in ("step", "exp_avg", "exp_avg_sq")}
                self._optimiser.state[parameter] = {
                    part: value if part == "step" else value.to(parameter.device) for part, value in kept.items()
                }
        progress = json.loads((self.work / "progress.json").read_text())
        self.steps, self.elapsed_s = progress["steps"], progress["elapsed_s"]
        self.curve, self._stride = progress.get("curve", []), progress.get("stride", 1)
        log.info("%s: going on after %d steps, %.1f min", self.work.name, self.steps, self.elapsed_s / 60)
