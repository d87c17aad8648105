"""Model calls whose results come from the records of a run instead of its models.

On another kind of CPU a model's results differ in their last bits, and with them everything that follows. With recorded results
the rest of a run can be checked there all the same: each decision, message and time.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from .calls import ModelCalls, ModelSet, PendingCall
from .envelope import ACTIVITY, Codec, Envelope
from .trace_reading import TraceReader

Results = Mapping[tuple[str, int], Envelope]
"""(agent, number of the call among the agent's records) -> the recorded event."""


def recorded_results(run: Path, agents: Container[str], codec: Codec) -> Results:
    """What the models answered the given agents in a run.

    Args:
        run: Run folder; its restricted segments must be readable.
        agents: Their ids.
        codec: MessagePack form of the records.

    Raises:
        BadInput: There is no trace.
    """
    return {
        (envelope.source, envelope.sequence): envelope
        for record in TraceReader(run, codec).records()
        if (envelope := record.envelope).origin == ACTIVITY and envelope.source in agents
    }


class RecordedCalls(ModelCalls):
    """Model calls that are answered from records; one that the run did not make, or not then, is computed.

    Args:
        models: Asked for the FLOPs of every call.
        results: See `recorded_results`.
    """

    def __init__(self, models: ModelSet, results: Results) -> None:
        super().__init__(models)
        self._results = results

    def add(self, call: PendingCall) -> None:
        """Take a call; its result is there at once where it is recorded."""
        found = self._results.get((call.agent, call.order[3]))
        if found is None or (found.in_reply_to, found.t_send, found.t_deliver) != (call.key, call.t_issue, call.order[0]):
            super().add(call)
            return
        self.count += 1
        call.result = found.payload
