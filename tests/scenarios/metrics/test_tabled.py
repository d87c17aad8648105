"""Scores of sketches: measured requests of the same causes, kept whole; floors for what failed."""

import statistics

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.table import outcomes
from semcast.agents.models.table.outcomes import LOST, SHOWN, UNMADE, Cause, Effect
from semcast.agents.models.table.store import read_table
from semcast.agents.scenes.world import make_scene
from semcast.agents.sketches import CAPTION, Hop, Sketch, of_scene, written
from semcast.bus.messages import Content
from semcast.bus.records import Capture, Shown
from semcast.scenarios.metrics.judging import judged
from semcast.scenarios.metrics.story import Story
from semcast.scenarios.metrics.tabled import ended, shipped

STORED = read_table(WEIGHTS / "table")
SHARE = st.floats(0, 1)
DB = st.floats(0, 60)
EFFECTS = st.builds(
    Effect, SHARE, SHARE, SHARE, SHARE, SHARE, st.floats(-1, 1), st.integers(0, 12).map(float), st.floats(-1, 1), SHARE,
    st.floats(-1, 1), DB, DB, st.floats(-0.2, 1), DB, DB, st.floats(-0.2, 1),
)  # fmt: skip
CAUSES = st.builds(
    Cause, st.integers(0, 3), st.integers(0, 50), st.integers(1, 8), st.integers(0, 3), st.integers(0, 3), st.booleans(),
    st.sampled_from([SHOWN, LOST, UNMADE]), st.sampled_from(["", "a", "b"]), st.integers(-2000, 4000).map(lambda n: n / 100),
)  # fmt: skip


@given(st.lists(st.tuples(CAUSES, EFFECTS), max_size=4))
def test_what_is_packed_comes_back(rows: list[tuple[Cause, Effect]]) -> None:
    codecs: list[str] = []
    raw = b"".join(outcomes.packed(cause, effect, codecs) for cause, effect in rows)
    found = outcomes.unpacked(raw, codecs)
    assert [cause for cause, _ in found] == [cause for cause, _ in rows]
    for (_, got), (_, given_) in zip(found, rows, strict=True):
        for name in outcomes.NAMES:
            assert abs(getattr(got, name) - getattr(given_, name)) <= (0.0011 if name.endswith("_db") else 0.0001)


def story(name: str, snr: int | None, *, made: bool = True, number: int = 2) -> Story:
    """A request told by a caption; ``snr``: in tenths of dB, None for one that was lost."""
    scene = make_scene("tabled", name, count=number)
    sketch = of_scene(scene)
    content = replace(sketch, made=CAPTION, steps=8)
    truth = [(box.label, box.colour, box.cx, box.cy, box.width, box.height, box.subject) for box in scene.boxes()]
    capture = Capture(name, "user.b", written(sketch), truth, scene.background, "greeting")
    shown = Shown(name, written(replace(content, hops=(Hop("snr07-cbr12", snr or 0),))), "snr07-cbr12", 0.0, 0)
    sent = Content(name, "user.a", "user.b", 0, written(content))
    return Story(name, (0, 0, 0, 0), "user.a", capture, content=sent if made else None, shown=shown if snr is not None else None)  # type: ignore[arg-type]


def test_scores_follow_the_causes() -> None:
    clear, faded = (judged([story(f"user.a/{n}", snr) for n in range(200)]) for snr in (200, -60))
    for better, worse in zip(*(sorted(one.fidelity.psnr_db for one in scores) for scores in (clear, faded)), strict=True):
        assert better > worse
    assert statistics.fmean(one.shown.recovery for one in clear) > statistics.fmean(one.shown.recovery for one in faded)
    assert judged([story("user.a/1", 200)]) == judged([story("user.a/1", 200)])
    assert len({one.fidelity.psnr_db for one in clear}) > 5  # drawn anew for every request


def test_a_request_gets_the_scores_of_one_measured_request() -> None:
    known = {effect for _, effect in outcomes.unpacked(STORED.table.outcomes, STORED.table.codecs)}
    for number in range(30):
        cause, effect = shipped().of(story(f"user.a/{number}", 130))
        assert effect in known
        assert (cause.made, cause.objects, cause.end, cause.codec) == (CAPTION, 2, SHOWN, "snr07-cbr12")


def test_what_failed_has_the_floors() -> None:
    lost, unmade = judged([story("user.a/1", None), story("user.a/2", None, made=False)])
    assert lost.shown.recovery == unmade.shown.recovery == 0.0
    assert lost.meaning.error == unmade.meaning.error == unmade.generated_meaning.error == 1.0
    assert lost.generated.recovery > 0.0 == unmade.generated.recovery
    assert lost.alignment.image == 0.0 and lost.count_discrepancy == 2
    assert 3 < lost.fidelity.psnr_db < 20 and 3 < unmade.fidelity.psnr_db < 20


def test_causes_are_read_off_sketches() -> None:
    photograph = of_scene(make_scene("cause", 1, count=3, subjects=("mia/dog",)))
    told = replace(photograph, made=CAPTION, steps=4, things=tuple(t for t in photograph.things if t.subject))
    cause = outcomes.cause_of(photograph, told, None, "mapping", STORED.library)
    assert (cause.missing, cause.mapping, cause.end, cause.codec, cause.steps) == (2, True, LOST, "", 4)
    assert cause.subject == 1 + told.things[0].look
    nameless = replace(told, things=tuple(replace(thing, subject="") for thing in told.things))
    assert outcomes.cause_of(photograph, nameless, nameless, "greeting", STORED.library).subject == outcomes.UNKNOWN
    assert outcomes.cause_of(photograph, None, None, "greeting", STORED.library).end == UNMADE
    twice = [Sketch(photograph.things, 1, 1, hops=(Hop("snr07-cbr12", snr),)) for snr in (-50, 200)]
    ups = [outcomes.cause_of(photograph, one, one, "greeting", STORED.library).missing for one in twice]
    assert ups[0] < ups[1]
    low, lower = (outcomes.quality_db(Hop("snr07-cbr12", snr), STORED.library) for snr in (-50, -80))
    assert low - lower == 3.0


def test_floors_leave_what_was_shown() -> None:
    cause, effect = outcomes.unpacked(STORED.table.outcomes, STORED.table.codecs)[0]
    assert ended(effect, replace(cause, end=SHOWN)) == effect
