"""Study ``itinerary``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.agents.texts.files import packed, unpacked
from semcast.bus.errors import BadInput
from semcast.scenarios.studies.itinerary import PRIMED
from semcast.scenarios.studies.itinerary_files import dictionary
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, claim, found, quick


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("itinerary", tmp_path)
    check(folder)
    assert claim(folder, "fewer-uplink-bits")["verdict"] == "holds"
    numbers = {(each["name"], each["arm"]): each["value"] for each in found(folder)["numbers"] if not each["at"]}
    assert numbers["uplink_bits", "places"] < numbers["uplink_bits", "meals"] < numbers["uplink_bits", "unknown"]
    assert numbers["fact_recovery", "places"] < numbers["fact_recovery", "unknown"]
    assert numbers["fact_recovery", "traditional"] > 0.9
    assert numbers["uplink_bits", PRIMED] < numbers["uplink_bits", "traditional"] / 2


def test_what_is_packed_with_a_dictionary_needs_it() -> None:
    text = dictionary()[-2000:].decode()
    file = packed(text, dictionary())
    assert len(file) < len(packed(text)) / 4 and unpacked(file, dictionary()) == text
    with pytest.raises(BadInput):
        unpacked(file)


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("itinerary"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    held = (
        "fewer-uplink-bits",
        "fewer-uplink-bits-than-primed",
        "shorter-uplink",
        "knowing-saves-bits",
        "knowledge-fills-in",
        "meals-add-facts",
    )
    for name in (*held, "details-add-facts", "mending-wording", "mending-facts", "mending-false"):
        assert verdicts[name] == "holds", verdicts
    assert verdicts["facts-kept"] == "fails"  # words that go down once are lost in fades
