"""Hostile messages: every decoder understands or refuses them, a live network does not notice; the campaign sees what is wrong.

The short form of ``semcast bench fuzz``; the long one is ``-m slow``.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from semcast.agents.base import make_agents, make_world
from semcast.bus.engine import Worker
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.trace import TraceWriter, trace_metadata
from semcast.scenarios.bench import fuzz
from semcast.scenarios.bench.fuzzing import campaign, corpus, live
from semcast.scenarios.bench.fuzzing.mutations import BYTES, JSON, MSGPACK, mutations
from semcast.scenarios.bench.fuzzing.targets import Target, spread, targets
from semcast.scenarios.loading import CATALOG

from ..agents.networks import two_users
from ..agents.simple_models import models

NAMES = [
    *("envelope", "batch", "part", "control", "part header", "subject", "prompt", "block", "picture", "NATS server"),
    *("trace", "run.json", "model card", "scenario", "setting", "ask", "ask log", "snapshot"),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    """The corpus of a real network with simple models, which runs in a second."""
    folder = tmp_path_factory.mktemp("good")
    network = two_users()
    world = make_world(network, "test")
    writer = TraceWriter(folder / "trace", 0, trace_metadata(world))
    agents = make_agents(network, world.ids)
    worker = Worker(world, agents, MemoryExchange(Hub(1), 0), models=models(), codec=corpus.CODEC, trace=writer)
    asyncio.run(worker.run())
    writer.close()
    (folder / "run.json").write_text('{"status": "ok", "seed": 1, "results": {"psnr_db": 21.5}, "trace": ["w0-0.mcap"]}')
    (folder / "scenario.toml").write_text((CATALOG / "two-users.toml").read_text())
    return corpus.read(folder)


@pytest.fixture(scope="module")
def readers(good: corpus.Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return {target.name: target for target in targets(good, tmp_path_factory.mktemp("readers"))}


def test_the_corpus_has_all_kinds_that_a_network_uses(good: corpus.Corpus, readers: dict[str, Target]) -> None:
    kinds = Counter(envelope.kind for envelope in good.envelopes)
    assert {"prompt", "uplink", "arrived", "content", "decision", "capture", "block"} - set(kinds) <= {"block", "prompt"}
    assert len(kinds) > 20 and max(kinds.values()) <= corpus.A_KIND
    assert len(good.prompts()) >= 4
    assert list(readers) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_good_messages_are_understood(readers: dict[str, Target], name: str) -> None:
    for raw in readers[name].good:
        if not raw.startswith(b"INFO") or b"-ERR" not in raw:
            readers[name].read(raw)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_messages_are_understood_or_refused(readers: dict[str, Target], name: str) -> None:
    target = readers[name]
    count = 60 if name in ("trace", "scenario", "snapshot") else 400
    tally = campaign.attack(target, 7, count)
    assert tally.sent.total() == count
    assert tally.refused.total() > 0 or name == "trace"  # damaged traces are read to the damage
    assert len(tally.sent) == len(mutations(target.form))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("trace", "scenario")])
def test_any_bytes_are_understood_or_refused(readers: dict[str, Target], name: str) -> None:
    target = readers[name]

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300) | st.sampled_from(target.good).flatmap(changed))
    def check(raw: bytes) -> None:
        with contextlib.suppress(*target.refusals):
            target.read(raw)

    check()


def changed(raw: bytes) -> st.SearchStrategy[bytes]:
    """The message with some bytes replaced by any others, so that failures shrink to the change."""
    places = st.integers(0, len(raw))
    return st.tuples(places, st.integers(0, 9), st.binary(max_size=9)).map(
        lambda change: raw[: change[0]] + change[2] + raw[change[0] + change[1] :]
    )


@pytest.mark.parametrize("form", fuzz.FORMS)
def test_a_flooded_network_ends_with_its_digest(good: corpus.Corpus, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PINGS", 8)
    flood = live.flood(good, form, 500, seed=3)
    assert flood.sent >= 500 and flood.runs >= 1
    assert 0.5 * flood.sent < flood.rejected <= flood.sent and flood.stopped == 0
    assert flood.file_bytes > 0


@pytest.mark.parametrize("form", fuzz.FORMS)
def test_on_a_shared_server_forgeries_are_refused(good: corpus.Corpus, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PINGS", 8)
    flood = live.flood(good, form, 500, seed=3, who="shared")
    assert flood.sent >= 500 and flood.forgeries == flood.stopped == 0
    assert 0.8 * flood.sent < flood.rejected <= flood.sent  # the last ones come when all have gone


@pytest.mark.parametrize("form", fuzz.FORMS)
@pytest.mark.parametrize("who", ["observer", "worker"])
def test_who_has_no_right_to_a_subject_is_stopped_by_the_server(
    good: corpus.Corpus, form: str, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PINGS", 8)
    flood = live.flood(good, form, 200, seed=3, who=who)
    assert flood.stopped == flood.sent >= 200 and flood.rejected == 0


# --- the campaign itself ----------------------------------------------------------------------------------------------


def test_messages_can_be_made_again_and_differ_from_good_ones(readers: dict[str, Target]) -> None:
    target = readers["envelope"]
    first = [campaign.message(target, 5, number) for number in range(200)]
    assert first == [campaign.message(target, 5, number) for number in range(200)]
    assert first != [campaign.message(target, 6, number) for number in range(200)]
    assert sum(raw in target.good for _, raw in first) < 40
    assert {mutation for mutation, _ in first} == set(mutations(MSGPACK)) > set(BYTES)
    assert set(mutations(JSON)) == set(mutations(MSGPACK)) and mutations(None) == BYTES


def broken_reader(what: Callable[[], None]) -> Target:
    """A reader that is all right but for one message in a hundred."""
    seen = [0]

    def read(raw: bytes) -> None:
        seen[0] += 1
        if seen[0] == 50:
            what()
        raise BadInput("no")

    return Target("broken", (b"good",), read, (BadInput,), 1)


HOARD: list[bytearray] = []


def crash() -> None:
    raise IndexError("x" * 10_000)


def hang() -> None:
    while True:
        pass


def dawdle() -> None:
    sum(range(5_000_000))


def hoard() -> None:
    HOARD.append(bytearray(b"x") * (400 << 20))
    HOARD.clear()


@pytest.mark.parametrize(
    ("what", "match"), [(crash, "IndexError"), (hang, "read for more"), (dawdle, "it took"), (hoard, "grow")]
)
def test_the_campaign_sees_what_is_wrong(what: Callable[[], None], match: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "HANGS_S", 0.3 if what is hang else 9.0)
    monkeypatch.setattr(campaign, "SLOWEST_S", 0.01 if what is dawdle else 9.0)
    monkeypatch.setattr(campaign, "MEMORY_BYTES", 1 << 20)
    with pytest.raises(RunFailed, match=match) as caught:
        campaign.attack(broken_reader(what), 1, 100)
    assert "of seed 1" in str(caught.value) and len(str(caught.value)) < 700


def test_counts_are_spread_by_shares(readers: dict[str, Target]) -> None:
    all_targets: Sequence[Target] = list(readers.values())
    counts = spread(100_000, all_targets)
    assert abs(sum(counts) - 100_000) < 100 and min(counts) > 0 and max(counts) == counts[0]
    assert min(spread(3, all_targets)) == 1


@pytest.mark.slow
def test_the_long_form(tmp_path: Path) -> None:
    results = fuzz.run(100_000, seed=2)
    decoded = [row for name, row in results.items() if not name.startswith(("live", "mutation"))]
    assert len(decoded) == len(NAMES) and sum(float(row["value"]) for row in results.values()) > 100_000
