"""Traces: what was written is read, in key order, also after a cut; the first divergence of two runs is named."""

import asyncio
import json
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from semcast.bus import keys
from semcast.bus.divergence import emitted_ns, first_divergence
from semcast.bus.engine import Worker, WorkerReport
from semcast.bus.envelope import ACTIVITY, VERSION, Codec, Envelope
from semcast.bus.errors import BadInput
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Content, Tick, Uplink
from semcast.bus.messages import CsiReport as Csi
from semcast.bus.records import AirRecord
from semcast.bus.trace import TraceWriter, trace_metadata
from semcast.bus.trace_reading import TraceReader, envelope_to_builtins
from semcast.bus.world import World

from .networks import ping_agents, ping_world

CODEC = Codec()
WORLD = ping_world()


def traced_run(folder: Path, world: World = WORLD, workers: int = 2, agents: Any = ping_agents) -> Sequence[WorkerReport]:
    """Run the ping network in memory with a trace."""
    hub = Hub(workers)
    writers = [TraceWriter(folder / "trace", k, trace_metadata(world, scenario="ping")) for k in range(workers)]
    engines = [
        Worker(world, agents(world, k, workers), MemoryExchange(hub, k), index=k, workers=workers, trace=writers[k])
        for k in range(workers)
    ]

    async def together() -> list[WorkerReport]:
        return list(await asyncio.gather(*(engine.run() for engine in engines)))

    reports = asyncio.run(together())
    for writer, engine in zip(writers, engines, strict=True):
        writer.close(engine.intervals)
    return reports


def record(number: int, source: str = "user.00", payload: Any = None, **changes: Any) -> tuple[Envelope, bytes]:
    fields = {"t_send": number, "t_deliver": number + 1, "origin": "agent", "destination": "bs.0"} | changes
    envelope = Envelope(
        VERSION,
        fields["t_send"],
        fields["t_deliver"],
        2,
        source,
        fields["destination"],
        number,
        "",
        fields["origin"],
        payload or Tick("x", number),
    )
    return envelope, CODEC.encode(envelope)


def write(folder: Path, records: Sequence[tuple[Envelope, bytes]], worker: int = 0, **options: Any) -> TraceWriter:
    writer = TraceWriter(folder / "trace", worker, trace_metadata(WORLD), **options)
    for envelope, raw in records:
        writer.write(envelope, raw, False)
    return writer


def test_a_run_is_read_whole_in_key_order(tmp_path: Path) -> None:
    reports = traced_run(tmp_path)
    reader = TraceReader(tmp_path)
    records = list(reader.records())
    assert len(records) == sum(report.records for report in reports)
    keys = [(r.envelope.t_deliver, r.envelope.priority, r.envelope.source, r.envelope.sequence) for r in records]
    assert keys == sorted(keys) and len(set(keys)) == len(keys)
    assert reader.cut == [] and reader.segments == ["w0-0.mcap", "w1-0.mcap"]
    assert reader.metadata["scenario"] == "ping" and reader.metadata["seed"] == str(WORLD.seed)
    assert sorted(reader.chains) == list(WORLD.ids) and all(len(values) > 1 for values in reader.chains.values())
    assert {name: values[-1][1] for name, values in reader.chains.items()} == {k: v for r in reports for k, v in r.chains.items()}


def test_the_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    for workers in (1, 4):
        traced_run(tmp_path / str(workers), workers=workers)
    one, four = ([r.raw for r in TraceReader(tmp_path / w).records()] for w in ("1", "4"))
    assert one == four


