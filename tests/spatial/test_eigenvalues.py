"""Eigenvalues of small Hermitian matrices, against LAPACK's."""

import jax
import numpy as np
import pytest

from dsp_sep.spatial.eigenvalues import eigenvalues

SPECTRA = {
    "of rank one": lambda n: np.eye(n)[0],
    "equal": np.ones,
    "of two values": lambda n: np.where(np.arange(n) < n // 2, 1, 0.1),
    "nearly equal": lambda n: 1 + 1e-9 * np.arange(n),
    "of all sizes": lambda n: 100.0 ** -np.arange(n),
    "of both signs": lambda n: np.linspace(-1, 1, n),
    "zero": np.zeros,
}


def matrices(n, dtype):
    """Forty of each kind, turned at random, at several scales."""
    rng = np.random.default_rng(n)
    normal = rng.standard_normal((len(SPECTRA), 40, n, n, 2)) @ [1, 1j]
    unitary = np.linalg.qr(normal)[0]
    values = np.stack([spectrum(n) for spectrum in SPECTRA.values()])[:, None, None]
    A = (unitary * values) @ unitary.conj().swapaxes(-1, -2) * 10.0 ** rng.integers(-6, 6, (1, 40, 1, 1))
    A = np.concatenate([A, normal[:1] + normal[:1].conj().swapaxes(-1, -2)])
    return (A / 2 + A.conj().swapaxes(-1, -2) / 2).astype(dtype)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8])
def test_as_lapack(n, dtype, x64):
    A, eps = matrices(n, dtype), np.finfo(dtype).eps
    values, V = map(np.asarray, jax.jit(eigenvalues)(A))
    expected = np.linalg.eigvalsh(A.astype(np.complex128))
    unit = np.maximum(np.abs(expected).max(axis=-1, keepdims=True), 1e-30)
    assert values.dtype == A.real.dtype and V.dtype == dtype
    assert np.abs((values - expected) / unit).max() < 60 * eps
    adjoint = V.conj().swapaxes(-1, -2)
    assert np.abs(adjoint @ V - np.eye(n)).max() < 60 * eps
    assert np.abs((V * values[..., None, :] @ adjoint - A) / unit[..., None]).max() < 60 * eps
    assert (np.diff(values) >= 0).all()


def test_a_diagonal_matrix_stays():
    values, V = eigenvalues(np.diag([3, 1, 2]).astype(np.complex64))
    np.testing.assert_array_equal(values, [1, 2, 3])
    np.testing.assert_array_equal(V, np.eye(3)[:, [1, 2, 0]])


def test_no_lapack_in_the_program():
    program = jax.jit(eigenvalues).lower(np.eye(4, dtype=np.complex64)).compile().as_text()
    assert "custom-call" not in program
