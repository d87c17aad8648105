"""What users want, from their message and their picture: extractor and keyword model together, against the goal world's truth."""

from dataclasses import dataclass

from ...agents.models.loading import PROFILES, load_models
from ...agents.models.roles import Extract, Extraction, Intent, Interpret
from ...agents.scenes.draw import draw
from ...agents.scenes.goals import Request as Wish
from ...agents.scenes.goals import request as wish
from ...agents.scenes.vocabulary import SUBJECTS
from ...agents.scenes.world import Scene, make_scene
from ...bus import keys
from . import Request
from .scenes import MAX_OBJECTS, run_all
from .score import Score, Skipped, mean

NAMES = tuple(SUBJECTS)


@dataclass(frozen=True)
class Case:
    """A picture of a user with what it said and meant; half show the user's own subject."""

    scene: Scene
    subject: str
    wish: Wish


def cases(number: int) -> list[Case]:
    """Keyed cases of 1 to 4 objects; messages follow patterns that no training has seen."""
    found = []
    for index in range(number):
        key = ("evaluation", "goals", index)
        subject = NAMES[keys.integer(len(NAMES), *key, "owner")]
        shown = (subject,) if keys.uniform(*key, "shown") < 0.5 else ()
        scene = make_scene(*key, count=(1, MAX_OBJECTS), subjects=shown)
        found.append(Case(scene, subject, wish(scene, (subject,), *key, held_out=True)))
    return found


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """Goal accuracy: share of cases whose goal equals the scene's true one word for word (kind, what is meant, place).

    The picture goes through the extractor with the owner's identifier (the message is not seen by it), and what it saw with the
    message through the keyword model: an error of either counts. Keywords: share of the true ones among those said (recall),
    mean over cases.
    """
    if "keywords" not in PROFILES.get(request.profile, {}):
        reason = f"profile {request.profile} has no model for goals"
        return {name: Skipped(reason) for name in ("goal_accuracy", "keyword_recall")}
    from ...agents.models.tiny.personaliser import catalog

    models = load_models(request.profile, ["extractor", "keywords"])
    world, known = cases(request.scenes), catalog()
    looked: list[Extraction] = run_all(
        models["extractor"], [Extract(draw(case.scene).tobytes(), {case.subject: known[case.subject]}) for case in world]
    )
    said: list[Intent] = run_all(
        models["keywords"],
        [Interpret(c.wish.message, seen.caption, seen.boxes, [c.subject]) for c, seen in zip(world, looked, strict=True)],
    )
    pairs = list(zip(world, said, strict=True))
    return {
        "goal_accuracy": mean([float(intent.goal == case.wish.goal.phrase()) for case, intent in pairs]),
        "keyword_recall": mean(
            [len(set(intent.keywords) & set(case.wish.keywords)) / len(case.wish.keywords) for case, intent in pairs]
        ),
    }
