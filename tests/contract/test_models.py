"""The contract of `semcast.agents.models.roles.Model`, for every registered model."""

from importlib import import_module

import msgspec
import pytest
from semcast.agents.models import roles
from semcast.agents.models.cards import file_sha256, read_card
from semcast.agents.models.loading import PROFILES, WEIGHTS, load_models, model_table

SOURCES = PROFILES["tiny"]
ROWS = {row.role: row for row in model_table()}
RESULTS = {
    "embedder": roles.Embedding,
    "extractor": roles.Extraction,
    "generator": roles.Picture,
    "jscc_decoder": roles.Picture,
    "jscc_encoder": roles.Symbols,
    "personaliser": roles.Branch,
}
pytestmark = pytest.mark.parametrize("role", sorted(SOURCES))
MODELS = load_models()
LIMIT_BYTES = 40_000_000


def model(role):
    assert not ROWS[role].problem
    return MODELS[role]


def examples(role):
    source = SOURCES[role]
    return getattr(import_module(f"semcast.agents.models.{source.module}"), source.examples)()


def one_group(role):
    """Different examples that may share a batch, at least two."""
    groups = {}
    for arguments in examples(role):
        groups.setdefault(MODELS[role].group(arguments), []).append(arguments)
    largest = max(groups.values(), key=len)
    assert len(largest) >= 2, "give at least two examples of one group"
    return largest


def test_it_says_what_it_is(role):
    it = model(role)
    assert it.role == role
    assert it.name == ROWS[role].name
    assert it.sha256 == ROWS[role].sha256
    assert isinstance(it.batch, int) and it.batch >= 1


def test_flops_and_group_are_pure_and_positive(role):
    it = model(role)
    for arguments in examples(role):
        flops = it.flops(arguments)
        assert isinstance(flops, int) and flops > 0
        assert it.flops(arguments) == flops
        assert isinstance(it.group(arguments), str)


def test_the_card_is_true(role):
    it, source = model(role), SOURCES[role]
    card = read_card(WEIGHTS / source.folder, source.card)
    assert role in card.data["roles"]
    assert card.data["batch"] == it.batch
    assert card.data["params"] > 0 and card.data["flops"] > 0
    for name, wanted in card.data["files"].items():
        path = card.folder / name
        if path.is_file():  # else a dependency holds it, and loading has checked it
            assert file_sha256(path) == wanted


def test_a_batch_gives_results_of_the_role_in_order_and_again(role):
    it, calls = model(role), one_group(role)
    batch = [calls[index % len(calls)] for index in range(it.batch)]
    first, second = it.run(batch), it.run(list(batch))
    assert len(first) == it.batch
    assert all(type(result) is RESULTS[role] for result in first)
    assert [msgspec.msgpack.encode(result) for result in first] == [msgspec.msgpack.encode(result) for result in second]


def test_companions_and_place_do_not_matter(role):
    """DESIGN section 2, rule 7: the engine fills up a batch with whatever waits."""
    it, calls = model(role), one_group(role)
    alone = msgspec.msgpack.encode(it.run([calls[0]] * it.batch)[0])
    for place in sorted({0, it.batch // 2, it.batch - 1}):
        batch = [calls[1 + (place + index) % (len(calls) - 1)] for index in range(it.batch)]
        batch[place] = calls[0]
        assert msgspec.msgpack.encode(it.run(batch)[place]) == alone


def test_arguments_are_not_changed(role):
    it, calls = model(role), one_group(role)
    batch = [calls[index % len(calls)] for index in range(it.batch)]
    before = [msgspec.msgpack.encode(arguments) for arguments in batch]
    it.run(batch)
    assert [msgspec.msgpack.encode(arguments) for arguments in batch] == before


def test_weights_are_within_the_limit(role):
    sizes = {path: path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file() and "checkpoints" not in path.parts}
    assert sum(sizes.values()) <= LIMIT_BYTES
    assert ROWS[role].weights_bytes <= LIMIT_BYTES
