"""Which segments of a trace count when workers were made anew."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus.segments import Segment, parse, segments

lives = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=6)
"""For each incarnation: where it wants to go on, and how many segments it writes."""
names = st.builds(Segment, st.booleans(), st.integers(0, 10**6 - 1), st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))


@given(names)
def test_names_say_all_of_a_segment(segment: Segment) -> None:
    assert parse(segment.name) == segment


@given(st.text(max_size=30))
def test_no_other_name_is_a_segment(name: str) -> None:
    found = parse(name)
    assert found is None or int(found.number) >= 0


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    for name in ("w0-1.mcap.part", "w0-0-i.mcap", "xw0-0.mcap", "w-0.mcap", "private-0-0.mcap", "w0-0-i1.mcap.gz", "notes.txt"):
        assert parse(name) is None
        (tmp_path / name).touch()
    assert segments(tmp_path) == ([], [])


@settings(deadline=None)  # the disk is waited for
@given(st.dictionaries(st.tuples(st.booleans(), st.integers(0, 2)), lives, max_size=4))
def test_each_place_counts_once_by_the_last_life_that_came_there(written: dict[tuple[bool, int], list[tuple[int, int]]]) -> None:
    """The truth is kept as it grows: a new life cuts the line where it goes on and writes from there."""
    import tempfile

    expected: list[Segment] = []
    everything: list[Segment] = []
    for (private, worker), all_lives in written.items():
        line: list[Segment] = []
        for incarnation, (wish, count) in enumerate(all_lives):
            place = min(wish, len(line))
            fresh = [Segment(private, worker, number, incarnation) for number in range(place, place + count)]
            line = line[:place] + fresh
            everything += fresh
        expected += line
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for segment in everything:
            (folder / segment.name).touch()
        counting, superseded = segments(folder)
    assert [path.name for path in counting] == [segment.name for segment in sorted(expected)]
    assert sorted(path.name for path in superseded) == sorted({s.name for s in everything} - {s.name for s in expected})
