"""Gradients of fixed points: against unrolling to convergence, against optimistix; where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, BestSoFar, Implicit, Momentum, RelativeChange, Status, run, run_until, unfold
from dsp_sep.iterate import GMRES, Accelerated, Algorithm, Neumann, NoFixedPointError
from dsp_sep.nmf import NMF, Activations, Energy, Euclidean, Factors, KullbackLeibler, Sparsity
from dsp_sep.numerics import matmul, scale, square_magnitude
from dsp_sep.phase import MISI, Anisotropic, Circular, ConsistentWiener, GriffinLim, ZeroPhase
from dsp_sep.pytree import Number, domains, hyper, node
from tests.cases import dictionary, magnitudes, separation, spectrogram, stft
from tests.checks import distance
from tests.each import marked

GOLDEN = Path(__file__).parents[1] / "golden" / "implicit.npz"
TIGHT = RelativeChange(1e-14)
SOLVERS = [Neumann(1e-12, 20_000), GMRES(1e-12)]
NEUMANN, GMRES_ = SOLVERS


@node
class Contraction(Algorithm):
    """`z ← b + g z / √(1 + |z|²) exp(i g)`: complex, and not linear in a complex sense."""

    gain: Number = hyper(domain=domains.REAL)

    def init(self, data, *, key=None):
        return jnp.zeros_like(data)

    def update(self, state, data):
        turned = scale(self.gain / jnp.sqrt(1 + square_magnitude(state)), state)
        return data + turned * jax.lax.complex(jnp.cos(self.gain), jnp.sin(self.gain))


@node
class Counted(Contraction):
    """With an integer beside the state."""

    def init(self, data, *, key=None):
        return super().init(data), jnp.zeros((), jnp.int32)

    def update(self, state, data):
        return super().update(state[0], data), state[1]

    def readout(self, state, data):
        return state[0]


def activations(divergence, penalty):
    return Activations(dictionary=dictionary(), divergence=divergence, penalties=(penalty,))


def weighted(tree):
    """A number that every entry of a tree counts in, complex ones with both parts."""
    rng, total = np.random.default_rng(5), 0.0
    for leaf in jax.tree.leaves(tree):
        for part in (leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,):
            total = total + jnp.sum(part**2 * rng.standard_normal(part.shape))
    return total


def implicit(algorithm, data, solver=SOLVERS[0], loss=weighted, stop=TIGHT, **options):
    """The gradients by algorithm and data, and by the probe."""

    def value(algorithm, data, probe):
        return loss(
            run_until(
                algorithm, data, stop, max_steps=200_000, gradient=Implicit(solver), probe=probe, **options
            ).output
        )

    *found, error = jax.jit(jax.grad(value, argnums=(0, 1, 2)))(algorithm, data, 0.0)
    return found, float(error)


def unrolled(algorithm, data, steps, loss=weighted, **options):
    def value(algorithm, data):
        return loss(run(algorithm, data, steps, **options).output)

    return list(jax.jit(jax.grad(value, argnums=(0, 1)))(algorithm, data))


def wiener(prior):
    """Consistent Wiener filtering with variances that are not those of the sources."""
    rng, transform = np.random.default_rng(0), STFT(n_fft=8, hop=2)
    S = np.asarray(transform.analyze(rng.standard_normal((2, 1, 24))))
    magnitudes = abs(S) * np.exp(0.3 * rng.standard_normal(S.shape)) + 0.1
    return ConsistentWiener(transform, prior=prior), (jnp.asarray(S.sum(0)), jnp.asarray(magnitudes))


PROBLEMS = {
    "beta_1_l1": (lambda: (activations(KullbackLeibler(), Sparsity(0.3)), jnp.asarray(spectrogram())), 12_000, SOLVERS),
    "beta_1_l2": (lambda: (activations(KullbackLeibler(), Energy(0.3)), jnp.asarray(spectrogram())), 12_000, [NEUMANN]),
    "beta_2_l1": (lambda: (activations(Euclidean(), Sparsity(0.3)), jnp.asarray(spectrogram())), 12_000, [NEUMANN]),
    "beta_2_l2": (lambda: (activations(Euclidean(), Energy(0.3)), jnp.asarray(spectrogram())), 12_000, [GMRES_]),
    "consistent_wiener": (lambda: wiener(Circular()), 150, [GMRES_]),
    "anisotropic_wiener": (lambda: wiener(Anisotropic(0.8)), 150, [NEUMANN]),
}


@pytest.mark.parametrize("name", marked({name: name for name in PROBLEMS}, always={"beta_1_l1"}))
def test_against_unrolling(name, x64):
    make, steps, solvers = PROBLEMS[name]
    algorithm, data = make()
    expected = unrolled(algorithm, data, steps)
    for solver in solvers:
        found, error = implicit(algorithm, data, solver)
        assert distance(found, expected) < 1e-5
        assert error < 1e-9


@pytest.mark.parametrize(
    ("divergence", "solver"),
    [pytest.param(KullbackLeibler(), GMRES_, marks=pytest.mark.thorough), (Euclidean(), NEUMANN)],
)
def test_blind_factorisation_against_unrolling(divergence, solver, x64):
    algorithm, V = NMF(components=2, divergence=divergence), jnp.asarray(spectrogram()[:8, :9])
    model = lambda factors: weighted(matmul(*factors))  # noqa: E731 - what the common scale has no part in
    found, error = implicit(algorithm, V, solver, loss=model, key=jax.random.key(1))
    expected = unrolled(algorithm, V, 3000, loss=model, key=jax.random.key(1))
    assert distance(found[1], expected[1]) < 1e-5
    assert error < 1e-9


def normalised(factors: Factors):
    sums = jnp.sum(factors.dictionary, axis=-2, keepdims=True)
    return weighted(Factors(factors.dictionary / sums, sums.swapaxes(-1, -2) * factors.activations))


@pytest.mark.thorough
def test_factors_are_normalised_so_that_each_has_a_derivative(x64):
    W = [[3, 0], [2, 0], [1, 0], [2, 1], [1, 2], [0, 1], [0, 2], [0, 3.0]]
    H = [[2, 1, 3, 0, 0, 1, 2, 1, 0], [0, 0, 0, 2, 1, 1, 1, 3, 1.0]]  # zeros that determine both factors
    V = jnp.asarray((np.matmul(W, H) + 0.02) * np.random.default_rng(0).gamma(8, 1 / 8, (8, 9)))
    algorithm, key = NMF(components=2, divergence=Euclidean()), jax.random.key(1)
    (_, found), error = implicit(algorithm, V, GMRES_, loss=normalised, key=key)
    assert distance(found, unrolled(algorithm, V, 3000, loss=normalised, key=key)[1]) < 1e-5
    assert error < 1e-9


@pytest.mark.thorough
def test_factors_that_are_not_determined_are_told_by_the_probe(x64):
    V = jnp.asarray(spectrogram()[:8, :9])  # without zeros a small mixing matrix between W and H changes nothing
    _, error = implicit(NMF(components=2), V, NEUMANN, loss=normalised, key=jax.random.key(1))
    assert error > 1e-2


@pytest.mark.parametrize(("kind", "solver"), [(Contraction, GMRES_), (Counted, NEUMANN)])
def test_complex_state_against_unrolling(kind, solver, x64):
    rng = np.random.default_rng(3)
    b = jnp.asarray(rng.standard_normal((4, 3)) + 1j * rng.standard_normal((4, 3)))
    algorithm = kind(gain=0.7)
    found, error = implicit(algorithm, b, solver)
    assert distance(found, unrolled(algorithm, b, 300)) < 1e-9
    assert error < 1e-11


@pytest.mark.parametrize("solver", marked({"neumann": NEUMANN, "gmres": GMRES_}, always={"neumann"}))
def test_against_optimistix_and_lineax(solver, x64):
    with np.load(GOLDEN) as golden:
        algorithm = Activations(dictionary=golden["W"], penalties=(Sparsity(golden["weight"]),))
        loss = lambda H: jnp.sum(golden["readout"] * H**2)  # noqa: E731
        (found, _), _ = implicit(algorithm, golden["V"], solver, loss=loss)
        assert distance(found.dictionary, golden["by_W"]) < 1e-8
        assert distance(found.penalties[0].weight, golden["by_weight"]) < 1e-8

        linear = lambda z: jnp.sum((jnp.conj(golden["c"]) * z).real)  # noqa: E731
        (found, by_b), _ = implicit(Contraction(gain=golden["gain"]), golden["b"], solver, loss=linear)
        assert distance(found.gain, golden["by_gain"]) < 1e-10
        assert distance(by_b, golden["by_b"]) < 1e-10


def test_momentum_is_no_part_of_the_equation(x64):
    b = jnp.asarray(np.random.default_rng(3).standard_normal(5) + 0j)
    plain, _ = implicit(Contraction(gain=0.7), b)
    for wrapper, own in (
        (Momentum(Contraction(gain=0.7), 0.3), "momentum"),
        (Accelerated(Contraction(gain=0.7), alpha=0.3, beta=0.3), "alpha"),
    ):
        found, error = implicit(wrapper, b)
        assert distance((found[0].algorithm, found[1]), tuple(plain)) < 1e-9
        assert getattr(found[0], own) == 0 and error < 1e-11


def test_vmap_equals_a_loop(x64):
    V = jnp.asarray(spectrogram((3,)))
    weights = jnp.asarray([0.1, 0.3, 1.0])

    def gradient(weight, V, probe=0.0):
        def loss(weight, probe):
            algorithm = activations(KullbackLeibler(), Sparsity(weight))
            result = run_until(algorithm, V, TIGHT, max_steps=100_000, gradient=Implicit(SOLVERS[0]), probe=probe)
            return weighted(result.output)

        return jax.grad(loss, argnums=(0, 1))(weight, probe)

    together, errors = jax.jit(jax.vmap(gradient))(weights, V)
    alone = jnp.stack([jax.jit(gradient)(weight, v)[0] for weight, v in zip(weights, V, strict=True)])
    assert distance(together, alone) < 1e-9
    assert errors.shape == (3,) and jnp.all(errors < 1e-6)


def test_how_far_from_converged_is_said(x64):
    algorithm, V = activations(KullbackLeibler(), Sparsity(0.3)), jnp.asarray(spectrogram())

    def solve(probe, stop, solver):
        result = run_until(algorithm, V, stop, max_steps=100_000, gradient=Implicit(solver), probe=probe)
        return weighted(result.output), result

    distances, errors = [], []
    for tolerance, solver in ((1e-3, Neumann(1e-30, 5)), (1e-12, Neumann(1e-30, 50))):
        error, result = jax.grad(solve, has_aux=True)(0.0, RelativeChange(tolerance), solver)
        assert int(result.status) == Status.CONVERGED
        distances.append(float(result.distance))
        errors.append(float(error))
    assert 1e-5 < distances[0] < 1e-3 and distances[1] < 1e-12
    assert errors[1] < errors[0] < 1 and errors[0] > 1e-3
    assert run_until(algorithm, V, TIGHT, max_steps=2).distance is None


def test_memory_does_not_depend_on_the_iterations():
    algorithm, V = activations(KullbackLeibler(), Sparsity(0.3)), jnp.tile(jnp.asarray(spectrogram()), (1, 50))
    stop = RelativeChange(1e-30)

    def needed(many):
        def loss(algorithm):
            return jnp.sum(run_until(algorithm, V, stop, max_steps=many, gradient=Implicit()).output)

        return jax.jit(jax.grad(loss)).lower(algorithm).compile().memory_analysis().temp_size_in_bytes

    def through(steps):
        loss = lambda algorithm: jnp.sum(run(algorithm, V, steps).output)  # noqa: E731
        return jax.jit(jax.grad(loss)).lower(algorithm).compile().memory_analysis().temp_size_in_bytes

    assert needed(1000) == needed(10) < through(50)


def test_silence_has_a_finite_gradient():
    V = jnp.zeros((12, 5))
    algorithm = activations(KullbackLeibler(), Sparsity(0.3))
    loss = lambda algorithm: jnp.sum(  # noqa: E731
        run_until(algorithm, V, RelativeChange(1e-4), max_steps=50, gradient=Implicit()).output
    )
    gradient = jax.jit(jax.grad(loss))(algorithm)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize(
    ("algorithm", "data", "name"),
    [
        (lambda: GriffinLim(stft(), start=ZeroPhase()), magnitudes, "GriffinLim"),
        (lambda: Momentum(GriffinLim(stft(), start=ZeroPhase()), 0.9), magnitudes, "GriffinLim"),
        (lambda: MISI(stft()), separation, "MISI"),
        (lambda: BestSoFar(MISI(stft())), separation, "BestSoFar"),
    ],
)
def test_what_has_no_isolated_fixed_point_is_refused(algorithm, data, name):
    with pytest.raises(NoFixedPointError, match=name):
        run_until(algorithm(), data(()), RelativeChange(1e-3), max_steps=3, gradient=Implicit())


def test_only_run_until_has_a_fixed_point():
    algorithm = activations(Euclidean(), Sparsity(0.3))
    with pytest.raises(TypeError, match="Implicit cannot serve; see run_until"):
        run(algorithm, spectrogram(), 3, gradient=Implicit())
    with pytest.raises(TypeError, match="got an Unfolded"):
        run_until(unfold(algorithm, 3), spectrogram(), TIGHT, max_steps=3, gradient=Implicit())


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "solver"), [(Contraction, GMRES_), (Counted, NEUMANN)])
def test_forward_mode_and_second_derivatives_against_unrolling(kind, solver, x64):
    b = jnp.asarray(np.random.default_rng(3).standard_normal((2, 4)) + 0.5j)

    def by(solve):
        value = lambda gain: weighted(solve(kind(gain=gain)).output)  # noqa: E731
        derivatives = (jax.jacfwd(value), jax.jacfwd(jax.grad(value)), jax.grad(jax.grad(value)))
        return jnp.stack(jax.jit(lambda gain: [derivative(gain) for derivative in derivatives])(0.7))

    found = by(lambda algorithm: run_until(algorithm, b, TIGHT, max_steps=300, gradient=Implicit(solver)))
    assert distance(found, by(lambda algorithm: run(algorithm, b, 100))) < 1e-9


def test_a_second_gradient_does_not_trace_again():
    traced = []

    @node
    class Traced(Contraction):
        def residual(self, state, data):
            traced.append(self)
            return super().residual(state, data)

    b, stop = jnp.ones(3, complex), RelativeChange(1e-4)
    gradient = jax.grad(lambda a: jnp.sum(run_until(a, b, stop, max_steps=30, gradient=Implicit()).output.real))
    gradient(Traced(gain=0.7))
    before = len(traced)
    gradient(Traced(gain=0.6))
    assert len(traced) == before > 0


@pytest.mark.thorough
def test_a_sharded_batch_gives_the_same(tmp_path):
    code = """
import jax, jax.numpy as jnp, numpy as np
from dsp_sep import Implicit, RelativeChange, run_until
from dsp_sep.nmf import Activations, Energy, Sparsity

rng = np.random.default_rng(0)
algorithm = Activations(dictionary=rng.gamma(1.0, 1.0, (9, 3)), penalties=(Sparsity(0.3),))
V = rng.gamma(1.0, 1.0, (4, 9, 6)).astype(np.float32)
stop = RelativeChange(1e-6)

@jax.jit
def gradient(algorithm, V):
    return jax.grad(
        lambda a, V: jnp.sum(run_until(a, V, stop, max_steps=2000, gradient=Implicit()).output ** 2), argnums=(0, 1)
    )(algorithm, V)

mesh = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
sharded = gradient(algorithm, jax.device_put(V, jax.NamedSharding(mesh, jax.P("batch"))))
assert len(sharded[1].sharding.device_set) == 2
for a, b in zip(jax.tree.leaves(sharded), jax.tree.leaves(gradient(algorithm, V))):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
"""
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), environment.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
