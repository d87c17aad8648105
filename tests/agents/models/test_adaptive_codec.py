"""The adaptive scene codec: prefixes, power, what it hears, its start, and the shipped one against specialists."""

import numpy as np
import pytest
import torch
from semcast.agents.models.cards import Card
from semcast.agents.models.codecs.adaptive import CHANNELS, RATES, AdaptiveDecoder, AdaptiveEncoder, flops, start_from
from semcast.agents.models.codecs.library import Library, adaptive_name, read_library, symbols_of
from semcast.agents.models.codecs.models import (
    encoder_examples,
    load_adaptive,
    load_codec,
    load_decoder,
    load_encoder,
    to_planes,
    weights_name,
)
from semcast.agents.models.codecs.network import Decoder, Encoder
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.roles import Decode, Encode
from semcast.agents.models.training.jscc_adaptive import Adaptive, quality_db
from semcast.agents.models.training.jscc_adaptive_eval import adaptive_against_specialists
from semcast.agents.models.training.jscc_export import scene_pictures
from semcast.bus.errors import BadInput, Missing

FOLDER = WEIGHTS / "jscc"
LIBRARY = read_library(FOLDER)
torch.set_num_threads(1)


def heard(network):
    """The same networks with conditions that do something."""
    torch.manual_seed(1)
    for name, weight in network.named_parameters():
        if "film" in name or "gains" in name:
            torch.nn.init.normal_(weight, std=0.05)
    return network.eval()


@pytest.mark.parametrize(("cbr", "channels"), zip(RATES, CHANNELS, strict=True))
@pytest.mark.parametrize("size", [(64, 64), (24, 40)])
def test_every_rate_has_its_symbols_and_unit_power(cbr, channels, size):
    pictures = torch.rand(2, 3, *size)
    with torch.inference_mode():
        symbols = heard(AdaptiveEncoder())(pictures, channels, torch.tensor([0.0, 9.0]))
        assert symbols.shape == (2, symbols_of(cbr, *size), 2)
        assert torch.allclose(symbols.square().sum(2).mean(1), torch.ones(2), atol=1e-5)
        assert AdaptiveDecoder()(symbols, torch.tensor([0.0, 9.0]), *size).shape == pictures.shape


def test_a_lower_rate_sends_the_first_channels_when_nothing_else_is_heard():
    encoder, pictures, snr_db = AdaptiveEncoder().eval(), torch.rand(2, 3, 64, 64), torch.tensor([3.0, 12.0])
    with torch.inference_mode():
        whole, part = (encoder(pictures, channels, snr_db).reshape(2, 64, channels) for channels in (64, 16))
    scale = (whole[:, :, :16].norm(dim=(1, 2)) / part.norm(dim=(1, 2)))[:, None, None]
    assert torch.allclose(whole[:, :, :16], part * scale, atol=1e-5)


def test_both_ends_hear_the_snr_and_the_rate():
    encoder, decoder, pictures = heard(AdaptiveEncoder()), heard(AdaptiveDecoder()), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        low, high, above = (encoder(pictures, 8, torch.tensor([snr])) for snr in (0.0, 10.0, 22.0))
        assert not torch.allclose(low, high, atol=1e-3)
        assert torch.equal(above, encoder(pictures, 8, torch.tensor([35.0])))  # beyond the range nothing changes
        shown = [decoder(low, torch.tensor([snr]), 64, 64) for snr in (0.0, 10.0)]
        assert not torch.allclose(*shown, atol=1e-3)


def test_the_start_is_the_specialist_at_its_own_rate():
    """The turn of the channels is orthogonal, so pictures come back equal; power falls from channel to channel."""
    torch.manual_seed(2)
    first, last = Encoder(32).eval(), Decoder(32).eval()
    pair, pictures, snr_db = Adaptive().eval(), torch.rand(4, 3, 64, 64), torch.full((4,), 60.0)
    start_from(pair.encoder, pair.decoder, first, last, pictures)
    with torch.inference_mode():
        symbols = pair.encoder(pictures, 32, snr_db)
        ours, theirs = pair.decoder(symbols, snr_db, 64, 64), last(first(pictures), snr_db, 64, 64)
    assert torch.allclose(ours, theirs, atol=1e-4)
    power = symbols.reshape(-1, 32).square().mean(0)
    assert bool((power[:-1] >= power[1:] - 1e-6).all())


