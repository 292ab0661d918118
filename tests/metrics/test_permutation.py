"""The best order of the estimates, against scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from dsp_sep.metrics.permutation import FEW, best_order


@pytest.mark.parametrize("sources", [1, 2, 4, FEW, FEW + 1, 10])
def test_best_order(sources):
    score = np.random.default_rng(0).normal(size=(3, sources, sources)).astype(np.float32)
    order = jax.jit(best_order)(score)
    assert order.shape == (3, sources)
    for found, table in zip(order, score, strict=True):
        rows, columns = linear_sum_assignment(table, maximize=True)
        assert found.tolist() == columns[np.argsort(rows)].tolist()


@pytest.mark.parametrize("sources", [3, FEW + 2])
def test_infinities_and_nothing(sources):
    score = np.full((sources, sources), -20.0, np.float32)
    expected = np.roll(np.arange(sources), 1)
    score[np.arange(sources), expected] = [np.inf, *[10] * (sources - 1)]
    score[0, 0] = -np.inf
    assert best_order(jnp.asarray(score)).tolist() == expected.tolist()
    if sources <= FEW:
        assert best_order(jnp.full((sources, sources), jnp.nan)).tolist() == list(range(sources))
