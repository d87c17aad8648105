"""Small real models for tests of the agents: each does its job by plain arithmetic on what it is given, and knows no truth.

Classes are told apart by the outline of a blob, pictures are drawn by the scene world's pencil and travel as the means of
4x4 blocks.
"""

from functools import cache

import numpy as np
from scipy import ndimage
from semcast.agents.models.roles import (
    PICTURE_SIDE,
    Box,
    Branch,
    Decode,
    Denoise,
    Denoised,
    Embed,
    Embedding,
    Encode,
    Extract,
    Extraction,
    Generate,
    Personalise,
    Picture,
    Symbols,
)
from semcast.agents.pictures import cut
from semcast.agents.scenes.caption import caption, parse
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.sprites import sprite
from semcast.agents.scenes.vocabulary import BACKGROUNDS, COLOURS, LABELS
from semcast.agents.scenes.world import Scene, SceneObject
from semcast.bus import keys
from semcast.bus.errors import BadInput
from semcast.scenarios.bench.harming.network import Arithmetic

SIDE = PICTURE_SIDE


def models() -> dict[str, Arithmetic]:
    """Every role."""
    return {
        "extractor": Arithmetic("extractor", extract, 10**9),
        "generator": Arithmetic("generator", generate, 10**11),
        "generator@small": Arithmetic("generator@small", generate, 10**9),
        "personaliser": Arithmetic("personaliser", personalise, 10**10),
        "embedder": Arithmetic("embedder", embed, 10**9),
        "jscc_encoder": Arithmetic("jscc_encoder", encode, 10**8),
        "jscc_decoder": Arithmetic("jscc_decoder", decode, 10**8),
        "denoiser": Arithmetic("denoiser", denoise, 10**8),
    }


def array(picture: bytes) -> np.ndarray:
    return np.frombuffer(picture, np.uint8).reshape(SIDE, SIDE, 3).astype(np.float64)


def nearest(rgb: np.ndarray, palette: dict[str, tuple[int, int, int]]) -> str:
    return min(palette, key=lambda name: float(((np.array(palette[name]) - rgb) ** 2).sum()))


@cache
def outline(label: str, width: int, height: int) -> np.ndarray:
    return sprite(label, width, height, False).sum(axis=-1) > 127


def extract(call: Extract) -> Extraction:
    """Blobs that stand out from the background; class by outline, colour by the median, subject by the nearest look."""
    pixels = array(call.picture)
    ground = np.median(pixels.reshape(-1, 3), axis=0)
    stands_out = ndimage.binary_closing(np.abs(pixels - ground).max(axis=2) > 36, iterations=2)
    blobs, _ = ndimage.label(ndimage.binary_fill_holes(ndimage.binary_opening(stands_out)))
    boxes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(blobs)[:40], 1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if min(height, width) < 8:
            continue
        inside = blobs[rows, columns] == number
        overlaps = {
            label: max(_overlap(inside, outline(label, width, height)[:, ::flip]) for flip in (1, -1)) for label in LABELS
        }
        label = max(overlaps, key=lambda name: overlaps[name])
        colour = nearest(np.median(pixels[rows, columns][inside], axis=0), COLOURS)
        box = Box(label, colour, columns.start + width / 2, rows.start + height / 2, float(width), float(height), overlaps[label])
        look = np.frombuffer(looks(call.picture, box), "<f4")
        alike = {name: float(look @ np.frombuffer(v, "<f4")) for name, v in call.subjects.items() if name.endswith("/" + label)}
        subject = max(alike, key=lambda name: alike[name], default="")
        boxes.append(Box(*(getattr(box, f) for f in box.__struct_fields__[:7]), subject if alike.get(subject, 0.0) > 0.8 else ""))
    boxes.sort(key=lambda box: -box.score)
    background = nearest(ground, BACKGROUNDS)
    return Extraction(caption(background, [(box.label, box.colour, box.subject) for box in boxes[:6]]), background, boxes[:8])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def looks(picture: bytes, box: Box) -> bytes:
    """Unit vector: the colours of a box's quarters."""
    left, top = int(max(box.cx - box.width / 2, 0)), int(max(box.cy - box.height / 2, 0))
    crop = array(picture)[top : top + max(int(box.height), 2), left : left + max(int(box.width), 2)]
    rows, columns = np.array_split(np.arange(crop.shape[0]), 4), np.array_split(np.arange(crop.shape[1]), 4)
    means = [crop[np.ix_(r, c)].reshape(-1, 3).mean(axis=0) if len(r) and len(c) else np.zeros(3) for r in rows for c in columns]
    vector = np.concatenate(means) - 128
    return (vector / max(np.linalg.norm(vector), 1e-9)).astype("<f4").tobytes()


