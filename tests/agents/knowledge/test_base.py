"""Knowledge bases: folding records, versions, sharing levels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.knowledge import KINDS, SHARING, KnowledgeBase, change, fold
from semcast.bus.errors import RunFailed
from semcast.bus.records import KbRecord

CHANGES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from(SHARING), st.text(max_size=8), st.booleans()),
    max_size=40,
)


@given(changes=CHANGES)
def test_a_kb_is_the_fold_of_its_records(changes: list[tuple[str, str, str, str, bool]]) -> None:
    base, records = KnowledgeBase(), []
    last: dict[tuple[str, str], str] = {}
    for kind, name, sharing, text, removed in changes:
        if removed and base.get(kind, name) is None:
            continue
        record = change(base, kind, name, text, provenance="user.0", sharing=sharing, removed=removed)
        records.append(record)
        base.apply(record)
        last[kind, name] = text
        if removed:
            del last[kind, name]
    assert fold(records) == base
    assert {(item.kind, item.name): item.text for item in base.items.values()} == last
    for item in base.items.values():
        assert item == base.get(item.kind, item.name)
        assert item in base.of_kind(item.kind)
        assert (item in base.visible("cloud")) == (item.sharing in ("cloud", "public"))


def test_versions_count_and_gaps_are_refused() -> None:
    base = KnowledgeBase()
    for version in (1, 2, 3):
        base.apply(change(base, "term", "dog", "a dog", provenance="x"))
        held = base.get("term", "dog")
        assert held is not None and held.version == version
    with pytest.raises(RunFailed, match="version 3, 4 is due"):
        base.apply(KbRecord("term", "dog", 3, "x", "private", "", b""))


@pytest.mark.parametrize(("kind", "sharing"), [("dream", "private"), ("term", "everybody")])
def test_unknown_kinds_and_levels_are_refused(kind: str, sharing: str) -> None:
    with pytest.raises(RunFailed):
        KnowledgeBase().apply(KbRecord(kind, "x", 1, "x", sharing, "", b""))
