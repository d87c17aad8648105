"""Classical formats under a budget of bits: what is returned fits, is the best that fits, and is the whole file."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from semcast.agents.models.codecs.classical import FORMATS, Files, decompress
from semcast.bus.errors import BadInput

from .photo_like import photo_like

PICTURE = photo_like(64, 96, "classical")
FILES = {codec: Files(PICTURE, codec) for codec in FORMATS}
MAGIC = {"jpeg": b"\xff\xd8", "jpeg2000": b"\xff\x4f\xff\x51", "webp": b"WEBPVP8 ", "avif": b"ftypavif"}
ALL = {codec: [files.file(quality) for quality in FORMATS[codec].qualities[::5]] for codec, files in FILES.items()}


def error(file: bytes) -> float:
    return float(np.mean((decompress(file).astype(float) - PICTURE) ** 2))


@pytest.mark.parametrize("codec", ["jpeg", "avif"])
def test_colours_are_sent_at_the_resolution_that_is_better(codec: str) -> None:
    """Thin red lines on blue need all of it; whatever is better for a picture is taken."""
    drawn = np.zeros((64, 64, 3), np.uint8)
    drawn[..., 2] = 200
    drawn[:, ::4] = (220, 20, 20)
    for picture in (drawn, PICTURE):
        files = Files(picture, codec)
        budget = 8 * len(files.file(FORMATS[codec].qualities[len(FORMATS[codec].qualities) // 2], 1))
        alone = [files._largest(budget, variant) for variant in (0, 1)]
        errors = [float(np.mean((decompress(file).astype(float) - picture) ** 2)) for file in alone if file]
        best = files.best(budget)
        assert best in alone and float(np.mean((decompress(best).astype(float) - picture) ** 2)) == min(errors)
        if picture is drawn:
            assert best == alone[1] != alone[0]


@pytest.mark.parametrize("codec", FORMATS)
@settings(max_examples=60, deadline=None)
@given(bits=st.integers(0, 60_000))
def test_a_file_fits_its_budget_and_none_means_that_nothing_does(codec: str, bits: int) -> None:
    file = FILES[codec].best(bits)
    if file is None:
        for variant in range(len(FORMATS[codec].variants)):
            assert 8 * len(FILES[codec].file(FORMATS[codec].qualities[0], variant)) > bits
    else:
        assert 8 * len(file) <= bits
        fitting = [other for other in ALL[codec] if 8 * len(other) <= bits]
        assert not fitting or len(file) >= len(fitting[-1]) or error(file) < error(fitting[-1])


@pytest.mark.parametrize("codec", FORMATS)
def test_more_bits_give_a_better_picture(codec: str) -> None:
    errors = []
    for bits in (12_000, 24_000, 48_000):
        file = FILES[codec].best(bits)
        assert file is not None
        errors.append(np.mean((decompress(file).astype(float) - PICTURE) ** 2))
    assert errors == sorted(errors, reverse=True)


def test_the_file_is_whole_with_its_headers() -> None:
    """What is charged is what another reader opens (ANCHORS: codec headers left out)."""
    for codec, magic in MAGIC.items():
        file = FILES[codec].best(40_000)
        assert file is not None and magic in file[:16]
        with Image.open(io.BytesIO(file)) as picture:
            assert picture.size == (96, 64)


def test_what_is_damaged_is_refused() -> None:
    for raw in (b"", b"no picture", FILES["jpeg"].file(50)[:100]):
        with pytest.raises(BadInput, match="no picture"):
            decompress(raw)
    with pytest.raises(BadInput, match="jpeg, jpeg2000, webp, avif"):
        Files(PICTURE, "bpg")
