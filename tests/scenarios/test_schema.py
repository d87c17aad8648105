"""Scenario files: what is accepted, and how mistakes are told."""

import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents import settings
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.bus.errors import BadInput
from semcast.scenarios import schema
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import catalog, dumps, load, merged, parse_setting, put, validated
from semcast.scenarios.mistakes import ScenarioMistakes, nearest, some_of
from semcast.scenarios.schema import Scenario

POLICIES = {
    "noise": "kb-mismatch",
    "prompt": "threshold",
    "encoder": "argmax-quality",
    "incentive": "posted",
    "scheduling": "fifo",
}


def tables(**more: Any) -> dict[str, Any]:
    """The smallest right scenario, changed."""
    least = {"name": "x", "title": "X", "network": {"users": 2, "stations": 1, "edges": 1}, "policies": dict(POLICIES)}
    return merged(least, more)


def mistakes(data: dict[str, Any]) -> dict[str, str]:
    """Path -> text of every mistake."""
    with pytest.raises(ScenarioMistakes) as caught:
        validated(data, "x.toml")
    return {mistake.path: str(mistake) for mistake in caught.value.mistakes}


@pytest.mark.parametrize("name", catalog())
def test_every_catalog_scenario_is_right_and_has_a_quick_overlay(name: str) -> None:
    scenario = load(name)
    quick = load(name, quick=True)
    assert scenario.name == name
    assert quick.traffic.duration_s < scenario.traffic.duration_s
    assert network_settings(scenario).seed == scenario.seed


def test_the_catalog_scenarios_are_as_the_issue_asks() -> None:
    network = network_settings(load("quickstart"))
    assert (len(network.users), len(network.stations), len(network.edges)) == (24, 3, 2)
    assert sum(1 for user in network.users if user.subjects) == 10
    assert len(network_settings(load("two-users")).users) == 2


@pytest.mark.parametrize(
    ("section", "struct"),
    [
        (schema.RadioSection, settings.RadioSettings),
        (schema.ComputeSection, settings.ComputeSettings),
        (schema.KnowledgeSection, settings.KnowledgeSettings),
        (schema.TrafficSection, settings.TrafficSettings),
        (schema.SecuritySection, settings.SecuritySettings),
        (schema.AdversarySection, settings.AdversarySettings),
    ],
)
def test_sections_have_the_names_and_defaults_of_the_settings(section: Any, struct: Any) -> None:
    assert section().model_dump() == msgspec.structs.asdict(struct())


def test_all_mistakes_are_told_at_once() -> None:
    data = tables(
        seed="one",
        trafic={"rate_hz": 1},
        radio={"bandwidth_mhz": 1.0, "model": "raleigh"},
        network={"lookahead_s": 0.001, "latency_ms": {"user>bs": 0.5}, "subjects": ["mia/dgo"]},
        traffic={"duration_s": "20 s", "objects": [1, 12]},
    )
    data["policies"]["encoder"] = "argmax"
    del data["policies"]["prompt"]
    found = mistakes(data)
    assert found["seed"] == "seed: 'one' is text, a number is expected"
    assert found["trafic"].endswith("did you mean traffic?")
    assert found["radio.bandwidth_mhz"].endswith("this quantity is given in hertz; did you mean bandwidth_hz?")
    assert found["radio.model"].endswith("did you mean rayleigh?")
    assert "milliseconds; did you mean lookahead_ms?" in found["network.lookahead_s"]
    assert "below network.lookahead_ms" in found['network.latency_ms."user>bs"']
    assert found["network.subjects[0]"].endswith("did you mean mia/dog?")
    assert "a plain number in seconds" in found["traffic.duration_s"]
    assert "within 1 to 8" in found["traffic.objects"]
    assert "argmax-quality" in found["policies.encoder"]
    assert 'for instance prompt = "threshold"' in found["policies.prompt"]
    assert len(found) == 11


