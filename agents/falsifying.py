"""False contents: what an adversary makes of a message that passes, and prompts of its own making."""

import msgspec
import numpy as np

from ..bus.errors import BadInput
from ..bus.keys import Key
from ..bus.messages import BranchReady, Delta, Knowledge, Prompt, Share
from ..bus.signed import Signable
from .models.roles import Box
from .prompt_codec import BOXES, CAPTION, KEYWORDS, PARTS, PromptContent, decode, encode
from .scenes.caption import caption
from .scenes.world import Scene, make_scene

OBJECTS = (1, 4)
"""Things in a made-up scene."""


def crafted(recipient: int, time_ms: int, *key: Key) -> tuple[bytes, list[str]]:
    """A prompt with caption and boxes of a scene that nobody saw: its code, numbered 0, and its parts."""
    scene = make_scene(*_seeded(key), count=OBJECTS)
    content = _about(scene, PromptContent(0, recipient, time_ms, "greeting", (CAPTION, BOXES)))
    return encode(content)[0], list(content.parts)


def falsified(body: Signable, *key: Key) -> Signable:
    """A message with another content, under the same signature.

    A prompt tells of another scene in as many ways as it told of its own. Vectors (looks, preferences) point the opposite way;
    what is shared loses its pictures.

    Args:
        body: The message.
        key: First the run's seed, then what the change belongs to.
    """
    if isinstance(body, Prompt):
        return _other_prompt(body, *key)
    if isinstance(body, Share | Knowledge):
        items = [msgspec.structs.replace(item, vector=_opposite(item.vector), pictures=[], boxes=[]) for item in body.items]
        return msgspec.structs.replace(body, items=items)
    if isinstance(body, BranchReady):
        return msgspec.structs.replace(body, identifier=_opposite(body.identifier))
    if isinstance(body, Delta):
        return msgspec.structs.replace(body, identifiers={name: _opposite(v) for name, v in body.identifiers.items()})
    return body


def _other_prompt(prompt: Prompt, *key: Key) -> Prompt:
    try:
        told = decode(prompt.data)
    except BadInput:
        return prompt
    parts = tuple(part for part in PARTS if part in told.parts and part in (KEYWORDS, CAPTION, BOXES)) or (BOXES,)
    scene = make_scene(*_seeded(key), count=OBJECTS)
    empty = PromptContent(told.number, told.recipient, told.time_ms, told.task, parts, goal=told.goal)
    return msgspec.structs.replace(prompt, parts=list(parts), data=encode(_about(scene, empty))[0])


def _about(scene: Scene, content: PromptContent) -> PromptContent:
    boxes = tuple(Box(each.label, each.colour, each.cx, each.cy, each.width, each.height) for each in scene.boxes())
    return PromptContent(
        content.number,
        content.recipient,
        content.time_ms,
        content.task,
        content.parts,
        goal=content.goal,
        keywords=tuple(dict.fromkeys(box.label for box in boxes)),
        caption=caption(scene.background, [(box.label, box.colour, "") for box in boxes]),
        background=scene.background,
        boxes=boxes,
        box_subjects=(-1,) * len(boxes),
    )


def _seeded(key: tuple[Key, ...]) -> tuple[Key, ...]:
    return (*key[:1], "adversary's scene", *key[1:])


def _opposite(vector: bytes) -> bytes:
    return (-np.frombuffer(vector, "<f4")).tobytes()
