"""VAE, GAN and flow with small random weights against their definitions; the shipped ones behind the role `generator`."""

from pathlib import Path

import numpy as np
import pytest
import torch
from semcast.agents.models.loading import PROFILES, WEIGHTS, load_models
from semcast.agents.models.roles import Generate
from semcast.agents.models.tiny.families.flow import Coupling, Flow, Mixing, bits_per_dim
from semcast.agents.models.tiny.families.model import FamilyGenerator, examples
from semcast.agents.models.tiny.families.painter import Painter, coarse_noise
from semcast.agents.models.tiny.families.prompting import MAP_CHANNELS, POOLED, Told
from semcast.agents.models.training.families import noise_of
from semcast.agents.models.training.gan import SPREAD, Gan
from semcast.agents.models.training.vae import Vae, divergence_nats, gaussian_nats
from semcast.agents.scenes.caption import caption
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput
from semcast.scenarios.metrics.judging import recoveries
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

FAMILIES = [role for role in PROFILES["tiny"] if role in ("generator@vae", "generator@gan", "generator@flow")]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(3)
    torch.set_num_threads(1)


def told(n: int) -> Told:
    return Told(torch.randn(n, MAP_CHANNELS, 16, 16), torch.randn(n, POOLED), torch.randn(n, 8, 16, 16))


def stirred(network: nn.Module) -> nn.Module:
    """What starts at zero gets values, so that every path is taken."""
    with torch.no_grad():
        for value in network.parameters():
            value += 0.03 * torch.randn_like(value)
    return network.eval()


def small_flow() -> Flow:
    flow = stirred(Flow(fine=2, coarse=2, hidden=(8, 8), told=8))
    assert isinstance(flow, Flow)
    return flow


def test_the_flow_is_its_own_inverse() -> None:
    flow, prompts, latents = small_flow(), told(3), torch.randn(3, 8, 16, 16)
    with torch.no_grad():
        noise, _ = flow(latents, prompts)
        assert noise.shape == (3, 32, 8, 8) and (noise - latents.reshape(noise.shape)).abs().max() > 0.1
        assert torch.allclose(flow.inverse(noise, prompts), latents, atol=1e-4)
        assert torch.allclose(flow(flow.inverse(noise, prompts), prompts)[0], noise, atol=1e-4)


def test_its_log_determinant_is_the_jacobians() -> None:
    flow, prompts, latents = small_flow(), told(1), torch.randn(1, 8, 16, 16)
    _, found = flow(latents, prompts)

    def forward(flat: Tensor) -> Tensor:
        return torch.as_tensor(flow(flat.view(1, 8, 16, 16), prompts)[0].flatten())

    jacobian = torch.autograd.functional.jacobian(forward, latents.flatten(), vectorize=True)
    assert float(torch.linalg.slogdet(jacobian.double())[1]) == pytest.approx(float(found.detach()), abs=1e-2)


@pytest.mark.parametrize("part", ["mixing", "coupling"])
def test_the_parts_determinants_are_their_jacobians(part: str) -> None:
    mixing, coupling, features = stirred(Mixing(4)), stirred(Coupling(4, 3, 8)), torch.randn(1, 3, 2, 2)

    def forward(flat: Tensor) -> tuple[Tensor, Tensor]:
        x = flat.view(1, 4, 2, 2)
        return mixing(x) if part == "mixing" else coupling(x, features)  # type: ignore[no-any-return]

    x = torch.randn(16)
    jacobian = torch.autograd.functional.jacobian(lambda flat: forward(flat)[0].flatten(), x)
    assert float(torch.linalg.slogdet(jacobian)[1]) == pytest.approx(float(forward(x)[1].detach()), abs=1e-4)


def test_before_training_the_flow_is_a_normal_about_the_sketch() -> None:
    """All couplings start as the identity and all mixings as rotations, so the likelihood has a closed form."""
    flow, prompts, latents = Flow(fine=2, coarse=2, hidden=(8, 8), told=8), told(2), torch.randn(2, 8, 16, 16)
    with torch.no_grad():
        found = flow.nats(latents, prompts)
    wanted = -Normal(prompts.sketch, float(np.exp(-1.0))).log_prob(latents).flatten(1).sum(dim=1)
    assert torch.allclose(found, wanted, rtol=1e-4)
    assert bits_per_dim(found, 2048)[0] == pytest.approx(float(wanted[0]) / 2048 / np.log(2), rel=1e-4)


def test_the_vaes_bound_is_made_of_its_definitions() -> None:
    mean, log_variance, x = torch.randn(50), torch.randn(50), torch.randn(50)
    wanted = kl_divergence(Normal(mean, torch.exp(log_variance / 2)), Normal(0.0, 1.0))
    assert torch.allclose(divergence_nats(mean, log_variance), wanted, atol=1e-5)
    assert torch.allclose(gaussian_nats(x, log_variance), -Normal(0.0, log_variance.exp()).log_prob(x), atol=1e-4, rtol=1e-4)


def test_the_bound_lies_above_the_exact_surprise() -> None:
    """With a decoder that ignores the noise the surprise is known, and the bound misses it by the noise's cost alone."""
    vae, prompts, latents = Vae(), told(2), torch.randn(2, 8, 16, 16)
    with torch.no_grad():
        torch.nn.init.zeros_(vae.painter.out.bias)
        bound = vae.bound(latents, prompts, noise_of("test", size=2))
        exact = gaussian_nats(latents - prompts.sketch, vae.log_deviation.view(1, -1, 1, 1)).flatten(1).sum(dim=1)
    assert torch.allclose(bound.misfit, exact, rtol=1e-4)
    assert (bound.divergence > 0).all()


