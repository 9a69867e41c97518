"""The measures of a filled hole, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage import data

from synth.compare import psnr, seam_ratio, sharpness_ratio, sliced_wasserstein, ssim
from synth.errors import InputError


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:96, 180:276])


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    mask = np.zeros((96, 96), bool)
    mask[30:62, 20:70] = True
    return mask


def blurred(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    soft = gaussian_filter(image.astype(float), (3, 3, 0)).astype(np.uint8)
    return np.where(mask[..., None], soft, image)


def test_the_truth_itself_is_perfect(photograph: np.ndarray, hole: np.ndarray) -> None:
    assert sliced_wasserstein(photograph, photograph, mask=hole) == 0.0
    assert sharpness_ratio(photograph, photograph, hole) == 1.0
    assert seam_ratio(photograph, photograph, hole) == 1.0
    assert psnr(photograph, photograph, hole) == float("inf")
    assert ssim(photograph, photograph, hole) == pytest.approx(1.0)


def test_blur_is_less_sharp_and_further_away(photograph: np.ndarray, hole: np.ndarray) -> None:
    soft = blurred(photograph, hole)
    assert sharpness_ratio(soft, photograph, hole) < 0.6
    assert sliced_wasserstein(soft, photograph, mask=hole) > 1
    assert ssim(soft, photograph, hole) < 0.95


def test_noise_is_sharper_than_the_truth(photograph: np.ndarray, hole: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 256, photograph.shape, np.uint8)
    assert sharpness_ratio(np.where(hole[..., None], noise, photograph), photograph, hole) > 2


def test_a_step_at_the_border_is_a_seam_and_leaves_the_inside_alone(
    photograph: np.ndarray, hole: np.ndarray
) -> None:
    truth = (photograph // 2).astype(np.uint8)
    brighter = truth.copy()
    brighter[hole] += 60
    assert seam_ratio(brighter, truth, hole) > 3
    assert sharpness_ratio(brighter, truth, hole) == 1.0


def test_a_shift_of_every_pixel_is_known_exactly() -> None:
    """A projection moves by d times the sum of its direction, whose mean square is 1."""
    truth, mask = np.full((40, 40, 3), 100, np.uint8), np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    moved = truth + np.uint8(10)
    assert psnr(moved, truth, mask) == pytest.approx(20 * np.log10(255 / 10))
    far = sliced_wasserstein(moved, truth, directions=20_000)
    assert far == pytest.approx(10, rel=0.03)
    twice = sliced_wasserstein(truth + np.uint8(20), truth, directions=256)
    assert twice == pytest.approx(2 * sliced_wasserstein(moved, truth, directions=256))


def test_one_direction_against_scipy() -> None:
    from scipy.stats import wasserstein_distance

    rng = np.random.default_rng(1)
    a, b = rng.random((9, 11)), rng.random((9, 11)) + 5  # b right of a: W1 is the mean difference
    theta = np.random.default_rng(3).standard_normal((1, 1))
    sign = float(theta[0, 0] / abs(theta[0, 0]))
    ours = sliced_wasserstein(a, a + 5, patch=1, directions=1, seed=3)
    assert ours == pytest.approx(wasserstein_distance(sign * a.ravel(), sign * (a + 5).ravel()))
    # RMS of the matched differences is at least their mean, with equality only for a pure shift.
    assert sliced_wasserstein(a, b, patch=1, directions=1, seed=3) > wasserstein_distance(
        a.ravel(), b.ravel()
    )


def test_swd_is_blind_to_where_patches_stand_but_not_to_what_they_are() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (24, 24), np.uint8)
    shuffled = rng.permutation(image.ravel()).reshape(image.shape)
    assert sliced_wasserstein(image, shuffled, patch=1) == 0.0
    assert sliced_wasserstein(image, np.sort(image.ravel()).reshape(image.shape), patch=5) > 5


def test_swd_sees_only_what_the_mask_centres(photograph: np.ndarray, hole: np.ndarray) -> None:
    elsewhere = photograph.copy()
    elsewhere[:26] = 0  # 4 rows above the hole: beyond the reach of its 7×7 patches
    assert sliced_wasserstein(elsewhere, photograph, mask=hole) == 0.0
    elsewhere[27] = 0
    assert sliced_wasserstein(elsewhere, photograph, mask=hole) > 0.0


def test_swd_of_unequal_sizes_repeats_quantiles() -> None:
    a = np.array([[0.0, 1.0]])
    b = np.array([[0.0, 0.0, 1.0, 1.0]])
    assert sliced_wasserstein(a, b, patch=1) == 0.0
    assert sliced_wasserstein(a, b + 1, patch=1, directions=1) > 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([1, 3, 5]))
def test_swd_is_symmetric_and_never_negative(seed: int, channels: int, patch: int) -> None:
    a, b = np.random.default_rng(seed).random((2, 12, 9, channels))
    forward = sliced_wasserstein(a, b, patch=patch, directions=16)
    assert forward > 0.0
    assert forward == sliced_wasserstein(b, a, patch=patch, directions=16)


def test_psnr_and_ssim_ignore_what_lies_outside(photograph: np.ndarray, hole: np.ndarray) -> None:
    soft = blurred(photograph, hole)
    other = soft.copy()
    other[:20] = 255
    assert psnr(other, photograph, hole) == psnr(soft, photograph, hole)
    assert ssim(other, photograph, hole) == ssim(soft, photograph, hole)


def test_ssim_is_scikit_images_map_over_the_hole(photograph: np.ndarray) -> None:
    from skimage.metrics import structural_similarity

    mask = np.zeros((96, 96), bool)
    mask[80:96, 0:9] = True  # in a corner, where the map depends on the border's handling
    soft = blurred(photograph, mask)
    _, whole = structural_similarity(photograph, soft, channel_axis=2, full=True)
    assert ssim(soft, photograph, mask) == pytest.approx(whole[mask].mean())


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_range_follows_the_type(photograph: np.ndarray, hole: np.ndarray, dtype: type) -> None:
    soft = blurred(photograph, hole)
    scale = 257 if dtype is np.uint16 else 1 / 255
    a, b = ((image * np.float64(scale)).astype(dtype) for image in (soft, photograph))
    assert psnr(a, b, hole) == pytest.approx(psnr(soft, photograph, hole), abs=1e-3)
    assert ssim(a, b, hole) == pytest.approx(ssim(soft, photograph, hole), abs=1e-3)


def test_a_flat_truth_has_no_gradient_to_compare_with() -> None:
    flat, mask = np.zeros((9, 9), np.uint8), np.zeros((9, 9), bool)
    mask[3:6, 3:6] = True
    bumpy = flat.copy()
    bumpy[4, 4] = 9
    assert sharpness_ratio(flat, flat, mask) == 1.0
    assert sharpness_ratio(bumpy, flat, mask) == float("inf")


def test_errors_say_what_was_given_and_what_is_needed() -> None:
    image, mask = np.zeros((20, 30, 3), np.uint8), np.ones((20, 30), bool)
    with pytest.raises(InputError, match=r"mask is 20×29 but the image is 20×30"):
        psnr(image, image, mask[:, 1:])
    with pytest.raises(InputError, match="False everywhere"):
        ssim(image, image, ~mask)
    with pytest.raises(InputError, match=r"uint8, but bool .* mask > 127"):
        seam_ratio(image, image, mask.astype(np.uint8))
    with pytest.raises(InputError, match="a known pixel beside the hole"):
        seam_ratio(image, image, mask)
    with pytest.raises(InputError, match="patch is 4, but an odd side"):
        sliced_wasserstein(image, image, patch=4)
    with pytest.raises(InputError, match=r"20×30, smaller than one 21×21 patch"):
        sliced_wasserstein(image, image, patch=21)
    with pytest.raises(InputError, match="a has 3 channels and b has 1"):
        sliced_wasserstein(image, image[..., 0])
    border = np.zeros((20, 30), bool)
    border[0] = True
    with pytest.raises(InputError, match="3 pixels away from the image's border"):
        sliced_wasserstein(image, image, mask=border)
    with pytest.raises(InputError, match=r"the shapes \(19, 30, 3\) and \(20, 30, 3\)"):
        sharpness_ratio(image[1:], image, mask)
