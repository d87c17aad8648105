"""From trained JSCC codecs to the shipped library: 8-bit weights, the measured PSNR over SNR, and the card."""

import logging
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ....bus import keys
from ...scenes.draw import draw
from ...scenes.vocabulary import SUBJECTS
from ...scenes.world import make_scene
from ..cards import Card, write_card
from ..codecs.library import CARD_NAME, symbols_of
from ..codecs.models import BATCH, to_bytes, to_planes, weights_name
from ..codecs.network import BLOCK_VALUES, Decoder, Encoder, convolution_flops
from ..codecs.quantised import dequantise, quantise
from ..roles import PICTURE_SIDE

log = logging.getLogger(__name__)

SNR_GRID_DB = (-5.0, -2.0, 1.0, 4.0, 7.0, 10.0, 13.0, 16.0, 19.0, 22.0)
VALIDATION_SCENES = 256


def scene_pictures(split: str, count: int) -> np.ndarray:
    """uint8 (count, 64, 64, 3): scenes of 1 to 8 objects; every third shows a personal subject. Splits never share a scene."""
    names = tuple(SUBJECTS)
    subjects = [(names[i // 3 % len(names)],) if i % 3 == 0 else () for i in range(count)]
    return np.stack([draw(make_scene("jscc", split, i, subjects=subject)) for i, subject in enumerate(subjects)])


def add_noise(symbols: Tensor, snr_db: Tensor, *key: keys.Key) -> Tensor:
    """AWGN on (B, n, 2) symbols of unit power: N0 = 10^(-SNR/10), half of it on I and half on Q.

    The noise of picture i belongs to ``(*key, i)`` alone: all codecs and SNRs meet the same stream, scaled.
    """
    rows = [keys.complex_normal(symbols.shape[1], *key, index).view(np.float32) for index in range(symbols.shape[0])]
    noise = torch.from_numpy(np.stack(rows)).reshape(symbols.shape)
    return symbols + noise * torch.pow(10.0, -snr_db / 20)[:, None, None]


def psnr_db(pictures: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """PSNR in dB (peak 255) of each picture, against what entered the encoder; uint8 (B, H, W, 3) both."""
    errors = (pictures.astype(np.float64) - restored).reshape(len(pictures), -1)
    return np.asarray(10 * np.log10(255.0**2 / np.maximum((errors**2).mean(axis=1), 1e-3)))


def restore(encoder: Encoder, decoder: Decoder, pictures: np.ndarray, snr_db: np.ndarray, *key: keys.Key) -> np.ndarray:
    """Pictures after one hop at (B,) `snr_db` after equalisation; uint8 (B, H, W, 3) in and out.

    A block Rayleigh channel with zero forcing is the same with snr_db = mean + 20 log10 |h| for each picture.
    """
    with torch.inference_mode():
        symbols = encoder(to_planes(pictures))
    return receive(decoder, symbols, snr_db, pictures.shape[1:3], *key)


def receive(decoder: Decoder, symbols: Tensor, snr_db: np.ndarray, shape: Sequence[int], *key: keys.Key) -> np.ndarray:
    """Send (B, n, 2) symbols through AWGN at (B,) `snr_db` and decode them to pictures of `shape` (height, width), uint8."""
    snr = torch.from_numpy(snr_db.astype(np.float32))
    with torch.inference_mode():
        return to_bytes(decoder(add_noise(symbols, snr, *key), snr, shape[0], shape[1]))


def export(
    codecs: Mapping[str, tuple[Fraction, float, Encoder, Decoder]],
    folder: Path,
    recipe: Mapping[str, Any],
    validation: int = VALIDATION_SCENES,
) -> Card:
    """Write the library to `folder`.

    Args:
        codecs: Name -> (CBR, trained SNR in dB, encoder, decoder).
        folder: Gets two safetensors files a codec and ``library.json``.
        recipe: What to note about the training.
        validation: Scenes to measure the PSNR on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = scene_pictures("validation", validation)
    entries: dict[str, Any] = {}
    for name, (cbr, snr_db, encoder, decoder) in codecs.items():
        sizes = write_halves(folder, name, encoder, decoder)
        entries[name] = _entry(cbr, snr_db, encoder.eval(), decoder.eval()) | sizes
        entries[name]["psnr_db"] = [_mean_psnr_db(encoder, decoder, pictures, snr) for snr in SNR_GRID_DB]
        log.info("%s %s", name, entries[name]["psnr_db"])
    return write_card(folder, _card(entries, {**recipe, "validation_scenes": validation}), CARD_NAME)


def write_halves(folder: Path, weights: str, encoder: Encoder, decoder: Decoder) -> dict[str, int]:
    """Write both networks in 8 bits (it costs at most 0.01 dB); they then hold what will be read again.

    Returns:
        ``encoder_bits`` and ``decoder_bits``: sizes of the files.
    """
    sizes = {}
    for part, network in (("encoder", encoder), ("decoder", decoder)):
        kept = quantise(network.state_dict())
        network.load_state_dict(dequantise(kept))
        path = folder / weights_name(weights, part)
        save_file(kept, path)
        path.chmod(0o644)  # safetensors writes for the owner only
        sizes[f"{part}_bits"] = 8 * path.stat().st_size
    return sizes


def _entry(cbr: Fraction, snr_db: float, encoder: Encoder, decoder: Decoder) -> dict[str, Any]:
    side = PICTURE_SIDE
    return {
        "snr_db": snr_db,
        "cbr": str(cbr),
        "channels": int(cbr * 2 * BLOCK_VALUES),
        "symbols": symbols_of(cbr, side, side),
        "encoder_flops": convolution_flops(encoder, side, side),
        "decoder_flops": convolution_flops(decoder, side, side),
        "encoder_params": sum(weight.numel() for weight in encoder.parameters()),
        "decoder_params": sum(weight.numel() for weight in decoder.parameters()),
    }


def _mean_psnr_db(encoder: Encoder, decoder: Decoder, pictures: np.ndarray, snr_db: float) -> float:
    rows = [
        psnr_db(part, restore(encoder, decoder, part, np.full(len(part), snr_db), "jscc", "validation", start))
        for start in range(0, len(pictures), 64)
        for part in (pictures[start : start + 64],)
    ]
    return round(float(np.mean(np.concatenate(rows))), 2)


def _card(entries: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The card; ``flops`` and ``params`` are of one codec (encoder and decoder), ``files`` are hashed when it is written."""
    largest = max(entries.values(), key=lambda entry: int(entry["encoder_flops"]))
    return {
        "name": "tiny-jscc",
        "roles": ["jscc_encoder", "jscc_decoder"],
        "params": sum(entry["encoder_params"] + entry["decoder_params"] for entry in entries.values()),
        "flops": largest["encoder_flops"],
        "batch": BATCH,
        "recipe": "jscc",
        "training": dict(recipe),
        "validation": "scenes never trained on, AWGN, perfect SNR estimate, mean of the pictures' PSNR in dB",
        "snr_grid_db": list(SNR_GRID_DB),
        "codecs": dict(entries),
        "files": {weights_name(name, part): "" for name in entries for part in ("encoder", "decoder")},
    }
