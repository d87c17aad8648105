"""Training of the keyword model: keyed requests of `scenes.goals` about keyed scenes; no pictures are drawn."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...scenes.caption import caption
from ...scenes.goals import NEEDED, Request, request
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ..cards import Card, write_card
from ..roles import Box, Interpret
from ..tiny.keywords import (
    BAR,
    BATCH,
    CLOSE,
    MAX_ANSWER,
    MAX_PROMPT,
    OPEN,
    PARTS,
    SEMICOLON,
    STOP,
    WEIGHED,
    WORDS,
    answer,
    before,
    build,
    meanings,
    numbers_of,
    prompt,
    said,
)
from ..tiny.pretrained import write
from ..tiny.text import NOTHING, START
from . import wording
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

TEXTS, LOOKUPS, REPAIRS = 48, 4, 12
"""Texts of a training step; how many of them are `lookup`'s, and how many are damaged captions (`wording.py`)."""
DRAWS = 3
"""Draws of a training message at most, see `situation`."""
NO_BOXES = 0.15
"""Share of situations in which nothing but a caption is known."""
NAMES = tuple(SUBJECTS)


def situation(*key: keys.Key, held_out: bool = False, draws: int = 1) -> tuple[Interpret, Request]:
    """A user's message about a scene with what it means; half show an own subject, some one of others; some have no boxes.

    Args:
        *key: What it is for.
        held_out: Draw from the sentences for evaluation.
        draws: A message that names no single thing is drawn again so often: these are learned soon.
    """
    rng = keys.generator(*key, "situation")
    mine, other = (NAMES[int(i)] for i in rng.choice(len(NAMES), 2, replace=False))
    shown = tuple(name for name, chance in ((mine, 0.5), (other, 0.15)) if rng.random() < chance)
    subjects = (mine,) if rng.random() < 0.85 else ()
    scene = make_scene(*key, count=(max(len(shown), 1), 8 if rng.random() < 0.1 else 4), subjects=shown)
    places = bool(rng.random() >= NO_BOXES)
    for draw in range(draws):
        again = (draw,) if draw else ()
        wanted = request(scene, subjects, *key, *again, held_out=held_out, places=places)
        if wanted.goal.kind in NEEDED:
            break
    boxes = [box if box.subject in subjects else _stranger(box) for box in scene.boxes()]
    # the extractor tells the most certain first; without boxes the captioner is heard, who tells from left to right
    order = rng.permutation(len(boxes)) if places else np.argsort([box.cx for box in boxes], kind="stable")
    said = caption(scene.background, [(boxes[i].label, boxes[i].colour, boxes[i].subject) for i in order])
    return Interpret(wanted.message, said, boxes if places else [], list(subjects)), wanted


def _stranger(box: Box) -> Box:
    """Nobody's, as an extractor sees what the asker does not own."""
    return Box(box.label, box.colour, box.cx, box.cy, box.width, box.height)


def numbers(call: Interpret, wanted: Request) -> tuple[list[int], list[int]]:
    """What is read and what is to be answered."""
    text = [*spelled(wanted), SEMICOLON, *wanted.keywords, STOP]
    return numbers_of(prompt(call)), [WORDS.number(word) for word in text]


def spelled(wanted: Request) -> list[str]:
    """The goal's words, before each subject in brackets what the message calls it."""
    told = [f"{OPEN} {name} {CLOSE} {subject}" for name, subject in zip(wanted.named, wanted.goal.subjects, strict=False)]
    return replace(wanted.goal, subjects=tuple(told) or wanted.goal.subjects).phrase().split()


def lookup(*key: keys.Key) -> tuple[list[int], int]:
    """Words in no order, a bar, and the same words again: practice in looking up what came after a word.

    Returns:
        The text, and the place of the bar.
    """
    rng = keys.generator(*key, "lookup")
    first = rng.choice(len(WORDS.words), int(rng.integers(6, 24)), replace=False) + WORDS.size - len(WORDS.words)
    start = [int(number) for number in rng.integers(WORDS.size - len(WORDS.words), WORDS.size, int(rng.integers(0, 12)))]
    told = [int(number) for number in first]
    return [START, *start, *told, WORDS.number(BAR), *told], 1 + len(start) + len(told)


def example(number: int, *key: keys.Key, lookups: int = 0, repairs: int = 0) -> tuple[Tensor, Tensor]:
    """Texts int64 (number, length) filled up with NOTHING, and the wanted next words, -100 where none is wanted.

    Wanted is the answer; the last texts are `repairs` damaged captions and `lookups` of `lookup`.
    """
    texts: list[tuple[list[int], int]] = []
    for index in range(number - lookups):
        situated = index < number - lookups - repairs
        read, said = numbers(*situation(*key, index, draws=DRAWS)) if situated else wording.numbers(*key, index)
        texts.append((read + said, len(read) - 1))
    texts += [lookup(*key, index) for index in range(lookups)]
    longest = max(len(text) for text, _ in texts) - 1
    ids, wanted = torch.full((number, longest), NOTHING), torch.full((number, longest), -100)
    for row, (text, told) in enumerate(texts):
        whole = torch.tensor(text)
        ids[row, : len(whole) - 1] = whole[:-1]
        wanted[row, told : len(whole) - 1] = whole[told + 1 :]
    return ids, wanted


def measure(model: Any, held_out: bool, number: int = 240) -> dict[str, float]:
    """Share of goals that are exactly right, and of keyword lists, from true boxes and captions."""
    cases = [situation("held out", "goals", index, held_out=held_out) for index in range(number)]
    goals = lists = 0
    for call, wanted in cases:
        intent = answer(said(model, prompt(call), meanings(call)))
        goals += intent.goal == wanted.goal.phrase()
        lists += tuple(intent.keywords) == wanted.keywords
    return {"goals": round(goals / number, 4), "keywords": round(lists / number, 4)}


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``keywords``."""
    torch.manual_seed(41)
    model = build()

    def loss(step: int) -> Tensor:
        ids, wanted = drawn(lambda: example(TEXTS, "keywords", step, lookups=LOOKUPS, repairs=REPAIRS))
        kinds = before(ids, torch.full((len(ids), 1), NOTHING))
        hidden = model.transformer(ids, token_type_ids=kinds, use_cache=False).last_hidden_state
        asked = wanted != -100
        logits = model.lm_head(hidden[asked])[:, : WORDS.size].float()
        return functional.cross_entropy(logits, wanted[asked])

    progress = fit(model, loss, work / "keywords", minutes, Settings(rate=1.5e-3, average=0.995), device)
    folder.mkdir(parents=True, exist_ok=True)
    write(model, folder)
    metrics: dict[str, float] = {}
    for name, held_out in (("known_patterns", False), ("held_out_patterns", True)):
        metrics |= {f"{what}_{name}": value for what, value in measure(model, held_out).items()}
    log.info("keywords: %s", metrics)
    length = MAX_PROMPT + MAX_ANSWER
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, length, dtype=torch.int64), use_cache=False)
    data = {
        "name": "tiny-keywords", "roles": ["keywords"], "params": sum(p.numel() for p in model.parameters()),
        "flops": counter.get_total_flops() * (length + WEIGHED) // length, "batch": BATCH, "recipe": "keywords",
        "command": f"semcast train keywords --minutes {minutes:g}", "training": progress, "metrics": metrics,
        "files": list(PARTS),
    }  # fmt: skip
    return write_card(folder, data)
