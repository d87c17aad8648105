"""The tiny generator with small random weights: layout, prompts as numbers, independence of the batch, training that resumes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.models.cards import read_card
from semcast.agents.models.roles import Box, Generate
from semcast.agents.models.tiny import autoencoder, generator, text
from semcast.agents.models.tiny.conditioner import Conditioner, Conditions, places_in_boxes
from semcast.agents.models.tiny.layout import SizeStatistics, measure, missing, plan
from semcast.agents.models.tiny.prompt import conditions_of
from semcast.agents.models.tiny.reading import read
from semcast.agents.models.training.generator import Pair, loss
from semcast.agents.models.training.generator_data import Cache, prompts
from semcast.agents.models.training.generator_export import export
from semcast.bus.errors import BadInput
from semcast.bus.keys import generator as keyed
from torch.utils.flop_counter import FlopCounterMode

SIZES = SizeStatistics({1: (20.0, 4.0), 4: (16.0, 3.0)}, {"car": 1.7, "dog": 1.25})
WORDS = ["a", "car", "dog", "on", "red", "sand"]
LABELS = ("dog", "car", "cup", "tree", "cat", "house", "fish", "ball")


def small_parts() -> tuple[Conditioner, object]:
    torch.manual_seed(1)
    conditioner = Conditioner(labels=24, colours=8, backgrounds=4, words=WORDS, width=16, hidden=16, channels=8)
    return conditioner, generator.build_denoiser(conditioner, (16, 24))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> generator.TinyGenerator:
    """A generator of random weights that went through the files."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("generator")
    conditioner, denoiser = small_parts()
    export(folder, conditioner, denoiser, autoencoder.build(width=16), SIZES)
    return generator.load(folder)


def calls(seed: int = 0, steps: int = 2) -> list[Generate]:
    return [
        Generate(f"a red {label} on sand", "sand", [Box(label, "red", 12.0 + 5 * i, 30.0, 20.0, 14.0)], seed + i, steps)
        for i, label in enumerate(LABELS)
    ]


def test_a_sample_does_not_depend_on_its_place_or_companions(model: generator.TinyGenerator) -> None:
    first, others = calls(), calls(seed=100)
    alone = model.latents(first)
    turned = model.latents(first[3:] + first[:3])
    mixed = model.latents([others[0], *others[1:5], first[5], *others[6:]])
    assert torch.equal(alone, turned[torch.tensor([5, 6, 7, 0, 1, 2, 3, 4])])
    assert torch.equal(alone[5], mixed[5])
    assert model.run(first) == model.run(first)


def test_seed_prompt_and_subject_each_change_the_picture(model: generator.TinyGenerator) -> None:
    base = calls()
    pictures = model.run(base)
    assert all(len(picture.picture) == 64 * 64 * 3 for picture in pictures)
    assert model.run(calls(seed=1))[0] != pictures[0]
    moved = [Generate(c.caption, c.background, [Box("dog", "blue", 40, 40, 20, 20)], c.seed, c.steps) for c in base]
    assert model.run(moved)[0] != pictures[0]
    looks = np.linspace(-1, 1, 48, dtype="<f4").tobytes()
    box = Box("dog", "red", 12.0, 30.0, 20.0, 14.0, 1.0, "mia/dog")
    own = [Generate(c.caption, c.background, [box], c.seed, c.steps, {"mia/dog": looks}) for c in base]
    assert model.run(own)[0] != pictures[0]


def test_flops_are_what_torch_counts(model: generator.TinyGenerator) -> None:
    batch = calls(steps=3)
    with FlopCounterMode(display=False) as counter:
        model.run(batch)
    # the text encoder's fused kernel, a few per cent of this small model, is invisible to the counter
    assert counter.get_total_flops() == pytest.approx(8 * model.flops(batch[0]), rel=0.05)
    assert model.flops(calls(steps=4)[0]) > model.flops(batch[0])


def test_a_wrong_batch_is_refused(model: generator.TinyGenerator) -> None:
    with pytest.raises(BadInput, match="7 calls"):
        model.run(calls()[:7])
    with pytest.raises(BadInput, match="steps"):
        model.group(calls(steps=0)[0])
    assert model.group(calls(steps=2)[0]) != model.group(calls(steps=3)[0])


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    conditioner, denoiser = small_parts()
    card = export(tmp_path, conditioner, denoiser, autoencoder.build(width=16), SIZES)
    name = next(name for name in card.data["files"] if name.endswith(".safetensors"))
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1] + b"x")
    with pytest.raises(BadInput, match="damaged"):
        generator.load(tmp_path)


