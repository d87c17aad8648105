"""The rule of incidents."""

from semcast.agents.clips.incidents import ANIMAL, COLLISION, STOPPED, incidents
from semcast.agents.models.roles import Box


def course(label: str, columns: list[float], row: float = 30.0) -> tuple[str, dict[int, Box]]:
    return label, {frame: Box(label, "red", x, row, 16, 10) for frame, x in enumerate(columns)}


STOPS = [10.0, 12, 14, 16, 18, 20, 21, 21, 21, 21, 21, 21]


def test_a_vehicle_that_stops() -> None:
    (found,) = incidents([course("car", STOPS)])
    assert (found.kind, found.cx, found.cy) == (STOPPED, 21, 30)
    assert found.frame in (5, 6)
    assert incidents([course("dog", STOPS, row=5.0)]) == []


def test_what_drives_or_is_parked_is_none() -> None:
    assert incidents([course("car", [10.0 + 2 * frame for frame in range(12)]), course("bus", [40.0] * 12, row=45)]) == []
    assert incidents([course("car", STOPS[:7])]) == []  # it may go on


def test_two_that_stand_and_touch_have_collided() -> None:
    other = [53.0, 51, 49, 47, 45, 43, 39, 38, 38, 38, 38, 38]
    (found,) = incidents([course("car", STOPS), course("bus", other)])
    assert (found.kind, found.cx) == (COLLISION, 29.5)
    assert [each.kind for each in incidents([course("car", STOPS), course("bus", other, row=45)])] == [STOPPED, STOPPED]


def test_an_animal_on_the_road() -> None:
    places = {frame: Box("dog", "white", 20, 2 + 4 * frame, 10, 10) for frame in range(10)}
    (found,) = incidents([("dog", places)])
    assert (found.kind, found.frame) == (ANIMAL, 3)
    assert incidents([("lamp", places)]) == []
