"""What a benchmark answers (its figures are the machine's affair)."""

from importlib import import_module
from pathlib import Path

from semcast.policies.registry import BUILT_IN
from semcast.scenarios import bench
from semcast.scenarios.bench import network
from semcast.scenarios.bench.policies import run
from semcast.scenarios.cli import parser


def test_every_built_in_policy_is_timed() -> None:
    results = run(1)
    assert list(results) == [f"{kind}/{name}" for kind, names in BUILT_IN.items() for name in names]
    assert all(0 < row["value"] < 1e6 and row["ratio"] > 0 for row in results.values())
    assert results["encoder/fixed"]["ratio"] == 1.0 and results["encoder/argmax-quality"]["unit"] == "us"


def test_the_network_is_measured_against_its_own_model_calls() -> None:
    results = network.run(1, scenario="two-users", quick=True)
    assert list(results) == ["network_s", "trace_s"]
    assert all(row["value"] > 0 and row["ratio"] > 0 for row in results.values())
    assert "batches of model calls" in str(results["trace_s"]["workload"])


def test_every_module_of_benchmarks_can_be_asked_for_and_options_are_known() -> None:
    files = {path.stem: path.read_text() for path in Path(bench.__file__).parent.glob("*.py")}
    assert {name for name, text in files.items() if "``semcast bench " + name in text} == set(bench.NAMES)
    parsed = vars(parser().parse_args(["bench", "engine"]))
    assert all(set(getattr(import_module(f"{bench.__name__}.{name}"), "OPTIONS", ())) <= parsed.keys() for name in bench.NAMES)


def test_what_is_run_alone_is_known_and_takes_the_options_it_is_given() -> None:
    assert set(bench.SHORT) <= set(bench.NAMES)
    for name, options in bench.SHORT.items():
        assert options.keys() <= set(getattr(import_module(f"{bench.__name__}.{name}"), "OPTIONS", ("repeats",)))
