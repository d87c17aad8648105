"""Training of the photograph codec: which photographs are held out, what a batch is, the channel inside, and the export."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from semcast.agents.models.cards import file_sha256
from semcast.agents.models.codecs.photo import load_photo_codec
from semcast.agents.models.codecs.photo_network import start_linear
from semcast.agents.models.codecs.photo_plan import CHANNELS, CLASSES
from semcast.agents.models.training import photos as recipe
from semcast.agents.models.training.photos_classes import classify, coefficients
from semcast.agents.models.training.photos_data import Photo, block_statistics, crops, read_photos
from semcast.agents.models.training.photos_export import export, flops
from semcast.bus.errors import BadInput, Missing

from .photo_like import maps, photo_like, photos, statistics

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photos")
    for i in range(30):
        Image.fromarray(photo_like(256, 272, i)).save(place / f"{i:02d}.png")
    (place / "again.png").write_bytes((place / "03.png").read_bytes())
    (place / "broken.jpg").write_bytes(b"broken")
    Image.fromarray(photo_like(255, 300, "small")).save(place / "small.png")
    return place


def test_photographs_are_split_by_their_bytes(folder: Path) -> None:
    found = read_photos(folder)
    assert len(found) == 30 and [p.sha256 for p in found] == sorted(p.sha256 for p in found)
    for photo in found:
        assert photo.sha256 == file_sha256(folder / photo.name)
        assert photo.held_out == (int(photo.sha256[:2], 16) < 26)
    assert 0 < sum(photo.held_out for photo in found) < 10


def test_without_photographs_the_command_to_give_is_told(tmp_path: Path) -> None:
    for given in (None, tmp_path / "none"):
        with pytest.raises(Missing, match="--photos DIR"):
            recipe.train(tmp_path / "out", tmp_path / "work", 0, given)
    with pytest.raises(BadInput, match="0 usable"):
        read_photos(tmp_path)


def test_crops_are_keyed_and_of_training_photographs() -> None:
    given = photos(3)
    first, drawn = crops(given, 4, 2, 64, "a", 1)
    assert first.shape == (8, 64, 64, 3) and first.dtype == np.uint8 and len(drawn) == 4 and set(drawn) <= {0, 1, 2}
    again, drawn_again = crops(given, 4, 2, 64, "a", 1)
    assert np.array_equal(first, again) and drawn == drawn_again
    assert not np.array_equal(first, crops(given, 4, 2, 64, "a", 2)[0])


def test_block_statistics_are_principal_components() -> None:
    axes, variances, mean = block_statistics(photos(6), 40, side=4)
    blocks = np.concatenate([p.pixels.reshape(24, 4, 24, 4, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 48) for p in photos(6)])
    values = blocks / 255 - 0.5
    assert np.allclose(mean, values.mean(0))
    assert np.allclose(axes @ axes.T, np.eye(40), atol=1e-9)
    assert np.allclose(((values - mean) @ axes.T).var(0), variances) and np.all(np.diff(variances) <= 1e-12)


def test_coefficients_of_a_photograph_are_projections_of_its_blocks() -> None:
    axes, mean, variances = statistics()
    photo = Photo("a", "0" * 64, photo_like(40, 70, "blocks"))
    found = coefficients(photo, axes, mean)
    block = photo.pixels[16:32, 48:64].reshape(-1) / 255 - 0.5
    assert found.shape == (2, 4, CHANNELS) and np.allclose(found[1, 3], axes @ (block - mean), atol=1e-5)
    assert classify(photo, axes, mean, variances).shape == (2, 4)
    assert np.all(np.diff(variances[:, 3:].sum(1)) >= 0) and variances.min() > 0


def codec() -> recipe.Codec:
    torch.manual_seed(0)
    made = recipe.Codec()
    start_linear(made.encoder, made.decoder, *statistics())
    return made


def plans(*sent: int) -> torch.Tensor:
    """Half a unit of gain for the first coefficients of every class."""
    return torch.stack([0.5 * (torch.arange(CHANNELS) < n).float().expand(CLASSES, -1) for n in sent])


def received(made: recipe.Codec, *arguments: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What reaches the decoder: code with noise, classes, gains and the variance of the noise."""
    caught: list[torch.Tensor] = []
    hook = made.decoder.register_forward_pre_hook(lambda _, given: caught.extend(x.detach() for x in given[:4]))
    with torch.no_grad():
        made(*arguments)
    hook.remove()
    return tuple(caught)


