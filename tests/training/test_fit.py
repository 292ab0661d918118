"""The optax loop, the loss and the excerpts."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dsp_sep import data
from dsp_sep.training import NotFiniteError, excerpts, fit, negative_sdr


def quadratic(params, batch):
    return jnp.sum((params["x"] - batch) ** 2)


def test_fit_reaches_the_minimum_and_reports_each_loss():
    seen = []
    target = jnp.asarray([1.0, -2.0])
    start = {"x": jnp.zeros(2)}
    result = fit(quadratic, start, [target] * 50, optax.sgd(0.2), on_step=lambda *step: seen.append(step))
    np.testing.assert_allclose(result.params["x"], target, atol=1e-6)
    assert result.losses[0] == 5.0
    assert [number for number, _ in seen] == list(range(50))
    np.testing.assert_array_equal(result.losses, [loss for _, loss in seen])


def test_fit_traces_the_loss_once(loose_promotion):
    @chex.assert_max_traces(n=1)
    def loss(params, batch):
        return quadratic(params, batch)

    chex.clear_trace_counter()
    fit(loss, {"x": jnp.zeros(2)}, [jnp.ones(2), jnp.zeros(2), jnp.ones(2)], optax.adam(0.1))


def test_fit_stops_at_a_bad_number_and_names_it():
    with pytest.raises(NotFiniteError, match="step 1: the loss"):
        fit(quadratic, {"x": jnp.zeros(1)}, [jnp.ones(1), jnp.full(1, jnp.nan)], optax.sgd(0.1))
    with pytest.raises(NotFiniteError, match=r"step 0: the gradient of \['x'\]"):
        fit(lambda params, batch: jnp.sum(jnp.sqrt(params["x"])), {"x": jnp.zeros(1)}, [None], optax.sgd(0.1))
    with pytest.raises(ValueError, match="batches is empty"):
        fit(quadratic, {"x": jnp.zeros(1)}, [], optax.sgd(0.1))


def test_negative_sdr_is_the_measure_where_that_is_finite():
    reference, noise = jax.random.normal(jax.random.key(0), (2, 3, 2, 500))
    expected = 10 * np.log10((np.asarray(noise) ** 2).sum((1, 2)) / (np.asarray(reference) ** 2).sum((1, 2)))
    np.testing.assert_allclose(negative_sdr(reference, reference + noise), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_negative_sdr_is_finite_on_silence_and_at_a_perfect_estimate(scale):
    reference = scale * jax.random.normal(jax.random.key(0), (3, 2, 500)).at[0].set(0.0)
    for estimate in (reference, jnp.zeros_like(reference), reference + scale):
        value, gradient = jax.value_and_grad(lambda e: jnp.sum(negative_sdr(reference, e)))(estimate)
        assert jnp.isfinite(value) and jnp.all(jnp.isfinite(gradient))
    np.testing.assert_allclose(negative_sdr(reference, reference)[1:], -60, atol=3)
    assert jnp.all(
        jnp.isfinite(jax.grad(lambda e: jnp.sum(negative_sdr(jnp.zeros((1, 1, 9)), e)))(jnp.zeros((1, 1, 9))))
    )


def test_negative_sdr_rejects_other_shapes():
    with pytest.raises(ValueError, match=r"reference \(1, 2, 3\) and estimate \(1, 2, 4\)"):
        negative_sdr(jnp.zeros((1, 2, 3)), jnp.zeros((1, 2, 4)))


def test_excerpts_are_seeded_pieces_of_the_song():
    song = data.example("judge")
    pieces = list(excerpts(song, seconds=1.0, count=4, seed=3))
    again = list(excerpts(song, seconds=1.0, count=4, seed=3))
    chex.assert_trees_all_equal(pieces, again)
    assert {piece.shape for piece in pieces} == {(4, 2, song.rate)}
    assert not np.array_equal(pieces[0], pieces[1])
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(song.sources[0, 0]), 50)
    assert (windows == np.asarray(pieces[0][0, 0, :50])).all(axis=1).any()
    with pytest.raises(ValueError, match="seconds is 20"):
        next(excerpts(song, seconds=20.0, count=1, seed=0))
