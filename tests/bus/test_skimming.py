"""Picking records by kind: the same bytes as reading everything."""

from pathlib import Path

import pytest
from semcast.bus.envelope import DATA, PRIVATE, VERSION, Codec, Envelope
from semcast.bus.messages import CodecRequest, Tick
from semcast.bus.skimming import Skimmer
from semcast.bus.trace import TraceWriter
from semcast.bus.trace_reading import TraceReader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    codec, writer = Codec(), TraceWriter(tmp_path / "trace", 0, {"run": "x"}, segment_bytes=1 << 14)
    for n in range(2000):
        payload = Tick("again", n) if n % 3 else CodecRequest("snr01-cbr12")
        envelope = Envelope(VERSION, n, n, DATA, f"edge.{n % 2}", "cloud.0", n, "", PRIVATE, payload)
        writer.write(envelope, codec.encode(envelope), n % 5 == 0)
    writer.close()
    return tmp_path


@pytest.mark.parametrize("kinds", [None, set(), {"tick"}, {"codec_request"}, {"tick", "codec_request", "unheard_of"}])
def test_it_finds_what_a_reader_of_everything_finds(folder: Path, kinds: set[str] | None) -> None:
    reader = TraceReader(folder)
    skimmed = sorted(found for path in reader.paths for found in reader.skim(path, kinds))
    assert skimmed == sorted((r.kind, r.number, r.raw) for r in reader.records() if kinds is None or r.kind in kinds)
    assert not reader.cut


def test_a_segment_that_was_cut_is_skimmed_to_the_cut(folder: Path) -> None:
    path = max(TraceReader(folder).paths, key=lambda each: each.stat().st_size)
    whole = list(TraceReader(folder).skim(path, {"tick"}))
    path.write_bytes(path.read_bytes()[:-10])
    reader = TraceReader(folder)
    assert list(reader.skim(path, {"tick"})) == whole != []
    path.write_bytes(path.read_bytes()[:3000])
    assert list(reader.skim(path, {"tick"})) == []
    assert [name for name, _ in reader.cut] == [path.name]


@pytest.mark.parametrize("chunk", [b"\x05\xff\x00\x00\x00\x00\x00\x00\x00abc", b"\x04\x09\x00\x00\x00\x00\x00\x00\x00abcdefghi1"])
def test_a_record_that_leaves_its_chunk_is_refused(chunk: bytes) -> None:
    with pytest.raises((ValueError, LookupError)):
        Skimmer({"tick"}).pick(chunk)
