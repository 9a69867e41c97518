"""The logic of the texture benchmarks; no peer is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import synth
from benchmarks import growth, growth_peers, likelihood, texture, texture_peers
from benchmarks.harness import Case, Cell, Method, MethodFailed
from benchmarks.options import command_line
from benchmarks.report import Column, markdown_table


def rough(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Grey patches with soft borders, so that windows differ and still resemble one another."""
    from scipy import ndimage

    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, (1.5, 1.5, *(0 for _ in shape[2:])), mode="wrap")
    return np.clip(128 + 160 * smooth, 0, 255).astype(np.uint8)


def test_the_two_quarters_share_no_pixel() -> None:
    picture = np.arange(10 * 14).reshape(10, 14).astype(np.uint8)
    exemplar, other = texture.quarters(picture)
    assert exemplar.shape == other.shape == (5, 7)
    assert not set(exemplar.ravel()) & set(other.ravel())


def test_a_copy_has_no_distance_but_is_one_region_and_another_crop_is_as_good_as_real() -> None:
    exemplar, other = texture.quarters(rough((64, 64)))
    truth = texture.truth_of(exemplar, other)
    one = Case("x", "textures", {"exemplar": exemplar, "shape": np.array((32, 32))}, {}, truth)
    copy = texture.score(one, exemplar)
    assert copy["swd"] == 0
    assert copy["largest"] == 1
    assert copy["coherence"] > 1
    real = texture.score(one, other)
    assert all(real[name] == pytest.approx(1) for name in texture.RATIOS)
    row = texture.real_row([Cell(Method("a", "tests:nothing"), one)])
    assert row["garbage"] == real["garbage"]
    with pytest.raises(MethodFailed, match=r"gave \(32, 32\) float64"):
        texture.score(one, exemplar.astype(float))


def test_a_folder_gives_its_whole_textures_at_one_size(tmp_path: Path) -> None:
    for name, mode in (("tex_a", "RGB"), ("tex_b", "RGBA"), ("tex_c", "RGB"), ("photo", "RGB")):
        Image.new(mode, (80, 50)).save(tmp_path / f"{name}.png")
    Image.new("L", (80, 50)).save(tmp_path / "tex_c_mask.png")
    found = texture.pictures(tmp_path, 32)
    assert [*found] == [*texture.SHIPPED, "a"]
    assert {image.shape[:2] for image in found.values()} == {(32, 32)}
    assert found["brick"].ndim == 2
    assert found["a"].ndim == 3


def test_the_page_has_every_part_and_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    exemplar, other = texture.quarters(rough((64, 64)))
    truth = texture.truth_of(exemplar, other)
    inputs = {"exemplar": exemplar, "shape": np.array((32, 32))}
    measured = texture.score(Case("x", "textures", inputs, {}, truth), exemplar)
    run = {"wall": 1.0, "cpu": 1.0, "peak_mb": 1.0}
    cells = [
        Cell(Method("a", "tests:nothing"), Case("x", group, inputs, {}, truth), [run | measured])
        for group in ("textures", texture.LARGE, "temperature")
    ]
    page = texture._page(cells, 1, "python -m benchmarks.texture --folder …")
    assert page.count("| *another crop* |") == 3
    assert "| a | **1.00** | **1.00** | **1** |" in page


def test_the_command_in_a_table_names_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, shown in (
        ("--folder /home/me/pictures --runs 1", "--folder … --runs 1"),
        ("--folder=/home/me/pictures --runs=1", "--folder=… --runs=1"),
        ("--quick --folder .", "--quick --folder …"),
        ("--folder me --methods synth,me", "--folder … --methods synth,me"),
        ("--out benchmarks/results --pictures x", "--out benchmarks/results --pictures …"),
        ("--out /home/me --pictures=/home/me", "--out … --pictures=…"),
        ("--out=/home/me", "--out=…"),
    ):
        monkeypatch.setattr("sys.argv", ["x", *given.split()])
        assert command_line("texture") == f"python -m benchmarks.texture {shown}"


def test_shares_are_compared_as_they_are_printed() -> None:
    column = Column("garbage", "garbage", ".0%", "low")
    table = markdown_table({"a": {"garbage": 0.101}, "b": {"garbage": 0.099}}, (column,))
    assert table.count("**10%**") == 2


def test_synth_makes_textures_through_its_adapters() -> None:
    exemplar, shape = rough((32, 32, 3)), np.array((20, 30))
    for method in texture_peers.texture_methods()[:4]:
        made = texture_peers.synth_texture(exemplar, shape, seed=0, **method.options)
        assert made.shape == (20, 30, 3)
    for method in texture_peers.temperature_methods():
        made = texture_peers.synth_model(exemplar[..., 0], shape, seed=0, **method.options)
        assert made.shape == (20, 30)


def test_three_growths_are_one_pixel_for_pixel() -> None:
    for order in ("onion", "raster"):
        one = growth.growth_case("x", "24 / 7", rough((24, 24)), 20, 7, 3, order)
        ours = growth_peers.grow_synth(**one.inputs, seed=0)
        np.testing.assert_array_equal(growth_peers.grow_numpy(**one.inputs, seed=0), ours)
        truth = Case(one.name, one.group, one.inputs, {}, {"image": ours})
        theirs = growth_peers.grow_opencv(**one.inputs, seed=0)
        assert growth.score(truth, theirs)["equal"] > 0.05  # float32 may break a tie otherwise
    with pytest.raises(MethodFailed, match="gave"):
        growth.score(one, ours[1:])


def test_microseconds_are_over_textures_and_seeds_and_failures_stay() -> None:
    def cell(name: str, cpu: float, **rest: Any) -> Cell:
        one = Case("x", "64 / 11", {}, {}, {})
        return Cell(Method(name, "tests:nothing"), one, [{"cpu": cpu, "pixels": 1e6, **rest}])

    rows = growth.speed_rows([cell("a", 1.0), cell("a", 5.0), cell("a", 2.0, equal=0.5)])
    assert rows["a"] == {"median": 2.0, "most": 5.0, "equal": 0.5}
    lost = Cell(Method("b", "tests:nothing"), Case("x", "g", {}, {}, {}), failed="no wheel")
    assert growth.speed_rows([lost]) == {"b": "failed: no wheel"}


def test_threads_are_compared_by_their_quickest_runs() -> None:
    one = Case("brick, onion", "orders", {}, {}, {})
    cells = [
        Cell(Method("a", "t:n", threads=n), one, [{"wall": w, "cpu": 2.0} for w in walls])
        for n, walls in ((1, (9.0, 3.0)), (2, (2.0, 7.0)))
    ]
    assert "| brick, onion | 3.00 | 2.00 | 1.50 | 1.00 |" in growth._threads(cells)


def test_codecs_are_charged_for_the_right_half_only() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8)
    half = noise.copy()
    half[:, 64:] = 9
    for encode in likelihood.codecs().values():
        assert likelihood.bits_of_codec(encode, noise, 64) == pytest.approx(8, abs=0.3)
        assert likelihood.bits_of_codec(encode, half, 64) < 0.5


def test_bits_of_all_pixels_are_the_models() -> None:
    picture = rough((24, 48))
    model = synth.EfrosLeung(5).fit(picture[:, :24].copy())
    known = np.zeros(picture.shape, bool)
    known[:, :24] = True
    bits, error = likelihood.bits_of_model(model, picture, 24, 10**6)
    assert bits == pytest.approx(model.bits_per_dim(picture, known=known))
    assert 0 < error < bits
