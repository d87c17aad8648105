"""Role ``embedder`` of the hub profile: a published BERT of sentence-transformers, mean over the tokens, unit norm."""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch.nn import functional

from ..roles import Embed, Embedding
from . import reading
from .settings import HubSettings
from .snapshot import Snapshot, digest

MOST_TOKENS = 64
"""Texts are cut here, and a text is reckoned to have so many."""


class HubEmbedder:
    """Embeds texts, one at a time. Implements `semcast.agents.models.roles.Model`."""

    role = "embedder"
    batch = 1

    def __init__(self, parts: Sequence[Snapshot], settings: HubSettings) -> None:
        (snapshot,) = parts
        self.name = snapshot.pick.short
        self.sha256 = digest(parts, settings.kept(self.role))
        self._network = reading.network(snapshot, settings)
        self._words = reading.tokenizer(snapshot)
        self._device = settings.device
        self._known: dict[str, bytes] = {}

    def group(self, arguments: Embed) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Embed) -> int:
        """`MOST_TOKENS` tokens a text."""
        return self._flops * max(len(arguments.texts), 1)

    def run(self, arguments: Sequence[Embed]) -> list[Embedding]:
        """One unit vector (float32, the checkpoint's width) a text; terms come again and again, so they are remembered."""
        return [Embedding([self._vector(text) for text in call.texts]) for call in arguments]

    def _vector(self, text: str) -> bytes:
        if text not in self._known:
            tokens = self._words(text, truncation=True, max_length=MOST_TOKENS, return_tensors="pt").to(self._device)
            with torch.inference_mode():
                states = self._network(**tokens).last_hidden_state.float()
            self._known[text] = functional.normalize(states.mean(dim=1), dim=1)[0].cpu().numpy().astype("<f4").tobytes()
        return self._known[text]

    @cached_property
    def _flops(self) -> int:
        tokens = torch.zeros((1, MOST_TOKENS), dtype=torch.long, device=self._device)
        return reading.flops_of(lambda: self._network(input_ids=tokens))
