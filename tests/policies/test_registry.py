"""Policies are found by every way of writing them, and every mistake is explained."""

import pickle
import tomllib
from pathlib import Path

import msgspec
import pytest
from semcast.agents.settings import PolicySettings
from semcast.bus.errors import BadInput, Missing
from semcast.policies.checks import check_policy
from semcast.policies.registry import KINDS, PolicySpec, fingerprint, known, load, names, resolve

PLUGIN = Path(__file__).parent.parent / "plugin_pkg"
README = Path(__file__).parent.parent.parent / "policies" / "README.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in package as pip would install it: its metadata and its code on sys.path."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    folder = tmp_path / "semcast_example-0.1.0.dist-info"
    folder.mkdir()
    folder.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = {**project["entry-points"]["semcast.policies"], "encoder.gone": "semcast_example.gone:Gone", "nonsense": "a:B"}
    folder.joinpath("entry_points.txt").write_text("[semcast.policies]\n" + "".join(f"{n} = {t}\n" for n, t in points.items()))
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.syspath_prepend(str(tmp_path))


def test_built_in_with_defaults_and_parameters() -> None:
    spec = resolve("prompt", "threshold:more=0.1, share = 0.25")
    assert spec == PolicySpec("prompt", "threshold", "semcast.policies.prompt.threshold:Threshold", {"more": 0.1, "share": 0.25})
    assert resolve("prompt", "threshold").parameters == {"more": 0.3, "share": 0.05}
    assert load(spec).parameters.share == 0.25


def test_a_spec_travels_and_is_what_agents_are_told() -> None:
    spec = resolve("prompt", "fixed:parts=caption+boxes,share=true")
    assert PolicySettings is PolicySpec
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=PolicySettings) == spec
    assert load(pickle.loads(pickle.dumps(spec))).parameters.share is True


def test_values_from_a_scenario_are_overridden_by_the_text() -> None:
    spec = resolve("prompt", "budget:symbols=50", {"symbols": 70, "efficiency": 1})
    assert spec.parameters["symbols"] == 50
    assert spec.parameters["efficiency"] == 1.0 and isinstance(spec.parameters["efficiency"], float)


def test_by_path_relative_to_a_folder() -> None:
    spec = resolve("prompt", "semcast_example/cheapest.py:Cheapest:extra_bits=9", folder=PLUGIN)
    assert Path(spec.target.rpartition(":")[0]).is_absolute()
    policy = load(spec)
    assert policy.parameters.extra_bits == 9 and type(load(spec)) is type(policy)
    check_policy("prompt", policy)


def test_by_module_and_class() -> None:
    spec = resolve("prompt", "semcast.policies.prompt.fixed:FixedPrompt:parts=boxes")
    assert spec.target == "semcast.policies.prompt.fixed:FixedPrompt" and load(spec).parameters.parts == "boxes"


def test_by_entry_point(installed: None) -> None:
    assert "semcast-example/cheapest" in names("prompt") and "semcast-example/cheapest" not in names("noise")
    spec = resolve("prompt", "semcast-example/cheapest:extra_bits=5")
    assert (spec.target, spec.parameters) == ("semcast_example.cheapest:Cheapest", {"extra_bits": 5})
    check_policy("prompt", load(spec))


def test_a_broken_package_does_not_break_the_list(installed: None) -> None:
    listed = {(info.kind, info.name): info for info in known()}
    assert "cannot import" in listed["encoder", "semcast-example/gone"].problem
    cheapest = listed["prompt", "semcast-example/cheapest"]
    assert cheapest.doc == "The cheaper of caption and boxes, and small extras." and not cheapest.problem
    assert [(p.name, p.type, p.default) for p in cheapest.parameters] == [("extra_bits", "int", 64)]
    assert "largest part" in cheapest.parameters[0].doc


def test_known_describes_every_built_in() -> None:
    for info in known():
        assert info.doc and info.doc[-1] in ".:" and not info.problem, info
        assert all(parameter.doc for parameter in info.parameters), info.name
    assert {info.kind for info in known()} == set(KINDS)
    assert {info.kind for info in known("noise")} == {"noise"}


def test_fingerprint_follows_the_source(tmp_path: Path) -> None:
    source = (PLUGIN / "semcast_example" / "cheapest.py").read_text()
    hashes = []
    for number in (1, 2):
        path = tmp_path / f"mine{number}.py"
        path.write_text(source + "\n" * number)
        hashes.append(fingerprint(resolve("prompt", f"{path}:Cheapest")))
    assert hashes[0] != hashes[1] and len(hashes[0]) == 32


