"""The measures of a texture, on cases whose answer or order is known."""

from __future__ import annotations

import json
from typing import Any

import naive_measures
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from synth.compare.metrics import (
    copying,
    copying_of_field,
    copying_of_map,
    coverage,
    periodic_component,
    power_spectrum_distance,
    radial_spectrum,
    sliced_wasserstein,
    sliced_wasserstein_levels,
    steerable_distance,
    steerable_pyramid,
    texture_report,
)
from synth.errors import InputError, InputTypeError
from synth.patchmatch.leave_one_out import leave_one_out
from synth.patchmatch.nnf import nnf

Array = np.ndarray[Any, Any]
SIDE = 96
MEASURES = ("swd", "coherence", "mean_region", "largest_region", "garbage", "recall", "steerable")


def random_phase(image: Array) -> Array:
    """The same power at each frequency, and nothing else, as in Galerne et al. 2011."""
    spectrum = np.fft.fft2(periodic_component(image))
    waves = np.fft.fft2(np.random.default_rng(5).normal(size=image.shape))
    waves[0, 0] = 1
    out = np.fft.ifft2(spectrum * waves / np.abs(waves)).real
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=["brick", "grass", "gravel"])
def cases(request):
    """A crop of a texture and what it is measured beside, with all measures of each."""
    image = getattr(data, request.param)()
    crop = np.ascontiguousarray(image[100 : 100 + SIDE, 100 : 100 + SIDE])
    rng = np.random.default_rng(0)
    images = {
        "itself": crop,
        "roll": np.roll(crop, (30, 42), (0, 1)),
        "another crop": np.ascontiguousarray(image[256 : 256 + SIDE, 256 : 256 + SIDE]),
        "shuffled": rng.permutation(crop.ravel()).reshape(crop.shape),
        "noise": rng.choice(crop.ravel(), crop.shape),
        "random phase": random_phase(crop),
    }
    return request.param, {
        name: texture_report(made, crop, directions=64) for name, made in images.items()
    }


def test_a_copy_is_perfect_and_seen_to_be_one(cases) -> None:
    _, found = cases
    itself = found["itself"]
    assert (itself.swd, itself.garbage, itself.steerable, itself.spectrum) == (0, 0, 0, 0)
    assert (itself.coherence, itself.mean_region, itself.largest_region) == (1, 1, 1)
    assert itself.recall == 1


def test_a_roll_is_nearly_a_copy(cases) -> None:
    """Four pieces of the exemplar, the largest (96 − 30) · (96 − 42) pixels of it."""
    _, found = cases
    roll, other = found["roll"], found["another crop"]
    for distance in ("swd", "steerable", "spectrum"):
        assert 0 < getattr(roll, distance) < getattr(other, distance)
    assert roll.coherence > 0.85
    pieces = np.array([(a - 6) * (b - 6) for a in (30, 66) for b in (42, 54)])
    assert roll.largest_region == pytest.approx(pieces.max() / 90**2, rel=0.02)
    assert roll.mean_region == pytest.approx((pieces**2).sum() / 90**4, rel=0.02)
    assert roll.garbage < 0.05
    assert roll.recall > 0.99


def test_another_crop_is_new_and_like_it(cases) -> None:
    _, found = cases
    other, shuffled = found["another crop"], found["shuffled"]
    for distance in ("swd", "steerable", "spectrum", "garbage"):
        assert 0 < getattr(other, distance) < getattr(shuffled, distance)
    assert other.recall > shuffled.recall
    assert shuffled.coherence < other.coherence < 0.4
    assert other.largest_region < 0.02
    assert other.garbage < 0.1
    assert other.recall > 0.9


def test_noise_is_garbage_as_far_as_the_texture_is_not_noise(cases) -> None:
    name, found = cases
    for kind in ("shuffled", "noise"):
        assert found[kind].garbage > {"brick": 0.99, "grass": 0.3, "gravel": 0.9}[name]
        # one smooth patch by luck recalls every smooth patch, half of what brick has
        assert found[kind].recall < {"brick": 0.7, "grass": 0.6, "gravel": 0.3}[name]


