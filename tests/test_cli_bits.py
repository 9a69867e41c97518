"""``synth bits``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_efros_leung import texture

import synth
from synth.files import load, save


def files(folder):
    save(folder / "image.png", texture((20, 22), 1))
    save(folder / "exemplar.png", texture((30, 30)))
    return folder / "image.png", "--exemplar", folder / "exemplar.png"


def test_bits_are_those_of_the_model(run, tmp_path):
    arguments = files(tmp_path)
    out = tmp_path / "map.png"
    done = run("bits", *arguments, "--json", "--map", out)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    model = synth.EfrosLeung(7, weighting="softmax_relative", temperature=0.3)
    image = load(arguments[0]).pixels
    wanted = model.fit(load(arguments[2]).pixels).bits_per_dim(image)
    assert told["bits_per_dim"] == pytest.approx(wanted)
    assert load(out).pixels.shape == image.shape
    assert float(run("bits", *arguments).out) == round(wanted, 4)


def test_a_like_texture_takes_fewer_bits_than_noise(run, tmp_path):
    arguments = files(tmp_path)
    noisy = np.random.default_rng(0).integers(0, 256, (20, 22), np.uint8)
    save(tmp_path / "noise.png", noisy)
    like = float(run("bits", *arguments).out)
    unlike = float(run("bits", tmp_path / "noise.png", *arguments[1:]).out)
    assert like < unlike - 1


def test_a_picture_beside_itself_is_warned_of(run, tmp_path):
    image, *more = files(tmp_path)
    done = run("bits", image, "--exemplar", image)
    assert done.code == 0
    assert "every pixel finds itself" in done.err
    assert float(done.out) < float(run("bits", image, *more).out)


def test_mistakes_are_told(run, tmp_path):
    arguments = files(tmp_path)
    save(tmp_path / "colour.png", texture((20, 20, 3)))
    wrong = run("bits", tmp_path / "colour.png", *arguments[1:])
    assert wrong.code == 1
    assert "same type and channels" in wrong.err
    assert run("bits", arguments[0]).code == 2
    assert run("bits", *arguments, "--window", 4).code == 1
    wide = run("bits", *arguments, "--window", 35)
    assert wide.code == 1
    assert "a smaller window (or EfrosLeung(borders='masked') in Python)" in wide.err
    save(tmp_path / "there.png", texture((4, 4)))
    assert run("bits", *arguments, "--map", tmp_path / "there.png").code == 1
