"""The table of checkpoints: its sizes and costs counted again, and what a scenario may write for a part."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.models.hub.embedder import MOST_TOKENS
from semcast.agents.models.hub.reading import flops_of
from semcast.agents.models.hub.settings import HubSettings
from semcast.agents.models.hub.table import CAPTION_TOKENS, CLASSES, JUDGE, LANGUAGE_TOKENS, PARTS, STEPS, TABLE, names, pick
from semcast.bus.errors import BadInput

from . import published
from .checkpoints import MAKERS

README = Path(__file__).resolve().parents[4] / "agents" / "models" / "hub" / "README.md"


def pixels(side: int) -> torch.Tensor:
    return torch.zeros(1, 3, side, side)


def tokens(number: int, rows: int = 1) -> torch.Tensor:
    return torch.zeros(rows, number, dtype=torch.long)


def pipeline(parts: tuple[Any, Any, Any]) -> int:
    """Words and decoder once, `STEPS` evaluations with guidance."""
    unet, vae, text = parts
    side, width = unet.config.sample_size, unet.config.cross_attention_dim
    latents, states = torch.zeros(2, 4, side, side), torch.zeros(2, 77, width)
    more = {}
    if unet.config.attention_type == "gated":
        places = {"boxes": torch.zeros(2, 30, 4), "masks": torch.zeros(2, 30), "positive_embeddings": torch.zeros(2, 30, width)}
        more = {"cross_attention_kwargs": {"gligen": places}}
    once = flops_of(lambda: text(input_ids=tokens(77, 2))) + flops_of(lambda: vae.decode(latents[:1]))
    return once + STEPS * flops_of(lambda: unet(latents, 1, states, **more))


COUNTED: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "vit-gpt2": (published.captioner_vit_gpt2, lambda m: m(pixel_values=pixels(224), decoder_input_ids=tokens(CAPTION_TOKENS))),
    "blip": (published.captioner_blip, lambda m: m(pixel_values=pixels(384), input_ids=tokens(CAPTION_TOKENS))),
    "yolos": (published.detector_yolos, lambda m: m(pixel_values=pixels(512))),
    "clip-b32": (published.clip_b32, lambda m: m.get_image_features(pixel_values=pixels(224))),
    "clip-b16": (published.clip_b16, lambda m: m.get_image_features(pixel_values=pixels(224))),
    "minilm": (published.embedder_minilm, lambda m: m(input_ids=tokens(MOST_TOKENS))),
    "gpt-neo": (published.language_gpt_neo, lambda m: m(tokens(LANGUAGE_TOKENS))),
}
PIPELINES = {"stable-diffusion-2-1": published.generator_stable_diffusion_2_1, "gligen": published.generator_gligen}


def params(*modules: Any) -> int:
    return sum(weight.numel() for module in modules for weight in module.parameters())


ROWS = [pytest.param(row, id=row.name, marks=[pytest.mark.slow] if row.name == "detr" else []) for row in TABLE]


@pytest.mark.parametrize("row", ROWS)
def test_params_and_flops_are_those_of_the_published_configuration(row: Any) -> None:
    if row.name == "detr":  # its masks are read while it runs, so it needs real numbers
        model = published.detector_detr()
        found = params(model), flops_of(lambda: model(pixel_values=pixels(800)))
    else:
        with torch.device("meta"):
            if row.name in PIPELINES:
                parts = PIPELINES[row.name]()
                found = params(*parts), pipeline(parts)
            else:
                build, run = COUNTED[row.name]
                model = build()
                found = params(model), flops_of(lambda: run(model))
    assert found == (row.params, row.flops)


def test_the_readme_and_the_tests_know_every_row() -> None:
    text = README.read_text()
    for row in TABLE:
        assert f"`{row.id}`" in text and f"`{row.revision[:12]}" in text and f"`{row.name}`" in text
    assert set(MAKERS) == {row.name for row in TABLE}
    assert set(CLASSES) == {*PARTS, JUDGE} == {row.part for row in TABLE}


def test_a_part_is_a_name_an_id_with_revision_or_a_folder() -> None:
    assert pick("captioner").entry == TABLE[0]
    assert pick("captioner", "blip").id == "Salesforce/blip-image-captioning-base"
    assert pick("captioner", TABLE[1].id) == pick("captioner", "blip")
    other = pick("captioner", "me/mine@v1")
    assert (other.id, other.revision, other.entry) == ("me/mine", "v1", None)
    assert pick("captioner", "me/mine").revision == "main"
    folder = pick("captioner", "./mine")
    assert (folder.folder, folder.revision, folder.command) == (Path("mine"), "", "")
    assert HubSettings(detector="detr").pick("detector").revision == "no_timm"


@pytest.mark.parametrize("text", ["blib", "a/b/c", "a/", "me/mine@", "me mine/x", "gligen"])
def test_anything_else_is_refused_with_the_names_there_are(text: str) -> None:
    with pytest.raises(BadInput, match="no captioner of the hub profile") as caught:
        pick("captioner", text)
    assert all(name in caught.value.hint for name in names("captioner"))


@given(part=st.sampled_from(PARTS), text=st.text(max_size=30))
def test_any_text_is_read_or_refused(part: str, text: str) -> None:
    try:
        found = pick(part, text)
    except BadInput:
        return
    assert found.folder is not None or found.id.count("/") == 1
