"""Small inputs that claim to be, or would become, enormous are refused before memory or time is spent on them."""

import io
import resource
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from mcap.writer import CompressionType, Writer
from PIL import Image
from semcast.agents import prompt_codec
from semcast.agents.bits import BitWriter
from semcast.agents.models.cards import read_card
from semcast.agents.models.hub.snapshot import _params
from semcast.agents.pictures import decompress
from semcast.bus.errors import BadInput
from semcast.bus.exchange import wire
from semcast.bus.exchange.client import _info
from semcast.bus.subjects import parse
from semcast.bus.trace_reading import LARGEST_CHUNK, TraceReader
from semcast.policies.prompt.learned import read_network
from semcast.scenarios.folder import read_run
from semcast.scenarios.loading import load

GIGABYTE = 1 << 30


@contextmanager
def cheap(seconds: float = 1.0, megabytes: int = 64) -> Iterator[None]:
    """What is done inside takes little CPU time and memory."""
    memory, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    yield
    assert time.thread_time() - start < seconds
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < megabytes << 10


def chunk(data: bytes, size: int, compression: str) -> bytes:
    """A segment of one chunk that claims to have ``size`` bytes unpacked."""
    out = io.BytesIO()
    writer = Writer(out, compression=CompressionType.NONE, enable_crcs=False)
    writer.start(profile="semcast", library="semcast")
    head = out.getvalue()
    name = compression.encode()
    body = struct.pack("<QQQII", 0, 0, size, 0, len(name)) + name + struct.pack("<Q", len(data)) + data
    footer = b"\x02" + struct.pack("<QQQI", 20, 0, 0, 0)
    return head + b"\x06" + struct.pack("<Q", len(body)) + body + footer + head[:8]


def zeros(size: int, told: bool = True) -> bytes:
    """Zeros packed by zstd: a gigabyte becomes 32 kB. Without its content size, where not ``told``."""
    packer = zstandard.ZstdCompressor(write_content_size=told).compressobj(size=size if told else -1)
    block = bytes(1 << 20)
    return b"".join([packer.compress(block) for _ in range(size >> 20)]) + packer.flush()


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    honest, silent = zeros(GIGABYTE), zeros(GIGABYTE, told=False)
    return {
        "a gigabyte, and says so": chunk(honest, GIGABYTE, "zstd"),
        "a gigabyte, and says 100 bytes": chunk(honest, 100, "zstd"),
        "a gigabyte, and its frame does not say": chunk(silent, 100, "zstd"),
        "just below the largest chunk, of nothing": chunk(zeros(LARGEST_CHUNK), LARGEST_CHUNK, "zstd"),
        "another packer": chunk(b"x" * 100, GIGABYTE, "lz4"),
        "no packer": chunk(b"x" * 100, GIGABYTE, ""),
    }


@pytest.mark.parametrize("which", range(6))
def test_a_chunk_is_looked_at_before_it_is_unpacked(bombs: dict[str, bytes], which: int, tmp_path: Path) -> None:
    name, raw = list(bombs.items())[which]
    (tmp_path / "w0-0.mcap").write_bytes(raw)
    with cheap():
        reader = TraceReader(tmp_path)
        assert list(reader.records()) == []
    assert "chunk" in reader.cut[0][1], name


@pytest.mark.parametrize("claimed", [1 << 40, 1 << 62, (1 << 64) - 1])
def test_a_length_inside_a_record_is_not_believed(claimed: int, tmp_path: Path) -> None:
    raw = chunk(b"x" * 100, 100, "")
    place = raw.index(struct.pack("<Q", 100) + b"x")
    (tmp_path / "w0-0.mcap").write_bytes(raw[:place] + struct.pack("<Q", claimed) + raw[place + 8 :])
    with cheap():
        reader = TraceReader(tmp_path)
        assert list(reader.records()) == [] and len(reader.cut) == 1


def test_what_trace_segments_hold_of_ourselves_is_unpacked(tmp_path: Path) -> None:
    """A megabyte of one byte, packed, is no bomb."""
    data = b"\x07" + struct.pack("<Q", 1 << 20) + bytes(1 << 20)  # a record that every reader skips
    (tmp_path / "w0-0.mcap").write_bytes(chunk(zstandard.compress(data), len(data), "zstd"))
    reader = TraceReader(tmp_path)
    assert list(reader.records()) == [] and reader.cut == []


def picture(side: int, form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side)).save(out, form, lossless=True) if form == "WEBP" else Image.new("RGB", (side, side)).save(
        out, form
    )
    return out.getvalue()


