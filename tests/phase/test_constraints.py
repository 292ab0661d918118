"""The algorithms with soft and hard constraints: beside their authors' code, and what theory says of them."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, phase, run
from dsp_sep.phase import GivenWeights, InconsHardMix, MagInconsHardMix, MagnitudeRatio, MixIncons, MixInconsHardMag
from tests.cases import separation, stft
from tests.checks import distance

GOLDEN = {name: dict(np.load(Path(__file__).parents[1] / "golden" / f"{name}.npz")) for name in ("misi", "constraints")}
WEIGHTED = (MixIncons, MixInconsHardMag, MagInconsHardMix)


@pytest.mark.parametrize("case", json.loads(str(GOLDEN["constraints"]["cases"])), ids=lambda case: case["name"])
def test_equal_to_the_authors_code(case, x64):
    kind = getattr(phase, case["name"].split("/")[0])
    options = {"consistency_weight": case["sigma"]} if kind in WEIGHTED else {}
    data = GOLDEN["misi"]["mixture"], GOLDEN["misi"]["magnitudes"]
    transform = STFT(n_fft=48, hop=16, window=GOLDEN["misi"]["window"])
    algorithm = kind(transform, length=16 * (data[0].shape[-1] - 1), **options)
    expected = GOLDEN["constraints"][f"{case['name']}/sources"]
    assert distance(run(algorithm, data, case["iterations"]).output, expected) < 1e-10


def test_the_hard_constraint_holds(x64):
    mixture, A = separation()
    for kind in (InconsHardMix, MagInconsHardMix):
        sources = run(kind(stft(), mixture_weight=MagnitudeRatio(1.0)), (mixture, A), 3).output
        assert distance(sources.sum(0), mixture) < 1e-13
    assert distance(jnp.abs(run(MixInconsHardMag(stft()), (mixture, A), 3).output), A) < 1e-13


def test_one_iteration_of_hard_mix_is_enough_with_equal_weights(x64):
    data = separation()
    once, twice = (run(InconsHardMix(stft()), data, steps).output for steps in (1, 2))
    assert distance(twice, once) < 1e-13
    ratio = InconsHardMix(stft(), mixture_weight=MagnitudeRatio(1.0))
    assert distance(run(ratio, data, 2).output, run(ratio, data, 1).output) > 1e-3


def test_extreme_weights_leave_one_wish(x64):
    data = separation()
    sources = run(MixIncons(stft(), consistency_weight=0.0), data, 1).output
    assert distance(sources.sum(0), data[0]) < 1e-13
    consistent = run(MixIncons(stft(), consistency_weight=1e12, mixture_weight=phase.Uniform()), data, 1)
    inconsistency = InconsHardMix(stft()).objective(consistent.state, None)
    assert inconsistency < 1e-18 * jnp.sum(data[1] ** 2)
    hard = run(MagInconsHardMix(stft(), consistency_weight=1e12), data, 1).output
    assert distance(hard, run(InconsHardMix(stft()), data, 1).output) < 1e-10


@pytest.mark.parametrize("weight", [MagnitudeRatio(2.0), GivenWeights(np.reshape([0.7, 0.2, 0.1], (3, 1, 1, 1)))])
@pytest.mark.parametrize("kind", [MixIncons, MixInconsHardMag])
def test_the_objective_never_rises_whatever_the_weights(kind, weight, x64):
    algorithm = kind(stft(), mixture_weight=weight, consistency_weight=3.0)
    trace = jax.jit(lambda data: run(algorithm, data, 100, record=kind.objective).trace)(separation())
    assert np.all(np.diff(trace) <= 1e-12 * trace[0]) and trace[-1] < 0.9 * trace[0]


def test_the_consistency_weight_may_differ_by_frequency(x64):
    data = separation()
    single = run(MixIncons(stft(), consistency_weight=0.7), data, 2).output
    assert distance(run(MixIncons(stft(), consistency_weight=np.full((17, 1), 0.7)), data, 2).output, single) < 1e-13
    with pytest.raises(ValueError, match="consistency_weight must be nonnegative"):
        MixIncons(stft(), consistency_weight=-1.0)
