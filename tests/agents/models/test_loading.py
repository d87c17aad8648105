"""Loading of models: late, checked, and with errors that say what to do."""

import json
import shutil
import subprocess
import sys

import pytest
from semcast.agents.models.cards import checked, file_sha256, read_card, write_card
from semcast.agents.models.loading import PROFILES, WEIGHTS, load_models, model_table
from semcast.bus.errors import BadInput, Missing


@pytest.fixture
def jscc(tmp_path):
    """A copy of the shipped codec library's folder inside a weights folder."""
    shutil.copytree(WEIGHTS / "jscc", tmp_path / "jscc", ignore=shutil.ignore_patterns("checkpoints"))
    return tmp_path


def test_neither_a_set_nor_the_table_imports_torch():
    code = (
        "import sys\n"
        "from semcast.agents.models.loading import load_models, model_table\n"
        "models = load_models(); assert 'jscc_encoder' in models and len(list(models)) == len(models)\n"
        "load_models(roles=['jscc_encoder', 'jscc_decoder', 'embedder']); model_table()\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_role_is_read_once():
    models = load_models(roles=["jscc_encoder"])
    assert models["jscc_encoder"] is models["jscc_encoder"]
    assert list(models) == ["jscc_encoder"]


def test_unknown_profile_and_role_are_named_with_the_known_ones():
    with pytest.raises(BadInput, match="'huge'") as caught:
        load_models("huge")
    assert "tiny" in caught.value.hint
    with pytest.raises(BadInput, match="'oracle'") as caught:
        load_models(roles=["oracle"])
    assert "jscc_encoder" in caught.value.hint


def test_an_absent_card_is_told_at_once_with_path_and_command(tmp_path):
    with pytest.raises(Missing, match=r"library\.json") as caught:
        load_models(roles=["jscc_encoder"], weights=tmp_path)
    assert "semcast train jscc" in caught.value.hint
    assert caught.value.exit_code == 3


def test_absent_weights_are_told_when_they_are_needed(jscc):
    from semcast.agents.models.codecs.models import encoder_examples

    for path in (jscc / "jscc").glob("*.encoder.safetensors"):
        path.unlink()
    encoder = load_models(roles=["jscc_encoder"], weights=jscc)["jscc_encoder"]
    with pytest.raises(Missing, match=r"encoder\.safetensors") as caught:
        encoder.run(encoder_examples()[: encoder.batch])
    assert "semcast train jscc" in caught.value.hint
    assert next(row for row in model_table(weights=jscc) if row.role == "jscc_encoder").problem


def test_damaged_weights_are_told(jscc):
    from semcast.agents.models.codecs.models import encoder_examples

    for path in (jscc / "jscc").glob("*.encoder.safetensors"):
        raw = bytearray(path.read_bytes())
        raw[-1] ^= 1
        path.write_bytes(raw)
    encoder = load_models(roles=["jscc_encoder"], weights=jscc)["jscc_encoder"]
    with pytest.raises(BadInput, match="damaged") as caught:
        encoder.run(encoder_examples()[: encoder.batch])
    assert "semcast train jscc" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": "x"}', "\ufeff{}"])
def test_a_broken_card_is_told(tmp_path, text):
    (tmp_path / "extractor").mkdir()
    (tmp_path / "extractor" / "card.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"card\.json") as caught:
        load_models(roles=["extractor"], weights=tmp_path)
    assert "semcast train extractor" in caught.value.hint


def test_a_card_without_what_a_model_needs_is_bad_input_not_a_traceback(tmp_path):
    (tmp_path / "jscc").mkdir()
    (tmp_path / "jscc" / "library.json").write_text('{"name": "x", "files": {}}')
    with pytest.raises(BadInput, match="library") as caught:
        load_models(roles=["jscc_decoder"], weights=tmp_path)["jscc_decoder"]
    assert "semcast train jscc" in caught.value.hint


def test_a_card_that_was_written_is_true(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    card = write_card(tmp_path, {"name": "m", "files": ["model.safetensors"]})
    assert card.data["files"] == {"model.safetensors": file_sha256(tmp_path / "model.safetensors")}
    assert read_card(tmp_path).sha256 == card.sha256
    assert checked(card, "model.safetensors").read_bytes() == b"weights"
    with pytest.raises(Missing, match="other"):
        checked(card, "other")


def test_the_table_has_a_row_for_every_role():
    rows = {row.role: row for row in model_table()}
    assert set(rows) == set(PROFILES["tiny"])
    jscc = rows["jscc_encoder"]
    assert jscc.name and jscc.params > 0 and jscc.flops > 0 and jscc.weights_bytes > 0 and not jscc.problem
    assert len(jscc.sha256) == 64
    assert rows["embedder"].weights_bytes == 0


def test_the_table_says_what_is_wrong_instead_of_failing(tmp_path):
    (tmp_path / "jscc").mkdir()
    (tmp_path / "jscc" / "library.json").write_text(json.dumps({"name": "x"}))
    problems = {row.role: row.problem for row in model_table(weights=tmp_path)}
    assert "files" in problems["jscc_encoder"]
    assert "semcast train extractor" in problems["extractor"]


def test_a_table_of_other_weights_says_so(tmp_path):
    for folder in ("table", "embedder", "extractor", "generator", "jscc", "personaliser"):
        (tmp_path / folder).mkdir()
        for file in (WEIGHTS / folder).glob("*.json"):
            shutil.copy(file, tmp_path / folder)
    shutil.copy(WEIGHTS / "table" / "table.msgpack", tmp_path / "table")
    assert not any(row.problem for row in model_table("table", tmp_path))
    card = tmp_path / "extractor" / "card.json"
    card.write_text(card.read_text() + " ")
    assert [row.role for row in model_table("table", tmp_path) if "calibrate models" in row.problem] == ["extractor"]