def test_a_loss_teaches_all_weights():
    pair = Adaptive()
    torch.nn.init.normal_(pair.encoder.gains.weight, std=0.05)
    torch.nn.init.normal_(pair.decoder.gains.weight, std=0.05)
    snr_db = torch.tensor([0.0, 10.0])
    pair(torch.rand(2, 3, 64, 64), 64, snr_db, snr_db, torch.randn(2, 2048, 2)).square().mean().backward()
    assert [name for name, weight in pair.named_parameters() if weight.grad is None or not bool(weight.grad.any())] == []


def test_the_library_knows_the_adaptive_codecs_apart():
    assert list(LIBRARY.adaptive) == [adaptive_name(cbr) for cbr in RATES]
    assert set(LIBRARY.chosen("all")) == {*LIBRARY.names, *LIBRARY.adaptive}
    assert {offer.name for offer in LIBRARY.offers("adaptive")} == set(LIBRARY.adaptive)
    assert not any("adaptive" in offer.name for offer in LIBRARY.offers())
    network = AdaptiveEncoder()
    for cbr, codec in zip(RATES, LIBRARY.adaptive.values(), strict=True):
        assert codec.adaptive and (codec.cbr, codec.symbols) == (cbr, symbols_of(cbr, 64, 64))
        assert codec.encoder_bits == 8 * (FOLDER / weights_name(codec.weights, "encoder")).stat().st_size
        assert codec.decoder_bits == 8 * (FOLDER / weights_name(codec.weights, "decoder")).stat().st_size
        assert codec.encoder_flops == flops(network, 64, 64)
        assert list(codec.psnr_db) == sorted(codec.psnr_db)
    tables = [codec.psnr_db for codec in LIBRARY.adaptive.values()]
    assert all(low[i] < high[i] for low, high in zip(tables, tables[1:], strict=False) for i in range(len(low)))


def test_a_library_without_them_says_how_to_make_them():
    card = LIBRARY.card
    bare = Library(Card(card.folder, {name: value for name, value in card.data.items() if name != "adaptive"}, ""))
    assert bare.names == LIBRARY.names and bare.chosen("specialists")
    with pytest.raises(Missing, match="no adaptive codec") as caught:
        bare.chosen("all")
    assert "semcast train jscc-adaptive" in caught.value.hint


def test_it_runs_as_the_engines_models():
    encoder, decoder = load_encoder(FOLDER), load_decoder(FOLDER)
    pictures = [call.picture for call in encoder_examples()]
    for name, codec in LIBRARY.adaptive.items():
        calls = [Encode(picture, name, 3.0 * index) for index, picture in enumerate(pictures)]
        alone = encoder.run([calls[0]] * 4)[0]
        assert encoder.run([calls[0], *calls[1:4]])[0] == alone != encoder.run([Encode(pictures[0], name, 19.0)] * 4)[0]
        assert len(alone.symbols) == 8 * codec.symbols
        shown = decoder.run([Decode(alone.symbols, name, 12.0)] * 4)[0]
        error = np.frombuffer(shown.picture, np.uint8).astype(float) - np.frombuffer(pictures[0], np.uint8)
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 18
    with pytest.raises(BadInput, match="not a number"):
        encoder.run([Encode(pictures[0], "adaptive-cbr12", float("nan"))] * 4)


def test_the_card_is_true_and_the_encoder_gains_by_hearing():
    encoder, decoder = load_adaptive(FOLDER)
    pictures = scene_pictures("held-out", 24)
    for cbr, codec in zip(RATES, LIBRARY.adaptive.values(), strict=True):
        found = quality_db(encoder, decoder, pictures, cbr, np.full(24, 7.0), "test").mean()
        assert found == pytest.approx(LIBRARY.predicted_psnr_db(codec.name, 7.0), abs=1.0)
    assert to_planes(pictures).shape == (24, 3, 64, 64)


def test_the_shipped_one_is_near_specialists_at_home_and_above_the_middle_one_at_low_snr():
    """`semcast eval library` measures the same on more scenes."""
    rows = {row.name: float(row.values.mean()) for row in adaptive_against_specialists(FOLDER, scenes=16)}
    assert len(rows) == 2 * 5 + 2
    for name, value in rows.items():
        if "over_own" in name:
            assert value > -1.2, name
        if "over_middle_low" in name:
            assert value > 0, name
    assert load_codec(FOLDER, LIBRARY.names[0])[1].channels == 32
