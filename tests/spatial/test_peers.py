"""Multichannel Wiener filtering beside norbert and Open-Unmix, from the same mixtures and magnitudes."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.spatial import LogitMask, MixturePhase, Residual, Softmask, WienerRefinement
from tests.checks import distance
from tests.each import marked

with np.load(Path(__file__).parents[1] / "golden" / "spatial.npz") as file:
    GOLDEN = dict(file)
CASES = [case for case in json.loads(str(GOLDEN["cases"])) if case["iterations"] > 2 or case["channels"] == 2]


def refined(case, real=np.float64, dtype=np.complex128, **options):
    if case["name"].startswith("norbert"):
        start, eps = Softmask(), np.finfo(np.float64).eps
    else:
        start, eps = Softmask() if case["softmask"] else MixturePhase(), 1e-10
        start = Residual(start) if case["residual"] else start
    algorithm = WienerRefinement(start=start, eps=eps, **options)
    data = GOLDEN[f"mixture/{case['channels']}"].astype(dtype), GOLDEN[f"magnitudes/{case['channels']}"].astype(real)
    separate = jax.jit(lambda algorithm, data: run(algorithm, data, case["iterations"]).output)
    return separate(algorithm, data), GOLDEN[f"{case['name']}/images"]


@pytest.mark.parametrize(
    "case",
    marked(
        {case["name"]: case for case in CASES},
        always={
            "norbert/channels_2/iterations_4",
            "norbert/channels_3/iterations_4",
            "openunmix/softmask_True/residual_True",
            "openunmix/softmask_False/residual_False",
        },
    ),
)
def test_equal(case, x64):
    assert distance(*refined(case)) < 1e-7


@pytest.mark.parametrize("case", [case for case in CASES if case["channels"] == 3], ids=lambda case: case["name"])
def test_equal_in_blocks(case, x64):
    assert distance(*refined(case, block=4)) < 1e-7


def test_masks_by_a_logit(x64):
    start = LogitMask()
    assert (float(start.threshold), float(start.slope), float(start.exponent)) == (0.6, 15, 1)
    assert distance(start(GOLDEN["mixture/2"], GOLDEN["magnitudes/2"]), GOLDEN["norbert/logit/images"]) < 1e-12


def test_equal_in_single_precision():
    images, expected = refined(CASES[-1], np.float32, np.complex64)
    assert images.dtype == np.complex64
    assert distance(images, expected) < 1e-3
