"""The ledger of credits as cloud and users know it beforehand: its rules and rounds; none if the incentive keeps none."""

import math

from ..policies.incentive.ledger import Ledger, Rules
from .settings import NetworkSettings, TrafficSettings
from .trust import TrustingAgent


def ledger_of(policy: object) -> Ledger | None:
    """What an incentive policy says of its ledger (attribute ``ledger``)."""
    found = getattr(policy, "ledger", None)
    return found if isinstance(found, Ledger) else None


def rounds_of(traffic: TrafficSettings) -> int:
    """Blocks that are due in a run: one at the settlement, then one in each feedback period of the service."""
    return 1 + math.ceil((traffic.duration_s - traffic.start_s) / traffic.feedback_sync_s)


def rules_of(settings: NetworkSettings, policy: object) -> Rules | None:
    """Rules of the chain of a run with this incentive policy."""
    ledger = ledger_of(policy)
    return ledger.rules(settings.knowledge.budget, rounds_of(settings.traffic)) if ledger else None


class LedgerAgent(TrustingAgent):
    """Knows the rules."""

    @property
    def ledger(self) -> Ledger | None:
        """What the incentive says of its ledger, or None where it keeps none."""
        return ledger_of(self.policies["incentive"][1])

    @property
    def rules(self) -> Rules | None:
        """Of the chain, or None where the incentive keeps none."""
        return rules_of(self.settings, self.policies["incentive"][1])
