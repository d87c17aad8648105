"""LoRA weights of subjects: on for the calls that show them, off for all others, whatever ran before."""

from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from peft import LoraConfig, get_peft_model_state_dict
from semcast.agents.models.hub.generator import HubGenerator
from semcast.agents.models.hub.models import check, picks
from semcast.agents.models.hub.settings import HubSettings
from semcast.agents.models.hub.snapshot import find
from semcast.agents.models.roles import Box, Generate
from semcast.bus.errors import BadInput, Missing

WEIGHTS = "pytorch_lora_weights.safetensors"
LOOK = b"\0" * 8
DOG, PLAIN = Generate("a dog on grass", "", [], 3, 2, {"mia/dog": LOOK}), Generate("a dog on grass", "", [], 3, 2)
BOTH = Generate("a dog and a cat", "", [], 3, 2, {"mia/dog": LOOK, "leo/cat": LOOK, "eva/fish": LOOK})


@pytest.fixture(scope="module")
def adapters(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Random LoRA weights for two subjects, as DreamBooth's training saves them."""
    folder = tmp_path_factory.mktemp("adapters")
    found = {}
    for number, subject in enumerate(("leo/cat", "mia/dog")):
        torch.manual_seed(number)
        path = find(HubSettings().pick("generator"), str(cache)).path
        unet = diffusers.UNet2DConditionModel.from_pretrained(path / "unet")
        unet.add_adapter(
            LoraConfig(r=2, lora_alpha=16, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
        )
        state = get_peft_model_state_dict(unet)
        found[subject] = str(folder / str(number))
        diffusers.StableDiffusionPipeline.save_lora_weights(found[subject], unet_lora_layers=state)
    return found


def generator(cache: Path, adapters: dict[str, str], **more: Any) -> HubGenerator:
    settings = HubSettings(folder=str(cache), adapters=adapters, **more)
    return HubGenerator([find(pick, str(cache)) for pick in picks("generator", settings)], settings)


def test_a_subject_s_adapter_is_on_for_its_calls_alone(cache: Path, adapters: dict[str, str]) -> None:
    it = generator(cache, adapters)
    bare = generator(cache, {})
    own, plain, both = it.run([DOG]), it.run([PLAIN]), it.run([BOTH])
    assert plain == bare.run([PLAIN])
    assert own != it.run([Generate("a sks dog on grass", "", [], 3, 2)])  # not the word alone
    for call, first in ((PLAIN, plain), (BOTH, both), (DOG, own), (PLAIN, plain), (DOG, own), (BOTH, both)):
        assert it.run([call]) == first
    assert it.sha256 != bare.sha256


def test_calls_of_other_subjects_do_not_share_a_batch(cache: Path, adapters: dict[str, str]) -> None:
    it = generator(cache, adapters, batch=2)
    assert [it.group(call) for call in (PLAIN, DOG, BOTH)] == ["steps2", "steps2 mia/dog", "steps2 leo/cat mia/dog"]
    with pytest.raises(BadInput, match="2 calls in a batch"):
        it.run([DOG, PLAIN])
    assert it.run([DOG, DOG])[1] == it.run([DOG, Generate("a cup", "", [], 4, 2, {"mia/dog": LOOK})])[0]


def test_the_subject_is_called_by_its_token(cache: Path, adapters: dict[str, str]) -> None:
    named = generator(cache, adapters)._adapters.named
    assert named("a dog on grass", DOG) == "a sks dog on grass"
    assert named("a dog and a cat", BOTH) == "a sks dog and a sks cat"
    assert named("a lawn", DOG) == "a lawn sks dog"
    assert named("", DOG) == "sks dog"
    assert named("a dog", PLAIN) == "a dog"
    assert named("white dog", BOTH, "mia/dog") == "white sks dog"


def test_an_adapter_changes_what_gligen_draws_at_a_place(cache: Path, adapters: dict[str, str]) -> None:
    box = Box("dog", "red", 20.0, 20.0, 20.0, 20.0, 1.0, "mia/dog")
    call = Generate("a dog", "", [box], 3, 2, {"mia/dog": LOOK})
    with_adapter = generator(cache, {"mia/dog": adapters["mia/dog"]}, generator="gligen").run([call])
    assert with_adapter != generator(cache, {}, generator="gligen").run([call])


def test_an_adapter_that_is_missing_or_pickled_is_told(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="adapter: me/dog at v1 is not in") as caught:
        check(["generator"], HubSettings(folder=str(cache), adapters={"mia/dog": "me/dog@v1"}))
    assert f'--include "{WEIGHTS}"' in caught.value.hint
    (tmp_path / "pytorch_lora_weights.bin").write_bytes(b"")
    with pytest.raises(BadInput, match="only as pickle"):
        check(["generator"], HubSettings(folder=str(cache), adapters={"mia/dog": str(tmp_path)}))


def test_an_adapter_for_another_generator_is_told(cache: Path, adapters: dict[str, str], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(
        {"unet.nowhere.lora_A.weight": torch.zeros(2, 3), "unet.nowhere.lora_B.weight": torch.zeros(3, 2)}, tmp_path / WEIGHTS
    )
    with pytest.raises(BadInput, match="cannot read"):
        generator(cache, {"mia/dog": str(tmp_path)})
