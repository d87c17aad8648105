"""What does not fit to texts is told at once, with what would."""

import pytest
from semcast.scenarios.loading import load
from semcast.scenarios.mistakes import ScenarioMistakes

TEXT = {"traffic.content": "text", "policies.prompt": "fixed:parts=all"}


@pytest.mark.parametrize(
    ("changes", "path", "said"),
    [
        ({"scheme": "semcom"}, "scheme", "--scheme gai-scn or traditional"),
        ({"models.profile": "table"}, "models.profile", "--models tiny"),
        ({"policies.prompt": "budget"}, "policies.prompt", "fixed:parts=all"),
        ({"policies.prompt": "bandit"}, "policies.prompt", "pictures alone"),
        ({"policies.noise": "self-consistency"}, "policies.noise", "pictures alone"),
        ({"traffic.content": "alarms", "scheme": "traditional"}, "scheme", "--scheme gai-scn"),
        ({"adversary.stations": ["bs.0"]}, "adversary.stations", "leave it out"),
        ({"models.best_of": 4}, "models.best_of", "changes nothing"),
        ({"traffic.content": "alarms", "models.goals": "inferred"}, "models.goals", "changes nothing"),
        ({"knowledge.privacy_epsilon": 1.0}, "knowledge.privacy_epsilon", "no noise"),
        ({"traffic.unicast": True}, "traffic.unicast", "one receiver"),
        ({"traffic.content": "txt"}, "traffic.content", "text"),
    ],
)
def test_what_does_not_fit(changes: dict[str, object], path: str, said: str) -> None:
    with pytest.raises(ScenarioMistakes) as caught:
        load("two-users", overrides=TEXT | changes)
    assert path in str(caught.value) and said in str(caught.value)


def test_what_fits() -> None:
    assert load("two-users", overrides=TEXT).traffic.content == "text"
    assert load("two-users", overrides=TEXT | {"scheme": "traditional"}).scheme == "traditional"
    load("two-users", overrides={"traffic.content": "alarms", "policies.prompt": "budget"})
