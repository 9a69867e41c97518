"""`synth.nnf` and the field it returns."""

from __future__ import annotations

import hashlib

import naive
import numpy as np
import pytest
from conftest import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernels_nnf import smooth

import synth
from synth.errors import DeviceError, FileError, InputError, InputTypeError

QUALITIES = ["draft", "fast", "accurate", "exact"]


def check(field, target, source, patch, source_mask=None, asked=None):
    """Positions in range and off the mask, distances as they are, nothing where not asked."""
    h, w = target.shape[0] - patch + 1, target.shape[1] - patch + 1
    assert field.positions.dtype == np.int32
    assert field.positions.shape == (*field.distance.shape, 2)
    assert field.distance.shape[:2] == (h, w)
    assert field.distance.dtype == (np.int32 if target.dtype == np.uint8 else np.float32)
    asked = np.ones((h, w), bool) if asked is None else asked
    assert (field.positions[~asked] == -1).all()
    assert (field.distance[~asked] == -1).all()
    found = field.positions[asked]
    assert (found >= 0).all()
    ends = np.array(source.shape[:2]) - patch
    assert (found <= ends).all()
    if source_mask is not None:
        assert not naive.touching(source_mask, patch)[found[..., 0], found[..., 1]].any()
    real = naive.distances(target, source, patch, field.positions)[asked]
    if target.dtype == np.uint8:
        assert np.array_equal(field.distance[asked], real)
    else:
        scale = max(1.0, float(real.max()))
        assert np.allclose(field.distance[asked], real, rtol=1e-4, atol=1e-6 * scale)


@settings(max_examples=25, deadline=None)
@given(
    quality=st.sampled_from(QUALITIES),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    channels=st.sampled_from([None, 1, 3, 4, 7]),
    patch=st.integers(1, 9),
    size=st.tuples(*[st.integers(9, 24)] * 4),
    k=st.sampled_from([1, 1, 3]),
    masked=st.booleans(),
    seed=st.integers(0, 2**64 - 1),
)
def test_every_field_is_valid(quality, dtype, channels, patch, size, k, masked, seed):
    tail = () if channels is None else (channels,)
    target = noise((*size[:2], *tail), dtype, seed % 1000)
    source = noise((*size[2:], *tail), dtype, seed % 1000 + 1)
    rng = np.random.default_rng(seed)
    hole = asked = None
    options = {}
    if masked:
        hole = np.zeros(size[2:], bool)
        hole[:2, :3] = True
        wanted = rng.random(size[:2]) < 0.05
        asked = naive.touching(wanted, patch)
        options = {"source_mask": hole, "target_mask": wanted}
    free = (size[2] - patch + 1) * (size[3] - patch + 1)
    free -= 0 if hole is None else naive.touching(hole, patch).sum()
    if free < k:
        with pytest.raises(InputError, match="patch"):
            synth.nnf(target, source, patch=patch, k=k, quality=quality, seed=seed, **options)
        return
    field = synth.nnf(target, source, patch=patch, k=k, quality=quality, seed=seed, **options)
    check(field, target, source, patch, hole, asked)
    if k > 1:
        cost = field.distance if asked is None else field.distance[asked]
        assert (np.diff(cost, axis=-1) >= 0).all()
        places = field.positions.reshape(-1, k, 2) if asked is None else field.positions[asked]
        numbers = places[..., 0].astype(np.int64) * 1000 + places[..., 1]
        assert all(np.unique(row).size == k for row in numbers.reshape(-1, k))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("patch", [1, 4, 7])
def test_exact_is_exact(dtype, patch):
    target, source = smooth((22, 20, 3), 1, dtype), smooth((19, 26, 3), 2, dtype)
    mask = np.zeros((19, 26), bool)
    mask[9:11, 4:7] = True
    for k in (1, 3):
        field = synth.nnf(target, source, patch=patch, k=k, quality="exact", source_mask=mask)
        positions, distance = naive.exact(target, source, patch, k, mask)
        if k == 1:
            positions, distance = positions[:, :, 0], distance[:, :, 0]
        if dtype == "uint8":
            assert np.array_equal(field.positions, positions)  # of equal ones the first
            assert np.array_equal(field.distance, distance)
        else:
            assert np.allclose(field.distance, distance, rtol=1e-5)


