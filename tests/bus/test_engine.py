"""The engine: one digest whatever the workers; windows, idle time, timers, model calls, chains and snapshots."""

import asyncio
import heapq
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from semcast.bus import snapshot
from semcast.bus.engine import Context, Worker
from semcast.bus.envelope import Codec, Envelope
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Tick
from semcast.bus.world import World

from .networks import Count, L, digest, ping_agents, ping_world, run_in_memory


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**40), workers=st.integers(1, 16), pings=st.integers(1, 15))
def test_digest_does_not_depend_on_workers(seed: int, workers: int, pings: int) -> None:
    world = ping_world(seed)

    def make(world: World, index: int, workers: int) -> list[Any]:
        return ping_agents(world, index, workers, pings)

    assert digest(run_in_memory(world, workers, make)) == digest(run_in_memory(world, 1, make))


def test_digest_golden_and_seed_dependent() -> None:
    first = digest(run_in_memory(ping_world(1)))
    assert first == GOLDEN
    assert digest(run_in_memory(ping_world(2))) != first


def test_digest_does_not_depend_on_shards() -> None:
    assert digest(run_in_memory(ping_world(1, shards=5), 2)) == digest(run_in_memory(ping_world(1)))


def test_idle_windows_are_skipped() -> None:
    report = run_in_memory(ping_world(1))[0]
    assert report.t_ns > 400 * L
    assert report.windows < report.t_ns // L


class _Trace:
    def __init__(self) -> None:
        self.records: list[tuple[Envelope, bool]] = []

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        self.records.append((envelope, private))


def test_no_message_comes_before_the_next_window_and_sequences_have_no_gaps() -> None:
    trace = _Trace()
    run_in_memory(ping_world(1), trace=trace)
    for e, _ in trace.records:
        if e.source != e.destination:
            assert e.t_deliver // L > e.t_send // L
    for name in ping_world(1).ids:
        assert [e.sequence for e, _ in trace.records if e.source == name] == list(
            range(sum(e.source == name for e, _ in trace.records))
        )


