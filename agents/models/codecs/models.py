"""The codec library as two models of the engine: ``jscc_encoder`` and ``jscc_decoder``."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ....bus import keys
from ....bus.errors import BadInput
from ..cards import checked
from ..roles import PICTURE_SIDE, Decode, Encode, Picture, Symbols
from .adaptive import AdaptiveDecoder, AdaptiveEncoder
from .library import ADAPTIVE, Codec, Library, codec_name, read_library, symbols_of
from .network import Decoder, Encoder
from .quantised import dequantise

BATCH = 4
Half = TypeVar("Half", bound=nn.Module)
EXAMPLE_CODEC = codec_name(7, Fraction(1, 12))
SNR_LIMITS_DB = (-20.0, 40.0)
"""A receiver's estimate is clipped to this range, so that a deep fade gives a grey picture and not an overflow."""


class JsccEncoder:
    """Role ``jscc_encoder``: a picture and a codec's name give complex symbols of unit average power.

    Implements `semcast.agents.models.roles.Model`. A codec's weights are read when it is first used.
    """

    role = "jscc_encoder"
    batch = BATCH

    def __init__(self, library: Library) -> None:
        self.library = library
        self.name = str(library.card.data["name"])
        self.sha256 = library.card.sha256
        self._encode = cache(lambda name: _encoding(library, library.codec(name)))

    def group(self, arguments: Encode) -> str:
        """Calls of one codec share a batch."""
        return arguments.codec

    def flops(self, arguments: Encode) -> int:
        """Of one picture, from the card."""
        return self.library.codec(arguments.codec).encoder_flops

    def run(self, arguments: Sequence[Encode]) -> list[Symbols]:
        """Encode one full batch of `batch` pictures (64x64 RGB bytes) with one codec.

        Raises:
            BadInput: Another number of calls, two codecs, an unknown codec, a picture of another size, or a SNR of NaN.
        """
        codec = _only_codec(self.library, arguments, self.batch)
        size = 3 * PICTURE_SIDE * PICTURE_SIDE
        for call in arguments:
            if len(call.picture) != size:
                raise BadInput(
                    f"jscc_encoder: a picture of {len(call.picture)} bytes", f"uint8 RGB of 64x64 pixels, {size} bytes"
                )
        snr_db = _snrs([call.snr_db for call in arguments], self.role)
        raw = np.frombuffer(b"".join(call.picture for call in arguments), dtype=np.uint8)
        with torch.inference_mode():
            planes = to_planes(raw.reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3))
            symbols = self._encode(codec.name)(planes, snr_db).numpy()
        return [Symbols(row.astype("<f4").tobytes()) for row in symbols]


class JsccDecoder:
    """Role ``jscc_decoder``: equalised symbols and the receiver's SNR estimate give a picture.

    Implements `semcast.agents.models.roles.Model`. A codec's weights are read when it is first used.
    """

    role = "jscc_decoder"
    batch = BATCH

    def __init__(self, library: Library) -> None:
        self.library = library
        self.name = str(library.card.data["name"])
        self.sha256 = library.card.sha256
        self._network = cache(lambda name: _decoder(library, library.codec(name)))

    def group(self, arguments: Decode) -> str:
        """Calls of one codec share a batch."""
        return arguments.codec

    def flops(self, arguments: Decode) -> int:
        """Of one picture, from the card."""
        return self.library.codec(arguments.codec).decoder_flops

    def run(self, arguments: Sequence[Decode]) -> list[Picture]:
        """Decode one full batch of `batch` blocks of symbols of one codec.

        Raises:
            BadInput: Another number of calls, two codecs, an unknown codec, a wrong number of symbols, or a SNR of NaN.
        """
        codec = _only_codec(self.library, arguments, self.batch)
        for call in arguments:
            if len(call.symbols) != 8 * codec.symbols:
                raise BadInput(
                    f"jscc_decoder: {len(call.symbols)} bytes of symbols for codec {codec.name}",
                    f"{codec.symbols} little-endian complex64 values, {8 * codec.symbols} bytes",
                )
        received = np.frombuffer(b"".join(call.symbols for call in arguments), dtype="<f4").reshape(-1, codec.symbols, 2)
        snr_db = _snrs([call.snr_db for call in arguments], self.role)
        with torch.inference_mode():
            symbols = torch.from_numpy(received.astype(np.float32))
            planes = self._network(codec.name)(symbols, snr_db, PICTURE_SIDE, PICTURE_SIDE)
            pictures = to_bytes(planes)
        return [Picture(picture.tobytes()) for picture in pictures]


