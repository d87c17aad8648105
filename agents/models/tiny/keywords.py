"""Role ``keywords``: what a user wants with a picture, from what it said and what was seen, by a small `GPTNeoForCausalLM`.

The text that it goes on with: the message, the caption, the things from left to right where boxes are given, and "=>"; it
answers with the goal, ";", keywords, ".". Owners' names never enter: "mia's white dog" is "my white dog" for Mia, "a white dog"
for others.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import GPTNeoConfig, GPTNeoForCausalLM

from ....bus.errors import BadInput
from ...scenes.caption import NUMBERS
from ...scenes.goals import words
from ..cards import Card, checked, read_card
from ..roles import Box, Intent, Interpret
from .pretrained import read, ready
from .text import NOTHING, START, WordList, split

BATCH = 1
"""A device asks about one picture at a time."""
MAX_PROMPT, MAX_ANSWER = 96, 20
"""Words of the text that is read and of the answer; what is longer is cut."""
BAR, ARROW, SEMICOLON, STOP = "|", "=>", ";", "."
WORDS = WordList(list(dict.fromkeys([BAR, ARROW, SEMICOLON, STOP, ",", "a", "an", "nothing", *NUMBERS[1:9], *words()])))
"""The order is part of the weights."""
START_SCALE = 0.03
"""Size of the place vectors before training, about that of a trained word's."""
PARTS = ("config.json", "generation_config.json", "model.safetensors")


def build(width: int = 128, layers: int = 4, heads: int = 4) -> GPTNeoForCausalLM:
    """A new model with random weights."""
    config = GPTNeoConfig(
        vocab_size=2 * WORDS.size, max_position_embeddings=MAX_PROMPT + MAX_ANSWER, hidden_size=width, num_layers=layers,
        num_heads=heads, intermediate_size=3 * width, attention_types=[[["global"], layers]], embed_dropout=0.0,
        attention_dropout=0.0, resid_dropout=0.0, bos_token_id=START, eos_token_id=WORDS.number(STOP), pad_token_id=NOTHING,
    )  # fmt: skip
    model: GPTNeoForCausalLM = ready(GPTNeoForCausalLM(config))
    with torch.no_grad():
        model.transformer.wpe.weight.copy_(START_SCALE * _waves(MAX_PROMPT + MAX_ANSWER, width))
    return model


def _waves(length: int, width: int) -> Tensor:
    """Sines and cosines of places (Vaswani et al. 2017), float32 (length, width).

    Where places start as these, "the word before" is one rotation for all places, and need not be learned for each.
    """
    angles = torch.arange(length).float()[:, None] / 1000 ** (torch.arange(width // 2).float() * 2 / width)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def before(ids: Tensor, first: Tensor) -> Tensor:
    """The word before each word, in numbers of its own: the model's second input (``token_type_ids``).

    With it "the colour of the word" and "the word of the colour" are one step of attention away.

    Args:
        ids: Words (n, length).
        first: The word before the first (n, 1).
    """
    return WORDS.size + torch.cat([first, ids[:, :-1]], dim=1)


def prompt(call: Interpret) -> list[str]:
    """The words that the model goes on with."""
    owners = [name.split("/")[0] for name in call.subjects]
    seen = [_owned(word, owners) for word in split(call.caption)]
    things = [BAR]
    for box in sorted(call.boxes, key=lambda box: (box.cx, box.cy)):
        things += ["my", box.label] if box.subject in call.subjects else [box.colour, box.label]
    return [*split(call.message), BAR, *seen, *(things if call.boxes else []), ARROW]


def _owned(word: str, owners: Sequence[str]) -> str:
    if not word.endswith("'s"):
        return word
    return "my" if word[:-2] in owners else "a"


def numbers_of(text: Sequence[str]) -> list[int]:
    """START and the words' numbers; of a longer text the end counts."""
    return [START, *(WORDS.number(word) for word in text[-(MAX_PROMPT - 1) :])]


def answer(numbers: Sequence[int]) -> Intent:
    """Goal and keywords as said: before and after the semicolon, up to the stop."""
    said = [WORDS.word(number) for number in numbers]
    said = said[: said.index(STOP)] if STOP in said else said
    middle = said.index(SEMICOLON) if SEMICOLON in said else len(said)
    return Intent(" ".join(said[:middle]), [word for word in said[middle + 1 :] if word])


@torch.inference_mode()
def greedy(model: GPTNeoForCausalLM, texts: Sequence[Sequence[str]]) -> list[list[int]]:
    """Most likely next word, again and again, until every row has stopped.

    All texts are filled up on the left to `MAX_PROMPT`, so that a row's numbers never depend on how long the others are.
    """
    rows = [numbers_of(text) for text in texts]
    ids = torch.tensor([[NOTHING] * (MAX_PROMPT - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (MAX_PROMPT - len(row)) + [1] * len(row) for row in rows])
    past, said, last = None, [], torch.full((len(rows), 1), NOTHING)
    stopped = torch.zeros(len(rows), dtype=torch.bool)
    for _ in range(MAX_ANSWER):
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        kinds = before(ids, last)
        out = model(ids, attention_mask=mask, position_ids=places, token_type_ids=kinds, past_key_values=past, use_cache=True)
        past, last = out.past_key_values, ids[:, -1:]
        ids = out.logits[:, -1, : WORDS.size].argmax(dim=1, keepdim=True)
        mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
        said.append(ids)
        stopped |= ids[:, 0] == WORDS.number(STOP)
        if bool(stopped.all()):
            break
    found: list[list[int]] = torch.cat(said, dim=1).tolist()
    return found


class TinyKeywords:
    """Implements `semcast.agents.models.roles.Model`."""

    role = "keywords"

    def __init__(self, card: Card, model: GPTNeoForCausalLM) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self._flops = int(card.data["flops"])
        self._model = model.requires_grad_(False).eval()

    def group(self, arguments: Interpret) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Interpret) -> int:
        """Of `MAX_PROMPT` + `MAX_ANSWER` words: how many it takes is not known before."""
        return self._flops

    def run(self, arguments: Sequence[Interpret]) -> list[Intent]:
        """Exactly `batch` calls."""
        if len(arguments) != self.batch:
            raise BadInput(f"{self.name}: a batch of {len(arguments)}, not {self.batch}", "fill it up with the last call")
        return [answer(row) for row in greedy(self._model, [prompt(call) for call in arguments])]


def load(folder: Path) -> TinyKeywords:
    """Read a model in Hugging Face layout and its card; hashes are checked."""
    card = read_card(folder)
    for name in PARTS:
        checked(card, name)
    return TinyKeywords(card, read(GPTNeoForCausalLM, folder))


def examples() -> list[Interpret]:
    """Ten different calls, some with boxes, some with own subjects."""
    boxes = [Box("dog", "white", 12, 40, 16, 14, 0.9, "mia/dog"), Box("cup", "red", 44, 20, 12, 12, 0.8)]
    messages = (
        "where is my dog",
        "show the thing on the left",
        "say hello",
        "how many cups are there",
        "compare the dog and the cup",
    )
    said = "mia's white dog and a red cup on grass"
    return [Interpret(text, said, boxes if i else [], ["mia/dog"] if i else []) for i in (0, 1) for text in messages]
