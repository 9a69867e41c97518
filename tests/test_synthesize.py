"""Textures: every pixel is the exemplar's, tiles have no seam, guides and known parts are kept."""

from __future__ import annotations

import naive_texture as naive
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from synth.kernels.cpu.distance import PADDING
from synth.kernels.cpu.patchmatch import FORBIDDEN
from synth.kernels.cpu.quilting import block_costs, cut
from test_kernels_nnf import smooth

import synth
from synth.compare.metrics import sliced_wasserstein
from synth.errors import DeviceError, InputError, InputTypeError

METHODS = ["efros-leung", "quilting", "patchmatch"]
EXEMPLAR = smooth((60, 52, 3), 0)
GRASS = np.ascontiguousarray(data.grass()[:128, :128])
BRICK = np.ascontiguousarray(data.brick()[:128, :128])


def padded(image, dtype):
    return np.concatenate([image.ravel(), np.zeros(PADDING, image.dtype)]).astype(dtype)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 2))
def test_block_costs_are_those_of_the_obvious_way(seed, channels, guides):
    rng = np.random.default_rng(seed)
    block = int(rng.integers(4, 14))
    source = rng.integers(0, 256, (22, 25, channels), np.uint8)
    guide = rng.integers(0, 256, (22, 25, guides), np.uint8)
    window = rng.integers(0, 256, (block, block, channels), np.uint8)
    guide_window = rng.integers(0, 256, (block, block, guides), np.uint8)
    compared = np.zeros((block, block), bool)
    compared[:2] = compared[2:, :3] = True
    borders = np.array([[0, 0, 2, block], [2, 0, block - 2, 3]], np.int64)
    expected = naive.block_costs(window, source, compared, guide_window, guide)
    penalty = np.zeros(expected.shape, np.int32)
    penalty[rng.random(penalty.shape) < 0.2] = FORBIDDEN
    penalty[0, 0] = 0
    cost = np.empty_like(penalty)
    bounds = np.array([0, 3, len(cost)])
    cheapest = int(rng.choice([FORBIDDEN, expected[penalty == 0].max()]))
    for band in (0, 1):
        block_costs(
            padded(window, np.int16), padded(source, np.uint8), 25, channels, borders,
            padded(guide_window, np.int16), padded(guide, np.uint8), guides, block, penalty,
            5, 0.3, cheapest, 1, cost, bounds, band,
        )  # fmt: skip
    free = penalty == 0
    limit = 1.3 * max(expected[free].min(), 5)
    assert (cost[~free] == FORBIDDEN).all()
    good = free & (expected <= limit)
    assert (cost[good] == expected[good]).all()
    assert (cost[free & ~good] > limit).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_the_cut_is_the_cheapest(seed, side):
    error = np.random.default_rng(seed).integers(0, 50, (7, 7)).astype(np.int32)
    widths = [0, 0, 0, 0]
    widths[side] = 3
    new = np.empty((7, 7), bool)
    cut(error, *widths, new)
    turns = (0, 1, 2, 3)[side]  # the overlap to the left
    turned, kept = np.rot90(error, turns), ~np.rot90(new, turns)
    assert not kept[:, 3:].any()
    path = kept.sum(axis=1)
    assert (np.abs(np.diff(path)) <= 1).all()
    assert (kept == (np.arange(7) < path[:, None])).all()
    cost = sum(int(turned[row, at]) for row, at in enumerate(path))
    assert cost == naive.cheapest_path(turned[:, :3])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,), (6,)])
def test_every_pixel_is_the_exemplars(method, dtype, channels):
    exemplar = noise((33, 40, *channels), dtype)
    details = synth.synthesize_details(exemplar, (47, 30), method=method, quality="draft")
    assert details.image.dtype == exemplar.dtype
    assert details.image.shape == (47, 30, *channels)
    assert details.image.flags.c_contiguous
    assert details.source_map.dtype == np.int32
    y, x = details.source_map[..., 0], details.source_map[..., 1]
    assert details.image.tobytes() == exemplar[y, x].tobytes()
    assert details.method == method
    assert details.seconds > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tile", [False, True])
