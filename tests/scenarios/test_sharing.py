"""Sharing levels on the trace of a whole run with the real models: what was not shared is in no public record."""

from pathlib import Path

import pytest
from semcast.bus.trace_reading import TraceReader
from semcast.policies.registry import BUILT_IN
from semcast.scenarios.cli import main

from ..agents.secrets import leaks, secrets_of


@pytest.mark.slow
@pytest.mark.parametrize("incentive", BUILT_IN["incentive"])
def test_what_is_not_shared_is_in_no_public_record(incentive: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    made = ["--set", "knowledge.budget=1.0", "--set", "traffic.subject_share=0.8", "--set", "traffic.rate_hz=1.5"]
    policies = ["--policy", f"incentive={incentive}", "--policy", "prompt=fixed:parts=all"]
    assert (
        main(["run", "two-users", "--quick", "--host", "memory", "--display", "none", "--out", str(out), *made, *policies]) == 0
    )
    written = [(record.envelope, record.raw, record.private) for record in TraceReader(out).records(private=True)]
    secrets = secrets_of(written)
    assert secrets.vectors and secrets.pictures
    assert list(leaks(written, secrets)) == []
