"""Model calls between their issue and their result: collected across windows, run in fixed padded batches when one is due."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import RunFailed

Order = tuple[int, int, str, int]
"""(t_done, priority, id of the agent, sequence): the place of the result among all events."""


class CallableModel(Protocol):
    """What the engine needs of a model (agents/models/roles.py has the whole contract)."""

    batch: int

    def flops(self, arguments: Any) -> int:
        """Floating-point operations of one call."""

    def group(self, arguments: Any) -> str:
        """Calls of equal groups may share a batch."""

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Run one full batch."""


ModelSet = Mapping[str, CallableModel]


@dataclass(slots=True, eq=False)
class PendingCall:
    """A model call that has been issued and whose result is not taken yet."""

    order: Order
    t_issue: int
    agent: str
    role: str
    arguments: Any
    key: str
    result: Any = None


class ModelCalls:
    """All pending calls of a worker.

    A call runs no earlier than it must: by then many others are waiting and fill its batch. Batches have one fixed
    size, the last call repeated to fill them up, so that a result does not depend on what else was waiting.
    """

    def __init__(self, models: ModelSet) -> None:
        self._models = models
        self._waiting: dict[tuple[str, str], list[tuple[Order, PendingCall]]] = {}
        """(Role, group) -> heap by due time."""
        self.count = 0

    @property
    def reading_s(self) -> float:
        """Wall time that reading models has taken, where the set of models tells."""
        return getattr(self._models, "reading_s", 0.0)

    def flops(self, role: str, arguments: Any) -> int:
        """FLOPs of one call.

        Raises:
            RunFailed: No model has this role.
        """
        return self._model(role).flops(arguments)

    def add(self, call: PendingCall) -> None:
        """Take a call."""
        self.count += 1
        group = self._model(call.role).group(call.arguments)
        heapq.heappush(self._waiting.setdefault((call.role, group), []), (call.order, call))

    def result(self, call: PendingCall) -> Any:
        """The result of a call that is due, run together with those due next."""
        if call.result is None:
            self._run_batch(call)
        return call.result

    def _run_batch(self, due: PendingCall) -> None:
        model = self._model(due.role)
        group = (due.role, model.group(due.arguments))
        waiting = self._waiting[group]
        batch = [heapq.heappop(waiting)[1] for _ in range(min(model.batch, len(waiting)))]
        if not waiting:
            del self._waiting[group]
        arguments = [call.arguments for call in batch]
        arguments += arguments[-1:] * (model.batch - len(arguments))
        for call, result in zip(batch, model.run(arguments), strict=False):
            call.result = result

    def _model(self, role: str) -> CallableModel:
        try:
            return self._models[role]
        except KeyError:
            near = difflib.get_close_matches(role, self._models, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"roles: {', '.join(self._models) or 'none'}"
            raise RunFailed(f"no model has the role {role!r}", hint) from None
