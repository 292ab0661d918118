"""What theory says of Griffin-Lim and MISI, their starts, weights, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, Momentum, run, unfold
from dsp_sep.phase import (
    MISI,
    Given,
    GivenWeights,
    GriffinLim,
    MagnitudeRatio,
    MixtureFirstMISI,
    MixturePhase,
    MixtureShare,
    RandomPhase,
    Uniform,
    ZeroPhase,
    consistent,
    project_magnitude,
    project_mixture,
)
from tests.cases import CHANNELS, SAMPLES, SOURCES, magnitudes, separation, stft
from tests.checks import distance, identical

KEY = jax.random.key(0)


@pytest.mark.parametrize("weight", [Uniform, MagnitudeRatio], ids=["uniform", "ratio"])
@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: Momentum(a, 0.9)], ids=["plain", "momentum"])
def test_misi_sums_to_the_mixture(weight, wrap, x64):
    mixture, A = separation()
    sources = run(wrap(MISI(stft(), mixture_weight=weight())), (mixture, A), 5).output
    assert sources.shape == A.shape == (SOURCES, CHANNELS, *mixture.shape[-2:])
    assert distance(sources.sum(-4), mixture) < 1e-13


def test_mixture_first_has_the_magnitudes(x64):
    mixture, A = separation()
    assert distance(jnp.abs(run(MixtureFirstMISI(stft()), (mixture, A), 5).output), A) < 1e-13


def test_the_two_orders_are_one_cycle_with_equal_weights(x64):
    mixture, A = separation()
    X = jnp.expand_dims(mixture, -4)
    start = MixturePhase()(jnp.asarray(A), X, None)
    after = project_magnitude(consistent(start, stft()), jnp.asarray(A))
    other = run(MixtureFirstMISI(stft(), start=Given(after)), (mixture, A), 4).output
    assert distance(run(MISI(stft()), (mixture, A), 5).output, project_mixture(other, X, 1 / SOURCES)) < 1e-12
    ratio = MagnitudeRatio(1.0)
    weights = ratio(jnp.asarray(A))
    other = run(MixtureFirstMISI(stft(), start=Given(after), mixture_weight=ratio), (mixture, A), 4).output
    misi = run(MISI(stft(), mixture_weight=ratio), (mixture, A), 5).output
    assert distance(misi, project_mixture(other, X, weights)) > 1e-3


def test_true_spectrograms_are_fixed_points(x64):
    rng = np.random.default_rng(0)
    sources = stft().analyze(jnp.asarray(rng.standard_normal((SOURCES, CHANNELS, SAMPLES))))
    data = sources.sum(0), jnp.abs(sources)
    for kind in (MISI, MixtureFirstMISI):
        result = run(kind(stft(), start=Given(sources)), data, 3, record=kind.objective)
        assert distance(result.output, sources) < 1e-12
        assert result.trace[-1] < 1e-20
    single = sources[0, 0]
    result = run(GriffinLim(stft(), start=Given(single)), jnp.abs(single), 3, record=GriffinLim.objective)
    assert distance(result.output, single) < 1e-12 and result.trace[-1] < 1e-20


def test_momentum_finds_more_consistent_spectrograms():
    A = magnitudes()
    plain = run(GriffinLim(stft()), A, 60, key=KEY, record=GriffinLim.objective)
    fast = run(Momentum(GriffinLim(stft()), 0.99), A, 60, key=KEY, record=Momentum.objective)
    assert fast.trace[-1] < 0.9 * plain.trace[-1]


def test_weights():
    _, A = separation((2,))
    A = jnp.asarray(A)
    np.testing.assert_allclose(Uniform()(A), 1 / SOURCES)
    np.testing.assert_allclose(MagnitudeRatio(0.0)(A), 1 / SOURCES, rtol=1e-6)
    np.testing.assert_allclose(MagnitudeRatio(2.0)(A), A**2 / jnp.sum(A**2, -4, keepdims=True), rtol=1e-5)
    per_source = MagnitudeRatio(np.ones((SOURCES, 1, 1, 1)))
    np.testing.assert_allclose(per_source(A), MagnitudeRatio(1.0)(A), rtol=1e-6)
    assert GivenWeights(np.ones((SOURCES, 1, 1, 1)))(A).shape == (1, SOURCES, 1, 1, 1)


def test_starts():
    mixture, A = (jnp.asarray(array) for array in separation())
    X = jnp.expand_dims(mixture, -4)
    phase = MixturePhase()(A, X, None)
    assert distance(jnp.abs(phase), A) < 1e-6
    assert distance(jnp.angle(phase), jnp.broadcast_to(jnp.angle(X), A.shape)) < 1e-5
    assert distance(MixtureShare()(A, X, None).sum(0), mixture) < 1e-6
    drawn = RandomPhase()(A, X, KEY)
    assert distance(jnp.abs(drawn), A) < 1e-6
    assert abs(jnp.mean(jnp.sign(drawn))) < 0.05 and not identical(drawn, RandomPhase()(A, X, jax.random.key(1)))
    assert identical(ZeroPhase()(A, X, None).real, A)


def test_layers_learn_the_weights(x64):
    rng = np.random.default_rng(0)
    gains = np.array([1.0, 0.3, 0.1]).reshape(SOURCES, 1, 1)
    sources = stft().analyze(jnp.asarray(gains * rng.standard_normal((SOURCES, CHANNELS, SAMPLES))))
    data = sources.sum(0), jnp.abs(sources)

    def loss(exponent):
        layers = unfold(MISI(stft(), mixture_weight=MagnitudeRatio(exponent)), 3)
        return jnp.mean(jnp.abs(run(layers, data).output - sources) ** 2)

    gradient = jax.jit(jax.grad(loss))
    exponent = 0.0
    for _ in range(5):
        exponent = exponent - 0.05 * jnp.sign(gradient(exponent))
    assert loss(exponent) < 0.98 * loss(0.0)


def test_what_is_refused():
    mixture, A = separation()

    def message(algorithm, data, **options):
        with pytest.raises(ValueError) as error:
            run(algorithm, data, 1, **options)
        return str(error.value)

    assert (
        "MISI: magnitudes have shape (2, 17, 19) and dtype float32, expected real (..., sources, channels"
        in message(MISI(stft()), (mixture, A[0]))
    )
    assert "MISI: the mixture has shape (17, 19) and dtype complex64, expected complex (2, 17, 19)" in message(
        MISI(stft()), (mixture[0], A)
    )
    assert "MixtureFirstMISI: the mixture has shape (2, 17, 19) and dtype float32, expected complex" in message(
        MixtureFirstMISI(stft()), (abs(mixture), A)
    )
    assert "GriffinLim: magnitudes have shape (2, 17, 19) and dtype complex64, expected real" in message(
        GriffinLim(stft()), mixture
    )
    assert "a random start needs a key: pass key=jax.random.key(seed)" in message(GriffinLim(stft()), A)
    assert "MixturePhase needs a mixture, and this algorithm has none" in message(
        GriffinLim(stft(), start=MixturePhase()), A
    )
    assert "Given: spectrogram has shape (2, 17, 19) and dtype complex64, expected complex (3, 2, 17, 19)" in message(
        MISI(stft(), start=Given(mixture)), (mixture, A)
    )
    assert "5 frequencies (n_fft = 8" in message(GriffinLim(STFT(n_fft=8, hop=2)), A, key=KEY)
    assert "length 30 has 4 frames, the spectrogram 19" in message(GriffinLim(stft(), length=30), A, key=KEY)