ADAPTER = bytes(5000)


def personalise(call: Personalise) -> Branch:
    vectors = [np.frombuffer(looks(picture, box), "<f4") for picture, box in zip(call.pictures, call.boxes, strict=True)]
    mean = np.mean(vectors, axis=0)
    identifier = (mean / np.linalg.norm(mean)).astype("<f4").tobytes()
    return Branch(call.subject, identifier, cut(call.pictures[0], call.boxes[0]), ADAPTER if call.adapter else b"")


def generate(call: Generate) -> Picture:
    """Draw what the prompt says; where it does not say the place, anywhere."""
    boxes = list(call.boxes)
    if not boxes:
        rng = keys.generator("simple generator", call.seed)
        for label, colour, subject in said(call.caption):
            boxes.append(Box(label, colour, *map(float, rng.integers(12, SIDE - 12, 2)), 20.0, 20.0, 1.0, subject))
    things = []
    for box in boxes:
        width, height = max(int(box.width), 4), max(int(box.height), 4)
        left, top = (min(max(int(c - s / 2), 0), SIDE - s) for c, s in ((box.cx, width), (box.cy, height)))
        tint = (30 * (box.subject in call.subjects), -30 * (box.subject in call.references), 30 * (box.subject in call.adapters))
        place = (left + width / 2, top + height / 2, float(width), float(height))
        things.append(SceneObject(box.label or "ball", box.colour or "red", *place, tint=tint))
    background = call.background or next((name for name in BACKGROUNDS if name in call.caption), "grass")
    return Picture(draw(Scene(background, tuple(things), call.seed % (1 << 30))).tobytes())


def said(text: str) -> list[tuple[str, str, str]]:
    """What a caption or keywords mention."""
    try:
        return list(parse(text).objects)
    except BadInput:
        return [(word, "red", "") for word in text.split(", ") if word in LABELS]


def embed(call: Embed) -> Embedding:
    """Letters hashed into 32 places."""
    vectors = []
    for text in call.texts:
        vector = np.zeros(32)
        for word in text.replace("'s", " ").split():
            vector[keys.integer(32, "embed", word)] += 1
        vectors.append((vector / np.linalg.norm(vector)).astype("<f4").tobytes())
    return Embedding(vectors)


SYMBOLS = {"snr01-cbr12": 1024, "snr01-cbr24": 512}


def encode(call: Encode) -> Symbols:
    """Means of 4x4 blocks, I and Q."""
    means = array(call.picture).reshape(16, 4, 16, 4, 3).mean(axis=(1, 3)).ravel() - 127.5
    count = 512 if call.codec.endswith("cbr24") else 1024
    values = np.resize(means, 2 * count)
    symbols = values[::2] + 1j * values[1::2]
    power = np.mean(np.abs(symbols) ** 2)
    return Symbols((symbols / np.sqrt(max(power, 1e-9))).astype("<c8").tobytes())


def denoise(call: Denoise) -> Denoised:
    """Shrink towards zero as far as unit-power symbols want it."""
    snr = 10 ** (call.snr_db / 10)
    return Denoised((np.frombuffer(call.symbols, "<c8") * snr / (1 + snr)).astype("<c8").tobytes(), 40.0)


def decode(call: Decode) -> Picture:
    """The inverse, at a fixed contrast."""
    symbols = np.frombuffer(call.symbols, "<c8")
    values = np.stack([symbols.real, symbols.imag], axis=1).ravel()[:768] * 50 + 127.5
    blocks = np.clip(np.nan_to_num(values), 0, 255).reshape(16, 1, 16, 1, 3)
    return Picture(np.broadcast_to(blocks, (16, 4, 16, 4, 3)).round().astype(np.uint8).tobytes())