def test_noise_levels_fall_from_one_to_zero(model: generator.TinyGenerator) -> None:
    levels = generator.noise_levels(model._schedule, 8)
    assert len(levels) == 9 and levels[0] == 1.0 and levels[-1] == 0.0
    assert all(high > low for high, low in zip(levels, levels[1:], strict=False))


def test_a_cell_is_covered_by_its_share_of_the_grown_box() -> None:
    features, cover = places_in_boxes(torch.tensor([[[32.0, 32.0, 14.0, 22.0]]]), torch.ones(1, 1))
    assert features.shape == (1, 1, 256, 21) and cover.shape == (1, 1, 256)
    assert float(cover.sum()) * 16 == pytest.approx((14 + 2) * (22 + 2), rel=0.05)
    inside = cover.view(16, 16)
    assert inside[8, 8] == 1 and inside[8, 2] == 0
    left, right = features.view(16, 16, 21)[8, 6, 0], features.view(16, 16, 21)[8, 9, 0]
    assert left == pytest.approx(-float(right))


def test_a_mirrored_object_paints_mirrored_shapes() -> None:
    conditioner, _ = small_parts()
    box = torch.tensor([[[32.0, 32.0, 24.0, 24.0]]])
    nothing = (torch.zeros(1, 8, 16, 16), torch.zeros(1, 1))
    ones = torch.ones(1, 1)
    plain = Conditions(*[ones.long()] * 2, box, ones, ones, torch.zeros(1, 1, 48), *[torch.ones(1)] * 2, *nothing)
    straight = conditioner._look_up(plain).view(16, 16, 12, 2, 2)
    mirrored = conditioner._look_up(plain._replace(flips=-torch.ones(1, 1))).view(16, 16, 12, 2, 2)
    assert torch.allclose(straight.flip(1).flip(4), mirrored, atol=1e-6)
    assert not torch.allclose(straight, mirrored, atol=1e-3)


def test_what_is_not_said_or_known_becomes_zero(caplog: pytest.LogCaptureFixture) -> None:
    boxes = [Box("dog", "", 10, 10, 9, 9, 0.5), Box("dragon", "red", float("nan"), -5, 0, 900, 0.9, "mia/dog")]
    call = Generate("", "", boxes, seed=1, subjects={"mia/dog": b"1234"})
    found = conditions_of([call], text.WordList(WORDS), SIZES, 48)
    assert found.labels[0, :3].tolist() == [0, 1, 0]  # the most certain first
    assert found.colours[0, :3].tolist() == [1, 0, 0]
    assert found.backgrounds.tolist() == [0] and found.present[0].sum() == 2
    assert torch.isfinite(found.boxes).all() and not found.identifiers.any()
    assert "left out" in caplog.text


def test_a_caption_alone_is_laid_out() -> None:
    call = Generate("a red dog and a blue car on sand", "", [], seed=3)
    found = conditions_of([call, call], text.WordList(WORDS), SIZES, 48)
    assert found.present[0].sum() == 2 and sorted(found.labels[0, :2].tolist()) == [1, 5]
    assert found.backgrounds[0] == 2
    assert torch.equal(found.boxes[0], found.boxes[1])
    other = conditions_of([Generate(call.caption, "", [], seed=4)], text.WordList(WORDS), SIZES, 48)
    assert not torch.equal(found.boxes[0], other.boxes[0])


def test_any_caption_is_read_as_far_as_it_goes() -> None:
    assert read("mia's white dog and two red cups on snow").objects == (("dog", "white", "mia/dog"), *[("cup", "red", "")] * 2)
    found = read("Behold, some blue buses, dragons; dog street")
    assert found.objects == (("bus", "blue", ""), ("dog", "", "")) and found.background == "street"
    assert read("").objects == ()


def test_a_box_is_not_laid_out_again() -> None:
    dog, car = Box("dog", "red", 20, 20, 10, 10), Box("car", "blue", 0, 0, 0, 0)
    assert missing([dog, car, car], [car]) == [dog, car]
    assert missing([dog], [Box("", "red", 1, 1, 5, 5)]) == []


@given(st.lists(st.sampled_from(LABELS), max_size=8), st.integers(0, 2**62))
def test_plans_lie_in_the_picture_and_keep_what_is_given(labels: list[str], seed: int) -> None:
    given_box = Box("car", "red", 32.0, 32.0, 20.0, 12.0)
    things = [Box(label, "red", 0, 0, 0, 0) for label in labels]
    boxes = plan(things, [given_box], SIZES, seed)
    assert boxes[0] == given_box and [box.label for box in boxes[1:]] == labels
    for box in boxes:
        assert box.cx - box.width / 2 >= 0 and box.cx + box.width / 2 <= 64
        assert box.cy - box.height / 2 >= 0 and box.cy + box.height / 2 <= 64
    assert boxes == plan(things, [given_box], SIZES, seed)


