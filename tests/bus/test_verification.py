"""A trace that was written is found whole; a changed bit, a lost, added or moved record is found and named."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus.chain_log import run_digest
from semcast.bus.divergence import emitted_ns
from semcast.bus.envelope import Codec
from semcast.bus.trace import TraceWriter, trace_metadata
from semcast.bus.trace_reading import TraceReader, TraceRecord
from semcast.bus.verification import check_trace, checksums

from . import test_trace
from .test_trace import WORLD, traced_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified")
    traced_run(folder, workers=2)
    return folder


def test_what_was_written_is_whole(run: Path) -> None:
    found = check_trace(run)
    chains = TraceReader(run).chains
    assert found.problems == () and found.records == len(list(TraceReader(run).records())) > 200
    assert found.digest == run_digest({agent: values[-1][1] if values else "" for agent, values in chains.items()})


@settings(max_examples=80, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), segment=st.integers(0, 1))
def test_a_changed_bit_of_a_chunk_is_found_and_its_segment_named(
    run: Path, share: float, bit: int, segment: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = segment_of_a_copy(run, segment, tmp_path_factory.mktemp("flipped"))
    flip(path, *chunk_of(path.read_bytes()), share, bit)
    problems = check_trace(path.parent).problems
    assert problems and path.name in problems[0] and "chunk 0" in problems[0]


@settings(max_examples=100, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), segment=st.integers(0, 1))
def test_a_changed_bit_anywhere_never_makes_another_digest(
    run: Path, share: float, bit: int, segment: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where a file says nothing of a record (its index, statistics), the records are found whole; else it is told."""
    path = segment_of_a_copy(run, segment, tmp_path_factory.mktemp("anywhere"))
    flip(path, 0, path.stat().st_size, share, bit)
    before, after = check_trace(run), check_trace(path.parent)
    assert after.problems or (after.digest, after.records) == (before.digest, before.records)


REGIONS = {
    0x01: "header",
    0x02: "footer",
    0x03: "schema",
    0x04: "channel",
    0x06: "chunk",
    0x07: "message index",
    0x08: "chunk index",
    0x0B: "statistics",
    0x0C: "metadata",
    0x0D: "metadata index",
    0x0E: "summary offset",
    0x0F: "data end",
}
"""The op codes of MCAP records (the format's specification)."""


def regions(raw: bytes) -> list[tuple[str, int, int]]:
    """(what, start, end) of each record of an MCAP file, and of the magic bytes at both ends."""
    found, offset = [("magic", 0, 8)], 8
    while offset < len(raw) - 8:
        end = offset + 9 + int.from_bytes(raw[offset + 1 : offset + 9], "little")
        found.append((REGIONS.get(raw[offset], "other"), offset, end))
        offset = end
    return [*found, ("magic", offset, len(raw))]


@pytest.fixture(scope="module")
def with_secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with public and private segments, several of each."""
    folder = tmp_path_factory.mktemp("secrets")
    writer = TraceWriter(folder / "trace", 0, trace_metadata(WORLD))
    for n in range(400):
        writer.write(*test_trace.record(n), private=n % 3 == 0)
        if n == 200:
            writer.rotate()
    writer.close({"user.00": [(0, "00" * 16)]})
    return folder


def test_the_files_have_every_region(with_secrets: Path) -> None:
    found = {(path.name.startswith("private"), what) for path in paths(with_secrets) for what, _, _ in regions(path.read_bytes())}
    assert found >= {(private, what) for private in (False, True) for what in (*REGIONS.values(), "magic")}
    assert not [what for _, what in found if what == "other"] and len(paths(with_secrets)) >= 4


def paths(run: Path) -> list[Path]:
    return TraceReader(run).paths


@settings(max_examples=150, deadline=None)
@given(data=st.data(), what=st.sampled_from(sorted({*REGIONS.values(), "magic"})), private=st.booleans(), bit=st.integers(0, 7))
def test_a_changed_bit_of_any_region_of_any_file_is_found(
    with_secrets: Path, data: st.DataObject, what: str, private: bool, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of header, schema, channel, chunk, index, chains, summary, footer: the file is named, inside a chunk the chunk, too."""
    places = [
        (path, start, end)
        for path in paths(with_secrets)
        if path.name.startswith("private") == private
        for found, start, end in regions(path.read_bytes())
        if found == what
    ]
    path, start, end = data.draw(st.sampled_from(places))
    offset = data.draw(st.integers(start, end - 1))
    expected, whole = checksums(paths(with_secrets)), path.read_bytes()
    raw = bytearray(whole)
    copy = tmp_path_factory.mktemp("bit")
    shutil.copytree(with_secrets / "trace", copy / "trace")
    raw[offset] ^= 1 << bit
    (copy / "trace" / path.name).write_bytes(raw)
    try:
        problems = check_trace(copy, expected=expected).problems
    finally:
        shutil.rmtree(copy)
    assert [problem for problem in problems if f"segment {path.name}" in problem], problems
    if what == "chunk" and offset >= chunk_of(whole)[0]:
        assert "chunk 0" in problems[0]


