"""What patches are compared by: eight bits of colour, alpha, texture and guide."""

from __future__ import annotations

import naive_fill
import numpy as np
import pytest
from conftest import noise

from synth.patchmatch import features


def test_mean_gradient():
    rng = np.random.default_rng(0)
    luminance = noise((15, 17), "uint8").astype(np.float32)
    unknown = rng.random((15, 17)) < 0.3
    unknown[4:12, 5:14] = True
    for axis, reach in ((0, 1), (1, 2), (1, 4)):
        fast = features.known_mean_gradient(luminance, unknown, axis, reach)
        slow = naive_fill.mean_gradient(luminance, unknown, axis, reach)
        assert np.allclose(fast, slow, atol=1e-2)


def unknown_corner(shape):
    unknown = np.zeros(shape[:2], bool)
    unknown[2:9, 3:8] = True
    return unknown


@pytest.mark.parametrize("dtype", ["uint16", "float32", "float64"])
def test_other_types_keep_the_order_of_values_in_eight_bits(dtype):
    """0.1 % at either end is cut, the rest is a straight line; what is unknown plays no part."""
    image = noise((60, 50), dtype)
    unknown = unknown_corner(image.shape)
    mapped = features.extract(image, unknown, None, 2).channels[..., 0]
    low, high = np.quantile(image[~unknown], [0.001, 0.999], method="nearest").astype(float)
    expected = np.rint(np.clip((image.astype(float) - low) / (high - low), 0, 1) * 255)
    assert np.abs(mapped[~unknown] - expected[~unknown]).max() <= 1
    assert (mapped[unknown] == 0).all()
    spoilt = image.copy()
    spoilt[unknown] = np.nan if spoilt.dtype.kind == "f" else 7
    assert np.array_equal(features.extract(spoilt, unknown, None, 2).channels[..., 0], mapped)


@pytest.mark.parametrize("low", [0.0, 1.0, -1.5e308, 5e-324, 1e-310])
def test_extreme_ranges_map_to_all_of_eight_bits(low):
    top = {0.0: 5e-324, 1.0: np.nextafter(1, 2), -1.5e308: 1.5e308}.get(low, 3 * low)
    image = np.where(np.random.default_rng(0).random((20, 20)) < 0.5, low, top)
    mapped = features.extract(image, np.zeros((20, 20), bool), None, 1).channels[..., 0]
    assert np.array_equal(mapped, np.where(image == low, 0, 255))


def test_channels_are_no_more_than_say_something():
    unknown = unknown_corner((20, 20))
    grey = np.repeat(noise((20, 20, 1), "uint8"), 3, axis=2)
    grey[unknown] = (1, 2, 3)
    assert features.extract(grey, unknown, None, 1).voted == 3  # one colour, two of texture
    grey[0, 0] = (1, 2, 3)
    assert features.extract(grey, unknown, None, 1).voted == 5
    opaque = np.dstack([grey, np.full((20, 20), 255, np.uint8)])
    opaque[unknown, 3] = 9
    found = features.extract(opaque, unknown, None, 1)
    assert np.array_equal(found.channels, features.extract(grey, unknown, None, 1).channels)
    two = features.extract(noise((20, 20, 2), "uint8"), unknown, None, 1)
    assert two.voted == two.channels.shape[2] == 4


def test_colours_weigh_what_their_alpha_says():
    image = noise((20, 20, 4), "uint8")
    image[:10, :, 3] = 0
    unknown = unknown_corner(image.shape)
    found = features.extract(image, unknown, None, 1).channels
    alpha = image[..., 3].astype(float)
    expected = np.floor(image[..., :3] * alpha[..., None] / 255 + 0.5)
    assert np.array_equal(found[~unknown][:, :3], expected[~unknown])
    assert np.array_equal(found[~unknown][:, 3], alpha[~unknown])


@pytest.mark.parametrize(("dtype", "opaque"), [("uint16", 65535), ("float32", 1), ("float64", 9)])
def test_the_range_of_alpha_is_not_that_of_colours(dtype, opaque):
    """Dark colours under a large alpha, or bright ones under a small one, keep their steps."""
    colours = noise((30, 30, 3), "uint8").astype(dtype) * (1 if dtype == "uint16" else 300)
    image = np.dstack([colours, np.full((30, 30), opaque, dtype)])
    unknown = unknown_corner(image.shape)
    plain = features.extract(colours, unknown, None, 1).channels
    assert np.array_equal(features.extract(image, unknown, None, 1).channels, plain)
    image[:4, :, 3] = 0
    seen = features.extract(image, unknown, None, 1).channels[4:]
    image[:4, :, :3] = 60000  # what nobody sees
    assert np.array_equal(features.extract(image, unknown, None, 1).channels[4:], seen)
    assert (seen[~unknown[4:]][:, 3] == 255).all()
    assert len(np.unique(seen[..., 0])) > 100


def test_labels_become_bits_and_features_become_bytes():
    labels = np.array([[-7, 3], [90000, 3]])
    channels = features.guide_channels(labels, 1)
    assert channels.tolist() == [[[0, 0], [255, 0]], [[0, 255], [255, 0]]]
    assert features.guide_channels(labels, 3)[0, 1].tolist() == [255, 255, 255, 0, 0, 0]
    assert features.guide_channels(labels, 60).shape == (2, 2, 8)
    assert features.guide_channels(np.zeros((2, 2), bool), 1).tolist() == [[[0]] * 2] * 2
    pairs = np.stack([labels, labels > 0], axis=-1)  # labels of two parts
    assert len(np.unique(features.guide_channels(pairs, 1).reshape(4, -1), axis=0)) == 3
    many = np.arange(300).reshape(20, 15)
    ramp = features.guide_channels(many, 3)
    assert ramp.shape == (20, 15, 1)
    assert np.abs(ramp[..., 0] - many / 299 * 255).max() <= 1
    kept = features.extract(many.astype(np.uint16), many < 40, ramp, 1)
    assert kept.voted == 3
    assert np.array_equal(kept.channels[..., 3:], ramp)  # known in the hole as well
