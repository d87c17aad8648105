"""The autoencoder against closed forms, and the shipped weights."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import binom, norm
from semcast.agents.models.cards import CARD_NAME, read_card
from semcast.agents.models.digits.data import WHITE, digits
from semcast.agents.models.digits.models import UNKNOWN, load
from semcast.agents.models.digits.networks import Vae, binomial_nats, divergence_nats, known_of
from semcast.agents.models.digits.prompts import LATENTS, LAYERS
from semcast.agents.models.loading import WEIGHTS
from semcast.bus import keys
from semcast.bus.errors import BadInput, Missing

FOLDER = WEIGHTS / "digits"


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.3, 0.4), (-2.0, 1.7)])
def test_divergence_is_the_integral(mean: float, deviation: float) -> None:
    def integrand(z: float) -> float:
        q = norm(mean, deviation)
        return float(q.pdf(z) * (q.logpdf(z) - norm.logpdf(z)))

    wanted, _ = quad(integrand, mean - 12 * deviation, mean + 12 * deviation)
    found = divergence_nats(torch.tensor(mean), torch.tensor(2 * np.log(deviation)))
    assert float(found) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("count", [0, 3, 16])
def test_misfit_is_the_binomial(count: int) -> None:
    p = 0.3
    found = binomial_nats(torch.tensor(count / WHITE), torch.tensor(np.log(p / (1 - p))))
    assert float(found) == pytest.approx(-binom.logpmf(count, WHITE, p), rel=1e-4)


def test_the_bound_is_below_the_likelihood_and_tight_without_latents() -> None:
    """-log p(x | label) by importance sampling is at most the bound; without latents both are the decoder's own likelihood."""
    vae, of = load(FOLDER).vae, digits("validation")
    x, labels = torch.from_numpy(of.pictures[:12].astype(np.float32) / WHITE), torch.from_numpy(of.labels[:12])
    draws = 2000
    with torch.no_grad():
        mean, log_variance = vae.encode(x, labels)
        known = known_of(torch.tensor([[1.0, 1.0, 0.0, 0.0]]).expand(12, -1))
        noise = torch.from_numpy(keys.generator("test", "bound").standard_normal((draws, 12, LATENTS), np.float32))
        sums, weights = [], []
        for one in noise:
            bound = vae.bound(x, labels, labels, known, one)
            z = mean + one * torch.exp(log_variance / 2)
            ratio = (0.5 * (one.square() + log_variance) - 0.5 * z.square()) * known
            sums.append(bound.misfit + bound.divergence)
            weights.append(-bound.misfit + ratio.sum(1))
        likelihood = torch.logsumexp(torch.stack(weights), 0) - np.log(draws)
        assert (-likelihood <= torch.stack(sums).mean(0) + 0.05).all()
        nothing = vae.bound(x, labels, labels, torch.zeros(12, LATENTS), noise[0])
        assert float(nothing.divergence.abs().max()) == 0
        logits = vae.decode(torch.zeros(12, LATENTS), torch.zeros(12, LATENTS), labels)
        assert torch.allclose(nothing.misfit, binomial_nats(x, logits).sum(1))


def test_what_is_not_known_is_not_looked_at() -> None:
    vae = Vae()
    known = known_of(torch.tensor([[1.0, 0.0, 1.0, 0.0]]))
    assert int(known.sum()) == LAYERS[0].latents + LAYERS[2].latents
    z = torch.ones(1, LATENTS)
    other = torch.where(known > 0, z, torch.full_like(z, 7.0))
    label = torch.tensor([UNKNOWN])
    with torch.no_grad():
        assert torch.equal(vae.decode(z, known, label), vae.decode(other, known, label))


def test_shipped_networks_do_what_the_card_says() -> None:
    models, card, of = load(FOLDER), read_card(FOLDER), digits("validation")
    assert sum((FOLDER / name).stat().st_size for name in card.data["files"]) < 200_000
    metrics = card.data["metrics"]
    assert np.mean(models.judged(of.pictures)[0] == of.labels) == pytest.approx(metrics["judge_accuracy"], abs=1e-4)
    assert np.mean(models.verified(of.pictures).argmax(1) == of.labels) == pytest.approx(metrics["verifier_accuracy"], abs=1e-4)
    assert np.mean(models.extract(of.pictures)[0] == of.labels) == pytest.approx(metrics["reader_accuracy"], abs=1e-4)
    prefixes = [metrics[f"psnr_db_{number}"] for number in range(len(LAYERS) + 1)]
    assert all(fewer < more for fewer, more in pairwise(prefixes))


def test_extraction_repeats_and_has_unit_deviation() -> None:
    models, of = load(FOLDER), digits("validation")
    _, latents = models.extract(of.pictures)
    assert np.array_equal(models.extract(of.pictures)[1], latents)
    assert np.std(latents, axis=0) == pytest.approx(1, abs=0.35)  # of unit deviation on pictures never trained on


def test_absent_and_damaged_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="semcast train digits"):
        load(tmp_path)
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "vae.safetensors").write_bytes(b"nothing")
    assert (tmp_path / CARD_NAME).is_file()
    with pytest.raises(BadInput, match="damaged"):
        load(tmp_path)
