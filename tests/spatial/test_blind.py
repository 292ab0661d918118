"""FastMNMF2 and FastICA beside peers from stored starts, FastICA by its equations; what theory says of them."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import nmf, run
from dsp_sep.spatial import FastICA, FastMNMF2, Logarithm, SquareRoot
from tests.checks import distance
from tests.each import marked

with np.load(Path(__file__).parents[1] / "golden" / "fast_mnmf.npz") as file:
    GOLDEN = dict(file)
CASES = json.loads(str(GOLDEN["cases"]))
with np.load(Path(__file__).parents[1] / "golden" / "fast_ica.npz") as file:
    BY_SKLEARN = dict(file)


@pytest.mark.parametrize("case", marked({case["name"]: case for case in CASES}, always={"together/2/2", "in_turn/2/3"}))
def test_fast_mnmf_equals_its_peer(case, x64):
    W, H = (GOLDEN[f"{case['name']}/{factor}"] for factor in ("dictionary", "activations"))
    algorithm = FastMNMF2(
        components=2,
        sources=case["sources"],
        order=case["order"],
        noise=1e-13,
        initial=nmf.Given(dictionary=W, activations=H),
    )
    images = run(algorithm, GOLDEN[f"mixture/{case['channels']}"], case["iterations"]).output
    assert distance(images, GOLDEN[f"{case['name']}/images"]) < 1e-7


@pytest.mark.parametrize("sources", [2, pytest.param(4, marks=pytest.mark.thorough)])
def test_the_likelihood_of_fast_mnmf_never_falls(sources, x64):
    algorithm, x = FastMNMF2(components=2, sources=sources), GOLDEN["mixture/3"]
    result = run(algorithm, x, 60, key=jax.random.key(0), record=FastMNMF2.objective)
    trace = np.asarray(result.trace)
    assert np.all(np.diff(trace) <= 1e-10 * abs(trace[0]))
    assert trace[-1] < trace[0] - 1
    assert distance(jnp.sum(result.output, axis=0), x) < 1e-10


@pytest.mark.parametrize(
    "case",
    marked(
        {case["name"]: case for case in json.loads(str(BY_SKLEARN["cases"]))},
        always={"square_root/iterations_6", "logarithm/iterations_6"},
    ),
)
def test_fast_ica_of_real_numbers_equals_its_peer(case, x64):
    contrast = {"square_root": SquareRoot(), "logarithm": Logarithm()}[case["contrast"]]
    images = run(FastICA(contrast), BY_SKLEARN["mixture"][:, None] + 0j, case["iterations"]).output
    assert distance(images[:, :, 0], BY_SKLEARN[f"{case['name']}/images"] + 0j) < 1e-7


def sources(rng, count, frames):
    """Sounds: activities that all frequencies share, and large values that are few."""
    activity = rng.gamma(0.3, 1, (count, 1, frames)) * rng.gamma(0.5, 1, (count, 4, frames))
    noise = rng.standard_normal(activity.shape) + 1j * rng.standard_normal(activity.shape)
    return np.sqrt(activity) * noise


def by_the_equations(x, derivatives, iterations):
    """Bingham and Hyvärinen (2000), equations 10 and 11, vector by vector, at one frequency."""
    values, vectors = np.linalg.eigh(x @ x.conj().T / x.shape[1])
    z = vectors @ np.diag(values**-0.5) @ vectors.conj().T @ x
    w = list(np.eye(len(x), dtype=complex))
    for _ in range(iterations):
        for j, own in enumerate(w):
            y = own.conj() @ z
            g, slope = derivatives(np.abs(y) ** 2)
            w[j] = np.mean(z * y.conj() * g, axis=1) - np.mean(g + np.abs(y) ** 2 * slope) * own
        W = np.array(w).T
        values, vectors = np.linalg.eigh(W.conj().T @ W)
        w = list((W @ vectors @ np.diag(values**-0.5) @ vectors.conj().T).T)
    return np.array(w).conj() @ z


@pytest.mark.parametrize(
    ("contrast", "derivatives"),
    marked(
        {
            "square_root": (SquareRoot(), lambda p: (0.5 * (0.1 + p) ** -0.5, -0.25 * (0.1 + p) ** -1.5)),
            "logarithm": (Logarithm(a=0.2), lambda p: (1 / (0.2 + p), -1 / (0.2 + p) ** 2)),
        },
        always={"logarithm"},
    ),
)
def test_fast_ica_by_its_equations_finds_the_sources(contrast, derivatives, x64):
    rng = np.random.default_rng(0)
    s = sources(rng, 3, 1500)
    mixing = rng.standard_normal((4, 3, 3)) + 1j * rng.standard_normal((4, 3, 3))
    x = np.einsum("fcj,jft->cft", mixing, s)
    x = x / np.sqrt(np.mean(np.abs(x) ** 2))
    prepared = (algorithm := FastICA(contrast)).prepare(jnp.asarray(x))
    state = run(algorithm, x, 5).state
    y = np.einsum("fjc,cft->jft", state, prepared.mixture)
    for f in range(4):
        assert distance(y[:, f], by_the_equations(x[:, f], derivatives, 5)) < 1e-8
    images = np.asarray(run(algorithm, x, 20).output)
    assert distance(images.sum(0), x) < 1e-10
    true = np.einsum("fcj,jft->jcft", mixing, s)
    likeness = np.abs(np.einsum("icft,jcft->ij", images, true.conj()))
    likeness /= np.linalg.norm(images.reshape(3, -1), axis=1)[:, None] * np.linalg.norm(true.reshape(3, -1), axis=1)
    assert likeness.max(0).min() > 0.97