def test_lists_of_users_and_stations_are_checked_entry_by_entry() -> None:
    found = mistakes(
        tables(
            network={
                "users": [{"id": "user.a"}, {"id": "user.a", "speed": 1.0}, {"id": "mia"}],
                "stations": [{"id": "bs.0", "x_m": 0.0, "y_m": 0.0, "edge": "edge.7"}],
            }
        )
    )
    assert found["network.users[1].speed"].endswith("did you mean speed_mps?")
    assert "network.users[2].id" in found
    twice = mistakes(tables(network={"users": [{"id": "user.a"}, {"id": "user.a"}]}))
    assert "already network.users[0]" in twice["network.users[1].id"]
    nowhere = mistakes(tables(network={"stations": [{"id": "bs.0", "x_m": 0.0, "y_m": 0.0, "edge": "edge.7"}]}))
    assert "no edge 'edge.7'" in nowhere["network.stations[0].edge"]


def test_lookahead_above_a_latency_is_a_mistake_only_then() -> None:
    assert validated(tables(network={"lookahead_ms": 1.0}), "x")
    found = mistakes(tables(network={"lookahead_ms": 1.5}))
    assert set(found) == {'network.latency_ms."user>bs"', 'network.latency_ms."bs>user"'}


def test_an_adversary_needs_a_wire_with_room_and_prompts() -> None:
    wires = {"stations": ["bs.0"], "tamper": 0.5}
    assert network_settings(validated(tables(adversary=wires), "x")).latency_ms["bs>adversary"] == 1.0
    assert "bs>adversary" not in network_settings(validated(tables(), "x")).latency_ms
    found = mistakes(tables(adversary={"stations": ["bs.o", "bs.0", "bs.0"], "temper": 1.0}, security={"signature": True}))
    assert found["adversary.stations[0]"].endswith("did you mean bs.0?")
    assert "already adversary.stations[1]" in found["adversary.stations[2]"]
    assert found["adversary.temper"].endswith("did you mean tamper?")
    assert found["security.signature"].endswith("did you mean signatures?")
    short = mistakes(tables(adversary=wires, network={"latency_ms": {"bs>edge": 1.0, "edge>bs": 2.0}}))
    assert set(short) == {'network.latency_ms."bs>edge"'}
    assert set(mistakes(tables(adversary=wires, scheme="semcom"))) == {"adversary.stations"}


@pytest.mark.parametrize("value", [True, 2.5, "2"])
def test_types_are_not_converted(value: object) -> None:
    assert "network.edges" in mistakes(tables(network={"edges": value}))


def test_infinite_numbers_are_refused() -> None:
    assert "traffic.rate_hz" in mistakes(tables(traffic={"rate_hz": float("inf")}))


def test_settings_are_typed() -> None:
    assert parse_setting("traffic.rate_hz=0.5") == ("traffic.rate_hz", 0.5)
    assert parse_setting("network.users=3") == ("network.users", 3)
    assert parse_setting("radio.perfect_csi=true") == ("radio.perfect_csi", True)
    assert parse_setting("policies.encoder=fixed:snr_db=10") == ("policies.encoder", "fixed:snr_db=10")
    assert parse_setting("traffic.objects=[2, 3]") == ("traffic.objects", [2, 3])
    with pytest.raises(BadInput, match="expected a.b=value"):
        parse_setting("traffic.rate_hz")


def test_settings_reach_into_lists_and_say_where_they_cannot() -> None:
    scenario = load("two-users", settings=["network.users.1.speed_mps=3.0", "seed=7"])
    assert isinstance(scenario.network.users, tuple)
    assert (scenario.network.users[1].speed_mps, scenario.seed) == (3.0, 7)
    with pytest.raises(BadInput, match="is a list of 2"):
        put({"users": [1, 2]}, "users.2", 0)
    with pytest.raises(BadInput, match="is no table"):
        put({"seed": 1}, "seed.x", 0)


def test_an_overlay_merges_tables_and_is_checked() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 4}}) == {"a": {"b": 4, "c": 2}, "d": 3}


