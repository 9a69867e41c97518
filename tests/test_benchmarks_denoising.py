"""The denoising benchmark measures what it says."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import denoising
from benchmarks.denoising_peers import denoising_methods, opencv, total_variation
from benchmarks.harness import MethodFailed


def test_the_noise_is_as_stated_and_never_changes():
    made = denoising.cases(quick=True)
    assert [case.group for case in made] == ["grey"] * 4 + ["colour"] * 3
    for case, again in zip(made, denoising.cases(quick=True), strict=True):
        noisy, truth = case.inputs["image"], case.truth["image"]
        np.testing.assert_array_equal(noisy, again.inputs["image"])
        middle = (truth > 100) & (truth < 155)
        assert (noisy.astype(float) - truth)[middle].std() == pytest.approx(25, abs=1)


def test_scores_need_the_right_kind_of_picture():
    case = denoising.cases(quick=True)[0]
    assert denoising.score(case, case.truth["image"])["ssim"] == 1.0
    with pytest.raises(MethodFailed, match="float64"):
        denoising.score(case, case.truth["image"].astype(float))


@pytest.mark.parametrize("number", [0, -1])
def test_peers_take_noise_off(number):
    case = denoising.cases(quick=True)[number]
    noisy = denoising.score(case, case.inputs["image"])["psnr"]
    for method in (total_variation, opencv):
        clean = method(**case.inputs, seed=0)
        assert denoising.score(case, clean)["psnr"] > noisy + 3


def test_methods_have_names_of_their_own(tmp_path):
    names = [method.name for method in denoising_methods(tmp_path / "prior.npz")]
    assert len(set(names)) == len(names)
