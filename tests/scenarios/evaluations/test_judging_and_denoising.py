"""The figures of the CLIP-class judge and of the denoiser, on few scenes."""

import pytest
from semcast.scenarios.evaluations import Request, evaluate
from semcast.scenarios.evaluations.score import Score


def test_the_judge_answers_better_than_chance() -> None:
    found = evaluate("judging", Request(scenes=8))
    chance = {"crop_class": 1 / 24, "crop_colour": 1 / 8, "twin_identity": 1 / 4, "picture_to_caption": 1 / 8}
    for name, share in chance.items():
        score = found[f"clip_judge_{name}"]
        assert isinstance(score, Score)
        assert share < score.value <= 1, name


@pytest.mark.slow
def test_the_denoiser_does_what_the_issue_asks() -> None:
    found = evaluate("denoising", Request(scenes=10))
    for at in ("0db", "2.5db", "5db"):
        assert found[f"denoiser_error_reduction_at_{at}"].low >= 0.2
    assert found["denoiser_error_reduction_at_15db"] == Score(0.0, 0.0, 0.0, 10)
    assert found["denoiser_psnr_gain_db_at_15db"].value == 0
