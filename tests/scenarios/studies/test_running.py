"""Studies as the command line makes them: the file, its mistakes, the folder, and what is done again."""

import json
from multiprocessing import active_children
from pathlib import Path
from threading import Thread

import pytest
from semcast.bus.errors import BadInput, RunFailed
from semcast.scenarios.cli import main
from semcast.scenarios.folder import read_run
from semcast.scenarios.loading import dumps, load, studies
from semcast.scenarios.mistakes import ScenarioMistakes
from semcast.scenarios.schema import Section
from semcast.scenarios.studies.findings import Claim, Findings, Number
from semcast.scenarios.studies.inference import mean
from semcast.scenarios.studies.reading import Plan, StudyFile, known_modules, load_study
from semcast.scenarios.studies.running import run_study
from semcast.scenarios.studies.side_by_side import run_arms
from semcast.scenarios.studies.study import Study

from .contract import check


class Counted:
    """A module of a study: the symbols of each arm."""

    class Options(Section):
        """Its options."""

        bound: float = 1.0

    @staticmethod
    def find(study: Study) -> Findings:
        """What the arms measured."""
        symbols = {name: [float(row.symbols_total) for row in arm.rows] for name, arm in study.arms.items()}
        numbers = [Number("air_symbols", name, *mean(values, study.seed, name), len(values)) for name, values in symbols.items()]
        value, low, high = mean(symbols["one"], study.seed)
        claim = Claim("some", "pictures need some symbols", "symbols", value, low, high, study.options.bound, len(symbols["one"]))
        return Findings("How many?", "none", numbers, [claim], different=["everything"])


def _plan(rate_hz: float = 2.0) -> Plan:
    common = {"scheme": "semcom", "host": "memory", "traffic.max_requests": 1, "traffic.rate_hz": rate_hz}
    arms = {
        name: load("two-users", quick=True, overrides=common | {"seed": seed, "name": name})
        for name, seed in (("one", 1), ("two", 2))
    }
    file = StudyFile(name="counted", title="Counted", study="counted")
    return Plan(file, Counted, Counted.Options(), arms)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outcome = run_study(_plan(), out=str(tmp_path_factory.mktemp("studies") / "counted"), quick=True)
    assert outcome.status == "ok", outcome.error
    return outcome.folder


def test_the_folder_of_a_study_is_whole(folder: Path) -> None:
    check(folder)
    run = read_run(folder)
    assert run["requests"] == sum(read_run(folder / "arms" / name)["requests"] for name in ("one", "two")) > 1
    assert run["results"]["claims_not_certain"] == 1, "a handful of pictures proves nothing"


def test_the_same_study_has_the_same_findings(folder: Path, tmp_path: Path) -> None:
    again = run_study(_plan(), out=str(tmp_path / "again"), quick=True, jobs=1).folder
    assert (again / "study.json").read_bytes() == (folder / "study.json").read_bytes()
    assert read_run(again)["digest"] == read_run(folder)["digest"]


def test_the_arms_are_runs_that_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(folder / "arms" / "one"), "--verify", "--display", "none"]) == 0


def test_a_failing_arm_is_named_and_the_folder_says_so(tmp_path: Path) -> None:
    plan = _plan()
    module = type("Broken", (), {"Options": Counted.Options, "find": staticmethod(lambda study: 1 / 0)})
    outcome = run_study(Plan(plan.file, module, plan.options, {}), out=str(tmp_path / "broken"))  # type: ignore[arg-type]
    assert outcome.status == "failed" and "ZeroDivisionError" in str(outcome.error)
    assert read_run(outcome.folder)["status"] == "failed"


def test_every_study_of_the_catalog_has_a_short_form_and_a_test_of_its_own() -> None:
    for name in studies():
        plan = load_study(name, quick=True)
        assert plan.file.name == name
        assert (Path(__file__).parent / f"test_{plan.file.study}.py").is_file(), name
    assert {load_study(name).file.study for name in studies()} == set(known_modules())


def test_all_mistakes_of_a_study_are_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = 'name = "mine"\ntitle = "Mine"\nstudy = "table1"\n[base]\nlike = "two-users"\n'
    file.write_text(text + '[arms.a]\nschem = "semcom"\n[arms.b.traffic]\nrate_hz = "fast"\n')
    with pytest.raises(ScenarioMistakes) as told:
        load_study(str(file))
    assert {"a: schem", "b: traffic.rate_hz"} <= {mistake.path for mistake in told.value.mistakes}
    file.write_text(text.replace("table1", "tabel1"))
    with pytest.raises(ScenarioMistakes, match="did you mean table1"):
        load_study(str(file))
    file.write_text(text + "[options]\npictres = 3\n")
    with pytest.raises(ScenarioMistakes, match="options.pictres: there is no such option"):
        load_study(str(file))


def test_what_all_arms_have_wrong_is_told_once(tmp_path: Path) -> None:
    name = studies()[0]
    assert len(load_study(name).arms) > 1
    with pytest.raises(ScenarioMistakes) as told:
        load_study(name, settings=["base.network.user=3"])
    assert [mistake.path for mistake in told.value.mistakes] == ["base.network.user"]


def test_a_study_can_be_like_another(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('like = "gai-scn-fig5"\nname = "mine"\n[options]\npictures = 60\n')
    plan = load_study(str(file))
    assert (plan.file.name, plan.file.study, plan.options.pictures) == ("mine", "fig5", 60)
    assert main(["check", str(file)]) == 0


def test_no_arm_outlives_a_loop_that_is_left(tmp_path: Path) -> None:
    long = load("quickstart", overrides={"host": "memory", "name": "long"})
    jobs = {name: (dumps(long), tmp_path / name) for name in ("one", "two", "three")}
    heard: list[list[str]] = []
    died: list[RunFailed] = []

    def go() -> None:
        try:
            list(run_arms(jobs, 2, 0.5, heard.append))
        except RunFailed as error:
            died.append(error)

    watched = Thread(target=go)
    watched.start()
    while not heard:
        watched.join(0.2)
    before = active_children()
    assert len(before) == 2 and heard[0] == ["one", "two"]
    before[0].kill()  # as a system without memory does
    watched.join(30)
    assert not watched.is_alive() and not active_children(), "the others ended with it"
    assert "has died" in died[0].message and "--jobs 1" in died[0].hint
    assert not (tmp_path / "three").exists()


def test_settings_that_go_nowhere_and_options_of_single_runs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    name = studies()[0]
    with pytest.raises(BadInput, match=r"base\.traffic"):
        load_study(name, settings=["traffic.rate_hz=1"])
    assert main(["run", name, "--scheme", "semcom"]) == 2
    assert "base.SECTION.KEY" in capsys.readouterr().err
    with pytest.raises(BadInput, match="is a study"):
        load(name)


def test_studies_are_listed_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "studies", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["studies"]
    assert [each["name"] for each in listed] == studies()
    for name in studies():
        assert main(["check", name]) == 0
