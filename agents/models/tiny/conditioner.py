"""What a prompt tells the denoiser: a map over the latent's cells, tokens for cross attention and one pooled vector.

Each object becomes a token (class, colour, identifier of a personal subject). A small network paints it onto the cells that its
box covers; it knows where in the box a cell lies and what the class looks like there (a learned grid of features). This is layout
conditioning as in layout-to-image and SPADE models, with a spatial memory of the classes, without which shapes are slow to learn.
"""

from typing import NamedTuple

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

from .autoencoder import LATENT_CHANNELS, LATENT_SIDE, PATCH

PLACE_FEATURES = 21
"""Per axis the relative place, six harmonics of it and the distances to two sides; width, height and the mirror sign."""
REFERENCE_CHANNELS = LATENT_CHANNELS + 1
SHAPE_SIDE = 12
SHAPE_CHANNELS = 12
_SAMPLES = 2 * LATENT_SIDE
"""Learned shapes are looked up twice a cell and axis."""


class Conditions(NamedTuple):
    """A batch of prompts as numbers; 0 means "not said" in every index.

    Attributes:
        labels: int64 (n, objects), class number + 1.
        colours: int64 (n, objects), colour number + 1.
        boxes: float32 (n, objects, 4): cx, cy, width, height in pixels.
        present: float32 (n, objects), 1 where there is an object.
        flips: float32 (n, objects), -1 where the object is mirrored, else 1. A prompt never says it; it is drawn from the seed.
        identifiers: float32 (n, objects, identifier_size), zero where there is none.
        backgrounds: int64 (n,), background number + 1.
        words: int64 (n, words) of `text.WordList`.
        references: float32 (n, 8, 16, 16), scaled latents of the collage of reference pictures (`reference`).
        referred: float32 (n, objects), 1 where the collage shows the object.
    """

    labels: Tensor
    colours: Tensor
    boxes: Tensor
    present: Tensor
    flips: Tensor
    identifiers: Tensor
    backgrounds: Tensor
    words: Tensor
    references: Tensor
    referred: Tensor


class Guide(NamedTuple):
    """What the denoiser gets.

    Attributes:
        painted: (n, channels, 16, 16), beside the latent.
        reference: (n, 9, 16, 16), beside the latent: the collage's latent on the cells of its objects, and the cells' shares.
        tokens: (n, t, width), words and objects for cross attention.
        seen: bool (n, t), which of them are there.
        pooled: (n, width), caption and background.
    """

    painted: Tensor
    reference: Tensor
    tokens: Tensor
    seen: Tensor
    pooled: Tensor


