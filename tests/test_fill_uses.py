"""What people ask of a fill: sources, guides, many holes, borders, extents, and clear refusals."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from conftest import noise
from test_fill import DTYPES, box, locked
from test_kernels_nnf import smooth

import synth
from synth.errors import DeviceError, InputError, InputTypeError
from synth.patchmatch import window

IMAGE = noise((40, 44, 3), "uint8")
HOLE = box(IMAGE.shape, 10, 12, 8)


def test_only_the_source_is_copied_from():
    image = smooth((80, 200, 3), 1)
    mask = box(image.shape, 30, 20, 24)
    source = box(image.shape, 5, 150, 60, 40)
    source[mask] = True  # what is to be filled is never copied from
    sources = synth.fill_details(image, mask, source=source).sources
    assert (source & ~mask)[tuple(sources.T)].all()
    white = np.where(source, np.uint8(255), np.uint8(0))
    assert np.array_equal(synth.fill_details(image, mask, source=white).sources, sources)


@pytest.mark.parametrize("kind", ["labels", "far labels", "features", "colours"])
def test_a_guide_says_which_texture_goes_where(kind):
    step = 100 if kind == "features" else 190  # features weigh less than labels
    image = noise((110, 120, 3), "uint8") // 4
    image[:, 60:] += np.uint8(step)
    mask = box(image.shape, 30, 35, 50)
    right = np.zeros(mask.shape, bool)
    right[:, 60:] = True
    # within the hole the other way round: dark above, light below
    right[mask] = (np.indices(mask.shape)[0] >= 55)[mask]
    guide = {
        "labels": right,
        "far labels": np.where(right, 10**12, -3),
        "features": right * np.float32(0.25) + 7,
        "colours": np.where(right[..., None], np.uint8([9, 0, 200]), np.uint8([9, 80, 1])),
    }[kind]
    details = synth.fill_details(image, mask, guide=guide)
    from_right = details.sources[:, 1] >= 60
    assert (from_right == right[mask]).mean() > 0.97
    light = details.image[mask].mean(axis=-1) > 32 + step / 2
    assert (light == right[mask]).mean() > 0.9  # seams are corrected at the rim


def test_a_far_hole_does_not_change_what_another_gets():
    image = smooth((130, 700, 3), 2)
    near, far = box(image.shape, 50, 40, 30), box(image.shape, 60, 600, 20)
    both = synth.fill_details(image, near | far)
    alone = synth.fill_details(image, near)
    assert np.array_equal(both.image[near], alone.image[near])
    columns = both.sources[far[tuple(both.pixels.T)], 1]
    assert columns.min() > 450
    assert np.array_equal(both.pixels, np.argwhere(near | far))
    # with one source for both, each is still filled once
    source = box(image.shape, 5, 640, 40, 60)
    shared = synth.fill_details(image, near | far, source=source)
    assert np.array_equal(shared.pixels, both.pixels)
    assert source[tuple(shared.sources.T)].all()
    assert not np.array_equal(both.image[far], image[far])


def test_equal_holes_get_different_answers():
    image = np.tile(noise((130, 480, 3), "uint8"), (1, 2, 1))
    left, right = box(image.shape, 50, 224, 30), box(image.shape, 50, 704, 30)
    filled = synth.fill(image, left | right, quality="draft")
    assert not np.array_equal(filled[left], filled[right])


@pytest.mark.parametrize("patch", [3, 4, 7, 8, 31])
def test_holes_at_borders_and_corners(patch):
    image = smooth((90, 84), 3)
    mask = box(image.shape, 0, 0, 9) | box(image.shape, 80, 70, 20) | box(image.shape, 0, 40, 1)
    mask |= box(image.shape, 89, 10, 1, 30)
    details = synth.fill_details(image, mask, patch=patch)
    assert np.array_equal(details.pixels, np.argwhere(mask))
    assert not mask[tuple(details.sources.T)].any()


@pytest.mark.parametrize("place", [(0, 0), (5, 4), (8, 9)])
def test_a_single_pixel(place):
    y, x = np.indices((9, 10))
    image = (10 * y + 3 * x).astype(np.uint8)
    mask = box(image.shape, *place, 1)
    filled = synth.fill(image, mask, patch=3)
    assert (filled != image).sum() <= 1
    assert abs(int(filled[place]) - int(image[place])) <= 30


@pytest.mark.parametrize(
    ("shape", "patch"), [((7, 8), 7), ((8, 7), 7), ((31, 32), 31), ((3, 4), 3)]
)
def test_pictures_hardly_larger_than_a_patch(shape, patch):
    """One patch is known, so the hole gets what that one has at its place."""
    image = noise(shape, "uint8")
    mask = np.zeros(shape, bool)
    mask[(0, -1) if shape[1] > shape[0] else (-1, 0)] = True
    details = synth.fill_details(image, mask, patch=patch)
    assert not mask[tuple(details.sources.T)].any()


def test_the_work_follows_the_hole(monkeypatch):
    """The window of a hole is the same in a picture of 1 and of 6 megapixels."""

    class EnoughError(Exception):
        pass

    seen = []

    def solve(pyramid, *_, **__):
        seen.append([level.hole.shape for level in pyramid])
        raise EnoughError

    for shape in ((1008, 1008, 3), (2400, 2512, 3)):
        image = np.zeros(shape, np.uint8)
        monkeypatch.setattr(window, "solve", solve)
        with pytest.raises(EnoughError):
            synth.fill(image, box(shape, 400, 416, 100))
    assert seen[0] == seen[1]
    assert max(seen[0][0]) <= 100 + 2 * (150 + 7 + 16)  # hole, margins, patch, grid


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margins", [(0, 5, 10, 0), (3, 4, 5, 6), (30, 0, 0, 0)])
def test_extend(dtype, margins):
    image = noise((24, 26, 3), dtype)
    top, right, bottom, left = margins
    large = synth.extend(locked(image), margins, patch=5, quality="draft", seed=3)
    assert large.shape == (top + 24 + bottom, left + 26 + right, 3)
    assert large.dtype == image.dtype
    assert large[top : top + 24, left : left + 26].tobytes() == image.tobytes()
    assert image.min() <= large.min()
    assert large.max() <= image.max()
    again = synth.extend(image, np.array(margins), patch=5, quality="draft", seed=3)
    assert again.tobytes() == large.tobytes()


def test_extend_continues_stripes_and_leaves_the_rest():
    stripes = np.tile(np.array([0, 90, 255, 255, 7], np.uint8), (40, 10))
    large = synth.extend(stripes, (6, 15, 0, 10))
    assert np.array_equal(large, np.tile(stripes[:1, :5], (46, 15)))
    same = synth.extend(stripes, (0, 0, 0, 0))
    assert np.array_equal(same, stripes)
    assert not np.shares_memory(same, stripes)


def test_extend_says_where_a_bad_pixel_is_in_the_picture_given():
    image = noise((20, 20), "float32")
    image[3, 4] = np.nan
    with pytest.raises(InputError, match=r"1 pixel, first at row 3, column 4; replace them"):
        synth.extend(image, (5, 5, 5, 5))
    with pytest.raises(InputError, match=r"image is 5×20, smaller than a patch of 7×7.* patch=5"):
        synth.extend(image[4:9], (5, 5, 5, 5))


@pytest.mark.parametrize("call", [synth.fill, synth.fill_details])
def test_an_empty_mask_warns_the_caller_and_returns_a_copy(call):
    image = locked(IMAGE)
    with pytest.warns(UserWarning, match=r"mask is empty.*True \(white\) marks") as caught:
        result = call(image, np.zeros(HOLE.shape, bool))
    assert caught[0].filename == __file__
    out = getattr(result, "image", result)
    assert np.array_equal(out, image)
    assert out.flags.writeable
    if call is synth.fill_details:
        assert result.pixels.shape == result.sources.shape == (0, 2)
        assert (result.source_map == -1).all()
        assert result.energy == ()


def test_the_warning_is_not_put_down_to_a_module_whose_name_begins_alike():
    module = {"__name__": "synthesis", "synth": synth, "image": IMAGE}
    code = compile("synth.fill(image, image[..., 0] > 255)", "synthesis.py", "exec")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, module)
    assert [warning.filename for warning in caught] == ["synthesis.py"]


REAL = IMAGE.astype(np.float32)
BAD = np.where(box(IMAGE.shape, 30, 40, 2)[..., None], np.float32(np.nan), REAL)
SPECKS = np.indices(HOLE.shape).sum(axis=0) % 4 == 0
CLEAR = np.dstack([IMAGE, np.zeros(HOLE.shape, np.uint8)])

REFUSED = [
    ({"mask": HOLE[:39]}, InputError, r"mask is 39×44 but the image is 40×44; make the mask"),
    ({"mask": HOLE.T}, InputError, r"mask is 44×40 .* transposed: pass mask\.T"),
    ({"mask": HOLE * np.uint8(1)}, InputError, r"nothing above 1.* pass mask > 0"),
    ({"mask": ~HOLE & HOLE | True}, InputError, r"covers the whole image.*is the mask inverted\?"),
    ({"mask": SPECKS}, InputError, r"no full 7×7 patch .* mask less, or pass a smaller patch$"),
    ({"mask": SPECKS, "patch": 3, "image": CLEAR}, InputError, r"mask less, or make more .*alpha"),
    ({"image": CLEAR}, InputError, r"no full 7×7 .* pixels of alpha 0 are never copied"),
    ({"image": BAD}, InputError, r"4 pixels outside the mask, first at row 30, column 40; add"),
    ({"image": IMAGE[:6], "mask": HOLE[:6]}, InputError, r"image is 6×44, smaller .*patch=6"),
    ({"image": IMAGE[:2], "mask": HOLE[:2]}, InputError, r"image is 2×44.* larger image$"),
    ({"image": IMAGE.tolist()}, InputTypeError, r"image is a list.*numpy\.asarray\(image\)"),
    ({"image": IMAGE.astype(int)}, InputTypeError, r"of type int64.*pass image\.astype"),
    ({"patch": 2}, InputError, r"patch is 2, but a whole number from 3 to 31 \(pixels\)"),
    ({"patch": 32}, InputError, r"patch is 32, but"),
    ({"patch": True}, InputError, r"patch is True, but"),
    ({"patch": 7.5}, InputTypeError, r"patch is 7\.5, but a whole number .* such as 7"),
    ({"patch": "large"}, InputTypeError, r"patch is 'large', but"),
    ({"patch": None}, InputTypeError, r"patch is None, but"),
    ({"patch": 19, "image": np.repeat(IMAGE, 16, 2)}, InputError, r"50 channels .* patch=18 or"),
    ({"quality": "fast"}, InputError, r"quality is 'fast'.*'draft', 'normal', 'best' is needed"),
    ({"seed": -1}, InputError, r"seed is -1, but it must lie in 0 … 2\*\*64 − 1"),
    ({"seed": 1.5}, InputTypeError, r"seed is 1\.5 \(float\), but a whole number"),
    ({"device": "gpu"}, InputError, r"device is 'gpu', but it must be 'auto', 'cpu' or 'cuda'"),
    ({"device": "cuda"}, DeviceError, r"device is 'cuda'.*pass device='cpu'"),
    ({"source": HOLE}, InputError, r"source allows no pixel outside the mask; True \(white\)"),
    ({"source": HOLE[:39]}, InputError, r"source is 39×44 but the image is 40×44"),
    ({"source": box(IMAGE.shape, 30, 30, 6)}, InputError, r"no full 7×7 .* allow more in source"),
    ({"guide": HOLE[:39]}, InputError, r"guide is 39×44 but the image is 40×44; pass one label"),
    ({"guide": [[1]]}, InputTypeError, r"guide is a list.*numpy\.asarray\(guide\)"),
    (
        {"guide": BAD},
        InputError,
        r"guide has NaN .* 4 pixels, first at row 30, column 40; replace",
    ),
    ({"guide": REAL.astype(complex)}, InputTypeError, r"guide is of type complex128"),
    ({"guide": np.zeros((40, 44, 0), int)}, InputError, r"40×44×0, but 1 to 64 channels"),
    ({"guide": np.zeros((40, 44, 65), int)}, InputError, r"40×44×65.* keep some of them"),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED)
def test_what_cannot_be_filled_is_refused_in_words(change, error, message):
    arguments = {"image": IMAGE, "mask": HOLE, **change}
    with pytest.raises(error, match=message):
        synth.fill(**arguments)


@pytest.mark.parametrize(
    ("margins", "error"),
    [
        ((1, 2, 3), InputError),
        ((1, 2, 3, -1), InputError),
        ((1, 2, 3, 4.0), InputTypeError),
        ((1, 2, 3, float("nan")), InputTypeError),
        ("1234", InputTypeError),
        (5, InputTypeError),
    ],
)
def test_margins_are_four_whole_numbers(margins, error):
    with pytest.raises(
        error, match=r"margins is .*four whole numbers .*\(top, right, bottom, left\)"
    ):
        synth.extend(IMAGE, margins)
