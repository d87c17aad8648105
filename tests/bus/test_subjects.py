import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.envelope import Envelope
from semcast.bus.errors import BadInput
from semcast.bus.messages import Tick
from semcast.bus.subjects import (
    Subjects,
    asks_of,
    check_agent,
    check_run,
    from_agent,
    parse,
    publish_allowed,
    shards_of,
    subscribe_allowed,
    to_agent,
)

from .networks import ping_world

TOKEN = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
AGENT = st.builds("{}.{}".format, TOKEN, TOKEN)


def matches(pattern: str, subject: str) -> bool:
    """NATS's rule: ``*`` is one token, ``>`` one or more at the end."""
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(w in ("*", t) for w, t in zip(wanted, tokens, strict=True))


def envelope(source: str, destination: str) -> Envelope:
    return Envelope(1, 0, 1, 2, source, destination, 0, "", "agent", Tick("x"))


@given(run=TOKEN, agents=st.lists(AGENT, min_size=2, max_size=6, unique=True), shards=st.integers(1, 16))
def test_a_subject_is_taken_apart_into_what_it_was_made_of(run: str, agents: list[str], shards: int) -> None:
    ids = sorted(agents)
    subject = Subjects(run, ids, shards).message(envelope(ids[0], ids[-1]))
    address = parse(subject)
    assert (address.run, address.source, address.destination, address.kind) == (run, ids[0], ids[-1], "tick")
    assert (address.source_shard, address.destination_shard) == (0, (len(ids) - 1) % shards)
    assert matches(to_agent(run, ids[-1]), subject) and matches(from_agent(run, ids[0]), subject)
    assert not matches(to_agent(run, ids[0]), subject) and not matches(from_agent(run, ids[-1]), subject)


def test_wildcards_are_those_of_the_design() -> None:
    assert to_agent("r1", "user.17") == "semcast.v1.r1.*.*.user.17.>"
    assert from_agent("r1", "user.17") == "semcast.v1.r1.*.*.*.*.user.17.>"


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for subject in (text, f"semcast.v1.{text}", f"semcast.v1.r.0.1.user.1.bs.0.{text}"):
        try:
            address = parse(subject)
        except BadInput:
            continue
        again = f"{address.destination_shard}.{address.source_shard}.{address.destination}.{address.source}.{address.kind}"
        assert f"semcast.v1.{address.run}.{again}" == subject


@pytest.mark.parametrize("run", ["", "a.b", "a b", "*", ">", "a/b", "ä", "x" * 65, "a\n"])
def test_a_run_id_that_is_no_token_is_refused(run: str) -> None:
    with pytest.raises(BadInput, match="run id"):
        check_run(run)


@pytest.mark.parametrize("agent", ["", "user", "user.", ".1", "user.1.2", "user.*", "user.>", "us er.1"])
def test_an_agent_id_that_is_not_two_tokens_is_refused(agent: str) -> None:
    with pytest.raises(BadInput, match="agent id"):
        check_agent(agent)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 16])
def test_shards_are_dealt_out_as_the_world_does(workers: int) -> None:
    world = ping_world()
    for worker in range(workers):
        mine = [rank % world.shards for rank in range(world.shards) if world.worker(rank, workers) == worker]
        assert shards_of(worker, workers, world.shards) == mine


@pytest.mark.parametrize("workers", [2, 4, 16])
def test_nobody_may_publish_as_another_worker(workers: int) -> None:
    world = ping_world(users=40)
    subjects = Subjects("test", world.ids, world.shards)
    owner = {agent: world.worker(rank, workers) for rank, agent in enumerate(world.ids)}
    for worker in range(workers):
        publish, subscribe = (allowed("test", worker, workers, world.shards) for allowed in (publish_allowed, subscribe_allowed))
        for source in world.ids[::3]:
            for to in world.ids[::5]:
                subject = subjects.message(envelope(source, to))
                assert any(matches(p, subject) for p in publish) == (owner[source] == worker)
                assert any(matches(p, subject) for p in subscribe) == (owner[to] == worker)
        for other in range(workers):
            for peer in range(workers):
                for subject in (subjects.batch(peer, other), subjects.control(peer, other)):
                    assert any(matches(p, subject) for p in publish) == (other == worker)
                    assert any(matches(p, subject) for p in subscribe) == (peer == worker)


def test_what_is_asked_from_outside_has_subjects_that_no_other_family_matches() -> None:
    world = ping_world()
    subjects = Subjects("r", world.ids, world.shards)
    ask = subjects.ask("user.03")
    shard = world.shard(world.ids.index("user.03"))
    assert ask == f"semcast.v1.r.inject.{shard}.user.03"
    assert [s for s in range(world.shards) if matches(asks_of("r", s), ask)] == [shard] and matches(asks_of("r", "*"), ask)
    others = [to_agent("r", "user.03"), from_agent("r", "user.03"), subjects.batch(0, "*"), subjects.control(0, "*")]
    for worker in range(2):
        others += [*subscribe_allowed("r", worker, 2, world.shards), *publish_allowed("r", worker, 2, world.shards)]
    assert not [pattern for pattern in others if matches(pattern, ask)]
    longer = "semcast.v1.r.inject.3.user.03.bs.0.arrived"
    assert not matches(asks_of("r", "*"), longer), "what observers take for a message to a user cannot be asked"
    with pytest.raises(BadInput):
        parse(ask)
