"""With a coordinator or without, a round brings the same messages and the same time; with one, it costs O(W) words."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.clock import NEVER
from semcast.bus.exchange.agreeing import COORDINATOR, FEW, Agreement, Coordinated, Everybody, agreement
from semcast.bus.exchange.chaos import Chaos
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.wire import Floor, Grant
from semcast.bus.server import NatsServer

from .nats_networks import run_over_nats
from .networks import digest, ping_world, run_in_memory

FORMS = ("subjects", "packed")
WORLD = ping_world(users=40)


@pytest.fixture(scope="module")
def expected() -> str:
    return digest(run_in_memory(WORLD))


# --- one round, by hand -----------------------------------------------------------------------------------------------


def settle(workers: Sequence[Agreement], floors: list[int], sends: list[set[int]], data: st.DataObject) -> None:
    """End round 7 of all workers; words arrive in any order, some twice."""
    waiting: list[tuple[int, int, Floor | Grant]] = []
    for index in data.draw(st.permutations(range(len(workers)))):
        out = [[0] if peer in sends[index] else [] for peer in range(len(workers))]
        words = workers[index].end(7, floors[index], workers[index].addressed(out))
        waiting += [(index, to, word) for to, word in words.items()]
    while waiting:
        source, to, word = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
        for _ in range(data.draw(st.integers(1, 2))):
            waiting += [(to, peer, answer) for peer, answer in workers[to].hear(source, word).items()]


@given(data=st.data(), count=st.integers(2, 8))
def test_the_least_floor_and_just_those_who_sent(data: st.DataObject, count: int) -> None:
    floors = data.draw(st.lists(st.integers(0, 50) | st.just(NEVER), min_size=count, max_size=count))
    sends = [data.draw(st.sets(st.integers(0, count - 1))) - {index} for index in range(count)]
    workers = [agreement(index, count, 0, few=0) for index in range(count)]
    settle(workers, floors, sends, data)
    for index, worker in enumerate(workers):
        assert worker.expected(7) == [peer for peer in range(count) if index in sends[peer]]
        assert worker.earliest(7, []) == min(floors) and worker.unheard(7) == []


def test_who_has_not_spoken_is_known() -> None:
    coordinator, other = Coordinated(0, [1, 2], 0), Coordinated(2, [0, 1], 0)
    assert coordinator.unheard(0) == [1, 2] and other.unheard(0) == [COORDINATOR]
    assert coordinator.expected(0) is None
    coordinator.hear(2, Floor(0, 0, 5, []))
    assert coordinator.unheard(0) == [1]
    coordinator.end(0, 3, [2])
    grants = coordinator.hear(1, Floor(0, 0, 9, [0]))
    assert grants == {1: Grant(0, 0, 3, []), 2: Grant(0, 0, 3, [0])} and coordinator.expected(0) == [1]
    coordinator.forget_before(1)
    assert coordinator.expected(0) is None


@pytest.mark.parametrize(
    ("index", "peer", "word"),
    [
        (1, 0, Floor(0, 0, 5, [])),  # a floor is for the coordinator
        (1, 2, Grant(0, 0, 5, [])),  # only the coordinator grants
        (0, 0, Floor(0, 0, 5, [])),  # nobody tells itself
        (1, 0, Grant(0, 0, 5, [1])),  # nobody waits for itself
        (1, 0, Grant(0, 0, 5, [99])),
    ],
)
def test_words_that_make_no_sense_are_refused(index: int, peer: int, word: Floor | Grant) -> None:
    worker = Coordinated(index, [each for each in range(3) if each != index], 0)
    with pytest.raises(ValueError):
        worker.hear(peer, word)
    with pytest.raises(ValueError):
        Everybody([0, 2]).hear(peer, word)
    assert worker.expected(0) is None


# --- in memory and over a real server ---------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [2, 17, 24, 64])
def test_many_workers_in_memory(expected: str, workers: int) -> None:
    assert digest(run_in_memory(WORLD, workers, chaos=Chaos(workers, 0.0, 0.3, True))) == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [2, 3, 5])
def test_disturbed_words_change_nothing(server: NatsServer, expected: str, form: str, workers: int) -> None:
    ends = [
        nats_exchange(form, WORLD, k, workers, server.driver, chaos=Chaos(k, 0.001, 0.3, True, 0.1), ask_again_s=0.01, few=0)
        for k in range(workers)
    ]
    assert digest(run_over_nats(WORLD, ends)) == expected
    assert sum(end.counts.resent for end in ends) > 0 and sum(end.counts.rejected for end in ends) == 0


@pytest.mark.parametrize(("workers", "form"), [(17, "packed"), (24, "subjects")])
def test_many_workers_over_a_server(expected: str, workers: int, form: str) -> None:
    """With the credentials that the server makes for them."""
    with NatsServer("test", workers, WORLD.shards) as server:
        ends = [nats_exchange(form, WORLD, k, workers, server.worker(k), ask_again_s=2.0) for k in range(workers)]
        assert digest(run_over_nats(WORLD, ends)) == expected
    assert sum(end.counts.rejected + end.counts.resent for end in ends) == 0


def test_messages_of_a_round_grow_with_the_workers_and_not_their_square(server: NatsServer, expected: str) -> None:
    """Nothing is lost here, so what is sent is known: words and records of rounds, one hello and one goodbye a pair."""
    per_round = {}
    for few in (FEW, 0):
        ends = [nats_exchange("packed", WORLD, k, 12, server.driver, ask_again_s=5.0, few=few) for k in range(12)]
        reports = run_over_nats(WORLD, ends)
        assert digest(reports) == expected
        rounds = reports[0].windows + 1
        per_round[few] = sum(end.counts.published for end in ends) / rounds
    assert per_round[FEW] > 12 * 11 and 2 * 11 < per_round[0] < 0.5 * per_round[FEW]
