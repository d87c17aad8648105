"""What a camera makes of a scene: pixels, or a sketch where the network's models work on sketches; and what people see of it."""

from .models.framewise import still
from .models.roles import PICTURE_SIDE
from .scenes.draw import draw
from .scenes.vocabulary import BACKGROUND_NAMES, SUBJECTS
from .scenes.world import Scene, SceneObject
from .sketches import SKETCH, Thing, is_sketch, of_scene, read, written


def photograph(scene: Scene, form: str) -> bytes:
    """A picture of a scene.

    Args:
        scene: What is in front of the camera.
        form: ``raw`` (uint8 RGB of (64, 64, 3)) or ``sketch``; see `sketches`.
    """
    return written(of_scene(scene)) if form == SKETCH else draw(scene).tobytes()


def developed(picture: bytes) -> bytes:
    """A picture for people: pixels as they are, of a clip the middle frame, a sketch drawn anew (no trace of the channel)."""
    if not is_sketch(picture):
        return still(picture)
    sketch = read(picture)
    background = BACKGROUND_NAMES[max(sketch.background - 1, 0)]
    return draw(Scene(background, tuple(_object(thing) for thing in sketch.things), sketch.grain)).tobytes()


def _object(thing: Thing) -> SceneObject:
    """A thing at whole pixels, all of it in the picture."""
    box = thing.box()
    width, height = (min(max(round(side), 4), PICTURE_SIDE) for side in (box.width, box.height))
    left = min(max(round(box.cx - width / 2), 0), PICTURE_SIDE - width)
    top = min(max(round(box.cy - height / 2), 0), PICTURE_SIDE - height)
    marking = SUBJECTS[box.subject].marking if box.subject in SUBJECTS else None
    centre = (left + width / 2, top + height / 2)
    return SceneObject(box.label, box.colour, *centre, float(width), float(height), False, box.subject, marking)