def test_lost_and_added_files_are_named(with_secrets: Path, tmp_path: Path) -> None:
    expected = checksums(paths(with_secrets))
    shutil.copytree(with_secrets / "trace", tmp_path / "trace")
    first, *_, last = paths(tmp_path)
    first.unlink()
    shutil.copy(last, last.with_name("private-w7-0.mcap"))
    problems = check_trace(tmp_path, expected=expected).problems
    assert f"segment {first.name} is not there" in problems
    assert "segment private-w7-0.mcap: it was not there when the run ended" in problems


def segment_of_a_copy(run: Path, number: int, folder: Path) -> Path:
    shutil.copytree(run / "trace", folder / "trace")
    return sorted((folder / "trace").glob("w*.mcap"))[number]


def flip(path: Path, start: int, end: int, share: float, bit: int) -> None:
    """Change one bit between two offsets of a file."""
    raw = bytearray(path.read_bytes())
    raw[start + int(share * (end - start))] ^= 1 << bit
    path.write_bytes(raw)


def chunk_of(raw: bytes) -> tuple[int, int]:
    """Where the compressed records of the first chunk lie (record: op code, length, times, size, CRC, name, bytes)."""
    offset = 8
    while raw[offset] != 0x06:
        offset += 9 + int.from_bytes(raw[offset + 1 : offset + 9], "little")
    end = offset + 9 + int.from_bytes(raw[offset + 1 : offset + 9], "little")
    name = int.from_bytes(raw[offset + 9 + 28 : offset + 9 + 32], "little")
    return offset + 9 + 32 + name + 8, end


def rewritten(run: Path, folder: Path, records: list[TraceRecord]) -> Path:
    """The trace written again with other records and the old chains: sound as a file."""
    writer = TraceWriter(folder / "trace", 0, trace_metadata(WORLD))
    for record in records:
        writer.write(record.envelope, record.raw, record.private)
    writer.close(TraceReader(run).chains)
    return folder


def in_order(run: Path) -> list[TraceRecord]:
    return sorted(TraceReader(run).records(), key=lambda record: (record.envelope.source, record.number))


def test_records_written_again_as_they_were_are_whole(run: Path, tmp_path: Path) -> None:
    assert check_trace(rewritten(run, tmp_path, in_order(run))).problems == ()


@settings(max_examples=40, deadline=None)
@given(data=st.data(), how=st.sampled_from(["changed", "lost", "twice", "swapped"]))
def test_a_meddled_record_is_found_with_its_agent_and_windows(
    run: Path, data: st.DataObject, how: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    records = in_order(run)
    at = data.draw(st.integers(0, len(records) - 2))
    one, next_one = records[at : at + 2]
    if how == "changed":
        values = {name: getattr(one.envelope, name) for name in one.envelope.__struct_fields__}
        envelope = type(one.envelope)(**(values | {"t_deliver": one.envelope.t_deliver ^ 1}))
        records[at] = TraceRecord(envelope, one.kind, Codec().encode(envelope), one.private, one.number)
    elif how == "lost":
        del records[at]
    elif how == "twice":
        records.insert(at, one)
    elif one.envelope.source == next_one.envelope.source:
        records[at : at + 2] = next_one, one
    else:
        return
    problems = check_trace(rewritten(run, tmp_path_factory.mktemp("meddled"), records)).problems
    width_ns = WORLD.chain_windows * WORLD.lookahead_ns
    apart = emitted_ns(one.envelope) // width_ns != emitted_ns(next_one.envelope) // width_ns
    if how == "swapped" and apart:  # the order within each interval is the same
        assert problems == ()
    else:
        assert [problem.partition(":")[0] for problem in problems] == [one.envelope.source]


def test_a_run_that_did_not_end_has_no_chains(run: Path, tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path / "trace", 0, trace_metadata(WORLD))
    for record in in_order(run)[:50]:
        writer.write(record.envelope, record.raw, record.private)
    writer.close()
    assert "no chain values" in check_trace(tmp_path).problems[-1]
