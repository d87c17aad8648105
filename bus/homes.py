"""The engine's side of its agents, as little as can be: a worker may have a million of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import Agent


class Role:
    """What agents of one role on one worker have in common.

    Attributes:
        latency_ns: Role -> latency of a message to its agents.
        events: Events that agents of this role have handled.
    """

    __slots__ = ("events", "latency_ns", "name")

    def __init__(self, name: str) -> None:
        self.name, self.events = name, 0
        self.latency_ns: dict[str, int] = {}


class Home:
    """The engine's side of one agent; what is not needed is None.

    Attributes:
        number: Its place among the worker's agents.
        sequence: Of its next record.
        value: Of its hash chain at the end of the last interval with records.
        chain: The chain while the agent has records in the interval that is open.
        free_ns: When each of its processors is free, a heap; None before its first model call.
    """

    __slots__ = ("agent", "chain", "free_ns", "id", "number", "role", "sequence", "value")

    def __init__(self, agent: Agent, number: int, role: Role) -> None:
        self.agent, self.id, self.number, self.role = agent, agent.id, number, role
        self.sequence = 0
        self.value = b""
        self.chain: Any = None
        self.free_ns: list[int] | None = None


def setting_of(setting: Mapping[str, Any], home: Home, default: int) -> Any:
    """A setting that agents have by id or by role."""
    return setting.get(home.id, setting.get(home.role.name, default))
