"""A small whole network for the fault campaign, and models for it that need no torch.

Its models compute nothing sensible, but each result depends on every byte of its arguments, so that one message lost, repeated
or changed anywhere changes all that follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from ....agents.models.roles import (
    PICTURE_SIDE,
    Box,
    Branch,
    Decode,
    Embed,
    Embedding,
    Encode,
    Extract,
    Extraction,
    Generate,
    Personalise,
    Picture,
    Symbols,
)
from ....agents.pictures import cut
from ....agents.scenes.caption import caption
from ....agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ....agents.settings import (
    ComputeSettings,
    KnowledgeSettings,
    NetworkSettings,
    RadioSettings,
    StationSettings,
    TrafficSettings,
    UserSettings,
)
from ....bus import keys

MODELS = f"{__name__}:models"
"""What a run request names as its profile."""


def network() -> NetworkSettings:
    """Six fast users, three cells, two edges: handovers, shared knowledge, some ten pictures; five simulated seconds."""
    subjects = ("mia/dog", "leo/cat", "ana/car")
    return NetworkSettings(
        seed=1,
        scheme="gai-scn",
        users=tuple(UserSettings(f"user.{i}", subjects[i : i + 1], speed_mps=25.0) for i in range(6)),
        stations=tuple(StationSettings(f"bs.{i}", 100.0 + 200.0 * i, 100.0, f"edge.{i % 2}") for i in range(3)),
        edges=("edge.0", "edge.1"),
        area_m=(600.0, 200.0),
        radio=RadioSettings(csi_period_s=0.05, csi_change_db=0.5),
        compute=ComputeSettings(user_flops=2.0e11, edge_flops=4.0e12, cloud_flops=4.0e13),
        knowledge=KnowledgeSettings(privacy_cost=(0.1, 0.5)),
        traffic=TrafficSettings(duration_s=5.0, start_s=1.0, rate_hz=0.6, feedback_sync_s=1.0),
    )


@dataclass(frozen=True)
class Arithmetic:
    """One role (see ``agents.models.roles.Model``): a function of one call, at a fixed cost in FLOPs."""

    role: str
    answer: Callable[[Any], Any]
    cost: int
    name: str = "arithmetic"
    sha256: str = "0" * 64
    batch: int = 2

    def flops(self, arguments: Any) -> int:
        return self.cost

    def group(self, arguments: Any) -> str:
        return getattr(arguments, "codec", "")

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        assert len(arguments) == self.batch
        return [self.answer(each) for each in arguments]


def models() -> Mapping[str, Arithmetic]:
    """All that the network asks."""
    return {
        "embedder": Arithmetic("embedder", _embed, 10**9),
        "extractor": Arithmetic("extractor", _extract, 10**9),
        "generator": Arithmetic("generator", _generate, 10**11),
        "jscc_decoder": Arithmetic("jscc_decoder", _decode, 10**8),
        "jscc_encoder": Arithmetic("jscc_encoder", _encode, 10**8),
        "personaliser": Arithmetic("personaliser", _personalise, 10**10),
    }


def _rng(arguments: Any) -> np.random.Generator:
    return keys.generator("arithmetic", msgspec.msgpack.encode(arguments).hex())


def _vector(size: int, arguments: Any) -> bytes:
    vector = _rng(arguments).standard_normal(size, dtype=np.float32)
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


def _embed(call: Embed) -> Embedding:
    return Embedding([_vector(32, text) for text in call.texts])


def _extract(call: Extract) -> Extraction:
    rng, found = _rng(call), []
    for _ in range(int(rng.integers(1, 4))):
        label, colour = LABELS[rng.integers(len(LABELS))], COLOUR_NAMES[rng.integers(len(COLOUR_NAMES))]
        x, y, wide, high = rng.integers(12, PICTURE_SIDE - 12, 4).tolist()
        found.append(Box(label, colour, float(x), float(y), float(wide), float(high), round(float(rng.random()), 3)))
    background = BACKGROUND_NAMES[rng.integers(len(BACKGROUND_NAMES))]
    found.sort(key=lambda box: -box.score)
    return Extraction(caption(background, [(box.label, box.colour, box.subject) for box in found]), background, found)


def _generate(call: Generate) -> Picture:
    tiles = _rng(call).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Picture(tiles.repeat(PICTURE_SIDE // 8, axis=0).repeat(PICTURE_SIDE // 8, axis=1).tobytes())


def _personalise(call: Personalise) -> Branch:
    return Branch(call.subject, _vector(48, call), cut(call.pictures[0], call.boxes[0]), bytes(5000) if call.adapter else b"")


def _encode(call: Encode) -> Symbols:
    """Means of blocks of 4x4 pixels, in pairs, at unit power."""
    pixels = np.frombuffer(call.picture, np.uint8).reshape(16, 4, 16, 4, 3).astype(np.float64)
    means = np.resize(pixels.mean(axis=(1, 3)).ravel() - 127.5, 1024 if call.codec.endswith("cbr24") else 2048)
    symbols = means[::2] + 1j * means[1::2]
    return Symbols((symbols / np.sqrt(max(np.mean(np.abs(symbols) ** 2), 1e-9))).astype("<c8").tobytes())


def _decode(call: Decode) -> Picture:
    """The inverse, at a fixed contrast."""
    values = np.frombuffer(call.symbols, "<f4")[:768] * 50.0 + 127.5
    blocks = np.clip(np.nan_to_num(values), 0, 255).reshape(16, 1, 16, 1, 3)
    return Picture(np.broadcast_to(blocks, (16, 4, 16, 4, 3)).round().astype(np.uint8).tobytes())
