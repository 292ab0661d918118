"""Factors after fifty iterations from stored starts, beside those of three libraries and the plain equations."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.nmf import (
    NMF,
    Activations,
    Beta,
    Euclidean,
    Given,
    Heuristic,
    ItakuraSaito,
    KullbackLeibler,
    MajorizeMinimize,
    Sparsity,
)
from tests.checks import distance

FOLDER = Path(__file__).parents[1] / "golden"
FILES = [np.load(FOLDER / f"{name}.npz") for name in ("nmf", "nimfa")]
GOLDEN = {key: array for file in FILES for key, array in file.items()}
CASES = [case for file in FILES for case in json.loads(str(file["cases"])) if case["iterations"] == 50]
DICTIONARY_FIRST = ("sklearn", "sklearn_sparse", "torchnmf")
SKLEARN = [case for case in CASES if case["family"] == "sklearn"]
V, W, H = (GOLDEN[name] for name in "VWH")


def name(case):
    return case["name"]


def divergence(beta):
    return {0: ItakuraSaito, 1: KullbackLeibler, 2: Euclidean}.get(beta, lambda: Beta(beta))()


def penalties(case):
    return (Sparsity(case["sparsity"]),) if case["sparsity"] else ()


def factorise(case, V, divergence):
    if case["family"].startswith("sklearn_activations"):
        start = Given(activations=H)
        algorithm = Activations(dictionary=W, divergence=divergence, start=start, penalties=penalties(case))
        return W, run(algorithm, V, case["iterations"]).output
    order = ("dictionary", "activations")
    algorithm = NMF(
        components=W.shape[1],
        divergence=divergence,
        start=Given(dictionary=W, activations=H),
        activations_penalties=penalties(case),
        rule=Heuristic() if case["family"] == "equations_heuristic" else MajorizeMinimize(),
        order=order if case["family"] in DICTIONARY_FIRST else order[::-1],
    )
    return tuple(run(algorithm, V, case["iterations"]).output)


def expected(case):
    return GOLDEN[f"{case['name']}/W"], GOLDEN[f"{case['name']}/H"]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_factors(case, x64):
    # torchnmf adds 1.2e-7 to numerator and denominator in each update
    tolerance = 2e-6 if case["family"] == "torchnmf" else 1e-8
    assert distance(factorise(case, V, divergence(case["beta"])), expected(case)) < tolerance


@pytest.mark.parametrize("case", [case for case in SKLEARN if case["beta"] in (0, 1, 2)], ids=name)
def test_any_beta_serves_the_special_ones(case, x64):
    assert distance(factorise(case, V, Beta(case["beta"])), expected(case)) < 1e-8


@pytest.mark.parametrize("case", SKLEARN, ids=name)
def test_single_precision_is_close(case):
    single = factorise(case, V.astype(np.float32), divergence(case["beta"]))
    assert distance(single, expected(case)) < 1e-4


@pytest.mark.parametrize("case", SKLEARN, ids=name)
def test_divergence(case, x64):
    W, H = map(jnp.asarray, expected(case))
    value = jnp.sum(divergence(case["beta"]).value(jnp.asarray(V), W @ H))
    assert value == pytest.approx(GOLDEN[f"{case['name']}/divergence"], rel=1e-12)
