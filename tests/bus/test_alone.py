"""An agent alone does again what it did; what it does otherwise, leaves out or fails at is named."""

from pathlib import Path
from typing import Any

import pytest
from semcast.bus.alone import AgentReplay, replay_alone
from semcast.bus.engine import Context
from semcast.bus.envelope import Codec, Envelope
from semcast.bus.messages import Tick
from semcast.bus.trace_reading import TraceReader

from .networks import PingStation, ping_agents
from .test_trace import WORLD, traced_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    traced_run(folder)
    return folder


def again(run: Path, agent: Any, **options: Any) -> AgentReplay:
    return replay_alone(WORLD, agent, list(TraceReader(run).records(agent=agent.id)), {}, Codec(), **options)


def test_every_agent_does_again_what_it_did(run: Path) -> None:
    total = 0
    for agent in ping_agents(WORLD):
        found = again(run, agent)
        assert found.difference is None and found.error is None and found.agreed == found.records > 0
        total += found.records
    assert total == len(list(TraceReader(run).records()))


class Changed(PingStation):
    """Does otherwise at its tenth message."""

    at = 10

    def handle(self, event: Envelope, ctx: Context) -> None:
        self.now_handled = getattr(self, "now_handled", 0) + 1
        if self.now_handled == self.at:
            self.otherwise(event, ctx)
        else:
            super().handle(event, ctx)

    def otherwise(self, event: Envelope, ctx: Context) -> None:
        ctx.send(event.source, Tick("pong", -1), in_reply_to=f"{event.source}:{event.sequence}")


class Silent(Changed):
    """Says nothing to its last message."""

    def otherwise(self, event: Envelope, ctx: Context) -> None:
        pass


class Failing(Changed):
    """Fails at its tenth message."""

    def otherwise(self, event: Envelope, ctx: Context) -> None:
        raise KeyError("what is not there")


def test_the_first_thing_done_otherwise_is_named_with_the_message_that_was_handled(run: Path) -> None:
    """Record 0 is made at the start, record n in handling message n: a station answers each with one record."""
    found = again(run, Changed("bs.1"))
    assert found.difference is not None and found.during is not None
    assert (found.difference.sequence, found.difference.kind, found.difference.field) == (10, "tick", "payload.number")
    assert found.difference.b == -1 != found.difference.a
    assert found.place == 9 and found.during.destination == "bs.1" and found.places[10] == 9
    original = [r.envelope for r in TraceReader(run).records() if r.envelope.source == "bs.1" and r.envelope.sequence == 10]
    assert original[0].in_reply_to == f"{found.during.source}:{found.during.sequence}"
    assert found.agreed == 10  # the numbers after it are sums over all before


def test_what_is_left_out_is_named(run: Path) -> None:
    silent = Silent("bs.1")
    silent.at = again(run, PingStation("bs.1")).handled
    found = again(run, silent)
    assert found.agreed == found.records - 1 and found.difference is not None and found.difference.b == "(no such record)"
    assert found.difference.sequence == silent.at and found.place == silent.at - 1


def test_an_agent_that_fails_is_told_with_the_message(run: Path) -> None:
    found = again(run, Failing("bs.1"))
    assert isinstance(found.error, KeyError) and found.handled == found.place == 9
    assert found.during is not None and found.during.kind == "tick"
    assert found.difference is not None and found.difference.sequence == 10


@pytest.mark.parametrize("place", [-1, 0, 7])
def test_a_debugger_gets_the_message_that_it_is_to_stop_at(run: Path, place: int) -> None:
    seen: list[tuple[str, int]] = []

    def debugger(function: Any, *arguments: Any) -> None:
        seen.append((function.__name__, len(arguments)))
        function(*arguments)

    found = again(run, PingStation("bs.1"), stop_before=place, debugger=debugger)
    assert seen == [("start", 1) if place < 0 else ("handle", 2)] and found.difference is None
