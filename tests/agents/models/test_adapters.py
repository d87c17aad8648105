"""LoRA adapters: swapped per sample with the same bits, packed small, cached by content, trained without losing the class."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from peft import LoraConfig
from peft.utils import set_peft_model_state_dict
from semcast.agents.models.cards import Card, read_card
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.roles import Box, Generate, Personalise
from semcast.agents.models.tiny import adapters, generator
from semcast.agents.models.tiny.adapters import AdapterSettings, blank, pack, swapped, unpack
from semcast.agents.models.tiny.personaliser import shared_pictures
from semcast.agents.models.tiny.shelf import Shelf, base_hash, content_key, pictures_key
from semcast.agents.models.training.adapters import adapt, batches, views
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.bus.errors import BadInput

LOOK = np.linspace(-1, 1, 48, dtype=np.float32)


@pytest.fixture(scope="module")
def parts() -> generator.Parts:
    torch.set_num_threads(1)
    return generator.read_parts(WEIGHTS / "generator")[0]


@pytest.fixture(scope="module")
def model() -> generator.TinyGenerator:
    torch.set_num_threads(1)
    return generator.load(WEIGHTS / "generator")


def some(denoiser: torch.nn.Module, seed: int) -> adapters.Adapter:
    """An adapter with random factors."""
    torch.manual_seed(seed)
    return {name: 0.1 * torch.randn_like(value) for name, value in blank(denoiser, 48).items()}


def call(seed: int, **own: dict[str, bytes]) -> Generate:
    box = Box("dog", "white", 32.0, 32.0, 30.0, 24.0, 1.0, "mia/dog")
    return Generate("a white dog on sand", "sand", [box], seed, 2, **own)


def shared(subject: str = "mia/dog") -> Personalise:
    pictures, boxes = shared_pictures(subject, 4)
    return Personalise(subject, subject.split("/")[1], pictures, boxes, adapter=True)


def test_each_sample_has_the_bits_it_has_alone(model: generator.TinyGenerator, parts: generator.Parts) -> None:
    one, two = pack(some(parts.denoiser, 1)), pack(some(parts.denoiser, 2))
    mixed = [call(seed, adapters=own) for seed, own in enumerate([{}, {"mia/dog": one}, {"mia/dog": two}, {}] * 2)]
    together = model.latents(mixed)
    for place, alone in enumerate(mixed[:4]):
        same = model.latents([alone] * 8)
        assert torch.equal(same[0], together[place]) and torch.equal(same[5], together[place]), place
    turned = model.latents(mixed[3:] + mixed[:3])
    assert torch.equal(turned, together[torch.tensor([3, 4, 5, 6, 7, 0, 1, 2])])
    assert not torch.equal(together[1], model.latents([call(1)] * 8)[0])


def test_a_stranger_to_the_picture_changes_nothing(model: generator.TinyGenerator, parts: generator.Parts) -> None:
    data = pack(some(parts.denoiser, 1))
    assert torch.equal(model.latents([call(0, adapters={"leo/cat": data})] * 8), model.latents([call(0)] * 8))


def test_swapping_computes_what_peft_computes() -> None:
    base = generator.read_parts(WEIGHTS / "generator")[0].denoiser
    own = some(base, 3)
    torch.manual_seed(4)
    x, level = torch.randn(2, base.config.in_channels, 16, 16), torch.tensor([0.3, 0.8])
    said = {"encoder_hidden_states": torch.randn(2, 5, 64), "class_labels": torch.randn(2, 64), "return_dict": False}
    with torch.no_grad(), swapped(base, [[own], []]):
        ours = base(x, level * 1000, **said)[0]
    with torch.no_grad():
        plain = base(x, level * 1000, **said)[0]
    base.add_adapter(LoraConfig(r=adapters.RANK, lora_alpha=adapters.RANK, target_modules=adapters.TARGETS))
    set_peft_model_state_dict(base, {name: value for name, value in own.items() if name != adapters.TOKEN})
    with torch.no_grad():
        theirs = base(x, level * 1000, **said)[0]
    assert torch.allclose(ours[0], theirs[0], atol=1e-4) and torch.allclose(ours[1], plain[1], atol=1e-5)
    assert not torch.allclose(theirs[0], plain[0], atol=1e-2)


def test_an_adapter_is_small_and_survives_packing(parts: generator.Parts) -> None:
    data = pack(some(parts.denoiser, 1))
    assert len(data) <= 200_000 and pack(unpack(data)) == data
    with pytest.raises(BadInput, match="at most"):
        unpack(bytes(adapters.MAX_BYTES + 1))
    with pytest.raises(BadInput, match="cannot be read"):
        unpack(b"not an adapter")
    half = {name: value for name, value in unpack(data).items() if name != "conv_in.lora_B.weight"}
    with pytest.raises(BadInput, match="lacks a factor"):
        unpack(pack(half))


def test_training_keeps_other_classes_and_leaves_the_base(parts: generator.Parts) -> None:
    before = {name: value.clone() for name, value in parts.denoiser.state_dict().items()}
    small = AdapterSettings(steps=6, views=8)
    found = adapt(parts, shared(), LOOK, small)
    assert all(torch.equal(value, before[name]) for name, value in parts.denoiser.state_dict().items())
    assert set(found) == set(blank(parts.denoiser, 48)) and any(found[n].abs().max() > 0 for n in found if "lora_B" in n)
    assert pack(found) == pack(adapt(parts, shared(), LOOK, small))
    # the error on scenes without the subject grows by a few per cent at most
    data = batches(parts, shared(), small)
    rows = torch.arange(data.subjects, len(data.latents))
    clean, conditions, _ = data.rows(rows)
    torch.manual_seed(1)
    noise = torch.randn_like(clean)
    errors = []
    for own in ([], [found]):
        with torch.no_grad(), swapped(parts.denoiser, [own] * len(rows)):
            guide = parts.conditioner(conditions)
            predicted = generator.velocity(parts.denoiser, guide, (clean + noise) / 2, torch.full((len(rows),), 0.5))
        errors.append(float((predicted - (noise - clean)).square().mean()))
    assert errors[1] < 1.05 * errors[0]


def test_views_hold_the_subject_in_their_boxes() -> None:
    pixels = np.full((64, 64, 3), 200, np.uint8)
    pixels[20:40, 10:30] = (250, 0, 0)
    box = Box("cup", "red", 20.0, 30.0, 20.0, 20.0)
    pictures, boxes = views(Personalise("a/cup", "cup", [pixels.tobytes()], [box]), 12)
    for picture, place in zip(pictures, boxes, strict=True):
        red = np.pad(picture[..., 1] < 100, 4)  # nothing beyond the picture counts as red
        left, right = place.cx - place.width / 2 + 4, place.cx + place.width / 2 + 4
        top, bottom = place.cy - place.height / 2 + 4, place.cy + place.height / 2 + 4
        assert red[round(top + 2) : round(bottom - 2), round(left + 2) : round(right - 2)].all()
        assert not red[round(top) : round(bottom), round(left - 2.5)].any()
        assert not red[round(bottom + 2.5), round(left) : round(right)].any()


def test_the_cache_knows_content_and_is_used_once(
    tmp_path: Path, parts: generator.Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCAST_CACHE", str(tmp_path))
    made: list[str] = []

    def make(call: Personalise) -> bytes:
        made.append(call.subject)
        return pack(some(parts.denoiser, len(made)))

    shelf = Shelf(Card(tmp_path, {"files": {}}, ""), "base", make)
    first = shelf.adapter(shared())
    assert shelf.adapter(shared()) == first and made == ["mia/dog"]
    moved = msgspec.structs.replace(shared(), boxes=shared().boxes[::-1])
    assert shelf.adapter(moved) != first and len(made) == 2
    assert Shelf(Card(tmp_path, {"files": {}}, ""), "other base", make).adapter(shared()) != first and len(made) == 3
    kept = tmp_path / "adapters" / f"{content_key(shared(), 'base')}.safetensors"
    kept.write_bytes(b"cut off")
    assert shelf.adapter(shared()) != first and len(made) == 4


def test_the_catalog_ships_its_adapters_for_the_shipped_generator() -> None:
    card = read_card(WEIGHTS / "personaliser")
    shipped = card.data["adapters"]
    assert shipped["base"] == base_hash(WEIGHTS / "generator"), "make them again: semcast train adapters"
    assert len(shipped["files"]) == len(SUBJECTS)
    sizes = [(WEIGHTS / "personaliser" / name).stat().st_size for name in shipped["files"].values()]
    assert max(sizes) <= 200_000 and sum(sizes) <= 2_000_000

    def refuse(call: Personalise) -> bytes:
        raise AssertionError("a shipped adapter was trained again")

    from semcast.agents.models.training.branches import shared_by

    wanted = shared_by("leo/cat", WEIGHTS)
    assert pictures_key(wanted) in shipped["files"]
    unpack(Shelf(card, shipped["base"], refuse).adapter(wanted))