@pytest.mark.parametrize(("side", "form"), [(65, "WEBP"), (2000, "WEBP"), (64, "PNG"), (64, "GIF"), (64, "BMP")])
def test_pictures_of_other_sizes_and_formats_are_refused(side: int, form: str) -> None:
    raw = picture(side, form)
    with cheap(), pytest.raises(BadInput, match="shared picture"):
        decompress(raw)


def test_a_picture_whose_header_claims_a_gigabyte_is_refused() -> None:
    raw = bytearray(picture(64, "WEBP"))
    place = raw.index(b"VP8L") + 9
    raw[place : place + 4] = (0x2FFFFFFF & 0x0FFFFFFF).to_bytes(4, "little")  # 16384 x 16384
    with cheap(), pytest.raises(BadInput, match="shared picture"):
        decompress(bytes(raw))


def long_prompt(code: int) -> bytes:
    """A prompt whose caption is as long as a prompt may be."""
    out = BitWriter()
    out.write(0, prompt_codec.HEADER_BITS - 5)
    out.write(0b01000, 5)
    while out.length < 8 * prompt_codec.LARGEST_BYTES - 8:
        out.write(code, prompt_codec.WORD_BITS)
    return out.bytes()


@pytest.mark.parametrize("code", [1, 3, 10])
def test_the_longest_prompts_take_no_time(code: int) -> None:
    raw = long_prompt(code)
    assert len(raw) <= prompt_codec.LARGEST_BYTES
    with cheap(), pytest.raises(BadInput):
        prompt_codec.decode(raw)
    with cheap(0.1, 1), pytest.raises(BadInput, match="bytes"):
        prompt_codec.decode(raw * 100)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"1234567",
        b"\xff" * 8 + b"{}",
        b"\x02" + bytes(7) + b"[]",
        b"\x0a" + bytes(7) + b'{"w":{}}  ',
        bytes(8),
        b"\xff\xff" + bytes(6),
    ],
)
def test_weights_with_a_header_that_lies_are_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw)
    with cheap(), pytest.raises(BadInput, match="safetensors"):
        _params(path)


DEEP = b"[" * 100_000


def from_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    def check(raw: bytes, folder: Path) -> object:
        (folder / name).write_bytes(raw)
        return read(folder)

    return check


READERS: dict[str, Callable[[bytes, Path], object]] = {
    "run.json": from_file("run.json", read_run),
    "card.json": from_file("card.json", read_card),
    "weights.json": from_file("weights.json", lambda folder: read_network(folder / "weights.json")),
    "hostile.toml": from_file("hostile.toml", lambda folder: load(str(folder / "hostile.toml"))),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "raw",
    [
        DEEP,
        b"a = " + DEEP,
        b"a" + b".a" * 50_000 + b" = 1",
        b"[" + b"a." * 50_000 + b"a]",
        b"a = 0x" + b"f" * 9999,
        b"{}",
        b"1" * 9999,
    ],
    ids=["deep", "deep value", "dotted", "dotted table", "long number", "nothing", "digits"],
)
def test_files_of_nests_and_endless_numbers_are_refused(name: str, raw: bytes, tmp_path: Path) -> None:
    if name == "run.json" and raw == b"{}":
        assert READERS[name](raw, tmp_path) == {}
        return
    with cheap(), pytest.raises(BadInput):
        READERS[name](raw, tmp_path)


def test_a_scenario_of_megabytes_is_refused(tmp_path: Path) -> None:
    with cheap(), pytest.raises(BadInput, match="at most"):
        READERS["hostile.toml"](b"# " + b"x" * (4 << 20), tmp_path)


@pytest.mark.parametrize(
    "subject", ["semcast.v1.r." + "9" * 5000 + ".0.user.1.bs.0.tick", "a." * 500_000, "semcast.v1." + "r" * 10**6]
)
def test_subjects_of_any_length_are_refused_at_once(subject: str) -> None:
    with cheap(0.2), pytest.raises(BadInput):
        parse(subject)


@pytest.mark.parametrize(
    "raw", [b"\xdd\xff\xff\xff\xff", b"\x97" + b"\xdd\x7f\xff\xff\xff" * 7, b"\x91" * 900_000, b"\xdf\xff\xff\xff\xff"]
)
def test_claimed_lengths_take_no_memory(raw: bytes) -> None:
    for decode in (wire.decode_part, wire.decode_control):
        with cheap(0.2, 8), pytest.raises(wire.BAD_BYTES):
            decode(raw)


def test_a_server_that_tells_nests_of_itself_is_refused() -> None:
    with cheap(), pytest.raises(ValueError, match="nested"):
        _info(DEEP)
