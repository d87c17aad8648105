"""PSNR, SSIM and MS-SSIM against closed forms and an independent implementation."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from semcast.bus import keys
from semcast.bus.errors import BadInput
from semcast.scenarios.metrics.quality import EQUAL_DB, MS_SSIM_SIDE, MS_SSIM_WEIGHTS, ms_ssim, psnr_db, ssim

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


def smooth_and_noisy(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = keys.generator("test", "quality", height, width)
    smooth = gaussian_filter(rng.normal(0, 400, (height, width, 3)), (3, 3, 0)) + 128
    noisy = smooth + rng.normal(0, 25, smooth.shape)
    return np.clip(smooth, 0, 255).astype(np.uint8), np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(176, 176), (256, 192)])
def test_ms_ssim_and_ssim_are_those_of_another_implementation(height: int, width: int) -> None:
    theirs = pytest.importorskip("pytorch_msssim")
    torch = pytest.importorskip("torch")
    one, two = smooth_and_noisy(height, width)
    a, b = (torch.from_numpy(x.astype(np.float64)).permute(2, 0, 1)[None] for x in (one, two))
    assert ms_ssim(one, two) == pytest.approx(float(theirs.ms_ssim(a, b, data_range=255)), abs=1e-5)
    small = [x[:64, :64] for x in (one, two)]
    a, b = a[:, :, :64, :64], b[:, :, :64, :64]
    assert ssim(*(x.tobytes() for x in small)) == pytest.approx(float(theirs.ssim(a, b, data_range=255)), abs=1e-5)


def test_ms_ssim_of_flat_pictures_is_the_luminance_term_at_its_weight() -> None:
    a, b = (np.full((MS_SSIM_SIDE, MS_SSIM_SIDE, 3), value, np.uint8) for value in (100, 150))
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert ms_ssim(a, b) == pytest.approx(luminance ** MS_SSIM_WEIGHTS[-1], rel=1e-6)
    assert ms_ssim(a, a) == pytest.approx(1)


def test_ms_ssim_refuses_pictures_of_the_scene_world() -> None:
    with pytest.raises(BadInput, match="176 pixels"):
        ms_ssim(NOISE, NOISE)