def test_two_things_are_planned_apart() -> None:
    a, b = plan([Box("dog", "red", 0, 0, 0, 0), Box("car", "red", 0, 0, 0, 0)], [], SIZES, 5)
    assert abs(a.cx - b.cx) >= (a.width + b.width) / 2 or abs(a.cy - b.cy) >= (a.height + b.height) / 2


def test_sizes_are_measured() -> None:
    found = measure([[Box("car", "red", 0, 0, 20, 10)], [Box("car", "red", 0, 0, 10, 10), Box("dog", "red", 0, 0, 8, 8)]])
    assert found.sides == {1: (14.14, 0.0), 2: (9.0, 1.0)} and found.aspects == {"car": 1.5, "dog": 1.0}


@given(st.text(max_size=300), st.integers(1, 40))
def test_any_text_becomes_numbers(value: str, length: int) -> None:
    numbers = text.WordList(WORDS).numbers(value, length)
    assert len(numbers) == length and numbers[0] == text.START and max(numbers) < len(WORDS) + 3


def test_known_words_have_numbers_of_their_own() -> None:
    words = text.WordList(WORDS)
    assert words.numbers("A red dragon.", 6) == [text.START, 3, 7, text.UNKNOWN, text.UNKNOWN, text.NOTHING]
    assert text.collect(["a red dog", "a dog"]) == ["a", "dog", "red"]


def toy_data(n: int = 12) -> Cache:
    rng = keyed("test", "toy")

    def draw(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.integers(low, high, shape))

    latents = torch.from_numpy(rng.standard_normal((n, 8, 16, 16), dtype=np.float32))
    boxes = torch.from_numpy(rng.uniform(10, 50, (n, 8, 4)).astype(np.float32))
    identifiers = torch.from_numpy(rng.standard_normal((n, 8, 48), dtype=np.float32))
    labels, colours, present = draw(1, 25, n, 8), draw(1, 9, n, 8), draw(0, 2, n, 8)
    flips = draw(0, 2, n, 8) * 2.0 - 1
    references, referred = torch.zeros_like(latents), draw(0, 2, n, 8)
    given = boxes + 0.5
    grounds, words = draw(1, 5, n), draw(3, 9, n, 10)
    return Cache(latents, labels, colours, boxes, given, present, flips, identifiers, grounds, words, references, referred)


def test_training_prompts_leave_things_out_and_keep_the_rest() -> None:
    rows = toy_data(400)
    found = prompts(rows, "test")
    kept = found.labels > 0
    assert 0.90 < float(kept.float().mean()) < 0.99
    assert torch.equal(found.labels[kept], rows.labels[kept])
    assert (found.words[:, 0] == text.START).all()
    assert torch.equal(found.boxes, rows.given)
    shown = rows.referred > 0
    assert 0.55 < float(found.referred[shown].mean()) < 0.73 and not found.referred[~shown].any()


def test_training_lowers_the_loss() -> None:
    torch.set_num_threads(1)
    data, pair = toy_data(8), Pair(*small_parts())
    optimiser = torch.optim.AdamW(pair.parameters(), lr=2e-3)
    values = []
    for step in range(30):
        value = loss(pair.conditioner, pair.denoiser, data, "test", step % 2)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert sum(values[-4:]) < 0.97 * sum(values[:4])


def test_the_shipped_generator_paints_the_colour_that_is_asked_for() -> None:
    folder = Path(generator.__file__).parents[1] / "weights" / "generator"
    torch.set_num_threads(1)
    model = generator.load(folder)
    colours = ["red", "green", "blue", "yellow"] * 2
    prompts_ = [Generate("", "snow", [Box("ball", c, 32, 32, 24, 24)], seed) for seed, c in enumerate(colours)]
    pictures = [np.frombuffer(p.picture, np.uint8).reshape(64, 64, 3).astype(int) for p in model.run(prompts_)]
    middles = {c: p[24:40, 24:40].mean(axis=(0, 1)) for c, p in zip(colours, pictures, strict=True)}
    assert middles["red"][0] > middles["red"][1:].max() + 60
    assert middles["green"][1] > middles["green"][[0, 2]].max() + 30
    assert middles["blue"][2] > middles["blue"][:2].max() + 60
    assert middles["yellow"][:2].min() > middles["yellow"][2] + 60
    corner = pictures[0][:8, :8].mean(axis=(0, 1))
    assert corner.min() > 180  # snow
    assert read_card(folder).data["params_of"]["denoiser"] <= 3_000_000