@pytest.mark.parametrize(
    ("kind", "text", "message", "hint"),
    [
        ("prompt", "treshold", "no prompt policy 'treshold'; did you mean 'threshold'", "fixed, threshold, budget"),
        ("prompt", "zzz", "no prompt policy 'zzz'", "path.py:Class"),
        ("prmpt", "fixed", "no policy kind 'prmpt'; did you mean 'prompt'", "scheduling"),
        ("prompt", "", "no prompt policy ''", "fixed"),
        ("prompt", "threshold:mroe=0.1", "no parameter 'mroe'", "more (float, default 0.3), share (float, default 0.05)"),
        ("prompt", "threshold:more=high", "parameter more of policy threshold: 'high' is not of type float", "more (float"),
        ("prompt", "threshold:more=nan", "'nan' is not of type float", "more (float"),
        ("prompt", "threshold:more=-0.5", "must not be negative", "more (float"),
        ("prompt", "threshold:more=0.1,more=0.2", "given twice", "name:parameter=value"),
        ("prompt", "threshold:more=0.1,share", "'share' is not", "name:parameter=value"),
        ("prompt", "threshold:more", "'more' is not `parameter=value`", "threshold:parameter=value"),
        ("prompt", "more=1", "cannot read policy", "name:parameter=value"),
        ("prompt", "fixed:share=yes", "neither true nor false", "share (bool, default false)"),
        ("prompt", "fixed:parts=caption+melody", "'melody' is no part", "parts (str"),
        ("prompt", "budget:symbols=1.5", "'1.5' is not of type int", "symbols (int"),
        ("noise", "none:alike=1", "has no parameter 'alike'", "it takes no parameters"),
        ("noise", "semcast.policies.noise.none:NoNose", "has no class NoNose; did you mean 'NoNoise'", "NoNoise"),
        ("prompt", "semcast.policies.noise.none:NoNoise", "has no select", "protocols"),
        ("prompt", "semcast.policies.noise.none:", "is no class name", "module:Class"),
        ("prompt", "nowhere.py:Mine", "there is no file", "relative to the scenario"),
    ],
)
def test_mistakes_are_explained(kind: str, text: str, message: str, hint: str) -> None:
    with pytest.raises(BadInput) as error:
        resolve(kind, text)
    assert message in error.value.message and hint in error.value.hint, str(error.value)


@pytest.mark.parametrize("value", [True, "x", None, [1], 1.5, float("inf")])
def test_typed_values_are_checked(value: object) -> None:
    with pytest.raises(BadInput, match="symbols"):
        resolve("prompt", "budget", {"symbols": value})


def test_a_missing_module_is_missing() -> None:
    with pytest.raises(Missing, match="cannot import no_such_module"):
        resolve("prompt", "no_such_module:Mine")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("import no_such_package", "cannot import"),
        ("class Mine:\n    def __init__(self, a, b): pass\n    def select(self, context, rng): pass", "takes a, b"),
        (
            "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: float\n"
            "class Mine:\n    def __init__(self, parameters: P): pass\n    def select(self, context, rng): pass",
            "has no default",
        ),
        (
            "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: list = None\n"
            "class Mine:\n    def __init__(self, parameters: P): pass\n    def select(self, context, rng): pass",
            "has type list",
        ),
    ],
)
def test_a_broken_file_is_explained(tmp_path: Path, source: str, message: str) -> None:
    tmp_path.joinpath("mine.py").write_text(source)
    with pytest.raises((BadInput, Missing), match=message):
        resolve("prompt", "mine.py:Mine", folder=tmp_path)


def test_choices_are_literals(tmp_path: Path) -> None:
    tmp_path.joinpath("mine.py").write_text(
        "import dataclasses, typing\n"
        "@dataclasses.dataclass(frozen=True)\nclass P:\n    way: typing.Literal['up', 'down'] = 'up'\n"
        "class Mine:\n    def __init__(self, parameters: P): self.way = parameters.way\n    def select(self, context, rng): pass"
    )
    assert load(resolve("prompt", "mine.py:Mine:way=down", folder=tmp_path)).way == "down"
    with pytest.raises(BadInput, match="'left' is not up | down"):
        resolve("prompt", "mine.py:Mine:way=left", folder=tmp_path)


def test_the_example_of_the_readme_works(tmp_path: Path) -> None:
    example = README.read_text().split("```python\n")[1].split("```")[0]
    tmp_path.joinpath("mine.py").write_text(example)
    policy = load(resolve("prompt", "mine.py:BoxesWhenGood:boxes_above_db=8", folder=tmp_path))
    assert policy.parameters.boxes_above_db == 8.0
    check_policy("prompt", policy)