def to_planes(pictures: np.ndarray) -> Tensor:
    """uint8 (B, H, W, 3) -> float32 (B, 3, H, W) in [0, 1], channels last in memory."""
    return (torch.from_numpy(pictures.astype(np.float32)) / 255).permute(0, 3, 1, 2)


def to_bytes(planes: Tensor) -> np.ndarray:
    """float (B, 3, H, W), nominally in [0, 1] -> uint8 (B, H, W, 3), clipped and rounded."""
    rounded = (planes.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return np.ascontiguousarray(rounded.numpy())


def _only_codec(library: Library, arguments: Sequence[Encode | Decode], batch: int) -> Codec:
    names = sorted({call.codec for call in arguments})
    if len(arguments) != batch or len(names) != 1:
        raise BadInput(f"JSCC: {len(arguments)} calls of {names} in a batch", f"exactly {batch} calls of one codec")
    return library.codec(names[0])


def _snrs(values_db: Sequence[float], role: str) -> Tensor:
    """As float32, within `SNR_LIMITS_DB`."""
    if np.isnan(values_db).any():
        raise BadInput(f"{role}: snr_db is not a number", "give an estimate of Es/N0 in dB")
    return torch.from_numpy(np.clip(np.array(values_db, dtype=np.float32), *SNR_LIMITS_DB))


def _encoding(library: Library, codec: Codec) -> Callable[[Tensor, Tensor], Tensor]:
    """What makes symbols of planes and the SNR that the sender knows; a specialist does not listen to it."""
    if codec.adaptive:
        adaptive = _read(library, codec, "encoder", AdaptiveEncoder())
        return lambda planes, snr_db: adaptive(planes, codec.channels, snr_db)
    specialist = _read(library, codec, "encoder", Encoder(codec.channels))
    return lambda planes, snr_db: specialist(planes)


def _decoder(library: Library, codec: Codec) -> Decoder:
    network = AdaptiveDecoder() if codec.adaptive else Decoder(codec.channels)
    return _read(library, codec, "decoder", network)


def _read(library: Library, codec: Codec, part: str, network: Half) -> Half:
    """Read one half of a codec: int8 or float16 on disk, computed with in float32."""
    network.load_state_dict(dequantise(load_file(checked(library.card, weights_name(codec.weights, part)))))
    network.eval()
    return network


def weights_name(weights: str, part: str) -> str:
    """File name of one half (``encoder`` or ``decoder``) of a codec."""
    return f"{weights}.{part}.safetensors"


def load_encoder(folder: Path) -> JsccEncoder:
    """The encoders of the library in `folder`."""
    return JsccEncoder(read_library(folder))


def load_decoder(folder: Path) -> JsccDecoder:
    """The decoders of the library in `folder`."""
    return JsccDecoder(read_library(folder))


def load_codec(folder: Path, name: str) -> tuple[Encoder, Decoder]:
    """Both networks of one specialist, for evaluation outside the engine."""
    library = read_library(folder)
    codec = library.codec(name)
    return _read(library, codec, "encoder", Encoder(codec.channels)), _read(library, codec, "decoder", Decoder(codec.channels))


def load_adaptive(folder: Path) -> tuple[AdaptiveEncoder, AdaptiveDecoder]:
    """Both networks of the adaptive codecs."""
    library = read_library(folder)
    codec = next(iter(library.chosen(ADAPTIVE).values()))
    return _read(library, codec, "encoder", AdaptiveEncoder()), _read(library, codec, "decoder", AdaptiveDecoder())


def encoder_examples() -> list[Encode]:
    """Six different calls of one codec, for tests and benchmarks."""
    from ...scenes.draw import draw
    from ...scenes.world import make_scene

    return [Encode(draw(make_scene("jscc", "example", index)).tobytes(), EXAMPLE_CODEC) for index in range(6)]


def decoder_examples() -> list[Decode]:
    """Six different calls of one codec at SNRs from -5 to 20 dB; the symbols are noise."""
    symbols = symbols_of(Fraction(1, 12), PICTURE_SIDE, PICTURE_SIDE)
    noise = [keys.complex_normal(symbols, "jscc", "example", index).tobytes() for index in range(6)]
    return [Decode(row, EXAMPLE_CODEC, 5.0 * index - 5) for index, row in enumerate(noise)]
