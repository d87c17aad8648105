"""A published language model of the GPT class: continues a text, greedily."""

from functools import cached_property

import torch

from . import reading
from .settings import HubSettings
from .snapshot import Snapshot
from .table import LANGUAGE_TOKENS


class Language:
    """Continues texts, one at a time, so that none depends on others."""

    def __init__(self, snapshot: Snapshot, settings: HubSettings) -> None:
        self._network = reading.network(snapshot, settings)
        self._words = reading.tokenizer(snapshot)
        self._device = settings.device

    def line(self, text: str, most_tokens: int) -> str:
        """What follows `text` up to the end of the line, words separated by single spaces.

        Args:
            text: Its last `LANGUAGE_TOKENS` - `most_tokens` tokens are read.
            most_tokens: At most so many tokens are added.
        """
        tokens = self._words(text, return_tensors="pt").input_ids[:, most_tokens - LANGUAGE_TOKENS :].to(self._device)
        with torch.inference_mode():
            given = torch.ones_like(tokens)
            longer = self._network.generate(
                tokens, attention_mask=given, max_new_tokens=most_tokens, do_sample=False, pad_token_id=self._words.eos_token_id
            )
        added = self._words.decode(longer[0, tokens.shape[1] :], skip_special_tokens=True)
        return " ".join(added.split("\n", 1)[0].split())

    @cached_property
    def flops(self) -> int:
        """Of `LANGUAGE_TOKENS` tokens read and written; tokens that are kept count once."""
        tokens = torch.zeros((1, LANGUAGE_TOKENS), dtype=torch.long, device=self._device)
        return reading.flops_of(lambda: self._network(tokens))