class Conditioner(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Encodes prompts, once a picture (not once a diffusion step).

    Args:
        labels: Number of classes.
        colours: Number of colours.
        backgrounds: Number of backgrounds.
        words: The word list, without its special entries.
        identifier_size: Length of a subject's identifier vector.
        width: Width of a token.
        hidden: Width of the painting network.
        channels: Channels of the painted map.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        *,
        labels: int,
        colours: int,
        backgrounds: int,
        words: list[str],
        identifier_size: int = 48,
        width: int = 64,
        hidden: int = 80,
        channels: int = 48,
        max_words: int = 80,
    ) -> None:
        super().__init__()
        self.label = nn.Embedding(labels + 1, width)
        self.colour = nn.Embedding(colours + 1, width)
        # without biases, so that no identifier adds nothing
        self.identifier = nn.Sequential(
            nn.Linear(identifier_size, 2 * width, bias=False), nn.SiLU(), nn.Linear(2 * width, width, bias=False)
        )
        self.background = nn.Embedding(backgrounds + 1, width)
        self.size = nn.Linear(4, width)
        self.word = nn.Embedding(len(words) + 3, width, padding_idx=0)
        self.position = nn.Parameter(torch.zeros(max_words, width))
        self.reader = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.shapes = nn.Parameter(0.1 * torch.randn(labels + 1, SHAPE_CHANNELS, SHAPE_SIDE, SHAPE_SIDE))
        self.place = nn.Linear(PLACE_FEATURES + 4 * SHAPE_CHANNELS, hidden, bias=False)
        self.modulate = nn.Linear(width, 2 * hidden)
        self.mix = nn.Linear(hidden, hidden)
        self.paint = nn.Linear(hidden, channels)
        self.ground = nn.Linear(width, channels)
        self.mixer = nn.Conv2d(channels, channels, 3, padding=1)
        self.sketch = nn.Conv2d(channels, LATENT_CHANNELS, 1)

    def forward(self, conditions: Conditions) -> Guide:
        """Encode a batch of prompts."""
        things = self.label(conditions.labels) + self.colour(conditions.colours) + self.identifier(conditions.identifiers)
        words, spoken = self._read(conditions.words)
        ground = self.background(conditions.backgrounds)
        places, cover = places_in_boxes(conditions.boxes, conditions.flips)
        painted = self._paint(things, conditions, places, cover) + self.ground(ground)[:, :, None, None]
        painted = painted + self.mixer(functional.silu(painted))
        tokens = torch.cat([words, things + self.size(conditions.boxes / 64)], dim=1)
        seen = torch.cat([spoken, conditions.present > 0], dim=1)
        return Guide(painted, _reference(conditions, cover), tokens, seen, words[:, 0] + ground)

    def _read(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Word vectors in context and which of them are words; the first is the start token and stands for the whole."""
        spoken = words > 0
        vectors = self.word(words) + self.position[: words.shape[1]]
        hidden = torch.zeros(spoken.shape, dtype=vectors.dtype).masked_fill(~spoken, float("-inf"))
        return self.reader(vectors, src_key_padding_mask=hidden), spoken

    def _paint(self, things: Tensor, conditions: Conditions, places: Tensor, cover: Tensor) -> Tensor:
        """Sum over objects of what each paints on the cells that it covers: (n, channels, 16, 16)."""
        places = torch.cat([places, self._look_up(conditions)], dim=-1)
        scale, shift = self.modulate(things).unsqueeze(2).chunk(2, dim=-1)
        # scaling the small weights of each object is far cheaper than scaling what they give at all cells
        weights = self.place.weight.t() * (1 + scale)
        hidden = functional.silu(torch.matmul(places, weights) + shift)
        hidden = functional.silu(self.mix(hidden))
        share = (cover * conditions.present[:, :, None]).unsqueeze(-1).to(hidden.dtype)
        painted: Tensor = self.paint((hidden * share).sum(dim=1))
        return painted.transpose(1, 2).reshape(-1, painted.shape[2], LATENT_SIDE, LATENT_SIDE)

    def _look_up(self, conditions: Conditions) -> Tensor:
        """The learned shapes of the classes, stretched to the boxes: (n, objects, 256, 4 * SHAPE_CHANNELS)."""
        n, objects = conditions.labels.shape
        shapes = self.shapes[conditions.labels].flatten(0, 1)
        boxes, flips = conditions.boxes.flatten(0, 1), conditions.flips.flatten()
        across = _hats(boxes[:, 0], boxes[:, 2], flips)
        down = _hats(boxes[:, 1], boxes[:, 3], torch.ones_like(flips))
        stretched = torch.matmul(torch.matmul(down.unsqueeze(1), shapes), across.unsqueeze(1).transpose(2, 3))
        cells = functional.pixel_unshuffle(stretched, 2)
        return cells.flatten(2).transpose(1, 2).reshape(n, objects, LATENT_SIDE**2, -1)


def _reference(conditions: Conditions, cover: Tensor) -> Tensor:
    """The collage's latent where its objects are, zero elsewhere, and the share of each cell: (n, 9, 16, 16)."""
    share = (cover * (conditions.referred * conditions.present)[:, :, None]).amax(dim=1).view(-1, 1, LATENT_SIDE, LATENT_SIDE)
    return torch.cat([conditions.references * share, share], dim=1)


def _hats(middle: Tensor, size: Tensor, sign: Tensor) -> Tensor:
    """Weights of linear interpolation along one axis, from SHAPE_SIDE learned points to 32 samples: (n, 32, SHAPE_SIDE)."""
    samples = (torch.arange(_SAMPLES, dtype=torch.float32) + 0.5) * (PATCH / 2)
    relative = sign[:, None] * (samples - middle[:, None]) / size[:, None].clamp(min=1.0)
    place = (relative + 0.5) * SHAPE_SIDE - 0.5
    return (1 - (place[:, :, None] - torch.arange(SHAPE_SIDE)).abs()).clamp(min=0)


def places_in_boxes(boxes: Tensor, flips: Tensor) -> tuple[Tensor, Tensor]:
    """Where each latent cell lies in each box.

    Args:
        boxes: (n, objects, 4) in pixels.
        flips: (n, objects), -1 where mirrored: the relative place is then counted from the right.

    Returns:
        Features (n, objects, 256, 21): place relative to the box with its first harmonics, distance to the four sides
        in cells (cut at 1.5), width, height and sign; and the share (n, objects, 256) of the cell that the box, grown by 1 pixel,
        covers.
    """
    centres = (torch.arange(LATENT_SIDE, dtype=torch.float32) + 0.5) * PATCH
    half = boxes[..., 2:].clamp(min=1.0) / 2
    x, u, cover_x = _along(centres, boxes[..., 0:1], half[..., 0:1], flips.unsqueeze(-1))
    y, v, cover_y = _along(centres, boxes[..., 1:2], half[..., 1:2], torch.ones_like(flips).unsqueeze(-1))
    n, objects = boxes.shape[:2]
    shape = (n, objects, LATENT_SIDE, LATENT_SIDE)
    across = torch.cat([u, x], dim=-1).unsqueeze(2).expand(*shape, -1)
    down = torch.cat([v, y], dim=-1).unsqueeze(3).expand(*shape, -1)
    size = torch.cat([half / 16, flips.unsqueeze(-1)], dim=-1)[:, :, None, None].expand(*shape, 3)
    cover = (cover_y.unsqueeze(3) * cover_x.unsqueeze(2)).flatten(2)
    return torch.cat([across, down, size], dim=-1).flatten(2, 3), cover


def _along(centres: Tensor, middle: Tensor, half: Tensor, sign: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Along one axis: distances to both sides (…, 16, 2), relative place and harmonics (…, 16, 7), share covered (…, 16)."""
    offset = centres - middle
    relative = sign * (offset / half).clamp(-1.5, 1.5)
    sides = torch.stack([(offset + half) / PATCH, (half - offset) / PATCH], dim=-1).clamp(-1.5, 1.5)
    waves = [relative]
    for harmonic in (1, 2, 3):
        waves += [torch.sin(torch.pi * harmonic / 2 * relative), torch.cos(torch.pi * harmonic / 2 * relative)]
    cover = ((half + 1 + PATCH / 2 - offset.abs()) / PATCH).clamp(0, 1)
    return sides, torch.stack(waves, dim=-1), cover
