"""Convolutions in 8 bits: near the float ones by what the scales allow, exact under other companions, cheaper by the card."""

import numpy as np
import pytest
import torch
from semcast.agents.models import eight_bits
from semcast.agents.models.cards import read_card
from semcast.agents.models.codecs.quantised import dequantise, quantise
from semcast.agents.models.eight_bits import EightBitConv, convolutions, in_eight_bits, kept_bytes, memory_bytes, ranges_of
from semcast.agents.models.loading import WEIGHTS, load_models, model_table
from semcast.agents.models.roles import Extract
from semcast.agents.models.tiny import generator
from semcast.bus import keys
from semcast.bus.errors import Missing
from torch import nn


def noise(*shape, key="x", scale=1.0):
    return torch.from_numpy(scale * keys.generator("eight bits", key).standard_normal(shape, dtype=np.float32))


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 1, 1), (2, 1, 1), (1, 2, 2), (1, 0, 1)])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_a_convolution_equals_the_float_one_on_rounded_numbers(stride, padding, dilation, shift):
    """Against a float convolution of the rounded input by the rounded weights; zeros at the rim stay zero."""
    torch.manual_seed(0)
    float_one = nn.Conv2d(24, 24, 3, stride=stride, padding=padding, dilation=dilation).requires_grad_(False)
    x = noise(2, 24, 9, 9) + shift
    low, high = min(0.0, float(x.min())), max(0.0, float(x.max()))
    found = EightBitConv(float_one, low, high)(x)
    scale = (high - low) / 255
    zero = round(-low / scale)
    rounded = (torch.floor(x / scale + zero + 0.5).clamp(0, 255) - zero) * scale
    same = nn.Conv2d(24, 24, 3, stride=stride, padding=padding, dilation=dilation)
    same.load_state_dict(dequantise({**quantise({"weight": float_one.weight}), "bias": float_one.bias}))
    wanted = same(rounded).detach()
    assert found.shape == wanted.shape
    assert torch.allclose(found, wanted, atol=2e-3 * float(wanted.std()))
    assert float((found - float_one(x)).std()) < 0.03 * float(float_one(x).std())


def test_what_lies_outside_the_range_is_cut():
    torch.manual_seed(0)
    conv = nn.Conv2d(24, 24, 3, padding=1).requires_grad_(False)
    narrow = EightBitConv(conv, -1.0, 1.0)
    x = noise(1, 24, 8, 8, scale=5.0)
    assert torch.allclose(narrow(x), narrow(x.clamp(-1.0, 1.0)), atol=0.05)


def test_where_sums_saturate_no_variant_is_made(monkeypatch):
    assert eight_bits.sums_are_exact()
    monkeypatch.setattr(eight_bits, "sums_are_exact", lambda: False)
    with pytest.raises(Missing, match="saturate"):
        eight_bits.in_eight_bits(torch.nn.Sequential(torch.nn.Conv2d(64, 8, 3)), {"0": (0.0, 1.0)})


def test_companions_do_not_change_a_bit():
    torch.manual_seed(0)
    conv = EightBitConv(nn.Conv2d(40, 24, 3, padding=1).requires_grad_(False), -4.0, 4.0)
    x = noise(1, 40, 16, 16)
    alone = conv(x)
    for number in (2, 8):
        others = noise(number - 1, 40, 16, 16, key=str(number), scale=9.0)
        assert torch.equal(conv(torch.cat([x, others]))[:1], alone)
        assert torch.equal(conv(torch.cat([others, x]))[-1:], alone)


def small_network():
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 32, 3, padding=1), nn.SiLU(), nn.Flatten(), nn.Linear(32 * 64, 4)
    )
    return net.requires_grad_(False).eval()


