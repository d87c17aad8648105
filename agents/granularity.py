"""How much a prompt says: its cost at every granularity, and L ordered prompts for successive refinement.

A granularity is a number of keywords and boxes, and whether there is a caption. Boxes come most certain first and keywords most
telling first, so that a coarser prompt is always the beginning of a finer one. Nothing is sent twice: what a finer prompt adds
to a coarser one is a prompt itself (`refinement`), and the receiver puts both together (`merged`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import Struct

from ..bus.errors import BadInput
from .prompt_codec import BOXES, CAPTION, HEADER_BITS, IDENTIFIERS, KEYWORDS, PARTS, REFERENCES, PromptContent, part_bits

MOST_BOXES = 15
"""What the codec's count of boxes can say."""


class Granularity(Struct, frozen=True):
    """At most so many ``keywords`` (the goal goes with them) and ``boxes``, and whether there is a ``caption``."""

    keywords: int = 6
    boxes: int = MOST_BOXES
    caption: bool = True

    def __post_init__(self) -> None:
        if self.keywords < 0 or not 0 <= self.boxes <= MOST_BOXES:
            raise BadInput(
                f"granularity: {self.keywords} keywords, {self.boxes} boxes", f"0 or more keywords, 0 to {MOST_BOXES} boxes"
            )


LADDER = (Granularity(2, 0, False), Granularity(6, 0, True), Granularity(6, 4, True), Granularity())
"""Default rungs: two keywords; all and the caption; the four most certain boxes; all boxes."""


def cut(content: PromptContent, granularity: Granularity) -> PromptContent:
    """What of a prompt's content is left at a granularity; ``parts`` names what is there."""
    keywords = content.keywords[: granularity.keywords]
    kept = replace(
        content,
        goal=content.goal if granularity.keywords else "",
        keywords=keywords,
        caption=content.caption if granularity.caption else "",
        background=content.background if granularity.boxes else "",
        boxes=content.boxes[: granularity.boxes],
        box_subjects=content.box_subjects[: granularity.boxes],
    )
    return replace(kept, parts=parts_of(kept))


def parts_of(content: PromptContent) -> tuple[str, ...]:
    """The parts whose fields say something."""
    there = {
        KEYWORDS: bool(content.goal or content.keywords),
        CAPTION: bool(content.caption),
        BOXES: bool(content.boxes or content.background),
        REFERENCES: bool(content.subjects),
        IDENTIFIERS: bool(content.identifiers),
    }
    return tuple(part for part in PARTS if there[part])


def cost_bits(content: PromptContent, granularity: Granularity) -> dict[str, int]:
    """Part -> its exact cost in bits at a granularity, before any is chosen."""
    return part_bits(cut(content, granularity))


@dataclass(frozen=True)
class Rung:
    """One of L ordered prompts.

    Attributes:
        content: All that the receiver knows with this rung.
        added: What is sent on top of the rung below, a prompt of its own.
        bits: Cost of ``added`` in bits, its header included.
    """

    content: PromptContent
    added: PromptContent
    bits: int


def ladder(content: PromptContent, rungs: Sequence[Granularity] = LADDER) -> tuple[Rung, ...]:
    """L ordered prompts, coarse to fine; a rung that adds nothing to the one below is left out.

    Raises:
        BadInput: A rung says less than the one below it.
    """
    found: list[Rung] = []
    for below, granularity in zip((Granularity(0, 0, False), *rungs), rungs, strict=False):
        if granularity.keywords < below.keywords or granularity.boxes < below.boxes or below.caption > granularity.caption:
            raise BadInput(f"rung {granularity} says less than {below}", "order the rungs from coarse to fine")
        whole = cut(content, granularity)
        added = refinement(found[-1].content, whole) if found else whole
        if added.parts:
            found.append(
                Rung(whole, added, HEADER_BITS + sum(bits for part, bits in part_bits(added).items() if part in added.parts))
            )
    return tuple(found)


def refinement(coarse: PromptContent, fine: PromptContent) -> PromptContent:
    """What `fine` says beyond `coarse`, which is its beginning."""
    rest = replace(
        fine,
        goal="" if coarse.goal else fine.goal,
        keywords=fine.keywords[len(coarse.keywords) :],
        caption="" if coarse.caption else fine.caption,
        background="" if coarse.background else fine.background,
        boxes=fine.boxes[len(coarse.boxes) :],
        box_subjects=fine.box_subjects[len(coarse.box_subjects) :],
        subjects=fine.subjects[len(coarse.subjects) :],
        identifiers={name: vector for name, vector in fine.identifiers.items() if name not in coarse.identifiers},
    )
    return replace(rest, parts=parts_of(rest))


def merged(coarse: PromptContent, added: PromptContent) -> PromptContent:
    """The receiver's side: `coarse` with a refinement of it."""
    both = replace(
        coarse,
        goal=coarse.goal or added.goal,
        keywords=coarse.keywords + added.keywords,
        caption=coarse.caption or added.caption,
        background=coarse.background or added.background,
        boxes=coarse.boxes + added.boxes,
        box_subjects=coarse.box_subjects + added.box_subjects,
        subjects=coarse.subjects + added.subjects,
        identifiers=coarse.identifiers | added.identifiers,
    )
    return replace(both, parts=parts_of(both))
