"""8-bit weights: the error is at most half a step, and what was never large stays as it was."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.models.codecs.quantised import LEAST, SCALE, dequantise, quantise


@given(st.integers(0, 1000), st.floats(1e-6, 1e3), st.sampled_from([(64, 64), (32, 16, 3, 3), (128, 8, 5, 5), (LEAST, 1)]))
def test_the_error_is_at_most_half_a_step_of_each_output_channel(seed: int, size: float, shape: tuple[int, ...]) -> None:
    weight = size * torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    weight[0] = 0
    kept = quantise({"w": weight})
    assert kept["w"].dtype == torch.int8 and kept["w"].shape == weight.shape
    again = dequantise(kept)["w"]
    step = weight.flatten(1).abs().amax(1) / 127
    assert bool(((again - weight).flatten(1).abs().amax(1) <= 0.5 * step * (1 + 1e-4) + 1e-12).all())
    assert bool((again[0] == 0).all())
    assert torch.equal(quantise({"w": again})["w"], kept["w"])


def test_small_tensors_and_plain_weights_pass() -> None:
    state = {"bias": torch.tensor([0.5, -2.0]), "few": torch.ones(8, 8)}
    assert set(quantise(state)) == set(state)
    assert all(torch.equal(value, state[name]) for name, value in dequantise(quantise(state)).items())
    assert not any(name.endswith(SCALE) for name in dequantise(quantise({"w": torch.ones(64, 64)})))
