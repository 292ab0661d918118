"""The optax loop, the loss and the excerpts."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from dsp_sep import Checkpointed, constrain, data, run, unconstrain
from dsp_sep.nmf import Activations, reconstruct
from dsp_sep.training import (
    CheckpointError,
    DivergedError,
    NotFiniteError,
    Validation,
    excerpts,
    fit,
    negative_sdr,
)
from dsp_sep.training.step import advance


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


def test_fit_traces_the_loss_once(users_settings):
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


def test_fit_accumulates(users_settings):
    def loss(params, batch):
        return jnp.mean(jnp.sum((params["x"] - batch) ** 2, axis=-1))

    rng = np.random.default_rng(0)
    batches = [jnp.asarray(rng.standard_normal((6, 2)), np.float32) for _ in range(5)]
    whole = fit(loss, {"x": jnp.zeros(2)}, batches, optax.adam(0.1))
    parts = fit(loss, {"x": jnp.zeros(2)}, batches, optax.adam(0.1), accumulate=3)
    np.testing.assert_allclose(parts.params["x"], whole.params["x"], rtol=1e-5)
    np.testing.assert_allclose(parts.losses, whole.losses, rtol=1e-5)


def test_fit_keeps_the_best_and_stops_early():
    target = jnp.asarray([1.0, -2.0])
    scores = iter([1.0, 3.0, 2.0, 2.5, 1.0, 9.0])
    validation = Validation(lambda params: next(scores), every=2, patience=3)
    result = fit(quadratic, {"x": jnp.zeros(2)}, [target] * 50, optax.sgd(0.2), validation=validation)
    assert result.scores == [(2, 1.0), (4, 3.0), (6, 2.0), (8, 2.5), (10, 1.0)]
    assert result.losses.size == 10
    np.testing.assert_allclose(result.best["x"], target * (1 - 0.6**4), rtol=1e-5)
    np.testing.assert_allclose(result.params["x"], target * (1 - 0.6**10), rtol=1e-5)


def test_fit_stops_when_the_loss_grows():
    with pytest.raises(DivergedError, match=r"step \d+: the loss diverges .* largest gradient is that of \['x'\]"):
        fit(quadratic, {"x": jnp.zeros(1)}, [jnp.ones(1)] * 100, optax.sgd(1.05))


def test_fit_goes_on_from_its_checkpoint(tmp_path, users_settings):
    target = jnp.asarray([1.0, -2.0])
    full = fit(quadratic, {"x": jnp.zeros(2)}, [target] * 9, optax.adam(0.2))
    fit(quadratic, {"x": jnp.zeros(2)}, [target] * 5, optax.adam(0.2), folder=tmp_path, every=2)
    again = fit(quadratic, {"x": jnp.zeros(2)}, [target] * 9, optax.adam(0.2), folder=tmp_path, every=2)
    np.testing.assert_array_equal(again.params["x"], full.params["x"])
    np.testing.assert_array_equal(again.losses, full.losses)
    with pytest.raises(CheckpointError, match="is of another model or optimiser"):
        fit(quadratic, {"x": jnp.zeros(3)}, [jnp.zeros(3)] * 9, optax.adam(0.2), folder=tmp_path)


def test_memory_of_a_step_through_many_iterations(users_settings):
    """With nested checkpoints, 50 iterations within 2.5 times the memory of 5."""
    rng = np.random.default_rng(0)
    V = jnp.asarray(rng.gamma(1, 1, (257, 400)), np.float32)
    algorithm = Activations(dictionary=jnp.asarray(rng.gamma(1, 1, (257, 8)), np.float32))

    def needed(steps, gradient):
        def loss(params, V):
            H = run(constrain(params, algorithm), V, steps, gradient=gradient).output
            return jnp.mean(jnp.abs(V - reconstruct(algorithm.dictionary, H)))

        params = unconstrain(algorithm, train=("dictionary",))
        optimizer = optax.adam(0.1)
        arguments = (loss, optimizer, 1, None, params, optimizer.init(params), V)
        return advance.lower(*arguments).compile().memory_analysis().temp_size_in_bytes

    assert needed(50, Checkpointed(7)) < 2.5 * needed(5, Checkpointed(1))