def test_random_phase_has_the_spectrum_and_not_the_structure(cases) -> None:
    _, found = cases
    phase, other = found["random phase"], found["another crop"]
    assert phase.spectrum < 0.3
    assert phase.spectrum < 0.2 * other.spectrum
    assert phase.steerable > other.steerable


def test_levels_are_each_a_distance_of_a_halved_image() -> None:
    image = data.gravel()
    a, b = image[:100, :90], image[200:300, 100:200]
    levels = sliced_wasserstein_levels(a, b, levels=9, directions=32)
    assert len(levels) == 3  # 90, 45, 23; no side of 28 or more could be halved again
    assert levels[0] == sliced_wasserstein(a, b, directions=32)
    assert levels == sliced_wasserstein_levels(a, b, levels=9, directions=32)
    assert levels[:1] == sliced_wasserstein_levels(a, b, levels=1, directions=32)
    with pytest.raises(InputError, match="levels is 0"):
        sliced_wasserstein_levels(a, b, levels=0)


def test_directions_may_be_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = noise((20, 30, 3), "uint8", 1), noise((25, 20, 3), "uint8", 2)
    whole = sliced_wasserstein(a, b, directions=17)
    monkeypatch.setattr("synth.compare.metrics.sliced._PROJECTIONS", 3000)
    assert sliced_wasserstein(a, b, directions=17) == pytest.approx(whole, rel=1e-12)


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_leaving_one_out_against_the_naive_twin(dtype: str, patch: int, seed: int) -> None:
    shape = (13, 11) if seed % 2 else (11, 12, 3)
    image = noise(shape, dtype, seed)
    image = image // 64 if dtype == "uint8" else image  # many equal distances
    field = leave_one_out(image, patch=patch)
    positions, distance = naive_measures.leave_one_out(image, patch)
    if dtype == "uint8":
        np.testing.assert_array_equal(field.positions, positions)
    # floats are compared as float32, whose rounding shows where patches are nearly equal
    margin = 1e-5 * max(float(distance.max()), float(np.abs(image).max()))
    np.testing.assert_allclose(field.distance, distance, rtol=1e-4, atol=margin)
    assert (np.abs(field.offsets).max(axis=-1) >= patch).all()


def test_leaving_one_out_does_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise((120, 40), "float32")
    fields = []
    for threads in "13":
        monkeypatch.setenv("SYNTH_NUM_THREADS", threads)
        fields.append(leave_one_out(image))
    assert fields[0].positions.tobytes() == fields[1].positions.tobytes()
    assert fields[0].distance.tobytes() == fields[1].distance.tobytes()


def test_leaving_one_out_needs_room() -> None:
    with pytest.raises(InputError, match=r"19×19, .* one side must be at least 20"):
        leave_one_out(np.zeros((19, 19), np.uint8))
    assert (leave_one_out(np.zeros((7, 20), np.uint8)).positions >= 0).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999), st.integers(2, 3), st.sampled_from([1, 3]))
