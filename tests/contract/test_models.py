"""The contract of `semcast.agents.models.roles.Model`, for every shipped model (those of the hub: tests/agents/models/hub)."""

from importlib import import_module

import pytest
from semcast.agents.models.cards import file_sha256, read_card
from semcast.agents.models.loading import PROFILES, WEIGHTS, load_models, model_table

from .model_checks import check_batch, check_companions, check_flops, one_group

SOURCES = {(profile, role): source for profile, sources in PROFILES.items() for role, source in sources.items()}
ROWS = {(profile, row.role): row for profile in PROFILES for row in model_table(profile)}
pytestmark = pytest.mark.parametrize("role", sorted(SOURCES), ids="-".join)
MODELS = {profile: load_models(profile) for profile in PROFILES}
LIMIT_BYTES = 40_000_000


def model(role):
    assert not ROWS[role].problem
    return MODELS[role[0]][role[1]]


def examples(role):
    source = SOURCES[role]
    return getattr(import_module(f"semcast.agents.models.{source.module}"), source.examples)()


def test_it_says_what_it_is(role):
    it = model(role)
    assert it.role == role[1].partition("@")[0]  # a variant is asked as "role@variant"
    assert it.name == ROWS[role].name
    assert it.sha256 == ROWS[role].sha256
    assert isinstance(it.batch, int) and it.batch >= 1


def test_flops_and_group_are_pure_and_positive(role):
    check_flops(model(role), examples(role))


def test_the_card_is_true(role):
    it, source = model(role), SOURCES[role]
    card = read_card(WEIGHTS / source.folder, source.card)
    assert it.role in card.data["roles"]
    assert card.data["batch"] == it.batch
    assert card.data["params"] > 0 and card.data["flops"] > 0
    for name, wanted in card.data["files"].items():
        path = card.folder / name
        if path.is_file():  # else a dependency holds it, and loading has checked it
            assert file_sha256(path) == wanted


def test_a_batch_gives_results_of_the_role_in_order_and_again(role):
    it = model(role)
    check_batch(it, one_group(it, examples(role)))


def test_companions_and_place_do_not_matter(role):
    it = model(role)
    check_companions(it, one_group(it, examples(role)))


def test_weights_are_within_the_limit(role):
    sizes = {path: path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file() and "checkpoints" not in path.parts}
    assert sum(sizes.values()) <= LIMIT_BYTES
    assert ROWS[role].weights_bytes <= LIMIT_BYTES
