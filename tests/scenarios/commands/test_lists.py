"""Lists of policies and values on the command line."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.errors import BadInput
from semcast.scenarios.commands.compare import _compared
from semcast.scenarios.commands.lists import by_kind, split_policies, split_values

NAMES = st.from_regex(r"[a-z][a-z/-]{0,8}", fullmatch=True)
POLICIES = st.builds(
    lambda name, given: f"{name}:{','.join(f'{key}={value}' for key, value in given.items())}" if given else name,
    NAMES,
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,6}", fullmatch=True), st.from_regex(r"[a-z0-9.+-]{1,6}", fullmatch=True), max_size=3
    ),
)


@given(st.lists(POLICIES, min_size=1, max_size=5))
def test_joined_policies_come_apart(policies: list[str]) -> None:
    assert split_policies(",".join(policies)) == policies


@pytest.mark.parametrize(
    ("text", "policies"),
    [
        ("fixed,snr-table", ["fixed", "snr-table"]),
        ("fixed:codec=a,cbr=0.1,snr-table:margin_db=2", ["fixed:codec=a,cbr=0.1", "snr-table:margin_db=2"]),
        ("mine.py:Mine:x=1, my_module:Other,fixed", ["mine.py:Mine:x=1", "my_module:Other", "fixed"]),
    ],
)
def test_parameters_stay_with_their_policy(text: str, policies: list[str]) -> None:
    assert split_policies(text) == policies


@pytest.mark.parametrize("text", ["x=1,fixed", "fixed,,snr-table", "fixed,"])
def test_what_is_no_list_is_told(text: str) -> None:
    with pytest.raises(BadInput, match="policies"):
        split_policies(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2.5,true", ["1", "2.5", "true"]),
        ("[1,2],[3,4]", ["[1,2]", "[3,4]"]),
        ('"a,b",c', ['"a,b"', "c"]),
        ("{a = [1, 2], b = 3},none", ["{a = [1, 2], b = 3}", "none"]),
    ],
)
def test_commas_in_brackets_and_quotes_separate_nothing(text: str, values: list[str]) -> None:
    assert split_values(text) == values


def options(*policies: str, scheme: str = "", models: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(policy=list(policies), scheme=scheme, models=models)


def test_repeated_options_of_a_kind_add_up() -> None:
    assert by_kind(["encoder=a:x=1", "noise=none", "encoder=b,c"]) == {"encoder": ["a:x=1", "b", "c"], "noise": ["none"]}


def test_the_kind_with_several_is_compared_and_the_others_are_settings() -> None:
    args = options("noise=none", "encoder=a", "encoder=b:x=1")
    assert _compared(args) == ("encoder", ["a", "b:x=1"])
    assert args.policy == ["noise=none"]


def test_one_policy_alone_is_compared_with_its_baseline() -> None:
    assert _compared(options("encoder=snr-table")) == ("encoder", ["snr-table"])
    args = options("encoder=snr-table", scheme="gai-scn,semcom")
    assert _compared(args) == ("", []) and args.policy == ["encoder=snr-table"]


@pytest.mark.parametrize("policies", [("encoder=a,b", "prompt=c,d"), ("encoder=a", "prompt=c")])
def test_two_kinds_at_once_are_refused(policies: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="one kind"):
        _compared(options(*policies))