def test_qualities_come_closer():
    target, source = smooth((90, 100, 3), 1), smooth((110, 96, 3), 2)
    means = [
        synth.nnf(target, source, quality=quality).distance.mean()  # type: ignore[arg-type]
        for quality in QUALITIES
    ]
    assert means == sorted(means, reverse=True)
    assert means[1] < 1.2 * means[3]
    assert means[2] < 1.08 * means[3]
    few = [
        synth.nnf(target, source, quality="draft", iterations=n).distance.mean() for n in (1, 9)
    ]
    assert few[1] < means[0] < few[0]


def test_a_picture_finds_itself():
    image = smooth((64, 70, 3), 3)
    for quality in QUALITIES[1:]:
        field = synth.nnf(image[10:50, 20:60], image, quality=quality)
        assert (field.distance == 0).mean() > 0.95
        offsets = field.offsets[field.distance == 0]
        assert (offsets == (10, 20)).all(axis=-1).mean() > 0.95


def digest(field):
    return hashlib.sha256(field.positions.tobytes() + field.distance.tobytes()).hexdigest()


@pytest.mark.parametrize(
    "options",
    [
        {"quality": "draft"},
        {"quality": "fast"},
        {"quality": "accurate"},
        {"quality": "draft", "k": 3},
        {"quality": "exact"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_same_bytes_for_any_number_of_threads(monkeypatch, options, dtype):
    size = 40 if options["quality"] == "exact" else 160
    target, source = smooth((size, 60, 3), 1, dtype), smooth((70, size, 3), 2, dtype)
    seen = set()
    for threads in ("1", "2", "16"):
        monkeypatch.setenv("SYNTH_NUM_THREADS", threads)
        seen.add(digest(synth.nnf(target, source, seed=5, **options)))
    assert len(seen) == 1
    if options["quality"] != "exact":
        assert digest(synth.nnf(target, source, seed=6, **options)) not in seen


def test_strided_and_read_only_arrays_are_as_good():
    target, source = smooth((40, 44, 3), 1), smooth((41, 43, 3), 2)
    wide = np.repeat(target, 2, axis=1)[:, ::2]
    source.flags.writeable = False
    assert digest(synth.nnf(wide, source)) == digest(synth.nnf(target, source.copy()))


@pytest.mark.parametrize("quality", ["draft", "fast", "accurate"])
def test_init_is_never_made_worse(quality):
    target, source = smooth((50, 60, 3), 1), smooth((55, 58, 3), 2)
    best = synth.nnf(target, source, quality="exact")
    kept = synth.nnf(target, source, quality=quality, init=best)
    assert np.array_equal(kept.distance, best.distance)
    rough = synth.nnf(target, source, quality="draft", iterations=1)
    better = synth.nnf(target, source, quality=quality, init=rough.positions, iterations=2)
    assert (better.distance <= rough.distance).all()
    assert better.distance.mean() < rough.distance.mean()


def test_init_with_gaps_and_with_several_matches():
    target, source = smooth((30, 31, 3), 1), smooth((33, 32, 3), 2)
    first = synth.nnf(target, source, k=3)
    positions = first.positions[:, :, 0].copy()
    positions[::2] = -1
    check(synth.nnf(target, source, init=positions), target, source, 7)
    again = synth.nnf(target, source, init=first, k=2)
    assert (again.distance[..., 0] <= first.distance[..., 0]).all()
    # a start on what must not be used is dropped
    hole = np.zeros(source.shape[:2], bool)
    hole[10:20, 10:20] = True
    check(synth.nnf(target, source, init=first, source_mask=hole), target, source, 7, hole)


def test_what_is_under_the_source_mask_does_not_matter():
    target, source = smooth((40, 40, 3), 1, "float32"), smooth((40, 40, 3), 2, "float32")
    hole = np.zeros((40, 40), bool)
    hole[5:12, 20:33] = True
    odd = np.where(hole[..., None], np.float32(np.nan), source)
    for quality in QUALITIES:
        plain = synth.nnf(target, source, source_mask=hole, quality=quality)
        assert np.isfinite(plain.distance).all()
        check(synth.nnf(target, odd, source_mask=hole, quality=quality), target, source, 7, hole)


def test_few_queries_match_the_whole_search_exactly():
    target, source = smooth((60, 64, 3), 1), smooth((50, 52, 3), 2)
    wanted = np.zeros((60, 64), bool)
    wanted[30, 40] = wanted[3, 3] = True
    asked = naive.touching(wanted, 7)
    whole = synth.nnf(target, source, quality="exact")
    part = synth.nnf(target, source, quality="exact", target_mask=wanted)
    assert np.array_equal(part.positions[asked], whole.positions[asked])
    assert (part.positions[~asked] == -1).all()
    nothing = synth.nnf(target, source, target_mask=np.zeros((60, 64), bool))
    assert (nothing.positions == -1).all()
    assert not nothing.reconstruct(source).any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_reconstruct(dtype, channels):
    target, source = noise((20, 23, *channels), dtype, 1), noise((21, 19, *channels), dtype, 2)
    wanted = np.zeros((20, 23), bool)
    wanted[4:9, 5:8] = True
    for options in ({}, {"target_mask": wanted}):
        field = synth.nnf(target, source, patch=5, quality="draft", **options)
        image = field.reconstruct(source)
        assert image.dtype == source.dtype
        assert image.shape == target.shape
        expected = naive.vote(field.positions, source, 5)
        assert np.allclose(image, expected, atol=0 if dtype.startswith("u") else 1e-5)
    labels = noise((21, 19), "uint8", 3)
    assert field.reconstruct(labels).shape == (20, 23)
    with pytest.raises(InputError, match=r"source is 10×19.*needs? at least|need at least"):
        synth.nnf(target, source, patch=5, quality="draft").reconstruct(source[:10])


def test_save_and_load(tmp_path):
    target, source = smooth((20, 23, 3), 1), smooth((21, 19, 3), 2)
    path = tmp_path / "field.npz"
    field = synth.nnf(target, source, patch=4, k=2)
    field.save(path)
    again = synth.NearestNeighborField.load(path)
    assert digest(again) == digest(field)
    assert again.patch == 4
    assert repr(again) == "NearestNeighborField(17×20×2, patch=4, int32)"
    with pytest.raises(FileError, match="exists already"):
        field.save(path)
    field.save(path, overwrite=True)
    empty = tmp_path / "made_before.npz"
    empty.touch()
    field.save(empty)
    assert digest(synth.NearestNeighborField.load(empty)) == digest(field)
    assert {p.name for p in tmp_path.iterdir()} == {"field.npz", "made_before.npz"}


def test_bad_files(tmp_path):
    load = synth.NearestNeighborField.load
    with pytest.raises(FileError, match="does not exist"):
        load(tmp_path / "none.npz")
    with pytest.raises(FileError, match="cannot be read"):
        load(tmp_path)
    for name, content in (("text.npz", b"just words"), ("empty.npz", b""), ("cut.npz", b"PK\3\4")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match="not a nearest-neighbour field"):
            load(tmp_path / name)
    np.savez(tmp_path / "other.npz", positions=np.zeros(3))
    with pytest.raises(FileError, match=r"needs the arrays positions, distance, patch"):
        load(tmp_path / "other.npz")
    np.savez(tmp_path / "odd.npz", positions=np.zeros((3, 3, 2)), distance=np.zeros(2), patch=7)
    with pytest.raises(FileError, match="do not belong together"):
        load(tmp_path / "odd.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(FileError, match="not a nearest-neighbour field"):
        load(tmp_path / "array.npy")


def test_plot(tmp_path):
    from PIL import Image

    positions = np.zeros((3, 4, 2), np.int32) + np.indices((3, 4)).transpose(1, 2, 0)
    positions[0, 0] += (0, 10)  # right
    positions[0, 1] += (10, 0)  # down
    positions[2, 3] = -1
    field = synth.NearestNeighborField(
        positions.astype(np.int32), np.zeros((3, 4), np.int32), patch=2
    )
    picture = field.plot(tmp_path / "field.png")
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[0, 1].tolist() == [128, 255, 0]
    assert picture[1, 1].tolist() == [255, 255, 255]
    assert picture[2, 3].tolist() == [0, 0, 0]
    with Image.open(tmp_path / "field.png") as image:
        assert np.array_equal(np.asarray(image), picture)
    with pytest.raises(FileError, match="exists already"):
        field.plot(tmp_path / "field.png")


class Stop(Exception):
    pass


@pytest.mark.parametrize("options", [{"quality": q} for q in QUALITIES] + [{"k": 2}], ids=str)
def test_progress_and_cancelling(options):
    target, source = smooth((40, 40, 3), 1), smooth((40, 40, 3), 2)
    seen = []
    synth.nnf(target, source, callback=seen.append, **options)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert len(fractions) >= 2
    assert fractions[-1] == 1.0

    def stop(progress):
        raise Stop

    with pytest.raises(Stop):
        synth.nnf(target, source, callback=stop, **options)


IMAGE = smooth((20, 20, 3), 1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"target": IMAGE.tolist()}, InputTypeError, "target is a list"),
        ({"source": IMAGE.astype("float32")}, InputTypeError, "uint8 but source is float32"),
        ({"source": IMAGE[..., :2]}, InputError, "3 channels but source has 2"),
        ({"target": IMAGE[:5]}, InputError, r"target is 5×20.*pass patch=5 or less"),
        ({"patch": 0}, InputError, "patch is 0"),
        ({"patch": 7.0}, InputTypeError, r"patch is 7.0 \(float\)"),
        ({"iterations": 0}, InputError, "iterations is 0"),
        ({"k": -1}, InputError, "k is -1"),
        ({"k": 197}, InputError, "only 196 patches of 7×7.*at least 197.*smaller k"),
        ({"seed": -1}, InputError, "seed is -1"),
        ({"quality": "best"}, InputError, "'best'.*'draft', 'fast', 'accurate', 'exact'"),
        ({"device": "gpu"}, InputError, "'gpu'.*'auto', 'cpu' or 'cuda'"),
        ({"device": "cuda"}, DeviceError, "kernels for the CPU only"),
        ({"source_mask": np.ones((20, 20), bool)}, InputError, "source_mask leaves no patches"),
        ({"source_mask": np.ones((20, 21), bool)}, InputError, "source_mask is 20×21"),
        ({"target_mask": np.ones((21, 20), bool)}, InputError, "target_mask is 21×20"),
        ({"init": np.zeros((14, 14, 2))}, InputTypeError, "init is of type float64"),
        ({"init": np.zeros((13, 14, 2), int)}, InputError, "init is 13×14×2.*14×14×2 is needed"),
        ({"init": np.full((14, 14, 2), 14)}, InputError, r"\[14, 14\], but.*\[13, 13\]"),
    ],
    ids=lambda value: "",
)
def test_errors(change, error, message):
    arguments = {"target": IMAGE, "source": IMAGE, **change}
    with pytest.raises(error, match=message):
        synth.nnf(arguments.pop("target"), arguments.pop("source"), **arguments)


def test_errors_about_values():
    floats = IMAGE.astype("float32")
    odd = floats.copy()
    odd[3, 4, 1] = np.nan
    with pytest.raises(InputError, match=r"target has NaN.*row 3, column 4"):
        synth.nnf(odd, floats)
    with pytest.raises(InputError, match=r"source has NaN.*row 3, column 4"):
        synth.nnf(floats, odd)
    with pytest.raises(InputError, match="do not fit into float32"):
        synth.nnf(floats * np.float32(1e18), floats)
    with pytest.raises(InputError, match="more than float32 can hold"):
        synth.nnf(floats.astype(float) * 1e300, floats.astype(float))
    big = np.zeros((20, 20, 64), np.uint8)
    with pytest.raises(InputError, match=r"17×17.*64 channels.*astype"):
        synth.nnf(big, big, patch=17)


def test_one_log_line_names_the_device(caplog):
    with caplog.at_level("DEBUG", logger="synth"):
        synth.nnf(IMAGE, IMAGE, quality="draft")
    assert [record.message for record in caplog.records if record.name == "synth"] == [
        "running on the CPU (device='auto')"
    ]
