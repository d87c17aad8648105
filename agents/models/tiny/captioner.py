"""Role ``captioner``: a picture becomes a sentence, word by word; boxes and grammar play no part in it.

A `transformers.VisionEncoderDecoderModel`: a ViT over the features of the extractor's trunk (the hybrid form of Dosovitskiy et
al. 2020, section 3.1: patches of a convolutional map) and a GPT-2 with cross attention. Decoding is greedy in one fixed batch; a
row's words never depend on the other rows.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

from ....bus.errors import BadInput
from ...scenes.caption import NUMBERS, parse
from ...scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS
from ..cards import Card, checked, read_card
from ..loading import WEIGHTS
from ..roles import Extract, Extraction
from .detector import GRID, Trunk
from .pretrained import read, ready
from .subjects import full_batch
from .text import NOTHING, START, WordList

BATCH = 1
"""A device asks about one picture at a time."""
MAX_WORDS = 40
"""Numbers of a caption, START and END counted; eight objects take at most 37."""
END_WORD = "."
SCALE = 0.5
"""Brings the trunk's features to about unit variance."""
IN_EXTRACTOR = "model.backbone.model.trunk."
"""What the names of the trunk's weights begin with in the extractor's file."""
PARTS = ("config.json", "generation_config.json", "model.safetensors")

_SINGLE = ("a", "an", "and", ",", "nothing", END_WORD)
WORDS = WordList(
    list(
        dict.fromkeys(
            [*_SINGLE, *NUMBERS[2:9], *COLOUR_NAMES, *LABELS, *(PLURALS.get(label, label + "s") for label in LABELS)]
            + [word for phrase in BACKGROUND_PHRASES.values() for word in phrase.split()]
        )
    )
)
"""All words of `scenes.caption`, numbered; the order is part of the weights."""
END = WORDS.number(END_WORD)


def build(width: int = 128, layers: int = 3, heads: int = 4) -> VisionEncoderDecoderModel:
    """A new captioner with random weights."""
    encoder = ViTConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=3 * width, image_size=GRID,
        patch_size=2, num_channels=Trunk.width, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    decoder = GPT2Config(
        vocab_size=WORDS.size, n_positions=MAX_WORDS, n_embd=width, n_layer=layers, n_head=heads, n_inner=3 * width,
        add_cross_attention=True, is_decoder=True, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=START,
        eos_token_id=END, pad_token_id=NOTHING,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = START, NOTHING, END
    model: VisionEncoderDecoderModel = ready(VisionEncoderDecoderModel(config=config))
    return model


def text_of(numbers: Sequence[int]) -> str:
    """Words up to END as a sentence: "a red dog, a blue cup and two keys on sand"."""
    words: list[str] = []
    for number in numbers:
        if number == END:
            break
        word = WORDS.word(number)
        if word == "," and words:
            words[-1] += ","
        elif word:
            words.append(word)
    return " ".join(words)


@torch.inference_mode()
def greedy(model: VisionEncoderDecoderModel, features: Tensor) -> list[list[int]]:
    """Most likely next word, again and again, until every row has ended; a row stops at its own END.

    Args:
        model: In eval mode.
        features: Scaled trunk features (n, 64, 16, 16).

    Returns:
        Word numbers of each row, without START.
    """
    seen = model.encoder(features).last_hidden_state
    words = torch.full((len(features), 1), START)
    ended = torch.zeros(len(features), dtype=torch.bool)
    past = None
    for _ in range(MAX_WORDS - 1):
        kept = {"attention_mask": torch.ones_like(words), "past_key_values": past, "use_cache": True}
        out = model.decoder(words[:, -1:], encoder_hidden_states=seen, **kept)
        past = out.past_key_values
        words = torch.cat([words, out.logits[:, -1].argmax(dim=1, keepdim=True)], dim=1)
        ended |= words[:, -1] == END
        if bool(ended.all()):
            break
    rows: list[list[int]] = words[:, 1:].tolist()
    return rows


class TinyCaptioner:
    """Implements `semcast.agents.models.roles.Model`."""

    role = "captioner"

    def __init__(self, card: Card, trunk: Trunk, model: VisionEncoderDecoderModel) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self._flops = int(card.data["flops"])
        self._trunk = trunk.requires_grad_(False).eval()
        self._model = model.requires_grad_(False).eval()

    def group(self, arguments: Extract) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Extract) -> int:
        """Of trunk, ViT and `MAX_WORDS` - 1 steps of the decoder: how many words it takes is not known before."""
        return self._flops

    def run(self, arguments: Sequence[Extract]) -> list[Extraction]:
        """Exactly `batch` pictures of 64x64; caption and the background that it names ("" if none), no boxes."""
        pictures = full_batch([call.picture for call in arguments], self.batch, self.name)
        with torch.inference_mode():
            features = SCALE * self._trunk.features(pictures)
        return [_extraction(text_of(numbers)) for numbers in greedy(self._model, features)]


def _extraction(text: str) -> Extraction:
    try:
        background = parse(text).background
    except BadInput:  # a network may say anything
        background = ""
    return Extraction(text, background, [])


def trunk_sha256(trunk: Trunk) -> str:
    """Hash of a trunk's weights in half precision, in the order of their names."""
    digest = hashlib.sha256()
    for name, value in sorted(trunk.state_dict().items()):
        if value.is_floating_point():
            number = value.half() + 0.0  # no negative zeros
            digest.update(name.encode() + number.contiguous().numpy().tobytes())
    return digest.hexdigest()


def load_trunk(path: Path) -> Trunk:
    """Read a trunk's weights, also out of a whole extractor's."""
    trunk = Trunk()
    weights = {name.removeprefix(IN_EXTRACTOR): value.float() for name, value in load_file(path).items()}
    counters = {name: value for name, value in trunk.state_dict().items() if name.endswith("num_batches_tracked")}
    trunk.load_state_dict({name: weights[name] for name in trunk.state_dict() if name not in counters} | counters)
    return trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def trunk_file(folder: Path) -> Path:
    """The weights that hold a captioner's trunk: the extractor's beside its folder, or else the package's."""
    beside = folder.parent / "extractor"
    return checked(read_card(beside if beside.is_dir() else WEIGHTS / "extractor"), "model.safetensors")


def load(folder: Path) -> TinyCaptioner:
    """Read a captioner in Hugging Face layout, its card, and the extractor's trunk; hashes are checked.

    Raises:
        BadInput: The extractor is another than the one that the captioner was trained with.
    """
    card = read_card(folder)
    for name in PARTS:
        checked(card, name)
    trunk = load_trunk(trunk_file(folder))
    if trunk_sha256(trunk) != card.data["trunk_sha256"]:
        raise BadInput(f"{card.data['name']}: the extractor's trunk has been trained again", "semcast train captioner")
    return TinyCaptioner(card, trunk, read(VisionEncoderDecoderModel, folder))


def examples() -> list[Extract]:
    """Ten different calls."""
    from .extractor import examples as pictures

    return [Extract(call.picture) for call in pictures()]