def test_noise_and_power_inside_follow_the_definitions() -> None:
    """The planned power of these blocks stands for 1/2 a real value at N0 = 10^(-SNR/10); nothing where nothing is sent."""
    made, pictures = codec(), torch.rand(4, 3, 64, 64)
    rate, snr_db = torch.tensor([96.0, 32.0]), torch.tensor([7.0, 0.0])
    noise = torch.randn(4, CHANNELS, 4, 4)
    clean, noisy = (received(made, pictures, plans(96, 32), rate, snr_db, n) for n in (torch.zeros_like(noise), noise))
    for i, (sent, n0) in enumerate(((96, 10**-0.7), (32, 1.0))):
        tiles = slice(2 * i, 2 * i + 2)
        code, classes, gains, variance = (tensor[tiles] for tensor in clean)
        planned = (gains.square() * made.decoder.variances[classes].permute(0, 3, 1, 2)).sum()
        scale = (code.square().sum() / planned).sqrt()
        added = (noisy[0][tiles] - code)[:, :sent]
        assert torch.allclose(added, noise[tiles, :sent] * (n0 / 2) ** 0.5 * scale, rtol=1e-3, atol=1e-5)
        assert torch.allclose(variance, n0 / 2 * scale.square(), rtol=1e-3)
        assert not noisy[0][tiles, sent:].any()


def test_power_is_of_each_picture_not_of_the_batch() -> None:
    made, pictures, noise = codec(), torch.rand(2, 3, 32, 32), torch.randn(2, CHANNELS, 2, 2)
    rate, snr_db = torch.tensor([96.0, 96.0]), torch.tensor([5.0, 5.0])
    other = torch.stack([pictures[0], torch.ones(3, 32, 32)])
    first, second = (received(made, given, plans(96, 96), rate, snr_db, noise)[0][0] for given in (pictures, other))
    assert torch.allclose(first, second, atol=1e-4)


def test_crops_of_which_nothing_is_sent_are_no_division_by_zero() -> None:
    made, pictures = codec(), torch.rand(1, 3, 32, 32)
    arguments = plans(0), torch.tensor([32.0]), torch.tensor([5.0]), torch.randn(1, CHANNELS, 2, 2)
    assert made(pictures, *arguments).isfinite().all()


def data(given: list[Photo]) -> recipe.Data:
    axes, mean, variances = statistics()
    found = [classify(photo, axes, mean, variances) for photo in given]
    return recipe.Data(given, [np.bincount(one.ravel(), minlength=CLASSES) for one in found], variances)


def test_the_plan_of_a_photograph_has_its_rate_and_power() -> None:
    given = data(photos(2, 160))
    gains = recipe._plan(given, 1, 96, 10.0)
    sent = (gains > 0) * given.counts[1][:, None]
    assert 96 * 100 - given.counts[1].max() <= sent.sum() <= 96 * 100
    assert (sent * gains**2 * given.variances).sum() == pytest.approx(sent.sum() / 2, rel=0.01)


def test_every_picture_has_its_own_snr_and_rate() -> None:
    rng = np.random.default_rng(0)
    rates = recipe._rates(rng, 2000)
    assert np.mean(rates == recipe.USUAL_RATE) == pytest.approx(0.54, abs=0.04)
    assert rates.min() >= 32 and rates.max() <= 256 and not (rates % 2).any() and len(set(rates)) > 50


def test_a_step_moves_every_weight_and_the_loss_depends_on_the_step_alone() -> None:
    given = data(photos(3, 256))
    made = codec()
    value = recipe.loss(made, given, 0)
    value.backward()
    silent = [name for name, p in made.named_parameters() if p.grad is None]
    assert not silent
    assert recipe.loss(made, given, 0).item() == value.item() != recipe.loss(made, given, 1).item()


def test_export_is_read_back_and_its_card_is_true(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semcast.agents.models.training.photos_export.CBRS", (Fraction(1, 16),))
    made, given = codec(), read_photos(folder)
    card = export(made.encoder, made.decoder, tmp_path, given, maps(), {"steps": 0})
    data = json.loads((tmp_path / "card.json").read_text())
    held_out = {entry["sha256"] for entry in data["training"]["held_out"]}
    assert held_out == {photo.sha256 for photo in given if photo.held_out}
    assert held_out.isdisjoint(data["training"]["data"]) and len(data["training"]["data"]) + len(held_out) == 30
    assert data["held_out_psnr_db"]["1/16"]["13"] > data["held_out_psnr_db"]["1/16"]["1"]
    assert sum(flops(made.encoder, made.decoder)) == data["flops"] > 10**9
    picture = photo_like(64, 64, "export")
    read = load_photo_codec(tmp_path)
    assert read.card is not None and read.card.sha256 == card.sha256
    sent = read.encode(read.sketch(picture), 48 * 16, 13.0)
    error = np.mean((read.decode(sent.side, sent.symbols, 13.0).astype(float) - picture) ** 2)
    assert 10 * np.log10(255**2 / error) > 20
    (tmp_path / "encoder.safetensors").write_bytes(b"x")
    with pytest.raises(BadInput, match="damaged"):
        load_photo_codec(tmp_path)
