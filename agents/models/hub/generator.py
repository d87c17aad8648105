"""Role ``generator`` of the hub profile: the Stable Diffusion and GLIGEN pipelines of diffusers behind the network's `Generate`.

A plain pipeline is told the caption; a prompt of boxes alone becomes a list of what they hold, and where they are is lost.
GLIGEN (Li et al., 2023) takes the boxes as they are, with "colour label" as the phrase of each. The picture is made at the
checkpoint's own size and scaled to the network's (`pictures.closed`). The safety checker is not loaded.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import diffusers
import torch
from torch import nn

from ....bus.errors import BadInput
from ...scenes.vocabulary import BACKGROUND_PHRASES
from ..roles import PICTURE_SIDE, Box, Generate, Picture
from . import reading
from .adapters import Adapters
from .pictures import closed
from .settings import HubSettings
from .snapshot import Snapshot, digest

MAX_STEPS = 50
MOST_BOXES = 30
"""What GLIGEN was made for."""
PARTS = ("text_encoder", "unet", "vae")


class HubGenerator:
    """Implements `semcast.agents.models.roles.Model`. The starting noise of a picture comes from the call's seed alone."""

    role = "generator"

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        snapshot, *lora = parts
        self.name = " + ".join(part.pick.short for part in parts)
        self.sha256 = digest(parts, settings.kept(self.role))
        self.batch = settings.batch
        self._guidance, self._device = settings.guidance, settings.device
        self._pipe, self._boxed = pipelines(snapshot, settings)
        self._adapters = Adapters(self._pipe, dict(zip(settings.adapter_picks, lora, strict=True)))
        self.side = int(self._pipe.unet.config.sample_size * self._pipe.vae_scale_factor)
        """Side in pixels of the pictures as they are made, before they are scaled to the network's size."""

    def group(self, arguments: Generate) -> str:
        """Calls with the same number of steps and the same adapters share a batch."""
        return " ".join([f"steps{_checked_steps(arguments)}", *self._adapters.of(arguments)])

    def flops(self, arguments: Generate) -> int:
        """Counted on the checkpoint's modules built without weights: words and decoder once, the denoiser at every evaluation,
        twice where there is guidance. A scheduler may evaluate more often than there are steps. What adapters add is left out."""
        fixed, plain, boxed = self._costs
        each = boxed if self._boxed is not None and arguments.boxes else plain
        return fixed + each * self._evaluations(_checked_steps(arguments))

    def run(self, arguments: Sequence[Generate]) -> list[Picture]:
        """Generate one full batch of `batch` pictures; those with boxes for GLIGEN one by one, as its pipeline does.

        Raises:
            BadInput: Another number of calls, or calls of different groups.
        """
        if len(arguments) != self.batch or len({self.group(call) for call in arguments}) != 1:
            raise BadInput(f"{self.name}: {len(arguments)} calls in a batch", f"exactly {self.batch} calls of one group")
        self._adapters.switch(self._adapters.of(arguments[0]))
        if self._boxed is None:
            return [Picture(closed(image)) for image in self._plain(arguments)]
        return [Picture(closed(self._at_places(call) if call.boxes else self._plain([call])[0])) for call in arguments]

    def _plain(self, calls: Sequence[Generate]) -> list[Any]:
        return list(self._pipe(prompt=[self._adapters.named(words(call), call) for call in calls], **self._common(calls)).images)

    def _at_places(self, call: Generate) -> Any:
        assert self._boxed is not None
        boxes = sorted(call.boxes, key=lambda box: -box.score)[:MOST_BOXES]
        result = self._boxed(
            prompt=[self._adapters.named(words(call), call)],
            gligen_phrases=[
                self._adapters.named(phrase(box), call, box.subject) if box.subject else phrase(box) for box in boxes
            ],
            gligen_boxes=[corners(box) for box in boxes],
            gligen_scheduled_sampling_beta=1.0,
            **self._common([call]),
        )
        return result.images[0]

    def _common(self, calls: Sequence[Generate]) -> dict[str, Any]:
        # on the CPU whatever the device, so that a seed means the same noise everywhere
        noise = [torch.Generator("cpu").manual_seed(call.seed) for call in calls]
        return {"num_inference_steps": calls[0].steps, "guidance_scale": self._guidance, "generator": noise}

    def _evaluations(self, steps: int) -> int:
        schedule = type(self._pipe.scheduler).from_config(self._pipe.scheduler.config)
        schedule.set_timesteps(steps)
        return len(schedule.timesteps)

    @cached_property
    def _costs(self) -> tuple[int, int, int]:
        """FLOPs of words and decoder, of one evaluation of the denoiser, and of one with boxes."""
        pipe, rows = self._pipe, 2 if self._guidance > 1 else 1
        with torch.device("meta"):
            unet, vae = (type(part).from_config(part.config) for part in (pipe.unet, pipe.vae))
            text = type(pipe.text_encoder)(pipe.text_encoder.config)
            width, side = unet.config.cross_attention_dim, unet.config.sample_size
            length = pipe.tokenizer.model_max_length
            latents, states = torch.zeros(rows, unet.config.in_channels, side, side), torch.zeros(rows, length, width)
            tokens = torch.zeros(rows, length, dtype=torch.long)
            places = {"boxes": torch.zeros(rows, MOST_BOXES, 4), "masks": torch.zeros(rows, MOST_BOXES)}
            places["positive_embeddings"] = torch.zeros(rows, MOST_BOXES, width)
            fixed = reading.flops_of(lambda: text(tokens)) + reading.flops_of(lambda: vae.decode(latents[:1]))
            plain = reading.flops_of(lambda: unet(latents, 1, states))
            boxed = plain
            if self._boxed is not None:
                boxed = reading.flops_of(lambda: unet(latents, 1, states, cross_attention_kwargs={"gligen": places}))
        return fixed, plain, boxed


