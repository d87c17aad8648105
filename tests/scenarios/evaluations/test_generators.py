"""Evaluations of the generator's families, of best of n and of inverse problems, on few scenes."""

import numpy as np
import pytest
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Generate, Picture
from semcast.bus import keys
from semcast.scenarios.cli import main
from semcast.scenarios.evaluations import Request, generators, inverse
from semcast.scenarios.evaluations.best_of import gains
from semcast.scenarios.evaluations.generators import diversity, eight, prompts, tables
from semcast.scenarios.evaluations.scenes import held_out
from semcast.scenarios.evaluations.score import Score, Skipped


class Noise:
    """Unit normal pixels about grey, of a deviation of 10 levels, from the seed."""

    batch = 4

    def run(self, calls: list[Generate]) -> list[Picture]:
        size = (64, 64, 3)
        noise = [keys.generator("test", call.seed).standard_normal(size) * 10 + 128 for call in calls]
        return [Picture(np.round(each).astype(np.uint8).tobytes()) for each in noise]


def test_all_families_get_the_same_prompts_and_seeds() -> None:
    scenes = held_out(3)
    assert prompts(scenes) == prompts(scenes)
    one, other = prompts(scenes), prompts(scenes, candidate=1)
    assert all(a.seed != b.seed and a.boxes == b.boxes for a, b in zip(one, other, strict=True))
    assert all(not call.boxes and call.caption for call in prompts(scenes, boxes=False))
    assert all(len(scene.objects) == 8 for scene in eight(6))


def test_diversity_is_the_root_mean_square_difference_of_two_draws() -> None:
    model, scenes = Noise(), held_out(6)
    first = generators.pictures(model, prompts(scenes))  # type: ignore[arg-type]
    found = diversity(model, scenes, first)  # type: ignore[arg-type]
    assert np.allclose(found, 10 * np.sqrt(2), rtol=0.03)
    same = [bytes(64 * 64 * 3)] * 6

    class Still(Noise):
        def run(self, calls: list[Generate]) -> list[Picture]:
            return [Picture(same[0])] * len(calls)

    assert not diversity(Still(), scenes, same).any()  # type: ignore[arg-type]


def test_the_families_are_measured_and_compared() -> None:
    found = generators.evaluate(Request(scenes=8))
    assert found["vae_boxes_iou50_1_to_4"].value > 0.7
    assert found["vae_gflop"].value < 0.5 * found["diffusion_gflop"].value
    difference = found["diffusion_minus_vae_psnr_db"]
    assert isinstance(difference, Score)
    wanted = found["diffusion_psnr_db"].value - found["vae_psnr_db"].value
    assert abs(difference.value - wanted) < 1e-9
    whole, rest = tables(found)
    assert {row["figure"] for row in whole} >= {"psnr_db", "diversity", "wall_ms", "million_params"}
    assert any(row["difference"] == "diffusion_minus_vae_psnr_db" for row in rest)


def test_a_family_without_weights_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"gan": Skipped("no weights"), "vae_psnr_db": Score(21.0, 20.0, 22.0, 8)}
    whole, rest = tables(found)
    assert whole == [{"figure": "psnr_db", "diffusion": None, "vae": 21.0, "gan": None, "flow": None}] and not rest
    monkeypatch.setattr(
        generators, "evaluate", lambda request: {"gan": Skipped("no weights"), "vae_psnr_db": Score(21.0, 20, 22, 8)}
    )
    assert main(["eval", "generators", "--scenes", "8"]) == 0
    assert "gan: skipped, because no weights" in capsys.readouterr().out


def test_more_candidates_are_never_much_worse_and_cost_more() -> None:
    models = load_models(roles=["generator@vae", "extractor"])
    found = gains(models["generator@vae"], models["extractor"], eight(10))
    assert found["best_of_4_iou50_8"].value >= found["best_of_2_iou50_8"].value - 0.05
    assert found["best_of_4_gain_iou50_8"].value > -0.02
    assert found["best_of_4_gflop"].value == 2 * found["best_of_2_gflop"].value


def test_the_generator_solves_inverse_problems() -> None:
    found = inverse.evaluate(Request(scenes=8))
    assert found["tiles_gain_over_mean_fill_psnr_db"].low > 2
    assert found["tiles_gain_over_unprompted_psnr_db"].value > 1
    assert found["thumbnail_32_gain_over_bicubic_psnr_db"].value > 0.5
    assert found["thumbnail_16_gain_over_bicubic_psnr_db"].value > 1
    assert found["thumbnail_16_gain_over_bicubic_image_alignment"].value > 0
