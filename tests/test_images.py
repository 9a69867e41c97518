"""The rule for arrays: what passes, what is converted, and what is said about the rest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from synth.errors import InputError, InputTypeError
from synth.images import check_finite, check_image, check_mask, hole_from_alpha


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (1, 1, 64), (100_000, 1)])
def test_good_images_pass_uncopied(dtype, shape):
    image = np.zeros(shape, dtype)
    assert check_image(image) is image or np.shares_memory(check_image(image), image)


def test_layout_and_byte_order_are_mended():
    image = np.arange(24, dtype=">u2").reshape(4, 6)[:, ::2]
    checked = check_image(image)
    assert checked.flags.c_contiguous
    assert checked.dtype == np.dtype("=u2")
    np.testing.assert_array_equal(checked, image)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((3, 512, 512), np.uint8), InputError, r"3×512×512.*transpose\(1, 2, 0\)"),
        (np.zeros((9, 9, 65), np.uint8), InputError, "65 channels, but at most 64"),
        (np.zeros((1, 4, 4, 3), np.uint8), InputError, r"pass image\[0\]"),
        (np.zeros((0, 4), np.uint8), InputError, "no pixels"),
        (np.zeros(4, np.uint8), InputError, "height×width"),
        (np.zeros((4, 4), np.int64), InputTypeError, r"int64.*astype\(numpy.uint8\)"),
        (np.zeros((4, 4), bool), InputTypeError, r"bool.*astype\(numpy.uint8\) \* 255"),
        (np.zeros((4, 4), np.float16), InputTypeError, r"float16.*astype\(numpy.float32\)"),
        (np.zeros((4, 4), complex), InputTypeError, r"complex128.*image.real"),
        ([[1, 2]], InputTypeError, r"list.*numpy.asarray\(image\)"),
        ("a.png", InputTypeError, r"synth.files.load\(image\)"),
        (Image.new("L", (4, 4)), InputTypeError, r"PIL.*numpy.asarray\(image\)"),
        (np.ma.masked_array(np.zeros((4, 4))), InputTypeError, "masked array"),
    ],
)
def test_bad_images_say_how_to_mend_them(image, error, message):
    with pytest.raises(error, match=message):
        check_image(image)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0, 127, 128, 255], np.uint8),
        ([0, 32767, 32768, 65535], np.uint16),
        ([0, 0.5, 0.51, 1], np.float32),
        ([0, 0, 1, 1], np.int64),
        ([0, 0, 255, 255], np.int32),
        ([0, 0, 1, 1], bool),
    ],
)
def test_masks_are_cut_at_half_their_range(values, dtype):
    mask = np.array(values, dtype).reshape(2, 2)
    expected = [[False, False], [True, True]]
    assert check_mask(mask, (2, 2, 3)).tolist() == expected
    assert check_mask(mask[..., None], (2, 2)).tolist() == expected
    coloured = np.repeat(mask[..., None], 4, axis=-1)
    coloured[..., 3] = 0
    assert check_mask(coloured, (2, 2)).tolist() == expected
    assert check_mask(coloured[..., :3], (2, 2)).dtype == np.bool_


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((480, 640), bool), "mask is 480×640 but the image is 512×640; .*nearest"),
        (np.zeros((640, 512), bool), r"looks transposed: pass mask\.T"),
        (np.ones((512, 640), np.uint8), "nothing above 1, and only values above 127"),
        (np.full((512, 640), 255, np.uint16), "nothing above 255, and only values above 32767"),
        (np.full((512, 640), 2), "values other than 0 and 1"),
        (np.full((512, 640), -1), "values other than 0 and 1"),
        (np.full((512, 640), 200.0), r"outside 0 to 1 \(0 to 200\)"),
        (np.full((512, 640), np.nan), "NaN, first at row 0, column 0"),
        (np.full((512, 640, 3), np.nan), "NaN, first at row 0, column 0"),
        (np.zeros((512, 640, 5), bool), "one value a pixel"),
        (np.dstack([np.zeros((512, 640, 2)), np.ones((512, 640))]), "coloured"),
    ],
)
def test_bad_masks_say_how_to_mend_them(mask, message):
    with pytest.raises(InputError, match=message):
        check_mask(mask, (512, 640, 3))


def test_masks_of_no_number_are_refused():
    with pytest.raises(InputTypeError, match=r"astype\(bool\)"):
        check_mask(np.zeros((2, 2), complex), (2, 2))


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=3, max_side=6)), st.data())
def test_only_values_outside_the_hole_must_be_finite(image, data):
    ignore = data.draw(hnp.arrays(bool, image.shape[:2]))
    bad = ~np.isfinite(image).reshape(*image.shape[:2], -1).all(axis=-1) & ~ignore
    if not bad.any():
        check_finite(image, ignore)
        return
    row, column = np.argwhere(bad)[0]
    with pytest.raises(InputError, match=f"in {bad.sum()} pixels? .*row {row}, column {column};"):
        check_finite(image, ignore)


def test_integers_are_always_finite():
    check_finite(np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="in 1 pixel, first at row 1, column 0"):
        check_finite(np.array([[0.0, 1.0], [np.inf, 2.0]]))


@pytest.mark.parametrize(
    ("dtype", "below", "above"),
    [(np.uint8, 127, 128), (np.uint16, 32767, 32768), (np.float32, 0.49, 0.51)],
)
@pytest.mark.parametrize("channels", [2, 4])
def test_the_hole_is_what_is_more_than_half_transparent(dtype, below, above, channels):
    full = 1 if dtype is np.float32 else np.iinfo(dtype).max
    image = np.zeros((1, 3, channels), dtype)
    image[0, :, -1] = below, full, above
    assert hole_from_alpha(image).tolist() == [[True, False, False]]


def test_the_soft_rim_of_a_hole_belongs_to_it():
    image = np.full((3, 120, 4), 255, np.uint8)
    image[:, 10:20, 3] = 0
    image[:, 20:30, 3] = np.arange(20, 250, 23)
    image[:, 60:100, 3] = 200  # glass, not the rim of anything
    hole = hole_from_alpha(image)
    assert (hole == (np.arange(120) >= 10) & (np.arange(120) < 30)).all()
    image[:, 20:100, 3] = np.arange(150, 230)
    assert hole_from_alpha(image).sum() == 3 * (10 + 32)  # a rim is not without end


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3)])
def test_without_alpha_there_is_no_hole(shape):
    with pytest.raises(InputError, match="no transparency"):
        hole_from_alpha(np.zeros(shape, np.uint8))