def pipelines(snapshot: Snapshot, settings: HubSettings) -> tuple[Any, Any]:
    """The plain pipeline of a snapshot and, where it is GLIGEN's, that for boxes; both share their modules."""
    parts: dict[str, nn.Module] = {}
    for name in PARTS:
        kind = snapshot.config.get(name, ("", ""))[1]
        parts[name] = reading.component(snapshot, name, kind, settings)
    with reading.told(snapshot):
        pipe = diffusers.StableDiffusionPipeline.from_pretrained(
            snapshot.path, **parts, **reading.LOCAL, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )
    pipe.set_progress_bar_config(disable=True)
    if snapshot.kind == "StableDiffusionPipeline":
        return pipe, None
    boxed = diffusers.StableDiffusionGLIGENPipeline(
        **{name: value for name, value in pipe.components.items() if name != "image_encoder"}, requires_safety_checker=False
    )
    boxed.set_progress_bar_config(disable=True)
    return pipe, boxed


def words(call: Generate) -> str:
    """The text of a prompt: its caption, or else what its boxes hold and the background."""
    if call.caption:
        return call.caption
    things = " and ".join(phrase(box) for box in call.boxes)
    return " ".join(part for part in (things, BACKGROUND_PHRASES.get(call.background, "")) if part)


def phrase(box: Box) -> str:
    """What a box holds: "red dog"."""
    return f"{box.colour} {box.label}".strip() or "object"


def corners(box: Box) -> list[float]:
    """Left, top, right and bottom as shares of the picture's side, inside it."""
    x, y, half_width, half_height = box.cx, box.cy, box.width / 2, box.height / 2
    places = (x - half_width, y - half_height, x + half_width, y + half_height)
    return [min(max(place / PICTURE_SIDE, 0.0), 1.0) for place in places]


def _checked_steps(call: Generate) -> int:
    if not 1 <= call.steps <= MAX_STEPS:
        raise BadInput(f"generator: steps = {call.steps}", f"1 to {MAX_STEPS} diffusion steps")
    return call.steps
