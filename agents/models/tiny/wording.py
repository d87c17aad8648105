"""Repairs wording: a caption that lost words or got wrong ones is said again by the local language model and the receiver's KB.

The model is that of role ``keywords``, which also learns this. It goes on from the words that arrived, ";", what the KB says of
own subjects and of the background ("my white dog on grass"), and "=>" with the whole sentence. Owners' names never enter: "mia's"
is read as "my", and "my dog" gets the owner that text or KB names with a dog. What no one can know is guessed as the model
has learned it: a lost colour that the KB does not hold is the likeliest one, so a repair makes a sentence readable, not true.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from transformers import GPTNeoForCausalLM

from ....bus.errors import BadInput
from ...scenes.caption import parse
from ..cards import checked, read_card
from .keywords import ARROW, PARTS, SEMICOLON, STOP, WORDS, said
from .pretrained import read
from .text import split

OWN = "my"
ALIKE = 0.7
"""Least similarity (`difflib`, 0 to 1) of a word to a known one that it is taken for."""


def well_formed(text: str) -> bool:
    """Whether a caption can be read word for word and says its background."""
    try:
        return bool(parse(text).background)
    except BadInput:
        return False


class Wording:
    """The calibrator's part for texts.

    Args:
        model: Of role ``keywords``, in eval mode.
    """

    def __init__(self, model: GPTNeoForCausalLM) -> None:
        self._model = model

    def repaired(self, text: str, known: Sequence[str] = ()) -> str:
        """A well-formed sentence for a caption.

        Args:
            text: As received.
            known: What the receiver's KB says: subjects such as "mia's white dog", a background such as "on grass".

        Returns:
            `text` itself where it is well-formed already, or where the model finds no sentence for it.
        """
        if well_formed(text):
            return text
        words = [WORDS.word(number) for number in said(self._model, prompt(text, known))]
        if STOP not in words:
            return text
        sentence = _named(words[: words.index(STOP)], text, known)
        return sentence if well_formed(sentence) else text


def load(folder: Path) -> Wording:
    """With the weights of the keyword model in `folder`; hashes are checked."""
    card = read_card(folder, recipe="keywords")
    for name in PARTS:
        checked(card, name)
    return Wording(read(GPTNeoForCausalLM, folder))


def prompt(text: str, known: Sequence[str]) -> list[str]:
    """The words that the model goes on with; misspelt ones as the known words that they are most like."""
    return [*map(_nearest, split(text)), SEMICOLON, *(word for item in known for word in map(_nearest, split(item))), ARROW]


def _nearest(word: str) -> str:
    if word.endswith("'s"):
        return OWN
    if WORDS.word(WORDS.number(word)):
        return word
    return next(iter(get_close_matches(word, WORDS.words, 1, ALIKE)), word)


def _named(words: Sequence[str], text: str, known: Sequence[str]) -> str:
    """Words as a sentence, with owners' names again and commas at their words."""
    owners = _owners(split(text)) | {noun: owner for item in known for noun, owner in _owners(split(item)).items()}
    sentence: list[str] = []
    for index, word in enumerate(words):
        if word == "," and sentence:
            sentence[-1] += ","
        elif word == OWN:
            noun = next((later for later in words[index + 1 : index + 4] if later in owners), "")
            sentence.append(owners.get(noun, "a"))
        else:
            sentence.append(word)
    return " ".join(sentence)


def _owners(words: Sequence[str]) -> dict[str, str]:
    """Noun -> who owns it, as said: "mia's white dog" gives dog -> "mia's"; any of the three words after an owner may be it."""
    return {_nearest(noun): word for i, word in enumerate(words) if word.endswith("'s") for noun in words[i + 1 : i + 4]}
