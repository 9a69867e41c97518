"""One file from input to output, where the arrays alone do not tell all."""

import numpy as np
import pytest

import synth
from synth.batch import Job, Settings, fill_file
from synth.errors import InputError
from synth.files import load, save


def test_invisible_grey_is_never_copied(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (60, 80, 2), np.uint8)
    picture[..., 1] = 255
    picture[:, :30, 1] = 0
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 32:50] = 255
    save(tmp_path / "picture.png", picture)
    save(tmp_path / "mask.png", mask)
    paths = [str(tmp_path / name) for name in ("picture.png", "filled.png", "mask.png")]
    fill_file(Job(*paths), Settings())
    assert (load(paths[1]).pixels[mask > 0, 1] == 255).all()


@pytest.mark.parametrize("threads", ["0", "abc", "-3", "1.5"])
@pytest.mark.parametrize(
    "call",
    [lambda a: synth.nnf(a, a), lambda a: synth.fill(a, np.eye(20, dtype=bool))],
    ids=["nnf", "fill"],
)
def test_a_wrong_number_of_threads_is_told(monkeypatch, call, threads):
    monkeypatch.setenv("SYNTH_NUM_THREADS", threads)
    with pytest.raises(InputError, match=f"SYNTH_NUM_THREADS is '{threads}', but .* unset it"):
        call(np.zeros((20, 20), np.uint8))
