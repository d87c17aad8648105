"""A published captioner: ViT-GPT2 or BLIP says in a sentence what a picture shows."""

from collections.abc import Sequence
from functools import cached_property

import torch
from PIL import Image

from . import reading
from .settings import HubSettings
from .snapshot import Snapshot
from .table import CAPTION_TOKENS


class Captioner:
    """Says what pictures show: greedy, at most `CAPTION_TOKENS` tokens, in lower case."""

    def __init__(self, snapshot: Snapshot, settings: HubSettings) -> None:
        self._network = reading.network(snapshot, settings)
        self._pixels = reading.processor(snapshot)
        self._words = reading.tokenizer(snapshot)
        self._device = settings.device

    def say(self, images: Sequence[Image.Image]) -> list[str]:
        """One sentence a picture, words separated by single spaces; a picture's does not depend on the others."""
        with torch.inference_mode():
            tokens = self._network.generate(
                pixel_values=self._seen(images), max_new_tokens=CAPTION_TOKENS, do_sample=False, num_beams=1
            )
        texts = self._words.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.lower().split()) for text in texts]

    @cached_property
    def flops(self) -> int:
        """Of one picture and a sentence of `CAPTION_TOKENS` tokens, whatever it says; tokens that are kept count once."""
        pixels = self._seen([Image.new("RGB", (64, 64))])
        tokens = torch.zeros((1, CAPTION_TOKENS), dtype=torch.long, device=self._device)
        name = "decoder_input_ids" if self._network.config.is_encoder_decoder else "input_ids"
        return reading.flops_of(lambda: self._network(pixel_values=pixels, **{name: tokens}))

    def _seen(self, images: Sequence[Image.Image]) -> torch.Tensor:
        each = [self._pixels(images=image, return_tensors="pt").pixel_values for image in images]
        return torch.cat(each).to(self._device)
