"""The demo's pipeline on small settings: what it claims holds on the part nothing was learned from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import data
from dsp_sep.cli.demo import Plan, measures, separate_example
from dsp_sep.pytree import load, save

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def outcome():
    plan = Plan(
        n_fft=2048,
        components=8,
        dictionary_steps=30,
        iterations=5,
        inversions=2,
        sparsities=(1e-3, 0.3),
        exponents=(1.0,),
        weights=(0.0, 1.0),
        steps=12,
        seconds=1.0,
    )
    with jax.numpy_dtype_promotion("standard"):  # optax promotes
        return separate_example(plan, lambda items, description, total=None: items)


def test_trained_chain_beats_all_but_the_oracle(outcome):
    methods, _, _ = outcome
    song = data.example("judge")
    for measure in ("SI-SDR", "SDR"):
        mean = {m: np.mean([v[measure] for v in measures(song, s).values()]) for m, s in methods.items()}
        assert mean["oracle mask"] > mean["trained"]
        rivals = ("mixture", "classic, no MISI", "classic", "classic, grid search")
        assert mean["trained"] > max(mean[rival] for rival in rivals) + 0.2


def test_stems_sum_to_the_mixture(outcome):
    methods, _, _ = outcome
    mixture = data.example("judge").mixture
    for method in ("classic", "trained"):
        np.testing.assert_allclose(jnp.sum(methods[method], 0), mixture, atol=2e-6)


def test_model_file_holds_the_whole_chain(outcome, tmp_path):
    methods, models, losses = outcome
    assert losses.shape == (12,) and np.isfinite(losses).all()
    save(tmp_path / "model.npz", models["model"])
    stems = load(tmp_path / "model.npz")(data.example("judge").mixture)
    np.testing.assert_array_equal(stems, methods["trained"])
