"""The ledger of a finished run: its blocks from the trace, checked from the first one on, and who has earned what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agents.ledger import rules_of
from ..agents.signatures import key_of
from ..bus.blocks import Block, Entry, SealedBlock
from ..bus.errors import BadInput, RunFailed
from ..bus.trace_reading import TraceReader
from ..policies.incentive.ledger import VALIDATION, Rules, Seal, verify
from ..policies.incentive.sharing import MICRO
from ..policies.registry import load
from .build import network_settings
from .loading import load as load_scenario


@dataclass(frozen=True)
class RunLedger:
    """The chain of a run, which holds, and its rules."""

    rules: Rules
    chain: tuple[tuple[Block, Seal], ...]

    def accounts(self) -> list[dict[str, Any]]:
        """One row a user, in their order: credits for contributions, for validation, and both."""
        earned: dict[str, list[int]] = {}
        for block, _ in self.chain:
            for entry in block.entries:
                earned.setdefault(entry.user, [0, 0])[entry.contribution == VALIDATION] += entry.credits
        return [
            {"user": user, "contributions": given / MICRO, "validation": fees / MICRO, "credits": (given + fees) / MICRO}
            for user, (given, fees) in sorted(earned.items())
        ]

    def blocks(self) -> list[dict[str, Any]]:
        """One row a block."""
        return [
            {
                "block": block.number,
                "entries": [_entry(entry) for entry in block.entries],
                "ballots": len(block.ballots),
                "validators": list(block.validators),
                "attested": len(seal),
            }
            for block, seal in self.chain
        ]


def _entry(entry: Entry) -> dict[str, Any]:
    return {"user": entry.user, "contribution": entry.contribution, "credits": entry.credits / MICRO}


def read_ledger(run: Path) -> RunLedger:
    """Read and check the ledger of a run folder.

    Raises:
        BadInput: No run, or its incentive keeps no ledger.
        RunFailed: The chain is broken; the first broken block is named.
    """
    settings = network_settings(load_scenario(str(run)))
    spec = next(spec for spec in settings.policies if spec.kind == "incentive")
    rules = rules_of(settings, load(spec))
    if rules is None:
        raise BadInput(f"{run}: the incentive {spec.name} keeps no ledger", "one that does: --policy incentive=dpos")
    payloads = (record.envelope.payload for record in TraceReader(run).records(kind="sealed_block"))
    chain = tuple((payload.block, tuple(payload.seal)) for payload in payloads if isinstance(payload, SealedBlock))
    broken = verify(chain, rules, lambda user: key_of(settings.seed, user))
    if broken is not None:
        raise RunFailed(
            f"{run}: block {broken.number} of its ledger does not hold: {broken.reason}",
            f"whether the trace is what was written: semcast replay {run} --verify",
        )
    return RunLedger(rules, chain)
