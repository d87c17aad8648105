"""Scenarios that are like others."""

from pathlib import Path

import pytest
from semcast.bus.errors import BadInput
from semcast.policies.scheduling import fifo
from semcast.scenarios.loading import CATALOG, load, read


def test_what_a_file_does_not_say_is_as_in_the_one_that_it_is_like(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('like = "two-users"\nname = "mine"\n[traffic]\nrate_hz = 0.25\n')
    (tmp_path / "other.toml").write_text('like = "mine.toml"\nseed = 9\n')
    base, mine, other = load("two-users"), load(str(tmp_path / "mine.toml")), load(str(tmp_path / "other.toml"))
    assert mine == base.model_copy(update={"name": "mine", "traffic": base.traffic.model_copy(update={"rate_hz": 0.25})})
    assert other == mine.model_copy(update={"seed": 9})
    assert load(str(tmp_path / "other.toml"), quick=True).name == "mine"


def test_policies_of_the_other_file_are_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "own.py").write_text((Path(fifo.__file__)).read_text().replace("..protocols", "semcast.policies.protocols"))
    text = (CATALOG / "two-users.toml").read_text()
    (folder / "base.toml").write_text(text.replace('scheduling = "fifo"', 'scheduling = "own.py:Fifo"'))
    (tmp_path / "mine.toml").write_text(f'like = "{folder / "base.toml"}"\nname = "mine"\n')
    assert load(str(tmp_path / "mine.toml")).policies.scheduling == f"{folder / 'own.py'}:Fifo"


def test_circles_and_unknown_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('like = "b.toml"\n')
    (tmp_path / "b.toml").write_text('like = "a.toml"\n')
    with pytest.raises(BadInput, match="a is like b is like a"):
        read(str(tmp_path / "a.toml"))
    (tmp_path / "c.toml").write_text('like = "two-user"\n')
    with pytest.raises(BadInput, match="two-user") as caught:
        read(str(tmp_path / "c.toml"))
    assert "two-users" in str(caught.value.hint) and "c.toml" in caught.value.message
    (tmp_path / "d.toml").write_text('like = "a"\n')
    with pytest.raises(BadInput, match="no scenario 'a'") as caught:
        read(str(tmp_path / "d.toml"))
    assert caught.value.hint == 'like = "a.toml"'
    (tmp_path / "e.toml").write_text("like = 5\n")
    with pytest.raises(BadInput, match="like = 5 is no name"):
        read(str(tmp_path / "e.toml"))
