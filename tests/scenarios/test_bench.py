"""What a benchmark answers (its figures are the machine's affair)."""

from semcast.policies.registry import BUILT_IN
from semcast.scenarios.bench.policies import run


def test_every_built_in_policy_is_timed() -> None:
    results = run(1)
    assert list(results) == [f"{kind}/{name}" for kind, names in BUILT_IN.items() for name in names]
    assert all(0 < row["value"] < 1e6 and row["ratio"] > 0 for row in results.values())
    assert results["encoder/fixed"]["ratio"] == 1.0 and results["encoder/argmax-quality"]["unit"] == "us"