def test_policy_files_are_found_beside_the_scenario(tmp_path: Any) -> None:
    source = "from semcast.policies.scheduling.fifo import *\nfrom semcast.policies.scheduling import fifo\n"
    (tmp_path / "mine.py").write_text(source + "class Mine(fifo.Fifo):\n    'Mine.'\n")
    text = dumps(load("two-users")).replace('scheduling = "fifo"', 'scheduling = "mine.py:Mine"')
    (tmp_path / "own.toml").write_text(text)
    scenario = load(str(tmp_path / "own.toml"))
    assert scenario.policies.scheduling == f"{tmp_path}/mine.py:Mine"


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Right scenarios of many shapes."""
    number = st.floats(0.001, 1e6, allow_nan=False)
    names = draw(st.lists(st.sampled_from(sorted(SUBJECTS)), unique=True, max_size=4))
    if draw(st.booleans()):
        users: Any = [{"id": f"user.{i}", "subjects": [name]} for i, name in enumerate(names)] + [
            {"id": "user.x"},
            {"id": "user.y"},
        ]
        network: dict[str, Any] = {"users": users}
    else:
        network = {"users": draw(st.integers(4, 200)), "subjects": names}
    return tables(
        title=draw(st.text(st.characters(codec="utf-8"), max_size=20)),
        seed=draw(st.integers(0, 2**63 - 1)),
        scheme=draw(st.sampled_from(["gai-scn", "semcom"])),
        network={**network, "stations": draw(st.integers(1, 20)), "area_m": [draw(number), draw(number)]},
        radio={"bandwidth_hz": draw(number), "fixed_snr_db": draw(st.floats(-30, 60))},
        traffic={"rate_hz": draw(st.floats(0, 100)), "subject_share": draw(st.floats(0, 1))},
    )


@given(scenarios())
def test_a_resolved_scenario_survives_its_file(data: dict[str, Any]) -> None:
    scenario = validated(data, "x")
    again = validated(tomllib.loads(dumps(scenario)), "x")
    assert again == scenario
    assert isinstance(again, Scenario)
    assert network_settings(again) == network_settings(scenario)


@given(st.integers(1, 60), st.integers(1, 8))
def test_stations_lie_inside_the_area_and_edges_share_them(stations: int, edges: int) -> None:
    edges = min(edges, stations)
    network = network_settings(validated(tables(network={"stations": stations, "edges": edges}), "x"))
    assert len({(station.x_m, station.y_m) for station in network.stations}) == stations
    assert all(0 < s.x_m < network.area_m[0] and 0 < s.y_m < network.area_m[1] for s in network.stations)
    counts = [sum(1 for s in network.stations if s.edge == edge) for edge in network.edges]
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1


def test_users_get_classes_of_devices_by_share() -> None:
    devices = {"phone": {"share": 0.5, "flops": 2e10, "variants": {"extractor": "int8"}}, "wearable": {"share": 0.25}}
    data = tables(network={"users": 40}, devices=devices)
    network = network_settings(validated(data, "x"))
    counts = {name: sum(user.device == name for user in network.users) for name in ("phone", "wearable", "")}
    assert counts == {"phone": 20, "wearable": 10, "": 10}
    phone = next(user.id for user in network.users if user.device == "phone")
    wearable = next(user.id for user in network.users if user.device == "wearable")
    assert network.device_of[phone].variants == {"extractor": "int8"} and network.device_of[phone].flops == 2e10
    assert network.device_of[wearable].flops == network.compute.user_flops
    assert network.device_of[wearable].joule_per_flop == network.compute.joule_per_flop_user
    other = network_settings(validated(data | {"seed": 2}, "x"))
    assert [user.device for user in other.users] != [user.device for user in network.users]
    again = validated(tomllib.loads(dumps(validated(data, "x"))), "x")
    assert network_settings(again).users == network.users


def test_mistakes_in_classes_of_devices_are_told_with_what_there_is() -> None:
    found = mistakes(
        tables(
            devices={
                "phone": {"share": 0.7, "variants": {"extractor": "int9", "extractr": "int8"}},
                "Big One": {"share": 0.7},
            }
        )
    )
    assert "did you mean int8?" in found["devices.phone.variants.extractor"]
    assert "did you mean extractor?" in found["devices.phone.variants.extractr"]
    assert "1.4" in found["devices"] and "devices.Big One" in found
    hub = tables(devices={"phone": {"share": 1.0, "variants": {"extractor": "int8"}}}, models={"profile": "hub"})
    assert "has no variants" in mistakes(hub)["devices.phone.variants.extractor"]


def test_families_of_generators_that_do_not_fit_are_mistakes() -> None:
    settings_of = network_settings(validated(tables(models={"generator": "vae", "best_of": 4}), "x.toml"))
    assert (settings_of.generator, settings_of.best_of) == ("vae", 4)
    found = mistakes(tables(models={"generator": "flow", "profile": "hub"}, knowledge={"branch": "adapter"}))
    assert 'models.profile = "tiny"' in found["models.generator"]
    assert "made for the diffusion generator" in found["knowledge.branch"]
    assert mistakes(tables(models={"generator": "gna"}))["models.generator"].endswith("did you mean gan?")
    found = mistakes(tables(scheme="semcom", models={"best_of": 2}))
    assert "nothing is generated" in found["models.best_of"]


def test_only_what_users_run_is_a_variant_of_their_devices() -> None:
    found = mistakes(tables(devices={"phone": {"share": 1.0, "variants": {"generator": "int8"}}}))
    assert "the role 'generator' has no variants" in found["devices.phone.variants.generator"]
    assert network_settings(validated(tables(models={"generator": "small"}), "x.toml")).generator == "small"
    assert "models.best_of" in mistakes(tables(models={"best_of": 0}))


def test_a_day_has_traffic_and_gpus_have_models() -> None:
    assert "no part of the day" in mistakes(tables(traffic={"shape": [0, 0.0]}))["traffic.shape"]
    assert "nothing for a GPU" in mistakes(tables(models={"profile": "table", "device": "cuda"}))["models.device"]
    assert "cuda" in mistakes(tables(models={"batch": 32}))["models.batch"]
    assert "share of one GPU" in mistakes(tables(cluster={"gpus_per_worker": 1.5}))["cluster.gpus_per_worker"]
    validated(tables(traffic={"shape": [0, 1]}, models={"device": "cuda", "batch": 32}, cluster={"gpus_per_worker": 2.0}), "x")


def test_the_nearest_agent_is_the_one_of_that_number() -> None:
    known = [f"user.{number:04d}" for number in range(2000)]
    assert nearest("user.03", known) == "user.0003"
    assert nearest("usr.1999", known) == "user.1999"
    assert nearest("zebra", known) == ""
    assert some_of(known, 2) == "user.0000, user.0001 ... (2,000 in all)"
    assert some_of(known[:2]) == "user.0000, user.0001"


def test_a_fixed_scheme_is_one_of_the_table() -> None:
    assert validated(tables(radio={"fixed_mcs": "16QAM 0.48"}), "x").radio.fixed_mcs == "16QAM 0.48"
    assert "16QAM 0.48" in mistakes(tables(radio={"fixed_mcs": "16QAM 1/2"}))["radio.fixed_mcs"]


def test_files_and_codecs_of_the_way_up_are_such_as_there_are() -> None:
    assert mistakes(tables(scheme="traditional", models={"file_codec": "jpeg", "file_quality": 0})).keys() == {
        "models.file_quality"
    }
    assert mistakes(tables(scheme="traditional", models={"profile": "table"})).keys() == {"scheme"}
    assert (
        "adaptive-cbr12"
        in mistakes(tables(scheme="semcom", models={"uplink_codec": "adaptive-cbr13", "codecs": "adaptive"}))[
            "models.uplink_codec"
        ]
    )
    assert "models.uplink_codec" in mistakes(tables(models={"uplink_codec": "snr01-cbr12"}))
    scheme = network_settings(
        validated(tables(scheme="gai-traditional", models={"file_codec": "avif", "coded_fallback": True}), "x")
    )
    assert (scheme.file_codec, scheme.coded_fallback, scheme.generates) == ("avif", True, True)
