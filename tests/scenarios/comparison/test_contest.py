"""Plans, tuning and verdicts on invented worlds whose truth is known."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from semcast.bus import keys
from semcast.bus.errors import BadInput
from semcast.policies.registry import DEFAULTS, KINDS
from semcast.scenarios.comparison.cells import Cell
from semcast.scenarios.comparison.contest import Outcome, hold, plan
from semcast.scenarios.comparison.families import fixed_family, oracles
from semcast.scenarios.comparison.judgement import Judgement
from semcast.scenarios.comparison.objectives import OBJECTIVES
from semcast.scenarios.comparison.plan import Point, scheme_points
from semcast.scenarios.comparison.schemes import answer_of_points
from semcast.scenarios.comparison.tables import sentences, shown
from semcast.scenarios.loading import load

from .worlds import NAMES, cell, prompt_contest

QUICKSTART = load("quickstart")


@pytest.fixture(scope="module")
def prompts() -> Outcome:
    return prompt_contest()


def test_tuning_seeds_are_none_of_the_compared_ones() -> None:
    contest = plan("encoder", ["snr-table"], QUICKSTART, seeds=10, tuning=3, price_db=1.0)
    assert list(contest.seeds) == list(range(1, 11))
    assert list(contest.tuning) == [10_001, 10_002, 10_003]
    with pytest.raises(BadInput):
        plan("encoder", ["snr-table"], QUICKSTART, seeds=10_001, tuning=3, price_db=1.0)


def test_every_kind_of_policy_has_an_objective_and_a_fixed_choice() -> None:
    assert set(OBJECTIVES) == set(KINDS)
    for kind in KINDS:
        contest = plan(kind, [DEFAULTS[kind]], QUICKSTART, seeds=2, tuning=1, price_db=1.0)
        assert contest.fixed or contest.own_baseline
        assert contest.runs >= 2


def test_encoders_meet_every_codec_and_the_genie() -> None:
    contest = plan("encoder", ["snr-table", "snr-table"], QUICKSTART, seeds=2, tuning=1, price_db=1.0)
    assert [point.name for point in contest.choices] == ["snr-table"]
    assert [point.name for point in contest.oracles] == oracles("encoder") and "genie" in oracles("encoder")
    assert len(contest.fixed) == 6 and contest.fixed[0].overrides == {"policies.encoder": "fixed:codec=snr01-cbr24"}
    made: list[tuple[str, int]] = []

    def flat(todo: Sequence[tuple[Point, int]]) -> list[Cell]:
        made.extend((point.name, seed) for point, seed in todo)
        worth = {"fixed:codec=snr07-cbr24": 25.0}
        return [cell(point.name, seed, NAMES, psnr_db=[worth.get(point.name, 24.0)] * 40) for point, seed in todo]

    outcome = hold(contest, flat)
    assert outcome.baseline.name == "fixed:codec=snr07-cbr24"
    assert contest.runs == len(made) == len(set(made)) == 6 + 2 * 2 + 2  # tuning, choice and genie, the best fixed one
    assert {seed for name, seed in made if name == "fixed:codec=snr01-cbr24"} == {10_001}


def test_adaptive_codecs_are_in_the_family_where_the_scenario_offers_them() -> None:
    assert any("adaptive" in text for text in fixed_family("encoder", load("quickstart", settings=["models.codecs=all"])))


def test_the_family_of_prompts_is_as_described() -> None:
    family = fixed_family("prompt", QUICKSTART)
    assert len(family) == 9 and "fixed:parts=caption+boxes+references+identifiers" in family
    assert fixed_family("prompt", load("quickstart", settings=["models.goals=inferred"]))[0] == "fixed:parts=keywords"


def test_kinds_without_a_family_have_their_baseline() -> None:
    contest = plan("incentive", ["posted"], QUICKSTART, seeds=2, tuning=1, price_db=1.0)
    assert contest.own_baseline is not None and contest.own_baseline.name == "none" and not contest.fixed
    with pytest.raises(BadInput, match="nothing to tune"):
        plan("scheduling", ["round-robin"], QUICKSTART, seeds=2, tuning=1, price_db=1.0, fixed=["fifo"])


def test_an_incentives_payments_stand_beside_its_budget() -> None:
    contest = plan("incentive", ["posted"], QUICKSTART, seeds=2, tuning=1, price_db=1.0)

    def world(todo: Sequence[tuple[Point, int]]) -> list[Cell]:
        found = []
        for point, seed in todo:
            paid = 0.0 if point.name == "none" else 4.0 + seed
            results = {"users_sharing": 5.0, "branch_models": 3.0, "credits_paid": paid}
            found.append(replace(cell(point.name, seed, NAMES), results=results))
        return found

    none, posted = Judgement(hold(contest, world)).answer()["sharing"]
    assert (none["credits_paid"], none["most_paid"]) == (0.0, 0.0)
    assert (posted["credits_paid"], posted["most_paid"], posted["budget"]) == (5.5, 6.0, QUICKSTART.knowledge.budget)


def test_noise_meets_none_and_the_fixed_prompts() -> None:
    contest = plan("noise", ["kb-mismatch"], QUICKSTART, seeds=2, tuning=1, price_db=1.0)
    assert contest.own_baseline is not None and contest.own_baseline.overrides == {"policies.noise": "none"}
    assert contest.all_fixed
    assert contest.fixed[0].overrides == {"policies.noise": "none", "policies.prompt": "fixed:parts=caption"}


def test_a_choice_that_knows_where_bits_help_beats_fixed_prompts_at_equal_bits(prompts: Outcome) -> None:
    assert prompts.tuned is not None and prompts.tuned.best == "fixed:parts=caption+boxes"
    answer = Judgement(prompts).answer()
    rows = {(row["choice"], row["against"].partition(" (")[0]): row for row in answer["equal_cost"]}
    single = rows["adaptive", "best fixed of no higher cost"]
    assert single["against"] == "best fixed of no higher cost (parts=boxes)"  # 160 bits are too many for some 110
    assert single["cost"] == pytest.approx(110, abs=8) and single["rival_cost"] == 100.0
    assert single["verdict"] == "better" and single["high_all"] < -0.15
    mixed = rows["adaptive", "time sharing at equal bits"]
    assert mixed["verdict"] == "better" and mixed["rival_cost"] == pytest.approx(single["cost"])
    assert rows["fixed:parts=boxes", "best fixed of no higher cost"]["difference"] == 0.0
    assert rows["fixed:parts=boxes", "time sharing at equal bits"]["difference"] > 0.0  # boxes lie above the hull
    verdicts = [(row["choice"], row["verdict"]) for row in answer["verdicts"]]  # on the best single set, then on time sharing
    assert verdicts == [
        *2 * [("adaptive", "better")],
        ("fixed:parts=boxes", "identical"),
        ("fixed:parts=boxes", "worse"),
    ]


def test_the_choice_of_the_oracle_has_its_whole_gain(prompts: Outcome) -> None:
    gains = {row["choice"]: row for row in Judgement(prompts).answer()["oracle_gain"]}
    assert gains["adaptive"]["share"] == pytest.approx(1.0, abs=1e-6)
    assert (gains["adaptive"]["low"], gains["adaptive"]["high"]) == pytest.approx((1.0, 1.0), abs=1e-6)
    assert gains["fixed:parts=boxes"]["share"] == 0.0


def test_half_of_the_oracles_gain_is_a_share_of_one_half() -> None:
    contest = plan("encoder", ["snr-table"], QUICKSTART, seeds=5, tuning=1, price_db=1.0, fixed=["fixed"])
    worth = {"fixed": 20.0, "snr-table": 21.0, "genie": 22.0}

    def world(todo: Sequence[tuple[Point, int]]) -> list[Cell]:
        found = []
        for point, seed in todo:
            gain = [keys.uniform("test", "gain", seed, request) for request in NAMES]
            psnr = [20.0 + (worth[point.name] - 20.0) * 2 * each for each in gain]
            found.append(cell(point.name, seed, NAMES, psnr_db=psnr))
        return found

    answer = Judgement(hold(contest, world)).answer()
    assert answer["baseline"] == "baseline (fixed)"  # of one there is nothing to tune
    (gain,) = answer["oracle_gain"]
    assert (gain["share"], gain["low"], gain["high"]) == pytest.approx((0.5, 0.5, 0.5))
    assert gain["gain"] == pytest.approx(1.0, abs=0.1)


def test_at_equal_symbols_the_rival_is_the_codec_of_best_quality_not_of_best_worth() -> None:
    """The objective may prefer a cheap codec; a choice that spends more is compared with the best that it could pay for."""
    names = ["fixed:codec=cheap", "fixed:codec=dear"]
    contest = plan("encoder", ["mine"], QUICKSTART, seeds=3, tuning=1, price_db=5.0, fixed=names, all_fixed=True)
    psnr, symbols = {names[0]: 24.0, names[1]: 26.0, "mine": 26.5}, {names[0]: 512.0}

    def world(todo: Sequence[tuple[Point, int]]) -> list[Cell]:
        return [
            cell(p.name, seed, NAMES, psnr_db=[psnr.get(p.name, 27.0)] * 40, symbols_picture=[symbols.get(p.name, 1024.0)] * 40)
            for p, seed in todo
        ]

    outcome = hold(contest, world)
    assert outcome.baseline.name == names[0]  # 24 - 5 * 0.512 is more than 26 - 5 * 1.024
    answer = Judgement(outcome).answer()
    single = next(row for row in answer["equal_cost"] if row["against"].startswith("best fixed"))
    assert single["against"] == "best fixed of no higher cost (codec=dear)" and single["difference"] == pytest.approx(0.5)
    assert {row["oracle"] for row in answer["oracle_gain"]} == {"oracle (genie:db_per_ksymbol=5)", "oracle (hindsight)"}


def test_no_share_of_a_gain_that_may_be_nothing() -> None:
    contest = plan("encoder", ["snr-table"], QUICKSTART, seeds=3, tuning=1, price_db=1.0, fixed=["fixed"])
    answer = Judgement(hold(contest, lambda todo: [cell(point.name, seed, NAMES) for point, seed in todo])).answer()
    assert answer["oracle_gain"][0]["share"] is None
    assert answer["verdicts"][0]["verdict"] == "identical"


def test_rows_keep_the_promised_keys_and_read_well(prompts: Outcome) -> None:
    answer = Judgement(prompts).answer()
    for row in answer["rows"]:
        assert list(row)[:7] == ["choice", "metric", "mean", "difference", "low", "high", "seeds"]
    assert {row["choice"] for row in answer["rows"]} == {
        "best fixed (parts=caption+boxes)",
        "adaptive",
        "fixed:parts=boxes",
        *(f"oracle ({name})" for name in oracles("prompt")),
    }
    tuned = "best of 3 fixed choices by generated_error on seeds 10001 to 10002"
    assert any(line.startswith(tuned) for line in sentences(answer))
    assert any(line.startswith("adaptive is better than best fixed of no higher cost") for line in sentences(answer))
    titles = [title for title, rows in shown(answer) if rows]
    assert "at equal told_bits" in titles and "means" in titles


def test_schemes_are_swept_over_their_own_settings() -> None:
    points = scheme_points(QUICKSTART, ["gai-scn", "semcom"], ["c1", "c2"])
    assert len(points) == (1 + 2 * 3) + (1 + 2)
    assert len({point.name for point in points}) == len(points)
    fixed = next(point for point in points if point.name == "semcom/c2")
    assert fixed.overrides == {"scheme": "semcom", "policies.encoder": "fixed:codec=c2"}
    files = scheme_points(QUICKSTART, ["traditional"], ["c1"])
    assert [point.overrides.get("models.file_quality") for point in files] == [None, 5, 25, 75]


def test_schemes_are_compared_with_the_first_point() -> None:
    points = [Point("x", "1"), Point("y", "1")]
    cells = [cell("x/1", 1, NAMES), cell("y/1", 1, NAMES, object_recovery=[0.5] * 40)]
    answer = answer_of_points("scheme", points, cells)
    row = next(row for row in answer["rows"] if row["choice"] == "y/1" and row["metric"] == "object_recovery")
    assert (row["difference"], row["against"]) == (-0.5, "x/1")
    assert sentences(answer)
