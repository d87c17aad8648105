"""What a scenario may say of the hub profile."""

from typing import Any

from msgspec import Struct

from .table import ADAPTER, Pick, pick


class HubSettings(Struct, frozen=True):
    """Which checkpoint does each part, where it lies and how it is run.

    A part is empty (the table's default), a name of the table, ``org/name``, ``org/name@revision`` or a folder; see `table.pick`.
    ``judge``: a published CLIP for the alignments of a run's metrics; empty: the tiny profile's judge.
    ``adapters``: subject ("mia/dog") -> LoRA weights for the generator, as an id or folder; made for it by DreamBooth.
    ``folder``: a hub cache, empty for the usual one (``HF_HOME``). ``device``: of torch, ``cpu`` or ``cuda``. ``precision``:
    ``float32``, ``bfloat16`` or ``float16`` of the generator; all others compute in float32. ``batch``: calls that run together,
    one fixed padded size. ``guidance``: scale of classifier-free guidance. Another batch, device, precision or number of threads
    may change the last bits of a result.
    """

    folder: str = ""
    captioner: str = ""
    detector: str = ""
    clip: str = ""
    generator: str = ""
    embedder: str = ""
    language: str = ""
    judge: str = ""
    adapters: dict[str, str] = {}
    device: str = "cpu"
    precision: str = "float32"
    batch: int = 1
    threads: int = 1
    guidance: float = 7.5

    def pick(self, part: str) -> Pick:
        """The checkpoint of a part.

        Raises:
            BadInput: What the settings say names none.
        """
        return pick(part, getattr(self, part))

    @property
    def adapter_picks(self) -> dict[str, Pick]:
        """Subject -> its adapter, by subject.

        Raises:
            BadInput: What the settings say names none.
        """
        return {subject: pick(ADAPTER, text) for subject, text in sorted(self.adapters.items())}

    def kept(self, role: str) -> dict[str, Any]:
        """The settings that may change the results of a role; they enter its hash."""
        names = ["device", "threads"]
        names += {
            "generator": ["adapters", "batch", "guidance", "precision"],
            "captioner": ["batch"],
            "extractor": ["batch"],
        }.get(role, [])
        values = {name: getattr(self, name) for name in sorted(names)}
        return values | ({"adapters": sorted(self.adapters)} if "adapters" in values else {})
