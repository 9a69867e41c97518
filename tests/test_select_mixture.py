"""How many components, and of which covariance."""

from __future__ import annotations

import numpy as np
import pytest

import synth
from synth.errors import InputError


def test_criteria_count_the_parameters():
    x = np.random.default_rng(0).normal(size=(600, 3))
    model = synth.GaussianMixture(2).fit(x)
    free = 1 + 2 * 3 + 2 * 6
    total = model.log_prob(x).sum()
    assert model.aic(x) == pytest.approx(2 * free - 2 * total)
    assert model.bic(x) == pytest.approx(free * np.log(600) - 2 * total)


@pytest.mark.parametrize("by", ["bic", "held-out"])
def test_selection_finds_the_clouds(by):
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(c, [1, 0.2], (150, 2)) for c in (-6, 0, 6)])
    found = synth.select_mixture(x, components=[1, 2, 3, 5], by=by, restarts=3)
    assert len(found.trials) == 16
    assert found.best.components == 3 or by == "held-out"
    assert found.best.covariance != "spherical"
    assert found.model.components == found.best.components
    if by == "bic":
        assert found.best.value == pytest.approx(found.model.bic(x))


def test_selection_errors():
    for options in ({"by": "luck"}, {"components": []}, {"covariances": []}):
        with pytest.raises(InputError):
            synth.select_mixture(np.eye(3), **options)
    with pytest.raises(InputError, match="too few to hold"):
        synth.select_mixture([[1.0], [2.0]], by="held-out")
