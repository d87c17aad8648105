"""Branch models of the hub profile: LoRA weights of the generator, one for a subject, switched on for the calls that show it.

The weights are made elsewhere, by DreamBooth (Ruiz et al., 2023) with LoRA on the same generator, and named in the scenario. A
subject counts as shown when the call brings its identifier: the cloud has that only if its owner shared it.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ....bus.errors import Missing
from ..roles import Generate
from . import reading
from .snapshot import Snapshot
from .table import ADAPTER_FILES

TOKEN = "sks"
"""The word that stands for the subject before its class ("sks dog"), as in the examples of DreamBooth."""


class Adapters:
    """The adapters of a pipeline; none is on at first.

    Args:
        pipe: Pipeline whose denoiser (and text encoder) they change.
        snapshots: Subject -> weights.
    """

    def __init__(self, pipe: Any, snapshots: Mapping[str, Snapshot]) -> None:
        self._pipe = pipe
        self._names = {subject: f"subject{number}" for number, subject in enumerate(snapshots)}
        self._on: Sequence[str] | None = None
        for subject, snapshot in snapshots.items():
            _needs_peft(subject)
            with reading.told(snapshot), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # several adapters are meant
                pipe.load_lora_weights(
                    snapshot.path, weight_name=ADAPTER_FILES[0], adapter_name=self._names[subject], **reading.LOCAL
                )

    def of(self, call: Generate) -> list[str]:
        """The subjects of a call that have adapters, sorted."""
        return [subject for subject in sorted(call.subjects) if subject in self._names]

    def switch(self, subjects: Sequence[str]) -> None:
        """Turn on the adapters of these subjects and no others."""
        if not self._names or subjects == self._on:
            return
        if subjects:
            self._pipe.enable_lora()
            self._pipe.set_adapters([self._names[subject] for subject in subjects])
        else:
            self._pipe.disable_lora()
        self._on = list(subjects)

    def named(self, text: str, call: Generate, only: str = "") -> str:
        """A text in which the subjects that have adapters (or `only` one) are called by their token: "sks dog".

        The first mention of the class gets the token; where there is none, the subject is added at the end.
        """
        for subject in self.of(call):
            label = subject.rpartition("/")[2]
            if only not in ("", subject) or f"{TOKEN} {label}" in text:
                continue
            words = text.split(" ")
            place = words.index(label) if label in words else len(words)
            text = " ".join(word for word in [*words[:place], TOKEN, *(words[place:] or [label])] if word)
        return text


def _needs_peft(subject: str) -> None:
    try:
        import peft  # noqa: F401
    except ImportError:
        raise Missing(f"the adapter of {subject} needs peft", "pip install peft") from None
