"""Shows chosen agents' messages live in the packed form of exchange, where they would else only travel in batches."""

from __future__ import annotations

from collections.abc import Collection

from .engine import TraceSink
from .envelope import Envelope
from .exchange.rounds import NatsExchange


class Tap:
    """A trace sink that also republishes messages on their live subjects, in the worker's next swap.

    Observers see what a message of the ``subjects`` form would have shown them; no worker reads it. Private records, and
    what an agent keeps to itself (timers, records), are never shown.

    Args:
        exchange: This worker's exchange.
        agents: Ids of the agents whose messages are shown, those to them too; None or ``all`` among them shows everybody's.
        trace: Where all records go on to.
    """

    def __init__(self, exchange: NatsExchange, agents: Collection[str] | None, trace: TraceSink | None = None) -> None:
        self._exchange, self._trace = exchange, trace
        self._agents = None if agents is None or "all" in agents else frozenset(agents)

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        """Take one record."""
        if self._trace is not None:
            self._trace.write(envelope, raw, private)
        if private or envelope.source == envelope.destination or self._exchange.carries_local:
            return
        if self._agents is None or envelope.source in self._agents or envelope.destination in self._agents:
            self._exchange.tapped.append((envelope, raw))
