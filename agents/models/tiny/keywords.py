"""Role ``keywords``: what a user wants with a picture, from what it said and what was seen, by a small `GPTNeoForCausalLM`.

The text that it goes on with: the message, "|", what was seen, "=>". Seen are the things from left to right, the first and the
last marked as such, "|" and the background; without boxes the caption. Owners' names never enter: "mia's white dog" is "my white
dog" for Mia, "a white dog" for others. It answers with the goal, ";", keywords, "."; in the goal it first repeats, in brackets,
what the message calls a thing: "show ( the thing on the left ) my dog on grass". Said one after the other, each is a short look
back. What follows the brackets is the likeliest of the things that were seen, no mixture of two; the brackets are taken out.
"""

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, GPTNeoConfig, GPTNeoForCausalLM

from ....bus.errors import BadInput
from ...scenes.caption import NUMBERS
from ...scenes.goals import NEEDED, words
from ...scenes.vocabulary import COLOUR_NAMES, LABELS
from ..cards import Card, checked, read_card
from ..roles import Box, Intent, Interpret
from .pretrained import read, ready
from .text import NOTHING, START, WordList, split

BATCH = 1
"""A device asks about one picture at a time."""
MAX_PROMPT, MAX_ANSWER = 96, 36
"""Words of the text that is read and of the answer; what is longer is cut."""
WEIGHED = 2 * 8 * 3
"""Words of the things that are weighed against each other, reckoned for two mentions of eight things."""
BAR, ARROW, SEMICOLON, STOP, OPEN, CLOSE = "|", "=>", ";", ".", "(", ")"
WORDS = WordList(
    list(dict.fromkeys([BAR, ARROW, SEMICOLON, STOP, OPEN, CLOSE, ",", "a", "an", "nothing", *NUMBERS[1:9], *words()]))
)
"""The order is part of the weights."""
FIRST, LAST, GROUND = "left", "right", "on"
"""Words that mark the leftmost and the rightmost thing, and the one with which the background begins."""
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
    if call.boxes:
        ground = seen[len(seen) - 1 - seen[::-1].index(GROUND) :] if GROUND in seen else []
        seen = [*_things(call), BAR, *ground]
    return [*split(call.message), BAR, *seen, ARROW]


def _things(call: Interpret) -> list[str]:
    """Colour and class of all boxes from left to right; the asker's own are called so."""
    boxes = sorted(call.boxes, key=lambda box: (box.cx, box.cy))
    things = [["my" if box.subject in call.subjects else box.colour, box.label] for box in boxes]
    things[0].insert(0, FIRST)
    things[-1].insert(0, LAST)
    return [word for thing in things for word in thing]


def _owned(word: str, owners: Sequence[str]) -> str:
    if not word.endswith("'s"):
        return word
    return "my" if word[:-2] in owners else "a"


def numbers_of(text: Sequence[str]) -> list[int]:
    """START and the words' numbers; of a longer text the end counts."""
    return [START, *(WORDS.number(word) for word in text[-(MAX_PROMPT - 1) :])]


def answer(numbers: Sequence[int]) -> Intent:
    """Goal and keywords as said: before and after the semicolon, up to the stop; what stands in brackets is left out."""
    said = [WORDS.word(number) for number in numbers]
    said = said[: said.index(STOP)] if STOP in said else said
    middle = said.index(SEMICOLON) if SEMICOLON in said else len(said)
    return Intent(" ".join(_plain(said[:middle])), [word for word in said[middle + 1 :] if word])


def _plain(words: Sequence[str]) -> list[str]:
    kept, inside = [], False
    for word in words:
        inside = word == OPEN or inside and word != CLOSE
        if not inside and word not in (CLOSE, ""):
            kept.append(word)
    return kept


def meanings(call: Interpret) -> list[list[str]]:
    """What a message can mean: every thing seen, in the words of goals ("my dog", "the red cup"), each once."""
    named = [("my" if box.subject in call.subjects else box.colour, box.label) for box in call.boxes]
    words = [] if call.boxes else prompt(call)
    for owner, colour, noun in zip(words, words[1:], words[2:], strict=False):
        if colour in COLOUR_NAMES and noun in LABELS:
            named.append(("my" if owner == "my" else colour, noun))
    return [[colour, noun] if colour == "my" else ["the", colour, noun] for colour, noun in dict.fromkeys(named)]


@torch.inference_mode()
def said(model: GPTNeoForCausalLM, text: Sequence[str], meant: Sequence[Sequence[str]] = ()) -> list[int]:
    """Most likely next word, again and again, up to the stop.

    Args:
        model: In eval mode.
        text: What it goes on with.
        meant: After a closing bracket in a goal of one or two things, that of these which is likeliest as a whole is said.

    Returns:
        The words' numbers.
    """
    reading = Reading(model)
    answered: list[int] = []
    logits = reading.read(numbers_of(text))
    things = [[WORDS.number(word) for word in words] for words in meant]
    while len(answered) < MAX_ANSWER:
        told = [int(logits.argmax())]
        if things and _asks(answered):
            own = [answered[-3:-1]] if WORDS.word(answered[-3]) == "my" else []  # perhaps it was not seen
            could = [*things, *own]
            scores = [reading.likelihood(logits, thing) for thing in could]
            told = could[scores.index(max(scores))]
        answered += told
        if answered[-1] == WORDS.number(STOP):
            break
        logits = reading.read(told)
    return answered


def _asks(answered: Sequence[int]) -> bool:
    """Whether the next words are a thing that is meant (at most three)."""
    closed = 3 <= len(answered) <= MAX_ANSWER - 3 and answered[-1] == WORDS.number(CLOSE)
    return closed and WORDS.word(answered[0]) in NEEDED


class Reading:
    """A model on its way through a text: what it has read is kept."""

    def __init__(self, model: GPTNeoForCausalLM) -> None:
        self._model = model
        self._past: Cache = DynamicCache(config=model.config)
        self._length, self._last = 0, NOTHING

    def read(self, numbers: Sequence[int]) -> Tensor:
        """Go on; logits of the next word."""
        logits = self._forward(self._past, numbers)[-1]
        self._length, self._last = self._length + len(numbers), numbers[-1]
        return logits

    def likelihood(self, logits: Tensor, numbers: Sequence[int]) -> float:
        """Log probability that these words come next, `logits` being those of the first; nothing is kept.

        Rounded, so that last bits decide nothing.
        """
        rows = torch.stack([logits, *self._forward(copy.deepcopy(self._past), numbers)[:-1]]).log_softmax(1)
        return round(float(rows[torch.arange(len(numbers)), torch.tensor(numbers)].sum()), 3)

    def _forward(self, past: Cache, numbers: Sequence[int]) -> Tensor:
        ids = torch.tensor([numbers])
        kinds = before(ids, torch.tensor([[self._last]]))
        places = torch.arange(self._length, self._length + len(numbers))[None]
        out = self._model(ids, position_ids=places, token_type_ids=kinds, past_key_values=past, use_cache=True)
        found: Tensor = out.logits[0, :, : WORDS.size]
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
        """Of `MAX_PROMPT` + `MAX_ANSWER` words and the weighing of things: how many it takes is not known before."""
        return self._flops

    def run(self, arguments: Sequence[Interpret]) -> list[Intent]:
        """Exactly `batch` calls."""
        if len(arguments) != self.batch:
            raise BadInput(f"{self.name}: a batch of {len(arguments)}, not {self.batch}", "fill it up with the last call")
        return [answer(said(self._model, prompt(call), meanings(call))) for call in arguments]


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
