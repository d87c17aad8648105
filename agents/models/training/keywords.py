"""Training of the keyword model: keyed requests of `scenes.goals` about keyed scenes; no pictures are drawn."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...scenes.caption import caption
from ...scenes.goals import Request, request
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ..cards import Card, write_card
from ..roles import Box, Interpret
from ..tiny.keywords import (
    BAR,
    BATCH,
    MAX_ANSWER,
    MAX_PROMPT,
    PARTS,
    SEMICOLON,
    STOP,
    WORDS,
    answer,
    before,
    build,
    greedy,
    numbers_of,
    prompt,
)
from ..tiny.pretrained import write
from ..tiny.text import NOTHING, START
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

BLOCK = 8
"""Texts that are measured together."""
TEXTS, LOOKUPS = 48, 6
"""Texts of a training step, and how many of them are for practice alone."""
NAMES = tuple(SUBJECTS)


def situation(*key: keys.Key, held_out: bool = False) -> tuple[Interpret, Request]:
    """A user's message about a scene with what it means; half show an own subject, some one of others; a third have no boxes."""
    rng = keys.generator(*key, "situation")
    mine, other = (NAMES[int(i)] for i in rng.choice(len(NAMES), 2, replace=False))
    shown = tuple(name for name, chance in ((mine, 0.5), (other, 0.15)) if rng.random() < chance)
    subjects = (mine,) if rng.random() < 0.85 else ()
    scene = make_scene(*key, count=(max(len(shown), 1), 8 if rng.random() < 0.1 else 4), subjects=shown)
    places = bool(rng.random() < 0.67)
    wanted = request(scene, subjects, *key, held_out=held_out, places=places)
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
    text = [*wanted.goal.phrase().split(), SEMICOLON, *wanted.keywords, STOP]
    return numbers_of(prompt(call)), [WORDS.number(word) for word in text]


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


def example(number: int, *key: keys.Key, lookups: int = 0) -> tuple[Tensor, Tensor]:
    """Texts int64 (number, length) filled up with NOTHING, and the wanted next words, -100 where none is wanted.

    Wanted is the answer, and what comes before it from the last bar on: telling the things again after the caption is the same
    skill of looking a word up in what was read, and learned sooner. The last `lookups` of the texts are `lookup`'s.
    """
    texts: list[tuple[list[int], int]] = []
    for index in range(number - lookups):
        read, said = numbers(*situation(*key, index))
        texts.append((read + said, len(read) - 1 - read[::-1].index(WORDS.number(BAR))))
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
    for start in range(0, number, BLOCK):
        part = cases[start : start + BLOCK]
        for (_, wanted), row in zip(part, greedy(model, [prompt(call) for call, _ in part]), strict=True):
            said = answer(row)
            goals += said.goal == wanted.goal.phrase()
            lists += tuple(said.keywords) == wanted.keywords
    return {"goals": round(goals / number, 4), "keywords": round(lists / number, 4)}


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``keywords``."""
    torch.manual_seed(41)
    model = build()

    def loss(step: int) -> Tensor:
        ids, wanted = drawn(lambda: example(TEXTS, "keywords", step, lookups=LOOKUPS))
        kinds = before(ids, torch.full((len(ids), 1), NOTHING))
        logits = model(ids, token_type_ids=kinds, use_cache=False).logits[..., : WORDS.size].float()
        return functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-100)

    progress = fit(model, loss, work / "keywords", minutes, Settings(rate=1.5e-3, average=0.995), device)
    folder.mkdir(parents=True, exist_ok=True)
    write(model, folder)
    metrics: dict[str, float] = {}
    for name, held_out in (("known_patterns", False), ("held_out_patterns", True)):
        metrics |= {f"{what}_{name}": value for what, value in measure(model, held_out).items()}
    log.info("keywords: %s", metrics)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, MAX_PROMPT + MAX_ANSWER, dtype=torch.int64), use_cache=False)
    data = {
        "name": "tiny-keywords", "roles": ["keywords"], "params": sum(p.numel() for p in model.parameters()),
        "flops": counter.get_total_flops(), "batch": BATCH, "recipe": "keywords",
        "command": f"semcast train keywords --minutes {minutes:g}", "training": progress, "metrics": metrics,
        "files": list(PARTS),
    }  # fmt: skip
    return write_card(folder, data)