def test_the_same_seed_gives_the_same_bytes_for_any_threads(method, tile, monkeypatch):
    made = []
    for threads in ("1", "3"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", threads)
        made.append(synth.synthesize(GRASS, (150, 140), method=method, tile=tile, seed=5))
    assert made[0].tobytes() == made[1].tobytes()
    other = synth.synthesize(GRASS, (150, 140), method=method, tile=tile, seed=6)
    assert (other != made[0]).mean() > 0.5


def steps(image, axis):
    """Mean step from each row (or column) to the next, round the border."""
    values = image.astype(float)
    step = np.abs(values - np.roll(values, -1, axis))
    return step.mean(axis=1 - axis) if step.ndim == 2 else step.mean(axis=(1 - axis, 2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("exemplar", [GRASS, BRICK, EXEMPLAR], ids=["grass", "brick", "smooth"])
@pytest.mark.parametrize("shape", [(150, 141), (64, 200)])
def test_tiles_have_no_seam(method, exemplar, shape):
    tiled = synth.synthesize(exemplar, shape, method=method, tile=True)
    for axis in (0, 1):
        inner, across = np.split(steps(tiled, axis), [-1])
        assert across[0] <= inner.max()
        if method != "efros-leung":  # whose fronts meet there
            assert across[0] <= np.quantile(inner, 0.9) * 1.3


def test_without_tile_there_is_a_seam():
    plain = synth.synthesize(BRICK, (150, 141), method="quilting")
    assert steps(plain, 0)[-1] > np.quantile(steps(plain, 0)[:-1], 0.9)


@pytest.mark.parametrize("method", METHODS[1:])  # Efros & Leung's rule copies
def test_patches_are_spread_as_in_another_crop_of_the_texture(method):
    for photograph, exemplar in ((data.grass(), GRASS), (data.brick(), BRICK)):
        made = synth.synthesize(exemplar, (128, 128), method=method)
        crops = [photograph[y : y + 128, y : y + 128] for y in (150, 280, 384)]
        others = [sliced_wasserstein(crop, exemplar) for crop in crops]
        assert sliced_wasserstein(made, exemplar) < 1.5 * np.mean(others)


def test_all_of_the_exemplar_is_used():
    """Nothing may collapse onto a few patches."""
    for method in METHODS:
        sources = synth.synthesize_details(GRASS, (256, 256), method=method).source_map
        cells = np.zeros((8, 8), int)
        np.add.at(cells, (sources[..., 0] // 16, sources[..., 1] // 16), 1)
        assert (cells[1:-1, 1:-1] > 0).mean() > 0.9, method
        assert cells.max() < 12 * 65536 / 64, method


def test_quilting_copies_on_only_without_variation():
    exemplar = np.ascontiguousarray(data.grass()[:96, :300])
    largest = []
    for variation in (0.5, 0.0):
        sources = synth.synthesize_details(
            exemplar, (90, 200), method="quilting", variation=variation
        ).source_map
        offsets = (sources - np.indices((90, 200)).transpose(1, 2, 0)).reshape(-1, 2)
        largest.append(np.unique(offsets, axis=0, return_counts=True)[1].max())
    assert largest[0] < 3 * 13 * 13  # a block is 13 pixels wide
    assert largest[1] > 2 * largest[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["labels", "features"])
def test_texture_by_numbers(method, kind):
    exemplar = noise((64, 80, 3), "uint8") // 4
    exemplar[:, 40:] += np.uint8(190)
    of_exemplar = np.zeros((64, 80), np.uint8)
    of_exemplar[:, 40:] = 7
    wanted = np.zeros((96, 90), np.uint8)
    wanted[:50] = 7
    if kind == "features":
        of_exemplar, wanted = of_exemplar / np.float32(7), wanted / np.float32(7)
    details = synth.synthesize_details(
        exemplar, (96, 90), method=method, guide=wanted, exemplar_guide=of_exemplar
    )
    right = details.source_map[..., 1] >= 40
    assert (right == (wanted > 0)).mean() > (0.97 if method == "patchmatch" else 0.85)


@pytest.mark.parametrize("method", METHODS)
def test_layers_come_from_one_source_map(method):
    layers = {
        "albedo": EXEMPLAR,
        "normal": smooth((60, 52, 3), 1).astype(np.float32) / 255,
        "roughness": smooth((60, 52), 2).astype(np.uint16) * 257,
    }
    details = synth.synthesize_details(layers, (70, 64), method=method, tile=True)
    assert list(details.image) == list(layers)
    y, x = details.source_map[..., 0], details.source_map[..., 1]
    for name, layer in layers.items():
        assert details.image[name].tobytes() == layer[y, x].tobytes()
        assert details.apply(layer).tobytes() == details.image[name].tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_several_exemplars_of_any_sizes(method):
    exemplars = [EXEMPLAR, smooth((40, 90, 3), 3), smooth((64, 64, 3), 4)]
    details = synth.synthesize_details(exemplars, (120, 130), method=method)
    number, y, x = np.moveaxis(details.source_map, 2, 0)
    assert set(np.unique(number)) == {0, 1, 2}
    for which, exemplar in enumerate(exemplars):
        here = number == which
        assert np.array_equal(details.image[here], exemplar[y[here], x[here]])
    assert np.array_equal(details.apply(exemplars), details.image)


@pytest.mark.parametrize("method", METHODS)
def test_masked_parts_of_the_exemplar_are_never_copied(method):
    exemplar = smooth((64, 70, 3), 5).astype(np.float32)
    mask = np.zeros((64, 70), bool)
    mask[20:40, 30:50] = True
    exemplar[mask] = np.nan
    details = synth.synthesize_details(exemplar, (90, 80), method=method, exemplar_mask=mask)
    assert not mask[tuple(np.moveaxis(details.source_map, 2, 0))].any()
    both = [exemplar, smooth((50, 50, 3), 6).astype(np.float32)]
    mixed = synth.synthesize(both, (90, 80), method=method, exemplar_mask=[mask, None])
    assert np.isfinite(mixed).all()


@pytest.mark.parametrize("tile", [False, True])
def test_known_pixels_stay_and_are_gone_on_from(tile):
    exemplar = np.tile(np.array([0, 0, 0, 0, 255, 255, 255, 255], np.uint8), (64, 8))
    unknown = np.ones((80, 96), bool)
    unknown[20:50, 30:60] = False
    picture = noise((80, 96), "uint8")
    picture[20:50, 30:60] = exemplar[:30, 3:33]
    details = synth.synthesize_details(exemplar, (80, 96), known=(picture, unknown), tile=tile)
    assert details.method == "patchmatch"
    assert np.array_equal(details.image[~unknown], picture[~unknown])
    assert (details.source_map[~unknown] == -1).all()
    assert (details.source_map[unknown] >= 0).all()
    beside = details.image[20:50]
    assert (beside == beside[0]).mean() > 0.95


@pytest.mark.parametrize("shape", [(8, 8), (8, 300), (33, 17)])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tile", [False, True])
def test_small_exemplars_and_outputs(shape, method, tile):
    for exemplar in (noise((8, 8, 3), "uint8"), noise((9, 50), "uint8"), EXEMPLAR):
        assert synth.synthesize(exemplar, shape, method=method, tile=tile).shape[:2] == shape


def test_auto_tries_both_and_says_why():
    details = synth.synthesize_details(GRASS, (140, 140), seed=3)
    assert details.method in METHODS
    assert "in a small trial the worst places by quilting were" in details.why
    asked = synth.synthesize(GRASS, (140, 140), seed=3, method=details.method)
    assert np.array_equal(details.image, asked)
    tiny = synth.synthesize_details(EXEMPLAR[:9, :9], (40, 40))
    assert (tiny.method, "too small" in tiny.why) == ("quilting", True)


def test_flat_exemplars():
    for method in METHODS:
        flat = np.full((20, 20, 3), 9, np.uint8)
        assert (synth.synthesize(flat, (40, 40), method=method) == 9).all()


def test_progress_can_stop_the_work():
    seen = []
    synth.synthesize(EXEMPLAR, (90, 90), method="patchmatch", callback=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1

    def stop(_):
        raise KeyboardInterrupt

    for method in METHODS:
        with pytest.raises(KeyboardInterrupt):
            synth.synthesize(EXEMPLAR, (90, 90), method=method, callback=stop)


NAN = np.where(np.arange(60 * 52).reshape(60, 52) == 200, np.nan, 1).astype(np.float32)
LABELS = np.zeros((60, 52), int)

REFUSED = [
    ({"exemplar": EXEMPLAR.tolist()[0]}, InputTypeError, r"exemplar\[0\] is a list"),
    ({"exemplar": []}, InputError, r"an empty list"),
    ({"exemplar": {}}, InputError, r"an empty dict"),
    ({"exemplar": "a.png"}, InputTypeError, r"synth\.files\.load"),
    ({"exemplar": EXEMPLAR[:7]}, InputError, r"exemplar is 7×52, but at least 8×8"),
    ({"exemplar": NAN}, InputError, r"exemplar has NaN .* first at row 3, column 44"),
    ({"exemplar": [EXEMPLAR, EXEMPLAR[..., 0]]}, InputError, r"exemplar\[1\] .* 1 channel, but"),
    ({"exemplar": [EXEMPLAR, {"a": EXEMPLAR}]}, InputError, r"other layers than the first"),
    ({"exemplar": {"a": EXEMPLAR, "b": EXEMPLAR[1:]}}, InputError, r"\['b'\] is 59×52 but"),
    ({"exemplar": {n: noise((20, 20, 33), "uint8") for n in "ab"}}, InputError, r"66 channels"),
    ({"shape": (64,)}, InputError, r"two whole numbers"),
    ({"shape": 64}, InputTypeError, r"two whole numbers"),
    ({"shape": (64, 64.0)}, InputTypeError, r"two whole numbers"),
    ({"shape": (7, 64)}, InputError, r"each from 8 to 32768"),
    ({"method": "magic"}, InputError, r"method is 'magic', but one of 'auto'"),
    ({"quality": "fast"}, InputError, r"quality is 'fast'"),
    ({"variation": 2}, InputError, r"variation is 2, but a number from 0 to 1"),
    ({"variation": "much"}, InputTypeError, r"variation is 'much'"),
    ({"patch": 2}, InputError, r"patch is 2, but a whole number from 3 to 52"),
    ({"patch": 7.5}, InputTypeError, r"patch is 7\.5"),
    ({"patch": 53}, InputError, r"no more than the exemplar's and the output's"),
    ({"seed": -1}, InputError, r"seed is -1"),
    ({"device": "cuda"}, DeviceError, r"device is 'cuda'"),
    ({"guide": LABELS}, InputError, r"guide is given but exemplar_guide is not"),
    ({"exemplar_guide": LABELS}, InputError, r"exemplar_guide is given but guide is not"),
    (
        {"guide": LABELS, "exemplar_guide": LABELS},
        InputError,
        r"guide is 60×52 but the output is 64×64",
    ),
    (
        {"guide": np.zeros((64, 64), np.float32), "exemplar_guide": LABELS},
        InputError,
        r"of two kinds \(int64 with 1 channel, float32 with 1 channel\)",
    ),
    ({"exemplar_mask": LABELS == 0}, InputError, r"leaves no patch of 3×3 pixels .* mask less"),
    ({"exemplar_mask": LABELS[1:] > 0}, InputError, r"exemplar_mask is 59×52 but the image"),
    ({"exemplar_mask": [None], "exemplar": [EXEMPLAR] * 2}, InputError, r"has 1 parts, but"),
    ({"known": EXEMPLAR}, InputTypeError, r"known must be a pair"),
    ({"known": (EXEMPLAR, LABELS > 0)}, InputError, r"but uint8 of 64×64×3 is needed"),
    (
        {"known": (noise((64, 64, 3), "uint8"), np.zeros((64, 64), bool))},
        InputError,
        r"nothing is left to synthesise",
    ),
    (
        {"known": (noise((64, 64, 3), "uint8"), np.ones((64, 64), bool)), "method": "quilting"},
        InputError,
        r"cannot go on from known pixels; pass method='patchmatch'",
    ),
]


@pytest.mark.parametrize(("change", "error", "message"), REFUSED)
def test_what_cannot_be_made_is_refused_in_words(change, error, message):
    with pytest.raises(error, match=message):
        synth.synthesize(**{"exemplar": EXEMPLAR, "shape": (64, 64), **change})
