"""What a caption says, as far as it can be understood. (Does not import torch.)"""

from ....bus.errors import BadInput
from ...scenes.caption import Parsed, parse
from ...scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS
from .text import split


def read(caption: str) -> Parsed:
    """What a caption says; of one that is no sentence of ours, whatever classes, colours and background it names."""
    try:
        return parse(caption)
    except BadInput:
        words = split(caption)
    singular = {PLURALS.get(label, label + "s"): label for label in LABELS} | {label: label for label in LABELS}
    objects, colour = [], ""
    for word in words:
        if word in COLOUR_NAMES:
            colour = word
        elif word in singular:
            objects.append((singular[word], colour, ""))
            colour = ""
    background = next((name for name in BACKGROUND_PHRASES if name in words), "")
    return Parsed(background, tuple(objects))
