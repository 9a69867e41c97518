"""Patch priors: against the slow twin, on pictures, and what is said of bad input."""

from __future__ import annotations

import naive_patches as naive
import numpy as np
import pytest
from skimage import data
from skimage.metrics import peak_signal_noise_ratio as psnr

import synth
from synth.density.channels import channel_basis, picture, planes
from synth.density.patch_mixture import fit_centred
from synth.density.patches import Corners
from synth.errors import FileError, InputError, InputTypeError

SIDE = 5


def camera(size=96):
    return np.ascontiguousarray(data.camera()[150 : 150 + size, 180 : 180 + size])


def noisy(image, sigma, seed=0):
    values = image + np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def prior():
    """A small prior of other photographs."""
    images = [data.coffee()[::2, ::2].mean(axis=2), data.rocket()[::2, ::2].mean(axis=2)]
    model = synth.PatchPrior(12, patch=SIDE, samples=8000, max_iter=15)
    return model.fit([image.astype(np.uint8) for image in images])


@pytest.fixture(scope="module")
def colours():
    """A small prior of a photograph in colour."""
    return synth.PatchPrior(8, patch=SIDE, samples=6000, max_iter=10).fit(data.coffee()[::2, ::2])


def parts_of(prior, number=0):
    mixture = prior.mixtures[number]
    return mixture.weights, mixture.covariances


def test_denoising_equals_the_slow_twin(prior):
    image = np.random.default_rng(0).random((12, 14)) * 0.3 + camera()[:12, :14] / 255
    found = prior.denoise(image, 0.1, stride=1)
    expected = naive.denoise(image, 0.1, SIDE, *parts_of(prior))
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_log_prob_equals_the_slow_twin(prior):
    image = camera(12) / 255
    expected = naive.log_prob(image, SIDE, *parts_of(prior))
    assert prior.log_prob(image) == pytest.approx(expected, abs=1e-3)
    in_values = prior.log_prob(camera(12))  # a density: units of 1/255 make it smaller
    assert in_values == pytest.approx(expected - (SIDE**2 - 1) * np.log(255), abs=1e-3)


def test_the_density_of_colour_is_that_of_its_planes(colours):
    image = data.coffee()[200:212, 200:214] / 255
    turned = planes(image).astype(float)
    expected = sum(
        naive.log_prob(plane, SIDE, *parts_of(colours, min(k, 1)))
        for k, plane in enumerate(turned)
    )
    expected -= (SIDE**2 - 1) * np.log(3) / 2  # the mean is √3 narrower than it would be turned
    assert colours.log_prob(image) == pytest.approx(expected, abs=2e-3)


def test_it_takes_noise_off(prior):
    clean = camera()
    image = noisy(clean, 25)
    found = prior.denoise(image, 25)
    assert found.dtype == np.uint8
    assert psnr(clean, found) > psnr(clean, image) + 6
    every = prior.denoise(image, 25, stride=1)
    assert abs(psnr(clean, every) - psnr(clean, found)) < 0.2


def test_a_noisy_picture_teaches_itself():
    clean = camera()
    image = noisy(clean, 25)
    model = synth.PatchPrior(6, patch=SIDE, max_iter=15).fit(image, sigma=25)
    assert psnr(clean, model.denoise(image, 25)) > psnr(clean, image) + 5


def test_the_noise_of_the_fit_is_taken_off():
    rng = np.random.default_rng(0)
    scales = np.array([[1.0, 0.1, 0.01], [0.1, 2.0, 0.5]])
    which = rng.integers(0, 2, 20000)
    rows = (rng.normal(size=(20000, 3)) * scales[which]).astype(np.float32)
    rows += rng.normal(0, 0.3, rows.shape).astype(np.float32)
    parts, trace = fit_centred(rows, 2, noise=0.3, max_iter=200, tol=1e-7)
    order = np.argsort(parts.covariances[:, 1, 1])
    found = np.sqrt(np.diagonal(parts.covariances[order], axis1=1, axis2=2))
    np.testing.assert_allclose(found, scales, atol=0.06)
    assert (np.diff(trace) > -1e-5).all()
    assert (np.linalg.eigvalsh(parts.covariances) > 0).all()


def test_colour_is_better_than_channel_by_channel(colours):
    clean = np.ascontiguousarray(data.astronaut()[100:180, 180:260])
    image = noisy(clean, 25)
    found = colours.denoise(image, 25)
    each = [colours.denoise(np.ascontiguousarray(image[..., c]), 25) for c in range(3)]
    assert found.shape == clean.shape
    assert psnr(clean, found) > psnr(clean, np.stack(each, axis=2)) + 0.3


@pytest.mark.parametrize(("dtype", "top"), [(np.uint16, 65535), (np.float32, 1), (np.float64, 1)])
def test_types_and_units_go_through(prior, dtype, top):
    image = noisy(camera(40), 20)
    other = (image.astype(np.float64) * (top / 255)).astype(dtype)
    found = prior.denoise(other, 20 * top / 255)
    assert found.dtype == dtype
    expected = prior.denoise(image, 20).astype(np.float64)
    np.testing.assert_allclose(found.astype(np.float64) * (255 / top), expected, atol=0.6)


