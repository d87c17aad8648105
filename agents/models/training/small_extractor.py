"""Training of the extractor's variant ``small``: it learns the answers and the features of the extractor, never the truth."""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ...scenes.world import MAX_OBJECTS
from ..cards import Card, checked, read_card, write_card
from ..codecs.quantised import dequantise, quantise
from ..loading import WEIGHTS
from ..roles import Box
from ..tiny.detector import ExtractorNetwork, Trunk
from ..tiny.detr import SceneDetector, find
from ..tiny.pretrained import read
from ..tiny.small_extractor import EYE_NAME, MODEL_NAME, finder
from .data import Truth, batch, light, to_tensor
from .detectors import detection_loss, in_blocks, measure
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

NAME = "extractor-small"
WIDTH = 32
ANSWER = 0.4
"""Least score of the teacher's boxes that are learned."""
MIMIC_WEIGHT = 1.0
PICTURES = 32
"""Of a step."""
POOL = 12000
"""Scenes, drawn once; each step mirrors half of its own and lights them anew."""


class Student(nn.Module):
    """The student, and a linear map of its features to the teacher's, which is not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.network = ExtractorNetwork(WIDTH)
        self.mimic = nn.Conv2d(WIDTH, Trunk.width, 1)


def answers(teacher: SceneDetector, pictures: Tensor) -> tuple[Truth, Tensor]:
    """What the teacher finds in pictures (n, 3, 64, 64), as truth, and its trunk's features (n, 64, 16, 16)."""
    seen: list[Tensor] = []
    hook = teacher.model.backbone.model.register_forward_hook(lambda _, __, out: seen.append(out.feature_maps[0]))
    with torch.no_grad():
        found, grounds = find(teacher, pictures, ANSWER)
    hook.remove()
    n = len(found)
    label, colour = (torch.zeros(n, MAX_OBJECTS, dtype=torch.int64) for _ in range(2))
    box, present = torch.ones(n, MAX_OBJECTS, 4), torch.zeros(n, MAX_OBJECTS)
    for row, boxes in enumerate(found):
        for column, one in enumerate(boxes[:MAX_OBJECTS]):
            label[row, column], colour[row, column] = LABELS.index(one.label), COLOUR_NAMES.index(one.colour)
            box[row, column] = torch.tensor([one.cx, one.cy, max(one.width, 1.0), max(one.height, 1.0)])
            present[row, column] = 1
    background = torch.tensor([BACKGROUND_NAMES.index(ground) for ground in grounds])
    return Truth(label, colour, box, present, background), seen[0].float()


def distillation_loss(student: Student, teacher: SceneDetector, pictures: Tensor) -> Tensor:
    """`detection_loss` against the teacher's answers, plus the features' squared error relative to their variance."""
    truth, wanted = answers(teacher, pictures)
    features = student.network.features(pictures)
    mimic = functional.mse_loss(student.mimic(features).float(), wanted) / wanted.var()
    return detection_loss(student.network.head(features), truth) + MIMIC_WEIGHT * mimic


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``extractor-small``; the teacher is the extractor beside `folder`, or else the package's."""
    beside = folder.parent / "extractor"
    teaching = beside if beside.is_dir() else WEIGHTS / "extractor"
    teacher = read(SceneDetector, teaching).requires_grad_(False).to(device, memory_format=torch.channels_last)
    pool = _pool(work / "pool.npy")
    torch.manual_seed(71)
    student = Student().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        x = drawn(lambda: _lit(pool, step))
        return distillation_loss(student, teacher, x.contiguous(memory_format=torch.channels_last))

    progress = fit(student, loss, work / NAME, minutes, Settings(rate=2e-3), device)
    return export(student.network, folder, teaching, minutes, progress)


def _lit(pool: np.ndarray, step: int) -> Tensor:
    x = to_tensor(pool[keys.generator(NAME, "rows", step).integers(0, POOL, PICTURES)])
    return light(torch.cat([x[: PICTURES // 2], x[PICTURES // 2 :].flip(3)]), NAME, step)


def _pool(path: Path) -> np.ndarray:
    """Training pictures, uint8 (POOL, 64, 64, 3), kept in a file."""
    if not path.is_file():
        log.info("drawing %d scenes", POOL)
        np.save(path, np.concatenate([batch(100, NAME, part)[0] for part in range(POOL // 100)]))
    return np.asarray(np.load(path))


def export(network: ExtractorNetwork, folder: Path, teaching: Path, minutes: float, progress: dict[str, object]) -> Card:
    """Write the weights in 8 bits, the eye where it is not there yet, and the card; what is measured is what will be read."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = quantise(network.state_dict())
    save_file(kept, folder / MODEL_NAME)
    (folder / MODEL_NAME).chmod(0o644)
    if not (folder / EYE_NAME).is_file():
        (folder / EYE_NAME).parent.mkdir(parents=True, exist_ok=True)
        (folder / EYE_NAME).write_bytes((teaching / Path(EYE_NAME).name).read_bytes())
    network.load_state_dict(dequantise(kept))
    network.eval()

    def found(pictures: np.ndarray, threshold: float) -> tuple[list[list[Box]], list[str]]:
        return in_blocks(pictures, lambda x: finder(network, x, threshold))

    metrics = measure(found)
    log.info("%s: %s", NAME, metrics)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    teacher = read_card(teaching)
    checked(teacher, Path(EYE_NAME).name)
    data = {
        "name": "tiny-extractor-small", "roles": ["extractor"], "variant": "small",
        "params": sum(p.numel() for p in network.parameters()), "flops": counter.get_total_flops(), "recipe": NAME, "batch": 1,
        "command": f"semcast train {NAME} --minutes {minutes:g}", "width": network.width, "threshold": metrics.pop("threshold"),
        "subject_threshold": teacher.data["subject_threshold"], "flops_per_look": teacher.data["flops_per_look"],
        "teacher": teacher.sha256, "training": progress, "metrics": metrics, "files": [MODEL_NAME, EYE_NAME],
    }  # fmt: skip
    return write_card(folder, data)
