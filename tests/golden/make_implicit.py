"""Gradients of a fixed point by optimistix and lineax, of an iteration written down here.

    pip install jax==0.10.2 optimistix==0.1.0 lineax==0.1.1
    python tests/golden/make_implicit.py

Multiplicative updates of activations for the Kullback-Leibler divergence with an L1 penalty (Févotte and Idier, 2011),
`h ← h · Wᵀ(v / Wh) / (Wᵀ1 + λ)`, and a complex contraction with magnitudes in it, which is not complex-linear.
"""

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix
from archive import save

jax.config.update("jax_enable_x64", True)


def solve(step, start, parameters):
    adjoint = optimistix.ImplicitAdjoint(lineax.GMRES(rtol=1e-13, atol=1e-13))
    solver = optimistix.FixedPointIteration(rtol=1e-14, atol=1e-14)
    return optimistix.fixed_point(step, solver, start, parameters, adjoint=adjoint, max_steps=200_000).value


def activations(W, weight, V, start, readout):
    def step(H, parameters):
        W, weight = parameters
        return H * (W.T @ (V / (W @ H))) / (W.T @ jnp.ones_like(V) + weight)

    return jnp.sum(readout * solve(step, start, (W, weight)) ** 2)


def contraction(b, gain, start, readout):
    def step(pair, parameters):  # as parts: of complex numbers optimistix says that it may be wrong
        (b, gain), z = parameters, pair[0] + 1j * pair[1]
        z = b + gain * z / jnp.sqrt(1 + jnp.abs(z) ** 2) * jnp.exp(1j * gain)
        return jnp.stack([z.real, z.imag])

    real, imaginary = solve(step, jnp.stack([start.real, start.imag]), (b, gain))
    return jnp.sum(readout.real * real + readout.imag * imaginary)


def main():
    rng = np.random.default_rng(11)
    W, V = rng.gamma(1.0, 1.0, (9, 3)) + 0.1, rng.gamma(2.0, 1.0, (9, 5))
    start, readout, weight = np.ones((3, 5)), rng.standard_normal((3, 5)), np.asarray(0.3)
    by_W, by_weight = jax.grad(activations, argnums=(0, 1))(W, weight, V, start, readout)
    b = rng.standard_normal(6) + 1j * rng.standard_normal(6)
    c = rng.standard_normal(6) + 1j * rng.standard_normal(6)
    gain = np.asarray(0.4)
    by_b, by_gain = jax.grad(contraction, argnums=(0, 1))(b, gain, np.zeros(6, complex), c)
    arrays = {"W": W, "V": V, "readout": readout, "weight": weight, "by_W": by_W, "by_weight": by_weight}
    arrays |= {"b": b, "c": c, "gain": gain, "by_b": by_b, "by_gain": by_gain}
    save("implicit", arrays, [], ["jax", "optimistix", "lineax"])


if __name__ == "__main__":
    main()
