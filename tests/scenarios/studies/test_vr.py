"""Study ``vr``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, found, quick


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("vr", tmp_path)
    check(folder)
    told = {(each["name"], each["arm"], each["at"]["receivers"]): each["value"] for each in found(folder)["numbers"]}

    def air(way: str, receivers: int, name: str = "air_symbols_per_scene") -> float:
        return told[name, way, float(receivers)]

    down = "downlink_symbols_per_scene"
    assert air("unicast", 8, down) > 3 * air("unicast", 2, down)  # each is charged
    assert air("multicast", 8, down) < 3 * air("multicast", 2, down)  # once for all
    assert air("multicast", 8) < air("unicast", 8) < air("cloud", 8)
    assert air("file", 8, "difference_between_receivers") == 0 < air("multicast", 8, "difference_between_receivers")


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("vr"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    for name in ("less-than-cloud", "less-than-file", "places", "personal"):
        assert verdicts[name] == "holds", verdicts
