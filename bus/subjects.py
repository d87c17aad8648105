"""NATS subjects: where a message travels, readable and filterable by any NATS client.

A message to an agent goes to

    semcast.v1.<run>.<dst shard>.<src shard>.<dst role>.<dst id>.<src role>.<src id>.<kind>

a worker's record of one round (packed messages, or the names of those sent one by one) to
``semcast.v1.<run>.x.<dst worker>.<src worker>``, control to ``semcast.v1.<run>.ctl.<dst worker>.<src worker>``, what somebody
outside asks of a user to ``semcast.v1.<run>.inject.<dst shard>.user.<dst id>``.
``nats sub 'semcast.v1.<run>.*.*.user.17.>'`` shows what reaches user 17, ``'semcast.v1.<run>.*.*.*.*.user.17.>'`` what it
sends. The families differ, x and ctl aside, in their number of tokens, so that an allow-list for one never lets another through.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .envelope import Envelope
from .errors import BadInput

ROOT = "semcast.v1"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHARD = re.compile(r"0|[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Address:
    """A message's subject, taken apart. ``destination`` and ``source`` are agent ids (``"user.17"``)."""

    run: str
    destination_shard: int
    source_shard: int
    destination: str
    source: str
    kind: str


def worker_of(shard: int, workers: int) -> int:
    """The worker that holds a shard when there are ``workers`` of them."""
    return shard % workers


def check_run(run: str) -> str:
    """The run id, if it can be one token of a subject.

    Raises:
        BadInput: It cannot.
    """
    if not _TOKEN.fullmatch(run):
        raise BadInput(f"run id {run!r} cannot be part of a NATS subject", "use 1 to 64 letters, digits, '-' and '_'")
    return run


def check_agent(agent: str) -> str:
    """The agent id, if it is ``<role>.<name>`` of two tokens.

    Raises:
        BadInput: It is not.
    """
    tokens = agent.split(".")
    if len(tokens) != 2 or not all(_TOKEN.fullmatch(token) for token in tokens):
        raise BadInput(
            f"agent id {agent!r} cannot be part of a NATS subject",
            "an id is '<role>.<name>', both 1 to 64 letters, digits, '-' and '_', such as 'user.07'",
        )
    return agent


def to_agent(run: str, agent: str) -> str:
    """Wildcard subject of everything that reaches ``agent``."""
    return f"{ROOT}.{check_run(run)}.*.*.{check_agent(agent)}.>"


def from_agent(run: str, agent: str) -> str:
    """Wildcard subject of everything that ``agent`` sends."""
    return f"{ROOT}.{check_run(run)}.*.*.*.*.{check_agent(agent)}.>"


def parse(subject: str) -> Address:
    """Take a message's subject apart; the inverse of ``Subjects.message``.

    Raises:
        BadInput: It is no subject of a message to an agent.
    """
    tokens = subject.split(".")
    good = len(tokens) == 10 and subject.startswith(ROOT + ".")
    good = good and all(_SHARD.fullmatch(token) for token in tokens[3:5])
    good = good and all(_TOKEN.fullmatch(token) for token in [tokens[2], *tokens[5:9]]) and bool(_KIND.fullmatch(tokens[9]))
    if not good:
        raise BadInput(
            f"{subject!r} is no subject of a message",
            f"expected {ROOT}.<run>.<dst shard>.<src shard>.<dst role>.<dst id>.<src role>.<src id>.<kind>",
        )
    return Address(
        run=tokens[2],
        destination_shard=int(tokens[3]),
        source_shard=int(tokens[4]),
        destination=f"{tokens[5]}.{tokens[6]}",
        source=f"{tokens[7]}.{tokens[8]}",
        kind=tokens[9],
    )


def shards_of(worker: int, workers: int, shards: int) -> list[int]:
    """The shards that a worker holds; the same rule as ``World.worker``."""
    return [shard for shard in range(shards) if worker_of(shard, workers) == worker]


def publish_allowed(run: str, worker: int, workers: int, shards: int) -> list[str]:
    """What a worker may publish: messages from its own shards, its own records and control."""
    base = f"{ROOT}.{run}"
    messages = [f"{base}.*.{shard}.*.*.*.*.*" for shard in shards_of(worker, workers, shards)]
    return [*messages, f"{base}.x.*.{worker}", f"{base}.ctl.*.{worker}"]


def subscribe_allowed(run: str, worker: int, workers: int, shards: int) -> list[str]:
    """What a worker may read: messages to its own shards, records and control addressed to it."""
    base = f"{ROOT}.{run}"
    messages = [f"{base}.{shard}.>" for shard in shards_of(worker, workers, shards)]
    return [*messages, f"{base}.x.{worker}.*", f"{base}.ctl.{worker}.*"]


def asks_of(run: str, shard: int | str) -> str:
    """Wildcard subject of what is asked from outside of the users of a shard; ``"*"`` for all shards."""
    return f"{ROOT}.{run}.inject.{shard}.user.*"


class Subjects:
    """Subjects of one run.

    Args:
        run: Run id.
        ids: All agent ids, sorted.
        shards: Number of virtual shards.

    Raises:
        BadInput: The run id or an agent id cannot be part of a subject.
    """

    def __init__(self, run: str, ids: Sequence[str], shards: int) -> None:
        self.base = f"{ROOT}.{check_run(run)}"
        self.shard = {check_agent(agent): rank % shards for rank, agent in enumerate(ids)}

    def message(self, envelope: Envelope) -> str:
        """Subject of a message to an agent.

        Raises:
            KeyError: Source or destination is no agent of the run.
        """
        to, source, shard = envelope.destination, envelope.source, self.shard
        return f"{self.base}.{shard[to]}.{shard[source]}.{to}.{source}.{envelope.kind}"

    def batch(self, destination: int, source: int | str) -> str:
        """Subject of a worker's records of its rounds for another; source ``"*"`` for all."""
        return f"{self.base}.x.{destination}.{source}"

    def ask(self, user: str) -> str:
        """Subject of what is asked from outside of a user.

        Raises:
            KeyError: It is no agent of the run.
        """
        return f"{self.base}.inject.{self.shard[user]}.{user}"

    def control(self, destination: int, source: int | str) -> str:
        """Subject of control between two workers; source ``"*"`` for all."""
        return f"{self.base}.ctl.{destination}.{source}"
