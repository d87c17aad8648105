"""What the roles of the hub profile make of their checkpoints: boxes, words, places and pictures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from semcast.agents.models.hub.clip import Clip
from semcast.agents.models.hub.detector import Detector
from semcast.agents.models.hub.extractor import HubExtractor
from semcast.agents.models.hub.generator import HubGenerator, corners, phrase, words
from semcast.agents.models.hub.judge import published_judge
from semcast.agents.models.hub.keywords import EXAMPLES, HubKeywords
from semcast.agents.models.hub.labels import colour_of, label_of
from semcast.agents.models.hub.pictures import closed, opened
from semcast.agents.models.hub.settings import HubSettings
from semcast.agents.models.hub.snapshot import Snapshot, find
from semcast.agents.models.hub.table import LANGUAGE_TOKENS
from semcast.agents.models.roles import Box, Extract, Generate, Interpret, Personalise
from semcast.agents.prompt_codec import PromptContent, decode, encode, part_bits
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.vocabulary import COLOURS, LABELS
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput

from .checkpoints import COCO, SIDE

DOG = Box("dog", "red", 16.0, 24.0, 20.0, 18.0, 0.9)
LIGHT = Box("traffic light", "", 60.0, 40.0, 16.0, 80.0, 0.8)


def parts(cache: Path, *names: str, **more: Any) -> tuple[list[Snapshot], HubSettings]:
    settings = HubSettings(folder=str(cache), **more)
    return [find(settings.pick(name), settings.folder) for name in names], settings


def pixels(picture: bytes) -> np.ndarray:
    return np.frombuffer(picture, np.uint8).reshape(64, 64, 3)


# --- what is seen ------------------------------------------------------------------------------------------------------


def test_labels_are_the_scene_world_s_words_where_they_mean_the_same() -> None:
    assert [label_of(name) for name in ("airplane", "Sports ball", "dog", "traffic light", "N/A")] == [
        *("plane", "ball", "dog", "traffic light", "")
    ]
    assert label_of("airplane") in LABELS and "traffic light" not in LABELS


@pytest.mark.parametrize("name", COLOURS)
def test_a_box_has_the_colour_of_its_middle(name: str) -> None:
    ground = np.full((64, 64, 3), 127, np.uint8)
    ground[14:34, 6:26] = COLOURS[name]
    assert colour_of(ground, 16.0, 24.0, 20.0, 20.0) == name
    assert colour_of(ground, -5.0, 90.0, 1.0, 1.0) in COLOURS  # a box outside is looked at where the picture ends


@pytest.mark.parametrize("name", ["yolos", "detr"])
def test_boxes_are_in_pixels_most_certain_first_and_named(cache: Path, name: str) -> None:
    (snapshot,), settings = parts(cache, "detector", detector=name)
    detector = Detector(snapshot, settings)
    images = [opened(draw(make_scene("boxes", index)).tobytes(), "test") for index in range(2)]
    for boxes in detector.find(images):
        assert boxes
        assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
        for box in boxes:
            assert box.label in {label_of(name) for name in COCO} - {""}
            assert 0 <= box.cx <= 64 and 0 <= box.cy <= 64 and 1 <= box.width <= 64 and 1 <= box.height <= 64
            assert 16 * box.cx == round(16 * box.cx)


def test_a_detector_s_boxes_are_those_of_the_library_s_own_post_processing(cache: Path) -> None:
    import transformers

    (snapshot,), settings = parts(cache, "detector", detector="detr")
    image = opened(draw(make_scene("boxes", 5)).tobytes(), "test")
    ours = Detector(snapshot, settings).find([image])[0]
    network = transformers.DetrForObjectDetection.from_pretrained(snapshot.path).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(snapshot.path, backend="pil")
    with torch.inference_mode():
        output = network(**processor(images=image, return_tensors="pt"))
    theirs = processor.post_process_object_detection(output, threshold=0.5, target_sizes=[(64, 64)])[0]
    order = theirs["scores"].argsort(descending=True, stable=True)
    assert [box.label for box in ours] == [label_of(COCO[int(theirs["labels"][i])]) for i in order]
    for box, i in zip(ours, order, strict=True):
        left, top, right, bottom = theirs["boxes"][i].tolist()
        assert box.cx == pytest.approx((left + right) / 2, abs=1 / 16)
        assert box.height == pytest.approx(max(bottom - top, 1), abs=1 / 16)


def test_a_subject_is_recognised_by_its_look(cache: Path) -> None:
    snapshots, settings = parts(cache, "captioner", "detector", "clip")
    extractor = HubExtractor(snapshots, settings)
    picture = draw(make_scene("subjects", 1, count=(2, 3))).tobytes()
    first = extractor.run([Extract(picture)])[0].boxes[0]
    look = Clip(snapshots[2], settings).look_at(opened(picture, "test"), first).tobytes()
    other = (-np.frombuffer(look, "<f4")).tobytes()
    seen = extractor.run([Extract(picture, {"mia/dog": look, "leo/cat": other})])[0]
    assert [box.subject for box in seen.boxes].count("mia/dog") == 1
    assert "leo/cat" not in [box.subject for box in seen.boxes]
    assert seen.boxes[0].label == first.label  # a name does not change what the detector saw


def test_an_identifier_is_the_mean_look(cache: Path) -> None:
    from semcast.agents.models.hub.personaliser import HubPersonaliser

    snapshots, settings = parts(cache, "clip")
    pictures = [draw(make_scene("own", index)).tobytes() for index in range(3)]
    branch = HubPersonaliser(snapshots, settings).run([Personalise("mia/dog", "dog", pictures, [DOG] * 3)])[0]
    looks = [Clip(snapshots[0], settings).look_at(opened(picture, "test"), DOG) for picture in pictures]
    mean = np.mean(looks, axis=0, dtype=np.float64)
    assert np.frombuffer(branch.identifier, "<f4") == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    with pytest.raises(BadInput, match="0 pictures"):
        HubPersonaliser(snapshots, settings).run([Personalise("mia/dog", "dog", [], [])])


def test_clip_gives_unit_vectors_like_the_judge(cache: Path) -> None:
    (snapshot,), settings = parts(cache, "clip")
    clip = Clip(snapshot, settings)
    pictures = np.stack([draw(make_scene("clip", index)) for index in range(3)])
    places = np.array([[30, 30, 20, 20]] * 3, np.float32)
    for vectors in (clip.images(pictures), clip.objects(pictures, places), clip.texts(["a red dog", "a cat", "cup " * 200])):
        assert vectors.shape == (3, clip.size) and vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert (clip.images(pictures[1:2]) == clip.images(pictures)[1:2]).all()


def test_any_label_crosses_the_air_and_is_charged() -> None:
    boxes = (Box("dog", "red", 10.0, 10.0, 5.0, 5.0), Box("traffic light", "", 10.0, 10.0, 5.0, 5.0))
    costs = []
    for box in boxes:
        content = PromptContent(0, 0, 0, "greeting", ("boxes",), boxes=(box,), box_subjects=(-1,))
        assert decode(encode(content)[0]).boxes == (box,)
        costs.append(part_bits(content)["boxes"])
    assert costs[1] == costs[0] + 7 + 5 * 8 + 7 + 5 * 6 + 7  # two spelled words, each ended, and the end of the label


# --- what is generated -------------------------------------------------------------------------------------------------


def test_words_phrases_and_places_of_a_prompt() -> None:
    call = Generate("", "grass", [DOG, LIGHT], 0)
    assert words(call) == "red dog and traffic light on grass"
    assert words(Generate("a cat", "grass", [DOG], 0)) == "a cat"
    assert phrase(Box("", "", 0, 0, 1, 1)) == "object"
    assert corners(DOG) == [6 / 64, 15 / 64, 26 / 64, 33 / 64]
    assert corners(LIGHT) == [52 / 64, 0.0, 1.0, 1.0]


def test_a_picture_is_scaled_by_area_means() -> None:
    rng = np.random.default_rng(1)
    large = rng.integers(0, 256, (512, 512, 3), np.uint8)
    means = large.reshape(64, 8, 64, 8, 3).mean(axis=(1, 3))
    assert np.abs(pixels(closed(Image.fromarray(large))) - means).max() <= 1
    with pytest.raises(BadInput, match="a picture of 3 bytes"):
        opened(b"abc", "test")


@pytest.mark.parametrize("name", ["stable-diffusion-2-1", "gligen"])
def test_the_seed_alone_makes_the_noise(cache: Path, name: str) -> None:
    snapshots, settings = parts(cache, "generator", generator=name)
    generator = HubGenerator(snapshots, settings)
    assert generator.side == SIDE

    def make(seed: int) -> bytes:
        torch.manual_seed(seed * 7 + 3)  # nobody reads the global state
        return generator.run([Generate("a red dog", "", [DOG], seed, 3)])[0].picture

    first = make(5)
    assert make(5) == first != make(6)
    assert generator.run([Generate("a blue cup", "", [DOG], 5, 3)])[0].picture != first
    assert len(first) == 64 * 64 * 3


def test_boxes_matter_to_gligen_and_not_to_a_plain_pipeline(cache: Path) -> None:
    there, elsewhere = Generate("a dog", "", [DOG], 1, 3), Generate("a dog", "", [LIGHT], 1, 3)
    plain = HubGenerator(*parts(cache, "generator"))
    assert plain.run([there]) == plain.run([elsewhere])
    gligen = HubGenerator(*parts(cache, "generator", generator="gligen"))
    assert gligen.run([there]) != gligen.run([elsewhere])
    assert gligen.flops(there) > gligen.flops(Generate("a dog", "", [], 1, 3))


def test_a_picture_is_the_one_that_the_pipeline_alone_makes(cache: Path) -> None:
    import diffusers

    snapshots, settings = parts(cache, "generator", guidance=4.0)
    ours = HubGenerator(snapshots, settings).run([Generate("a red dog", "", [], 9, 4)])[0].picture
    without = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(snapshots[0].path, **without)
    pipe.set_progress_bar_config(disable=True)
    noise = torch.Generator("cpu").manual_seed(9)
    theirs = pipe("a red dog", num_inference_steps=4, guidance_scale=4.0, generator=noise).images[0]
    assert np.abs(pixels(ours).astype(int) - pixels(closed(theirs))).max() <= 1


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_draws_nearly_the_same(cache: Path, precision: str) -> None:
    call = Generate("a red dog", "", [DOG], 9, 3)
    full, half = (HubGenerator(*parts(cache, "generator", precision=kind)) for kind in ("float32", precision))
    assert half.run([call]) == half.run([call])
    assert np.abs(pixels(full.run([call])[0].picture).astype(int) - pixels(half.run([call])[0].picture)).mean() < 3
    assert half.sha256 != full.sha256 and half.flops(call) == full.flops(call)


def test_steps_cost_and_are_checked(cache: Path) -> None:
    generator = HubGenerator(*parts(cache, "generator"))
    costs = [generator.flops(Generate("x", "", [], 0, steps)) for steps in (1, 2, 3)]
    assert costs[2] - costs[1] == costs[1] - costs[0] > 0
    assert HubGenerator(*parts(cache, "generator", guidance=1.0)).flops(Generate("x", "", [], 0, 3)) < costs[2]
    with pytest.raises(BadInput, match="steps = 0"):
        generator.flops(Generate("x", "", [], 0, 0))
    with pytest.raises(BadInput, match="2 calls"):
        generator.run([Generate("x", "", [], 0, 1)] * 2)


# --- what is meant -----------------------------------------------------------------------------------------------------


def test_goal_and_keywords_are_one_line_each(cache: Path) -> None:
    keywords = HubKeywords(*parts(cache, "language"))
    intent = keywords.run([Interpret("look at my dog", "a red dog on grass")])[0]
    assert intent.goal == " ".join(intent.goal.lower().split())
    assert len(intent.keywords) == len(set(intent.keywords)) <= 8
    assert not any(" " in word or "," in word for word in intent.keywords)


def test_the_examples_fit_the_window_of_the_published_tokenizer() -> None:
    """About 4 letters a token (GPT-2 on English): examples, a message and a caption of 30 words each, and what is written."""
    assert len(EXAMPLES) / 4 + 2 * 30 * 1.3 + 40 < LANGUAGE_TOKENS


# --- what is judged ----------------------------------------------------------------------------------------------------


def test_a_published_clip_judges_and_shares_no_weights_with_what_it_judges(cache: Path) -> None:
    settings = HubSettings(folder=str(cache), judge="clip-b16")
    judge = published_judge(settings)
    assert judge.name == "laion/CLIP-ViT-B-16-laion2B-s34B-b88K@main"
    pictures = np.stack([draw(make_scene("judge", index)) for index in range(2)])
    assert judge.images(pictures).shape == (2, judge.size)
    with pytest.raises(BadInput, match="is also the clip"):
        published_judge(HubSettings(folder=str(cache), judge="laion/CLIP-ViT-B-32-laion2B-s34B-b79K"))
    with pytest.raises(BadInput, match="no published judge is named"):
        published_judge(HubSettings(folder=str(cache)))
