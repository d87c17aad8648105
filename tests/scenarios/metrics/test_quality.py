"""PSNR and SSIM against their definitions."""

import numpy as np
import pytest
from semcast.bus import keys
from semcast.scenarios.metrics.quality import EQUAL_DB, psnr_db, ssim

NOISE = keys.generator("test", "quality").integers(0, 246, (64, 64, 3)).astype(np.uint8)


def test_psnr_of_a_constant_error() -> None:
    assert psnr_db(NOISE.tobytes(), (NOISE + 10).tobytes()) == pytest.approx(20 * np.log10(255 / 10))


def test_equal_pictures() -> None:
    assert psnr_db(NOISE.tobytes(), NOISE.tobytes()) == EQUAL_DB
    assert ssim(NOISE.tobytes(), NOISE.tobytes()) == pytest.approx(1.0)


def test_ssim_of_two_flat_pictures_is_the_luminance_term() -> None:
    a, b = (np.full((64, 64, 3), value, np.uint8) for value in (100, 150))
    c1 = (0.01 * 255) ** 2
    assert ssim(a.tobytes(), b.tobytes()) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), rel=1e-6)


def test_ssim_of_unrelated_noise_is_near_zero() -> None:
    other = keys.generator("test", "quality", 2).integers(0, 246, (64, 64, 3)).astype(np.uint8)
    assert abs(ssim(NOISE.tobytes(), other.tobytes())) < 0.1
