"""From the trained photograph codec to the shipped one: weights in 8 bits, tables, held-out scores and the card."""

import logging
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch.utils.flop_counter import FlopCounterMode

from ....bus.channel.awgn import add_noise
from ..cards import Card, write_card
from ..codecs.photo import RECIPE, TABLES, PhotoCodec, load_photo_codec, symbols_of
from ..codecs.photo_network import Decoder, Encoder
from ..codecs.photo_plan import CHANNELS
from ..codecs.photo_side import STRIDE, succession_odds
from ..codecs.quantised import quantise
from .photos_data import Photo

log = logging.getLogger(__name__)

SNRS_DB = (1.0, 4.0, 7.0, 10.0, 13.0)
CBRS = (Fraction(1, 48), Fraction(1, 24), Fraction(1, 16), Fraction(1, 12), Fraction(1, 6))
SIDE = 256


def export(
    encoder: Encoder, decoder: Decoder, folder: Path, photos: Sequence[Photo], maps: list[np.ndarray], result: Mapping[str, Any]
) -> Card:
    """Write weights, tables and ``card.json`` with scores on the held-out photographs.

    Args:
        encoder: Trained.
        decoder: Trained.
        folder: Made if needed.
        photos: All photographs, held-out ones included.
        maps: Classes of the blocks of those trained on.
        result: What `fit` returned.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"variances": encoder.variances.contiguous(), "odds": torch.from_numpy(succession_odds(maps))}
    files = {
        "encoder.safetensors": quantise(encoder.state_dict()),
        "decoder.safetensors": quantise(decoder.state_dict()),
        TABLES: tables,
    }
    for name, weights in files.items():
        save_file(weights, folder / name)
        (folder / name).chmod(0o644)  # safetensors writes for the owner only
    encoder_flops, decoder_flops = flops(encoder, decoder)
    card = {
        "name": "tiny-jscc-photos",
        "roles": [RECIPE],
        "params": sum(value.numel() for network in (encoder, decoder) for value in network.parameters()),
        "flops": encoder_flops + decoder_flops,
        "flops_of": f"one {SIDE}x{SIDE} picture, encoder {encoder_flops} and decoder {decoder_flops}; both grow with the area",
        "batch": 1,
        "recipe": RECIPE,
        "training": {
            **result,
            "data": [photo.sha256 for photo in photos if not photo.held_out],
            "held_out": [{"sha256": photo.sha256, "name": photo.name} for photo in photos if photo.held_out],
            "held_out_rule": "SHA-256 of the file starts with a byte below 26",
        },
        "files": list(files),
    }
    write_card(folder, card)
    kept = [photo for photo in photos if photo.held_out]
    scores = held_out_psnr_db(load_photo_codec(folder), kept)  # what is measured is what is shipped
    return write_card(folder, card | {"held_out_psnr_db": scores, "held_out_channel": "AWGN, SNR known, one draw a picture"})


def held_out_psnr_db(codec: PhotoCodec, photos: Sequence[Photo]) -> dict[str, dict[str, float]]:
    """CBR of the symbols -> SNR in dB -> mean PSNR in dB over whole pictures; the side bytes are not charged here."""
    found: dict[str, dict[str, float]] = {}
    for cbr in CBRS:
        rows = {snr_db: [hop_psnr_db(codec, photo, cbr, snr_db) for photo in photos] for snr_db in SNRS_DB}
        found[str(cbr)] = {f"{snr_db:g}": round(float(np.mean(values)), 2) for snr_db, values in rows.items()}
        log.info("held-out PSNR at CBR %s: %s", cbr, found[str(cbr)])
    return found


def hop_psnr_db(codec: PhotoCodec, photo: Photo, cbr: Fraction, snr_db: float) -> float:
    """PSNR in dB of one picture after one AWGN hop, against what entered the encoder."""
    picture = photo.pixels
    sent = codec.encode(codec.sketch(picture), symbols_of(cbr, *picture.shape[:2]), snr_db)
    received = add_noise(sent.symbols, snr_db, 1.0, "photos", "validation", photo.sha256)
    error = np.mean((codec.decode(sent.side, received, snr_db).astype(np.float64) - picture) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-3)))


def flops(encoder: Encoder, decoder: Decoder) -> tuple[int, int]:
    """Floating-point operations of encoder and decoder on one picture of 256x256 pixels; a multiply-add is two."""
    places = SIDE // STRIDE
    classes, gains = torch.zeros(1, places, places, dtype=torch.int64), torch.ones(1, CHANNELS, places, places)
    condition = torch.tensor([96.0]), torch.tensor([10.0])
    with torch.inference_mode(), FlopCounterMode(display=False) as encoding:
        encoder.linear(torch.zeros(1, 3, SIDE, SIDE))  # to find the classes
        code = encoder(torch.zeros(1, 3, SIDE, SIDE), classes, gains, *condition)
    with torch.inference_mode(), FlopCounterMode(display=False) as decoding:
        decoder(code, classes, gains, torch.ones(1), *condition)
    return int(encoding.get_total_flops()), int(decoding.get_total_flops())
