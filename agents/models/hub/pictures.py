"""Pictures of the network (uint8 RGB bytes, `PICTURE_SIDE` square) and pictures of the models (Pillow, any size)."""

from PIL import Image

from ....bus.errors import BadInput
from ..roles import PICTURE_SIDE


def opened(picture: bytes, who: str) -> Image.Image:
    """A picture of the network for a model, which scales it to its own size.

    Raises:
        BadInput: Another number of bytes.
    """
    if len(picture) != 3 * PICTURE_SIDE * PICTURE_SIDE:
        raise BadInput(f"{who}: a picture of {len(picture)} bytes", f"uint8 RGB of {PICTURE_SIDE}x{PICTURE_SIDE} pixels")
    return Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), picture)


def closed(image: Image.Image) -> bytes:
    """A model's picture for the network: scaled by area means to `PICTURE_SIDE`, which the scenes' JSCC codecs carry."""
    return image.convert("RGB").resize((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BOX).tobytes()