def test_copying_against_the_naive_twin(seed: int, greys: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    output = rng.integers(0, greys, (11, 10, channels), np.uint8)
    exemplar = rng.integers(0, greys, (9, 12, channels), np.uint8)
    output[2:8, 1:8] = exemplar[1:7, 4:11]
    found = copying(output, exemplar, patch=3)
    expected = naive_measures.copying(output, exemplar, 3)
    assert (found.coherence, found.mean_region, found.largest_region) == pytest.approx(expected)


def test_a_flat_copy_of_a_flat_exemplar_is_one_region() -> None:
    """Every patch is as near as every other: which one a search names says nothing."""
    flat = np.full((30, 30), 7, np.uint8)
    assert copying(flat, flat).coherence == 1
    assert copying(flat, flat).largest_region == 1


def test_copying_of_a_source_map() -> None:
    rows, columns = np.indices((6, 8))
    straight = np.stack([rows, columns], axis=-1)
    whole = copying_of_map(straight, (6, 8))
    assert (whole.coherence, whole.mean_region, whole.largest_region) == (1, 1, 1)
    mirrored = copying_of_map(straight[:, ::-1], (6, 8))
    assert mirrored.coherence == pytest.approx(5 * 8 / (5 * 8 + 6 * 7))  # columns go on, rows not
    assert mirrored.largest_region == 6 / 48
    assert np.unique(mirrored.regions).size == 8
    known = straight.copy()
    known[:, 3] = -1  # from nowhere: two pieces of 3 and 4 columns
    parts = copying_of_map(known, (6, 8))
    assert parts.coherence == 1
    assert parts.largest_region == 24 / 48
    assert parts.mean_region == pytest.approx((18**2 + 24**2) / 42 / 48)
    assert (parts.regions[:, 3] == -1).all()


def test_each_exemplar_has_its_own_area() -> None:
    rows, columns = np.indices((4, 6))
    source = np.stack([columns // 4, rows, columns], axis=-1)  # 4×4 of the first, 4×2 of the other
    found = copying_of_map(source, (4, 4), (4, 20))
    assert found.coherence == pytest.approx(1 - 4 / (3 * 6 + 4 * 5))
    assert found.largest_region == 1
    assert found.mean_region == pytest.approx((16 * 1 + 8 * 0.1) / 24)
    with pytest.raises(InputError, match="names 2 exemplars, but the shape of 1"):
        copying_of_map(source, (4, 4))


def test_source_maps_are_those_of_synthesis() -> None:
    import synth

    crop = np.ascontiguousarray(data.brick()[:40, :40])
    details = synth.synthesize_details(crop, (32, 32), method="quilting", seed=1)
    sample = synth.EfrosLeung(7).fit(crop).sample((16, 16), seed=1)
    for source in (details.source_map, sample.source):
        found = copying_of_map(source, crop.shape)
        assert 0.3 < found.coherence <= 1
    sizes = np.bincount(copying_of_map(sample.source, crop.shape).regions.ravel())
    assert sizes.max() == sample.copy_map().max()


def test_coverage_follows_from_all_pairs() -> None:
    image = data.brick()
    output, exemplar = image[:30, :26], image[200:232, 40:70]
    found = coverage(output, exemplar, patch=5, percentile=90)
    limit = np.percentile(naive_measures.leave_one_out(exemplar, 5)[1], 90, method="higher")
    there = naive_measures.naive.exact(output, exemplar, 5)[1]
    back = naive_measures.naive.exact(exemplar, output, 5)[1]
    assert found.garbage == (there > limit).mean()
    assert found.recall == (back <= limit).mean()
    assert found.threshold == pytest.approx(np.sqrt(limit / 25))


@pytest.mark.parametrize("orientations", [2, 3, 4])
@pytest.mark.parametrize("shape", [(32, 32), (31, 45)])
def test_the_pyramid_keeps_all_energy(orientations: int, shape: tuple[int, int]) -> None:
    """A tight frame: the squares of the real bands and residuals sum to the image's."""
    image = noise(shape, "float64")
    high, bands, low = steerable_pyramid(image, scales=3, orientations=orientations)
    energy = sum((part.real**2).sum() for part in (high, low, *bands))
    if shape[0] % 2:  # at exactly half a cycle a pixel there is no sign, so no half plane
        assert energy == pytest.approx((image**2).sum(), rel=1e-12)
    else:
        assert energy == pytest.approx((image**2).sum(), rel=0.02)


def test_the_pyramid_steers_and_shifts() -> None:
    image = np.zeros((64, 64))
    image[:, 32] = 1.0  # a vertical line: change along the rows
    _, bands, _ = steerable_pyramid(image, scales=2, orientations=4)
    contrast = [float(np.abs(band).mean()) for band in bands[0]]
    assert contrast[0] > 10 * contrast[2]
    assert contrast[1] == pytest.approx(contrast[3])
    _, moved, _ = steerable_pyramid(np.roll(image, 5, 1), scales=2, orientations=4)
    np.testing.assert_allclose(np.roll(bands[1], 5, 2), moved[1], atol=1e-12)


def test_rings_against_the_naive_twin() -> None:
    for shape, rings in (((16, 16), 8), ((15, 22), 7), ((12, 9), 1)):
        image = noise(shape, "float64")
        expected = naive_measures.radial_spectrum(periodic_component(image), rings)
        np.testing.assert_allclose(radial_spectrum(image, rings=rings)[:, 0], expected)
    for side in range(4, 130):  # no ring is empty, however the frequencies round
        assert np.isfinite(radial_spectrum(np.eye(side), rings=side // 2)).all()


def test_the_periodic_component_goes_on_across_the_border() -> None:
    image = data.brick()[:64, :80].astype(float)
    part = periodic_component(image)
    assert part.mean() == pytest.approx(image.mean())
    for axis in (0, 1):
        ends = [np.take(values, [0, -1], axis) for values in (image, part)]
        jumps = [float(np.abs(np.diff(pair, axis=axis)).mean()) for pair in ends]
        assert jumps[1] < 0.7 * jumps[0]
    # the definition: the Laplacian of what was taken away is the jumps and nothing else
    smooth, jumps = image - part, np.zeros_like(image)
    jumps[0] += image[-1] - image[0]
    jumps[-1] += image[0] - image[-1]
    jumps[:, 0] += image[:, -1] - image[:, 0]
    jumps[:, -1] += image[:, 0] - image[:, -1]
    around = sum(np.roll(smooth, step, axis) for step in (1, -1) for axis in (0, 1))
    np.testing.assert_allclose(around - 4 * smooth, jumps, atol=1e-9)


def test_distances_know_sizes_and_types() -> None:
    image = data.gravel()
    small, large = image[:64, :64], image[128:208, 128:224]
    for distance in (steerable_distance, power_spectrum_distance):
        plain = distance(small, large)
        assert plain == pytest.approx(distance(large, small))
        wide = distance(small.astype(np.uint16) * 257, large.astype(np.uint16) * 257)
        assert wide == pytest.approx(plain, rel=1e-6)
        unit = distance(small.astype(np.float32) / 255, large.astype(np.float32) / 255)
        assert unit == pytest.approx(plain, rel=1e-4)
        flat = np.full((64, 64), 90, np.uint8)
        assert distance(flat, flat.copy()) == 0
        assert np.isfinite(distance(flat, small))
    assert steerable_distance(flat, flat + np.uint8(9)) == pytest.approx(1 / 4 / 5)
    assert power_spectrum_distance(flat, flat + np.uint8(9)) == pytest.approx(0, abs=1e-6)


def test_colours_that_belong_together_are_missed() -> None:
    """Each channel on its own is the same; how they go together is not."""
    texture = data.brick()[:64, :64]
    coloured = np.stack([texture] * 3, axis=-1)
    turned = np.stack([texture, texture, 255 - texture], axis=-1)
    assert steerable_distance(coloured, coloured) == 0
    assert steerable_distance(coloured, turned) > 0.1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_report_on_colours(dtype: str) -> None:
    photograph = data.astronaut()
    exemplar, output, other = photograph[:40, :48], photograph[40:90, :48], photograph[:40, 60:108]
    if dtype != "uint8":
        scale = 257 if dtype == "uint16" else 1 / 255
        exemplar, output, other = (
            (image * np.float64(scale)).astype(dtype) for image in (exemplar, output, other)
        )
    steps: list[float] = []
    source = np.stack(np.indices((50, 48)), axis=-1) % 40
    found = texture_report(
        output, exemplar, relative_to=other, source=source, directions=16,
        callback=lambda progress: steps.append(progress.fraction),
    )  # fmt: skip
    assert steps == sorted(steps)
    assert steps[-1] == 1
    assert found.reference is not None
    alone = texture_report(other, exemplar, directions=16)
    assert alone == found.reference
    assert found.ratios["swd"] == found.swd / alone.swd
    assert set(MEASURES) < set(found.ratios)
    assert found.map_largest_region == 1600 / (40 * 48)
    assert json.loads(json.dumps(found.as_dict()))["reference"]["recall"] == alone.recall
    table = str(found).splitlines()
    assert table[0].split() == ["output", "real", "crop", "ratio"]
    assert len(table) == 1 + 8 + 3
    with pytest.raises(InputError, match="relative_to=another crop"):
        _ = alone.ratios


def test_a_ratio_to_nothing_is_infinite_but_not_in_json() -> None:
    crop = data.brick()[:40, :40]
    found = texture_report(255 - crop, crop, relative_to=crop, directions=8)
    assert found.ratios["swd"] == float("inf")
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["ratios"]["swd"] is None


def test_errors_say_what_was_given_and_what_is_needed() -> None:
    image = np.zeros((40, 40), np.uint8)
    with pytest.raises(InputTypeError, match="output is uint8 but exemplar is float32"):
        texture_report(image, image.astype(np.float32))
    with pytest.raises(InputError, match="relative_to has 3 channels and exemplar has 1"):
        texture_report(image, image, relative_to=np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(InputError, match="percentile is 101"):
        texture_report(image, image, percentile=101)
    with pytest.raises(InputError, match="percentile is -1"):
        coverage(image, image, percentile=-1)
    with pytest.raises(InputError, match="source is 40×39 but output is 40×40"):
        texture_report(image, image, source=np.zeros((40, 39, 2), int))
    with pytest.raises(InputError, match="NaN"):
        steerable_distance(np.full((20, 20), np.nan), np.zeros((20, 20)))
    with pytest.raises(InputError, match=r"15×40 and 40×40"):
        steerable_distance(image[:15], image)
    with pytest.raises(InputError, match="scales is 1 and orientations is 1"):
        steerable_distance(image, image, scales=1, orientations=1)
    with pytest.raises(InputError, match=r"3×40 and 40×40"):
        power_spectrum_distance(image[:3], image)
    with pytest.raises(InputError, match="rings is 0"):
        power_spectrum_distance(image, image, rings=0)
    with pytest.raises(InputTypeError, match="source is of type float64"):
        copying_of_map(np.zeros((4, 4, 2)), (4, 4))
    with pytest.raises(InputError, match="source is 4×4, but height×width×2"):
        copying_of_map(np.zeros((4, 4), int), (4, 4))
    with pytest.raises(InputError, match="outside an exemplar of 3×9"):
        copying_of_map(np.full((4, 4, 2), 3), (3, 9))
    with pytest.raises(InputError, match="no two neighbours"):
        copying_of_map(np.full((4, 4, 2), -1), (3, 9))
    field = nnf(image, image, quality="draft")
    with pytest.raises(InputError, match="34×34 and does not fit an output of 39×40"):
        copying_of_field(field, image[1:], image)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"b": np.zeros((20, 20), np.uint16)}, InputTypeError, "a is uint8 but b is uint16"),
        ({"b": np.zeros((20, 20), np.int64)}, InputTypeError, "b is of type int64"),
        ({"seed": -1}, InputError, "seed is -1, but it must lie in"),
        ({"seed": 0.5}, InputTypeError, "seed is 0.5"),
        ({"a": np.full((20, 20), np.nan), "b": np.zeros((20, 20))}, InputError, "a has NaN"),
        ({"a": np.full((20, 20), 1.7e308), "b": np.zeros((20, 20))}, InputError, "divide both"),
    ],
)
def test_sliced_distance_says_what_it_needs(change, error, says):
    flat = np.zeros((20, 20), np.uint8)
    with pytest.raises(error, match=says):
        sliced_wasserstein(**{"a": flat, "b": flat, **change})
