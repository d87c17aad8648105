"""One agent of a finished run alone: its recorded inbox in, its records compared."""

from pathlib import Path

from ...agents.base import PAYLOADS, make_agents, make_world
from ...agents.models.framewise import FramewiseModels
from ...agents.models.loading import load_models
from ...bus.alone import AgentReplay, Debugger, inbox_of, replay_alone
from ...bus.calls import ModelSet
from ...bus.envelope import Codec
from ...bus.errors import BadInput
from ..build import hub_settings, network_settings
from ..loading import load
from ..mistakes import nearest, some_of
from .recorded import ended_well, read


class LoneAgent:
    """An agent of a run with all that it was given; each replay makes the agent anew.

    Args:
        run: Folder of a run that ended well.
        agent: Id of one of its agents.
        live_models: Compute models' results anew instead of taking the recorded ones.

    Raises:
        BadInput: No run, one that did not end well, or no such agent (the nearest is named).
        RunFailed: The trace is damaged; segment and chunk are named.
        Missing: A model's weights are not there.
    """

    def __init__(self, run: Path, agent: str, live_models: bool = False) -> None:
        state = ended_well(run)
        scenario = load(str(run))
        self._settings, self._live = network_settings(scenario), live_models
        self._world = make_world(self._settings, str(state.get("run", "")))
        if agent not in self._world.ids:
            close = nearest(agent, self._world.ids)
            raise BadInput(
                f"{run} has no agent {agent!r} ({some_of(self._world.ids)})", f"did you mean {close}?" if close else ""
            )
        self.agent = agent
        self.records = read(run, agent)
        self._models: ModelSet = load_models(scenario.models.profile, hub=hub_settings(scenario))
        if self._settings.traffic.content == "clips":
            self._models = FramewiseModels(self._models)

    def replay(self, stop_before: int | None = None, debugger: Debugger | None = None) -> AgentReplay:
        """Let it handle its inbox; see `bus.alone.replay_alone`."""
        (agent,) = make_agents(self._settings, [self.agent])
        codec = Codec(PAYLOADS)
        return replay_alone(
            self._world,
            agent,
            self.records,
            self._models,
            codec,
            live_models=self._live,
            stop_before=stop_before,
            debugger=debugger,
        )

    def place_of(self, message: str, replayed: AgentReplay) -> int:
        """Where in the inbox a message is handled; -1 is the agent's start.

        Args:
            message: Number of a record of the agent (then: where it is made), or ``SOURCE:NUMBER`` of a message to it.
            replayed: Of this agent.

        Raises:
            BadInput: There is none such.
        """
        source, _, number = message.rpartition(":")
        found = {f"{event.source}:{event.sequence}": i for i, event in enumerate(inbox_of(self.agent, self.records))}
        place = found.get(message) if source else replayed.places.get(int(number) if number.isdecimal() else -1)
        if place is None:
            hint = (
                "give the number of one of its records (semcast trace RUN --agent ID --private), or SOURCE:NUMBER of what it got"
            )
            raise BadInput(f"--at {message}: {self.agent} has no such message", hint)
        return place