def test_ranges_are_those_of_the_inputs_and_small_layers_are_left():
    network, x = small_network(), noise(4, 3, 8, 8)
    assert list(convolutions(network)) == ["2"]
    ranges = ranges_of(network, lambda: network(x))
    middle = network[:2](x)
    assert ranges == {"2": (pytest.approx(float(middle.min())), pytest.approx(float(middle.max())))}
    before, params = network(x), sum(p.numel() for p in network.parameters())
    assert memory_bytes(network, ranges) == 4 * params - 3 * 32 * 32 * 9
    assert params < kept_bytes(network) < 1.3 * params
    in_eight_bits(network, ranges)
    assert isinstance(network[2], EightBitConv) and isinstance(network[0], nn.Conv2d)
    assert float((network(x) - before).std()) < 0.03 * float(before.std())


def test_variants_say_what_they_are_made_of_and_cost_less():
    rows = {row.role: row for row in model_table()}
    for role in ("extractor", "generator"):
        card = read_card(WEIGHTS / f"{role}_int8").data
        assert card["files"] == {f"../{role}/card.json": rows[role].sha256}
        assert rows[f"{role}@int8"].flops < 0.6 * rows[role].flops
        assert rows[f"{role}@int8"].memory_bytes < 0.55 * rows[role].memory_bytes
        assert rows[f"{role}@int8"].weights_bytes < 0.6 * rows[role].weights_bytes


def test_the_extractor_in_8_bits_sees_nearly_what_the_whole_one_sees():
    from semcast.agents.models.tiny.extractor import examples

    models = load_models("tiny", ["extractor", "extractor@int8"])
    calls = [Extract(call.picture, call.subjects) for call in examples()]
    whole, eight = ([models[name].run([call])[0] for call in calls] for name in models)
    assert [one.background for one in whole] == [one.background for one in eight]
    same = [
        sorted((b.label, b.colour) for b in a.boxes) == sorted((b.label, b.colour) for b in b_.boxes)
        for a, b_ in zip(whole, eight, strict=True)
    ]
    assert sum(same) >= 8


@pytest.mark.parametrize("name", ["generator@int8", "generator@small"])
def test_variants_of_the_generator_draw_nearly_the_same(name):
    models = load_models("tiny", ["generator", name])
    calls = generator.examples()
    whole, other = (
        np.stack([np.frombuffer(p.picture, np.uint8) for p in models[m].run(calls)]).astype(float) for m in ("generator", name)
    )
    psnr_db = 10 * np.log10(255**2 / np.square(whole - other).mean(axis=1))
    assert psnr_db.min() > (35 if name.endswith("int8") else 20)


def test_the_decoders_in_8_bits_lose_a_tenth_of_a_decibel_at_most():
    from semcast.agents.models.codecs.models import EXAMPLE_CODEC
    from semcast.agents.models.roles import Decode, Encode
    from semcast.agents.scenes.draw import draw
    from semcast.agents.scenes.world import make_scene

    models = load_models("tiny", ["jscc_decoder", "jscc_decoder@int8", "jscc_encoder"])
    shown = [draw(make_scene("test", "int8", index)) for index in range(8)]
    encoder = models["jscc_encoder"]
    sent = [
        result
        for start in (0, 4)
        for result in encoder.run([Encode(p.tobytes(), EXAMPLE_CODEC) for p in shown[start : start + 4]])
    ]
    calls = [Decode(one.symbols, EXAMPLE_CODEC, 20.0) for one in sent]
    error = {}
    for name in ("jscc_decoder", "jscc_decoder@int8"):
        found = [
            np.frombuffer(r.picture, np.uint8).reshape(64, 64, 3) for s in (0, 4) for r in models[name].run(calls[s : s + 4])
        ]
        error[name] = np.mean([np.square(a.astype(float) - b).mean() for a, b in zip(shown, found, strict=True)])
    assert 10 * np.log10(error["jscc_decoder@int8"] / error["jscc_decoder"]) < 0.1
    assert models["jscc_decoder@int8"].flops(calls[0]) < 0.6 * models["jscc_decoder"].flops(calls[0])