def test_results_do_not_depend_on_threads(colours, monkeypatch):
    image = noisy(np.ascontiguousarray(data.astronaut()[:90, :120]), 25)
    found = []
    for count in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", count)
        model = synth.PatchPrior(4, patch=SIDE, samples=4000, max_iter=4, seed=3).fit(image)
        found.append((model.mixtures[1].covariances.tobytes(), colours.denoise(image, 25)))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_it_fills_scratches(prior):
    clean = camera()
    hole = np.zeros(clean.shape, bool)
    hole[np.arange(96), np.arange(96)] = hole[40:42, 10:80] = True
    hole |= np.random.default_rng(0).random(clean.shape) < 0.2
    broken = np.where(hole, 0, clean).astype(np.uint8)
    found = prior.fill(broken, hole)
    np.testing.assert_array_equal(found[~hole], clean[~hole])
    from scipy.interpolate import griddata

    linear = griddata(np.argwhere(~hole), clean[~hole], np.argwhere(hole), "linear")
    known = np.isfinite(linear)
    error = np.square(found[hole][known] - clean[hole][known].astype(float)).mean()
    assert error < np.square(linear[known] - clean[hole][known]).mean()


def test_a_hole_does_not_matter_inside(colours):
    image = data.coffee()[100:140, 100:150] / 255
    hole = np.zeros(image.shape[:2], bool)
    hole[10:13, 5:40] = True
    broken = np.where(hole[..., None], np.nan, image)
    found = colours.fill(broken, hole)
    np.testing.assert_array_equal(found, colours.fill(np.where(hole[..., None], 7, image), hole))
    assert np.isfinite(found).all()
    assert found is not broken
    np.testing.assert_array_equal(colours.fill(image, hole & False), image)


def test_planes_and_back():
    image = data.coffee()[:7, :9]
    np.testing.assert_array_equal(picture(planes(image), image), image)
    r = np.sqrt(0.5)
    rows = [[1 / 3, 1 / 3, 1 / 3], [r, 0, -r], np.array([1, -2, 1]) / np.sqrt(6)]
    np.testing.assert_allclose(channel_basis(3), rows, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3, SIDE])
def test_a_grid_leaves_no_gap(stride):
    shape = (13, 17)
    for shift in ((0, 0), (stride - 1, stride // 2)):
        corners = Corners.grid(shape, SIDE, stride, shift)
        seen = np.zeros(shape, int)
        for i, j in zip(corners.rows, corners.columns, strict=True):
            seen[i : i + SIDE, j : j + SIDE] += 1
        assert seen.min() > 0


def test_corners_that_touch():
    mask = np.random.default_rng(0).random((12, 15)) < 0.02
    corners = Corners.grid(mask.shape, SIDE).touching(mask, SIDE)
    expected = [(i, j) for i in range(8) for j in range(11) if mask[i : i + 5, j : j + 5].any()]
    assert list(zip(corners.rows, corners.columns, strict=True)) == expected


def test_flat_pictures_stay_flat(prior):
    flat = np.full((20, 20), 100, np.uint8)
    np.testing.assert_array_equal(prior.denoise(flat, 5), flat)
    assert prior.log_prob(flat) > prior.log_prob(camera(20))


def test_saved_and_loaded(colours, tmp_path):
    colours.save(tmp_path / "prior.npz")
    again = synth.PatchPrior.load(tmp_path / "prior.npz")
    image = noisy(np.ascontiguousarray(data.astronaut()[:30, :40]), 25)
    np.testing.assert_array_equal(again.denoise(image, 25), colours.denoise(image, 25))
    with pytest.raises(FileError, match=r"patch prior .*, but a gaussian mixture"):
        synth.GaussianMixture.load(tmp_path / "prior.npz")


def test_it_can_be_watched_and_stopped(prior):
    seen = []

    def stop(progress):
        seen.append(progress.fraction)
        if progress.fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prior.denoise(camera(30), 25, callback=stop)
    assert seen == sorted(seen)


def test_errors(prior):
    image = camera(30)
    with pytest.raises(InputError, match=r"call fit\(images\) first"):
        synth.PatchPrior().denoise(image, 25)
    with pytest.raises(InputError, match="images is empty"):
        synth.PatchPrior().fit([])
    with pytest.raises(InputTypeError, match=r"images\[1\] is a list"):
        synth.PatchPrior().fit([image, [[1.0]]])
    with pytest.raises(InputError, match="4×9, smaller than a patch of 5×5"):
        prior.denoise(np.zeros((4, 9), np.uint8), 25)
    with pytest.raises(InputError, match="components is 64, but the pictures have 9 patches"):
        synth.PatchPrior().fit(np.random.default_rng(0).random((10, 10)))
    with pytest.raises(InputError, match="sigma is 0"):
        prior.denoise(image, 0)
    with pytest.raises(InputError, match="stride is 6"):
        prior.denoise(image, 25, stride=6)
    with pytest.raises(InputError, match="NaN or infinite values in 1 pixel"):
        prior.denoise(np.where(np.arange(900).reshape(30, 30) == 31, np.nan, 0.5), 0.1)
    with pytest.raises(InputError, match="bring both to the same units"):
        prior.denoise(image.astype(np.float64), 25)
    with pytest.raises(InputError, match="covers the whole image"):
        prior.fill(image, np.ones(image.shape, bool))
    with pytest.raises(InputError, match="several types"):
        synth.PatchPrior(2).fit([image, image / 255], sigma=5)
    with pytest.raises(InputError, match="flat"):
        synth.PatchPrior(2).fit(np.zeros((20, 20), np.uint8))
    with pytest.raises(InputError, match="at most 16"):
        synth.PatchPrior(patch=17)