def test_each_player_learns_by_its_own_loss_alone() -> None:
    """The painter's gradient is the same whatever the discriminator's part of the loss is, and the other way round."""
    gan = Gan()
    stirred(gan)
    prompts, latents, noise = told(4), torch.randn(4, 8, 16, 16), noise_of("test", size=8)
    gradients = []
    for penalised in (False, True):
        gan.zero_grad()
        gan.loss(latents, prompts, noise, penalised=penalised).backward()
        gradients.append([value.grad.clone() for value in (gan.painter.out.weight, gan.discriminator.score.weight)])
    (paints, judges), (paints_too, judges_penalised) = gradients
    assert torch.allclose(paints, paints_too) and paints.abs().max() > 0
    assert not torch.allclose(judges, judges_penalised)
    with torch.no_grad():
        made = gan.painter(prompts, noise[:4]).float()
    own = functional.softplus(gan.discriminator(made, prompts) - gan.discriminator(latents, prompts)).mean()
    (wanted,) = torch.autograd.grad(own, gan.discriminator.score.weight)
    assert torch.allclose(judges, wanted, rtol=1e-3, atol=1e-6)


def test_the_spreads_weight_makes_a_normals_own_deviation_best() -> None:
    """For normal data the matching term, in expectation over pictures N(0, s^2), is least at the data's deviation s = 1."""
    rng = np.random.default_rng(1)
    x, a, b = rng.standard_normal((3, 400_000))

    def term(deviation: float) -> float:
        mean = deviation * (a + b) / 2
        spread = np.abs(deviation * a - mean) + np.abs(deviation * b - mean)
        return float(np.abs(x - mean).mean() - SPREAD * spread.mean())

    values = {deviation: term(deviation) for deviation in (0.0, 0.5, 0.8, 1.0, 1.25, 2.0)}
    assert min(values, key=lambda deviation: values[deviation]) == 1.0


@pytest.mark.parametrize("kind", ["vae", "flow"])
def test_training_lowers_the_surprise(kind: str) -> None:
    prompts, latents, noise = told(4), torch.randn(4, 8, 16, 16), noise_of("test", size=4)
    network: Vae | Flow = Vae() if kind == "vae" else Flow(fine=1, coarse=1, hidden=(8, 8), told=8)

    def surprise() -> Tensor:
        if isinstance(network, Flow):
            return network.nats(latents, prompts).mean()
        bound = network.bound(latents, prompts, noise)
        return (bound.misfit + bound.divergence).mean()

    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    values = []
    for _ in range(8):
        value = surprise()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.9 * values[0]


def test_a_painter_reads_prompt_and_noise() -> None:
    painter, prompts = Painter(16, 16), told(2)
    stirred(painter)
    noise = torch.randn(2, 8, 16, 16)
    with torch.no_grad():
        first = painter.paint(prompts, noise)
        assert coarse_noise(noise).shape == (2, 8, 8, 8)
        assert not torch.allclose(first, painter.paint(prompts, noise + 1), atol=1e-3)
        assert not torch.allclose(first, painter.paint(told(2), noise), atol=1e-3)


@pytest.mark.parametrize("role", FAMILIES)
def test_a_shipped_family_draws_what_the_prompt_says(role: str) -> None:
    model = load_models(roles=[role])[role]
    assert isinstance(model, FamilyGenerator)
    scenes = [make_scene("test", "families", index, count=(1, 3)) for index in range(8)]
    said = [caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects]) for scene in scenes]
    calls = [Generate(text, scene.background, scene.boxes(), i) for i, (scene, text) in enumerate(zip(scenes, said, strict=True))]
    pictures = [result.picture for result in model.run(calls)]
    found = recoveries([(scene.boxes(), picture) for scene, picture in zip(scenes, pictures, strict=True)])
    assert np.mean([each.iou50 for each in found]) > 0.7
    with pytest.raises(BadInput, match="7 calls"):
        model.run(calls[:7])


@pytest.mark.parametrize("role", FAMILIES)
def test_seed_and_reference_change_the_picture(role: str) -> None:
    model = load_models(roles=[role])[role]
    calls = examples()
    other = [
        Generate(c.caption, c.background, c.boxes, c.seed + 100, c.steps, c.subjects, c.adapters, c.references) for c in calls
    ]
    bare = [Generate(c.caption, c.background, c.boxes, c.seed, c.steps) for c in calls]
    first, again, plain = model.run(calls), model.run(other), model.run(bare)
    assert all(one != two for one, two in zip(first, again, strict=True))
    referred = [bool(call.references) for call in calls]
    assert [one != two for one, two in zip(first, plain, strict=True)] == referred
    assert model.flops(calls[referred.index(True)]) > model.flops(calls[referred.index(False)])


def test_a_family_belongs_to_its_generator(tmp_path: Path) -> None:
    from shutil import copytree

    folder = FAMILIES[0].partition("@")[2]
    copytree(WEIGHTS / folder, tmp_path / folder)
    copytree(WEIGHTS / "generator", tmp_path / "generator")
    card = tmp_path / "generator" / "card.json"
    card.write_text(card.read_text().replace('"temperature": 0.7', '"temperature": 0.8'))
    with pytest.raises(BadInput, match="damaged"):
        load_models(roles=[FAMILIES[0]], weights=tmp_path)[FAMILIES[0]].run(examples())