def test_records_are_found_by_agent_kind_request_and_time(tmp_path: Path) -> None:
    report = Csi("user.01", 0, 5, 3, "user.01/1")
    records = [record(n, f"user.{n % 3:02d}") for n in range(30)]
    records.append(record(40, "user.01", Uplink("user.01", 0, "l", "user.01/1", "csi", 8, report)))
    records.append(
        record(41, "user.01", Uplink("user.01", 0, "l", "user.01/12", "csi", 8, replace_request(report, "user.01/12")))
    )
    write(tmp_path, records).close()
    reader = TraceReader(tmp_path)
    assert [r.envelope.sequence for r in reader.records(request="user.01/1")] == [40]
    assert [r.envelope.sequence for r in reader.records(kind="uplink")] == [40, 41]
    assert {r.envelope.source for r in reader.records(agent="user.02")} == {"user.02"}
    assert len(list(reader.records(agent="bs.0"))) == 32
    assert [r.envelope.sequence for r in reader.records(start_ns=10, end_ns=13)] == [10, 11, 12]


def replace_request(report: Csi, request: str) -> Csi:
    return msgspec.structs.replace(report, request=request)


def test_private_records_are_for_their_owner(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path / "trace", 3, trace_metadata(WORLD))
    writer.write(*record(0), False)
    writer.write(*record(1), True)
    writer.close()
    assert writer.segments == ["w3-0.mcap", "private-w3-0.mcap"]
    assert stat.S_IMODE((tmp_path / "trace/private-w3-0.mcap").stat().st_mode) == 0o600
    reader = TraceReader(tmp_path)
    assert [r.private for r in reader.records()] == [False, True]
    assert [r.envelope.sequence for r in reader.records(private=False)] == [0]
    assert b"\x01" not in [r.raw for r in reader.records(private=False)]


def test_segments_follow_each_other_by_size_and_on_demand(tmp_path: Path) -> None:
    records = [
        record(n, payload=Content("", "user.00", "user.01", n, keys.generator("noise", n).bytes(500))) for n in range(1200)
    ]
    writer = write(tmp_path, records[:1000], segment_bytes=50_000)
    by_size = len(writer.segments)
    writer.rotate()
    for envelope, raw in records[1000:]:
        writer.write(envelope, raw, False)
    writer.close({"user.00": [(0, "ab")]})
    assert by_size > 1 and len(writer.segments) == by_size + 1
    reader = TraceReader(tmp_path)
    assert [r.raw for r in reader.records()] == [raw for _, raw in records]
    assert reader.chains == {"user.00": [(0, "ab")]}


def test_another_mcap_reader_reads_it(tmp_path: Path) -> None:
    """Topics, encodings, times and schema as MCAP's own reader sees them; MessagePack by the reference library."""
    write(tmp_path, [record(5)]).close()
    with (tmp_path / "trace/w0-0.mcap").open("rb") as file:
        reader = make_reader(file)
        ((schema, channel, message),) = list(reader.iter_messages())
    assert (channel.topic, channel.message_encoding) == ("/user/tick", "msgpack")
    assert (message.log_time, message.publish_time, message.sequence) == (5, 6, 0)
    assert msgpack.unpackb(message.data)[9] == {"type": "tick", "name": "x", "number": 5, "request": ""}
    assert schema is not None and schema.encoding == "jsonschema"
    properties = json.loads(schema.data)["$defs"]["Tick"]["properties"]
    assert properties["type"] == {"enum": ["tick"]} and "number" in properties


def test_unknown_kinds_are_shown_with_the_reference_library(tmp_path: Path) -> None:
    class Novel(msgspec.Struct, frozen=True, tag="novel"):
        what: str
        raw: bytes

    write(tmp_path, [record(0, payload=Novel("news", bytes(100)))]).close()
    (found,) = TraceReader(tmp_path).records()
    assert found.kind == "novel" and found.envelope.payload == {"type": "novel", "what": "news", "raw": bytes(100)}
    assert envelope_to_builtins(found.envelope)["payload"]["raw"] == "<100 bytes 0000000000000000...>"


def test_printing_shortens_long_bytes_only(tmp_path: Path) -> None:
    envelope, _ = record(0, payload=Content("r", "user.00", "user.01", 1, bytes(12_288)))
    shown = envelope_to_builtins(envelope)
    assert json.loads(json.dumps(shown))["payload"]["picture"].startswith("<12288 bytes 00")
    assert shown["payload"]["type"] == "content" and shown["source"] == "user.00"