def test_every_record_enters_the_chain() -> None:
    """The chain values are what an independent fold over the trace gives."""
    from hashlib import blake2b

    trace = _Trace()
    world = ping_world(1)
    worker = Worker(world, ping_agents(world), MemoryExchange(Hub(1), 0), trace=trace)
    report = asyncio.run(worker.run())
    codec = Codec()
    for name in world.ids:
        value, values = b"", []
        intervals: dict[int, bytes] = {}
        for e, _ in trace.records:
            if e.source == name:
                intervals.setdefault(e.t_send // L // world.chain_windows, b"")
                intervals[e.t_send // L // world.chain_windows] += codec.encode(e)
        for interval, raw in sorted(intervals.items()):
            value = blake2b(value + raw, digest_size=16).digest()
            values.append((interval, value.hex()))
        assert worker.intervals[name] == values and report.chains[name] == values[-1][1]


def test_unknown_destination_is_named() -> None:
    class Lost:
        id = "user.00"
        state = Count()

        def start(self, ctx: Context) -> None:
            ctx.send("user.99", Tick("hello"))

        def handle(self, event: Envelope, ctx: Context) -> None: ...

    world = World("r", 1, L, ("user.00",), {"user>user": L})
    with pytest.raises(RunFailed, match=r"user\.00 sends to 'user\.99'"):
        run_in_memory(world, make=lambda *_: [Lost()])


def test_latency_below_lookahead_is_refused() -> None:
    with pytest.raises(ValueError, match="below the lookahead"):
        World("r", 1, L, ("user.00",), {"user>user": L - 1})


# --- model calls ----------------------------------------------------------------------------------------------------


class Square:
    """A model: squares ``number``; remembers its batches."""

    batch = 4

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def flops(self, arguments: Tick) -> int:
        return 1000

    def group(self, arguments: Tick) -> str:
        return arguments.name

    def run(self, arguments: Sequence[Tick]) -> list[Tick]:
        self.batches.append([a.number for a in arguments])
        return [Tick(a.name, a.number**2) for a in arguments]


class Results(Struct):
    got: list[tuple[int, str, int]] = []


class Caller:
    """Calls the model three times at once; keeps (time, key, result)."""

    def __init__(self, name: str, number: int) -> None:
        self.id, self.number = name, number
        self.state = Results()

    def start(self, ctx: Context) -> None:
        for i in range(3):
            ctx.infer("square", Tick("a", self.number + i), key=f"k{i}")

    def handle(self, event: Envelope, ctx: Context) -> None:
        assert event.origin == "activity"
        self.state.got.append((ctx.now, event.in_reply_to, event.payload.number))
        ctx.record(Tick("got", event.payload.number))


def call_world(**changes: Any) -> World:
    return World("r", 1, L, ("user.00", "user.01", "user.02"), {"user>user": L}, throughput={"user": 1e6}, **changes)


def test_model_calls_queue_on_their_agent_and_fill_fixed_batches() -> None:
    model = Square()
    agents = [Caller(f"user.0{i}", 10 * i) for i in range(3)]
    run_in_memory(call_world(), make=lambda *_: agents, models={"square": model})
    # 1000 FLOPs at 1e6 FLOP/s are 1 ms; the agent's processor does one after the other
    assert agents[1].state.got == [(1 * L, "k0", 100), (2 * L, "k1", 121), (3 * L, "k2", 144)]
    assert model.batches == [[0, 10, 20, 1], [11, 21, 2, 12], [22, 22, 22, 22]]


def test_calls_without_processor_or_model_are_named() -> None:
    with pytest.raises(RunFailed, match="no processor"):
        run_in_memory(
            World("r", 1, L, ("user.00",), {"user>user": L}), make=lambda *_: [Caller("user.00", 1)], models={"square": Square()}
        )
    with pytest.raises(RunFailed, match="no model has the role 'square'") as caught:
        run_in_memory(
            World("r", 1, L, ("user.00",), {}, throughput={"user": 1e6}),
            make=lambda *_: [Caller("user.00", 1)],
            models={"squared": Square()},
        )
    assert "did you mean 'squared'" in caught.value.hint


# --- snapshots ------------------------------------------------------------------------------------------------------


def test_a_worker_restored_from_any_snapshot_ends_with_the_same_digest() -> None:
    world = ping_world(3)
    shots: list[bytes] = []
    whole = run_in_memory(world, on_interval=lambda worker: shots.append(snapshot.take(worker)))
    assert len(shots) > 3
    for shot in shots:
        worker = Worker(world, ping_agents(world), MemoryExchange(Hub(1), 0))
        snapshot.restore(worker, shot, Codec())
        report = asyncio.run(worker.run())
        assert digest([report]) == digest(whole)
        assert (report.records, report.events, report.t_ns) == (whole[0].records, whole[0].events, whole[0].t_ns)


def test_pending_model_calls_are_in_the_snapshot() -> None:
    def fresh() -> Worker:
        agents = [Caller(f"user.0{i}", 10 * i) for i in range(3)]
        return Worker(call_world(chain_windows=1), agents, MemoryExchange(Hub(1), 0), models={"square": Square()})

    shots: list[bytes] = []
    first = fresh()
    first.on_interval = lambda worker: shots.append(snapshot.take(worker))
    whole = asyncio.run(first.run())
    again = fresh()
    snapshot.restore(again, shots[0], Codec())
    assert digest([asyncio.run(again.run())]) == digest([whole])


def test_foreign_bytes_are_no_snapshot() -> None:
    worker = Worker(ping_world(1), ping_agents(ping_world(1)), MemoryExchange(Hub(1), 0))
    for raw in (b"", b"\xc1", snapshot.take(worker)[:-5]):
        with pytest.raises(BadInput, match="not a snapshot"):
            snapshot.restore(worker, raw, Codec())
    other = Worker(ping_world(2), ping_agents(ping_world(2)), MemoryExchange(Hub(1), 0))
    with pytest.raises(BadInput, match="another version, seed"):
        snapshot.restore(other, snapshot.take(worker), Codec())


def test_key_order_rules() -> None:
    """At equal times: timers, control, data; then rank; then sequence. The heap compares nothing else."""
    events = [(5, 2, 0, 0, "d"), (5, 0, 9, 3, "t"), (5, 1, 2, 0, "c"), (5, 2, 0, 1, "e"), (4, 2, 9, 9, "first")]
    heap: list[Any] = []
    for event in reversed(events):
        heapq.heappush(heap, event)
    assert [heapq.heappop(heap)[4] for _ in events] == ["first", "t", "c", "d", "e"]


GOLDEN = "56344730fd8f3f9d62d3349802a62e9c"


def test_a_pool_of_processors_works_on_several_calls_at_once() -> None:
    agents = [Caller(f"user.0{i}", 10 * i) for i in range(3)]
    run_in_memory(call_world(processors={"user": 2}), make=lambda *_: agents, models={"square": Square()})
    assert [t for t, _, _ in agents[0].state.got] == [1 * L, 1 * L, 2 * L]
