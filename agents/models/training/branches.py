"""Recipe ``adapters``: the LoRA adapters of the catalog's subjects, shipped with the personaliser."""

import logging
from pathlib import Path

from ...pictures import decompress, place, shared_album
from ...scenes.vocabulary import SUBJECTS
from ..cards import Card, read_card, write_card
from ..loading import load_models
from ..roles import Box, Extract, Personalise
from ..tiny.adapters import pack
from ..tiny.generator import read_parts
from ..tiny.shelf import base_hash, content_key, pictures_key
from ..tiny.subjects import WEIGHTS_NAME, SubjectEye
from .adapters import adapt
from .devices import CPU, described

log = logging.getLogger(__name__)


def shared_by(subject: str, weights: Path) -> Personalise:
    """What the owner of a catalog subject shares in stage 1: the pictures of its album, with the extractor's boxes."""
    label = SUBJECTS[subject].label
    pictures = [decompress(file) for file in shared_album(subject)]
    extractor = load_models("tiny", ["extractor"], weights=weights)["extractor"]
    found = [extractor.run([Extract(picture)] * extractor.batch)[0] for picture in pictures]
    seen = [place(label, result.boxes) for result in found]
    boxes = [Box(label, "", box.cx, box.cy, box.width, box.height, subject=subject) for box in seen]
    return Personalise(subject, label, pictures, boxes, adapter=True)


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Train one adapter for every subject of the catalog; those in `work` are taken from there.

    Args:
        folder: The personaliser's; generator and extractor lie beside it.
        work: Keeps finished adapters by content hash.
        minutes: Not read: the number of steps is fixed.
        device: Where to train.
    """
    weights = folder.parent
    base, parts = base_hash(weights / "generator"), read_parts(weights / "generator")[0]
    eye = SubjectEye(folder / WEIGHTS_NAME)
    files: dict[str, str] = {}
    made: dict[str, bytes] = {}
    work.mkdir(parents=True, exist_ok=True)
    for subject in SUBJECTS:
        call = shared_by(subject, weights)
        kept = work / f"{content_key(call, base)}.safetensors"
        if not kept.is_file():
            log.info("training the adapter of %s", subject)
            kept.write_bytes(pack(adapt(parts, call, eye.identifier(call.pictures, call.boxes), device=device)))
        name = f"adapters/{subject.replace('/', '-')}.safetensors"
        made[name] = kept.read_bytes()
        files[pictures_key(call)] = name
    (folder / "adapters").mkdir(exist_ok=True)
    for name, data in made.items():  # all at once, so that files and card disagree for no longer than needed
        (folder / name).write_bytes(data)
    card = read_card(folder)
    plain = [name for name in card.data["files"] if not name.startswith("adapters/")]
    adapters = {"base": base, "command": "semcast train adapters", "device": described(device), "files": files}
    return write_card(folder, {**card.data, "adapters": adapters, "files": [*plain, *files.values()]})