def test_no_trace_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no trace"):
        TraceReader(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of several chunks."""
    folder = tmp_path_factory.mktemp("whole")
    records = [record(n, payload=Content("", "user.00", "user.01", n, bytes([n % 251]) * 2000)) for n in range(1500)]
    write(folder, records).close({"user.00": [(0, "ab")]})
    return folder / "trace" / "w0-0.mcap"


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_read_to_the_cut(share: float, whole: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    raw = whole.read_bytes()
    folder = tmp_path_factory.mktemp("cut")
    (folder / "w0-0.mcap").write_bytes(raw[: int(share * len(raw))])
    reader = TraceReader(folder)
    sequences = [r.envelope.sequence for r in reader.records()]
    assert sequences == list(range(len(sequences)))
    assert [name for name, _ in reader.cut] == ["w0-0.mcap"]


def test_cutting_less_loses_less(whole: Path, tmp_path: Path) -> None:
    raw = whole.read_bytes()
    (tmp_path / "w0-0.mcap").write_bytes(raw[: int(0.7 * len(raw))])
    assert 300 < len(list(TraceReader(tmp_path).records())) < 1500


def test_a_broken_chunk_ends_the_reading_there(whole: Path, tmp_path: Path) -> None:
    raw = bytearray(whole.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    (tmp_path / "w0-0.mcap").write_bytes(raw)
    reader = TraceReader(tmp_path)
    sequences = [r.envelope.sequence for r in reader.records()]
    assert sequences == list(range(len(sequences)))


def test_a_killed_process_leaves_a_readable_trace(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from semcast.bus.envelope import Codec, Envelope
        from semcast.bus.messages import Content
        from semcast.bus.trace import TraceWriter
        writer, codec = TraceWriter(Path({str(tmp_path)!r}), 0, {{"run": "x"}}), Codec()
        for n in range(5000):
            e = Envelope(1, n, n + 1, 2, "user.00", "bs.0", n, "", "agent", Content("", "", "", 0, os.urandom(1000)))
            writer.write(e, codec.encode(e), False)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    reader = TraceReader(tmp_path)
    sequences = [r.envelope.sequence for r in reader.records()]
    assert sequences == list(range(len(sequences))) and len(sequences) > 4000
    assert reader.cut and reader.metadata == {"run": "x"}


# --- divergence -------------------------------------------------------------------------------------------------------


def test_equal_runs_do_not_diverge(tmp_path: Path) -> None:
    traced_run(tmp_path / "a", workers=1)
    traced_run(tmp_path / "b", workers=4)
    assert first_divergence(tmp_path / "a", tmp_path / "b") is None


class Meddler:
    """Changes one number that one agent sends, once, late in the run."""

    def __init__(self, agent: Any, at: int) -> None:
        self._agent, self._at = agent, at
        self.id, self.state = agent.id, agent.state

    def start(self, ctx: Any) -> None:
        self._agent.start(ctx)

    def handle(self, event: Envelope, ctx: Any) -> None:
        if self.state.seen == self._at:
            self.state.mix += 1
        self._agent.handle(event, ctx)


def meddled(world: World, index: int = 0, workers: int = 1) -> list[Any]:
    return [Meddler(agent, 11) if agent.id == "bs.1" else agent for agent in ping_agents(world, index, workers)]


@pytest.mark.parametrize("with_chains", [True, False])
def test_the_first_divergence_is_named(tmp_path: Path, with_chains: bool) -> None:
    traced_run(tmp_path / "a", workers=2)
    traced_run(tmp_path / "b", workers=1, agents=meddled)
    if not with_chains:
        drop_chains(tmp_path / "b")
    found = first_divergence(tmp_path / "a", tmp_path / "b")
    assert found is not None and (found.agent, found.kind, found.field) == ("bs.1", "tick", "payload.number")
    ordered = [sorted(TraceReader(tmp_path / run).records(), key=lambda r: emitted_ns(r.envelope)) for run in "ab"]
    by_name = [{(r.envelope.source, r.envelope.sequence): r.raw for r in records} for records in ordered]
    first = next(r.envelope for r in ordered[0] if by_name[1].get((r.envelope.source, r.envelope.sequence)) != r.raw)
    assert (found.agent, found.sequence) == (first.source, first.sequence)
    assert found.window == first.t_send // WORLD.lookahead_ns and found.a != found.b
    assert "window" in str(found) and "payload.number" in str(found)


def drop_chains(run: Path) -> None:
    """Write the trace again as a process would leave it that was killed before the end."""
    records = [(r.envelope, r.raw) for r in TraceReader(run).records()]
    for segment in (run / "trace").glob("*.mcap"):
        segment.unlink()
    write(run, records).close()


def test_a_record_that_one_run_lacks_is_a_divergence(tmp_path: Path) -> None:
    write(tmp_path / "a", [record(n) for n in range(5)]).close()
    write(tmp_path / "b", [record(n) for n in range(4)]).close()
    found = first_divergence(tmp_path / "a", tmp_path / "b")
    assert found is not None and found.sequence == 4 and found.b == "(no such record)"


@pytest.mark.parametrize("field", ["snr_db", "users", "delivered"])
def test_the_field_is_named(tmp_path: Path, field: str) -> None:
    base = AirRecord("r", "prompt", "up", ["user.00"], 1, 2, 3, 0, 1, 0, 1, 5, 6, 7.5, True, "qpsk")
    other = msgspec.structs.replace(base, **{field: {"snr_db": 7.25, "users": ["user.01"], "delivered": False}[field]})
    write(tmp_path / "a", [record(0), record(1, payload=base)]).close()
    write(tmp_path / "b", [record(0), record(1, payload=other)]).close()
    found = first_divergence(tmp_path / "a", tmp_path / "b")
    assert found is not None and found.field.startswith(f"payload.{field}") and found.sequence == 1


def test_model_results_count_when_they_are_due() -> None:
    late, _ = record(3, origin=ACTIVITY, t_deliver=900)
    assert emitted_ns(late) == 900 and emitted_ns(record(3)[0]) == 3


def test_worlds_constants_are_in_the_metadata() -> None:
    data = trace_metadata(replace(WORLD, chain_windows=7), version="0.1")
    assert data == {"run": "test", "seed": "1", "lookahead_ns": "1000000", "chain_windows": "7", "version": "0.1"}


def test_a_record_of_another_version_is_refused_with_its_name(tmp_path: Path) -> None:
    envelope, _ = record(0)
    other = Envelope(VERSION + 1, *[getattr(envelope, name) for name in envelope.__struct_fields__[1:]])
    writer = TraceWriter(tmp_path / "trace", 0, trace_metadata(WORLD, **{"version.semcast": "9.9.0"}))
    writer.write(*record(1), False)
    writer.write(other, CODEC.encode(other), False)
    writer.close()
    with pytest.raises(BadInput, match=rf"user\.00 record 0 has version {VERSION + 1} .* reads {VERSION}.* by semcast 9\.9\.0"):
        list(TraceReader(tmp_path).records())


def test_what_all_segments_tell_is_listed_once(tmp_path: Path) -> None:
    for worker, cpu in enumerate(["a", "b", "a"]):
        writer = TraceWriter(tmp_path / "trace", worker, trace_metadata(WORLD, cpu=cpu))
        writer.write(*record(worker), False)
        writer.close()
    assert TraceReader(tmp_path).told("cpu") == ("a", "b") and TraceReader(tmp_path).told("other") == ()


def test_chains_of_many_agents_are_told_in_several_records(tmp_path: Path) -> None:
    chains = {f"user.{i:05d}": [(interval, f"{i:032x}") for interval in range(i % 3)] for i in range(5000)}
    TraceWriter(tmp_path / "trace", 0, trace_metadata(WORLD)).close(chains)
    assert TraceReader(tmp_path).chains == chains
    assert (tmp_path / "trace" / "w0-0.mcap").read_bytes().count(b"chains") >= 2
