"""`synth.fill(method="efros-leung")`: the model of textures as a conditional generator."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import noise
from test_efros_leung import texture

import synth
from synth.errors import InputError
from synth.files import load, save


def hole(shape):
    mask = np.zeros(shape[:2], bool)
    mask[12:20, 10:19] = True
    return mask


def test_stripes_go_on():
    stripes = np.tile(np.array([0, 0, 0, 255, 255, 255], np.uint8), (32, 6))
    mask = hole(stripes.shape)
    filled = synth.fill(np.where(mask, 77, stripes).astype(np.uint8), mask, method="efros-leung")
    np.testing.assert_array_equal(filled, stripes)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_every_pixel_is_copied_from_what_is_allowed(dtype):
    image = noise((32, 30, 3), dtype)
    mask, source = hole(image.shape), np.zeros((32, 30), bool)
    source[:, 14:] = True
    if dtype == "float32":
        image[mask] = np.nan
    details = synth.fill_details(image, mask, method="efros-leung", source=source, patch=5)
    np.testing.assert_array_equal(details.pixels, np.argwhere(mask))
    assert source[tuple(details.sources.T)].all()
    assert not mask[tuple(details.sources.T)].any()
    np.testing.assert_array_equal(details.image[mask], image[tuple(details.sources.T)])
    np.testing.assert_array_equal(details.image[~mask], image[~mask])


def test_seeds_samples_and_guides():
    image, mask = texture((32, 30)), hole((32, 30))
    answers = synth.fill(image, mask, method="efros-leung", samples=3)
    assert len({answer.tobytes() for answer in answers}) == 3
    again = synth.fill(image, mask, method="efros-leung")
    np.testing.assert_array_equal(answers[0], again)
    guide = np.zeros((32, 30), np.uint8)
    guide[:, 15:] = 1
    details = synth.fill_details(image, mask, method="efros-leung", guide=guide)
    same = guide[tuple(details.sources.T)] == guide[tuple(details.pixels.T)]
    assert same.mean() > 0.8


def test_mistakes_are_told():
    image, mask = texture((32, 30)), hole((32, 30))
    with pytest.raises(InputError, match="efros-leung"):
        synth.fill(image, mask, method="efros")
    with pytest.raises(InputError, match="smaller patch"):
        synth.fill(image, ~hole((32, 30)), method="efros-leung", patch=15)


def test_on_the_command_line(run, tmp_path):
    image, mask = texture((32, 30)), hole((32, 30))
    save(tmp_path / "in.png", image)
    save(tmp_path / "mask.png", mask.astype(np.uint8) * 255)
    done = run("fill", tmp_path / "in.png", "-m", tmp_path / "mask.png", "-o",
               tmp_path / "out.png", "--method", "efros-leung")  # fmt: skip
    assert done.code == 0, done.err
    wanted = synth.fill(image, mask, method="efros-leung")
    np.testing.assert_array_equal(load(tmp_path / "out.png").pixels, wanted)
