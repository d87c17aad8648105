"""What a user's camera makes of a scene: pixels, or a sketch where the network's models work on sketches."""

from .scenes.draw import draw
from .scenes.world import Scene
from .sketches import SKETCH, of_scene, written


def photograph(scene: Scene, form: str) -> bytes:
    """A picture of a scene.

    Args:
        scene: What is in front of the camera.
        form: ``raw`` (uint8 RGB of (64, 64, 3)) or ``sketch``; see `sketches`.
    """
    return written(of_scene(scene)) if form == SKETCH else draw(scene).tobytes()
