"""What each model costs: wall time of a call on this machine, and bits of the prompt parts that it makes.

Wall time is for the reader alone. Simulated time follows from FLOPs and the device's throughput, never from this.
"""

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib import import_module
from typing import Any

import numpy as np

from ...agents.models.loading import PROFILES, load_models, model_table, other_models
from ...agents.models.roles import Branch, Embed, Extraction, Intent, Model
from ...agents.prompt_codec import BOXES, CAPTION, IDENTIFIERS, KEYWORDS, PromptContent, part_bits
from ...agents.scenes.draw import draw
from ...bus import keys
from ...bus.errors import SemcastError
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, mean

REPEATS = 7
WALL, BITS = "wall_ms_", "prompt_bits_"


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """For every role and variant, on its own examples, and for the models that no agent asks.

    Returns:
        ``wall_ms_ROLE``: milliseconds of one call in a full batch with one thread, mean over 7 batches after a first one that is
        not counted (``jscc_photos``: there and back, 256x256 pixels at CBR 1/16). ``prompt_bits_ROLE``: bits of the prompt parts
        made from a result, as `agents.prompt_codec` codes them.
    """
    found: dict[str, Score | Skipped] = {}
    models = load_models(request.profile)
    for row in model_table(request.profile):
        if row.problem:
            found[WALL + row.role] = Skipped(row.problem)
            continue
        model = models[row.role]
        calls = _examples(request.profile, row.role, model)
        found[WALL + row.role] = mean(_wall_ms(model, [calls[index % len(calls)] for index in range(model.batch)]))
        bits = [prompt_bits(result) for result in run_all(model, calls)]
        if any(bits):
            found[BITS + row.role] = mean([float(number) for number in bits])
    return found | _others()


def _others() -> dict[str, Score | Skipped]:
    """Wall time of `OTHERS`."""
    found: dict[str, Score | Skipped] = {}
    for row, load in zip(other_models(), (_photographs, _detecting, _judging), strict=True):
        try:
            work, calls = load()
        except SemcastError as error:
            found[WALL + row.role] = Skipped(str(error))
            continue
        found[WALL + row.role] = mean(_timed(work, calls))
    return found


def _photographs() -> tuple[Callable[[], object], int]:
    from ...agents.models.codecs.photo import load_photo_codec, symbols_of

    codec, side = load_photo_codec(), 256
    picture = keys.generator("catalogue", "photograph").integers(0, 256, (side, side, 3), dtype=np.uint8)
    symbols = symbols_of(Fraction(1, 16), side, side)

    def work() -> None:
        sent = codec.encode(codec.sketch(picture), symbols, 10.0)
        codec.decode(sent.side, sent.symbols, 10.0)

    return work, 1


def _detecting() -> tuple[Callable[[], object], int]:
    from ...agents.models.judge import Judge

    judge, pictures = Judge.load(), _scenes()
    return lambda: judge.detect(pictures), len(pictures)


def _judging() -> tuple[Callable[[], object], int]:
    from ...agents.models.clip_judge import ClipJudge

    judge, pictures = ClipJudge.load(), _scenes()
    return lambda: judge.images(pictures), len(pictures)


def _scenes() -> np.ndarray:
    return np.stack([draw(scene) for scene in held_out(8)])


def prompt_bits(result: Any) -> int:
    """Bits of the prompt parts that a result fills: caption and boxes, goal and keywords, or an identifier; 0 for others."""
    if isinstance(result, Extraction):
        content = _content(caption=result.caption, background=result.background, boxes=tuple(result.boxes))
        parts: tuple[str, ...] = (CAPTION, BOXES) if result.boxes else (CAPTION,)
    elif isinstance(result, Intent):
        content, parts = _content(goal=result.goal, keywords=tuple(result.keywords)), (KEYWORDS,)
    elif isinstance(result, Branch):
        content, parts = _content(identifiers={0: result.identifier}), (IDENTIFIERS,)
    else:
        return 0
    bits = part_bits(content)
    return sum(bits[part] for part in parts)


def _content(**said: Any) -> PromptContent:
    boxes = said.get("boxes", ())
    return PromptContent(0, 0, 0, "greeting", (), box_subjects=(-1,) * len(boxes), **said)


def _examples(profile: str, role: str, model: Model) -> list[Any]:
    """The examples' largest group."""
    source = PROFILES[profile][role]
    module = import_module(f"...agents.models.{source.module}", __package__)
    groups: dict[str, list[Any]] = {}
    for arguments in getattr(module, source.examples)():
        groups.setdefault(model.group(arguments), []).append(arguments)
    return max(groups.values(), key=len)


def _never_seen(call: Any, repeat: int) -> Any:
    """An embedder remembers texts, so they differ from batch to batch."""
    return Embed([f"{text} {repeat}" for text in call.texts]) if isinstance(call, Embed) else call


def _wall_ms(model: Model, calls: Sequence[Any]) -> np.ndarray:
    fresh = iter([[_never_seen(call, repeat) for call in calls] for repeat in range(REPEATS + 1)])
    return _timed(lambda: model.run(next(fresh)), len(calls))


def _timed(work: Callable[[], object], calls: int) -> np.ndarray:
    """Milliseconds a call of `REPEATS` runs of `work`, which makes `calls` of them; a first one is not counted."""
    import torch

    torch.set_num_threads(1)
    walls = []
    for _ in range(REPEATS + 1):
        started_s = time.perf_counter()
        work()
        walls.append(1e3 * (time.perf_counter() - started_s) / calls)
    return np.array(walls[1:])
