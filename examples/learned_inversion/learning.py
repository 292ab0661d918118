"""Constants of layers, and what makes the magnitudes, trained through the layers by the SDR of the waveforms."""

import time
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

import dsp_sep as ds

from .family import answer
from .problems import STFT, Problem


class Trained(NamedTuple):
    """What was trained, the number of its free parameters, the seconds it took, and the loss before each step."""

    tree: dict[str, Any]
    parameters: int
    seconds: float
    losses: list[float]


def make_magnitudes(tree: dict[str, Any], problem: Problem) -> Problem:
    """The problem with the magnitudes that the tree's "chain" or "network" makes, or else with its own."""
    X = problem.mixture
    if "chain" in tree:
        return problem._replace(magnitudes=tree["chain"].magnitudes(X))
    if "network" in tree:
        return problem._replace(magnitudes=tree["network"](jnp.abs(X)) * jnp.abs(X)[None])
    return problem


@jax.jit
def with_mixture_phase(problem: Problem) -> Array:
    """The magnitudes with the phase of the mixture."""
    return ds.phase.MixturePhase()(problem.magnitudes, problem.mixture[None], None)


@jax.jit
def separate(tree: dict[str, Any], problem: Problem) -> Array:
    """The spectrograms of the sources: the magnitudes through the tree's "layers", or with the mixture's phase."""
    problem = make_magnitudes(tree, problem)
    if "layers" not in tree:
        return with_mixture_phase(problem)
    return answer(ds.run(tree["layers"], (problem.mixture, problem.magnitudes)))


def train(
    tree: dict[str, Any],
    names: tuple[str, ...],
    problems: Iterable[Problem],
    *,
    steps: int,
    warm: int = 0,
    rate: float = 0.05,
    model_rate: float = 0.0,
) -> Trained:
    """Adam with a cosine schedule after a linear one on one problem a step.

    Args:
        tree: "layers", and perhaps "chain" or "network".
        names: leaves to train.
        problems: one for each step.
        steps: how many.
        warm: how many of them the rates rise for, from a tenth.
        rate: learning rate of the layers' constants.
        model_rate: that of what makes the magnitudes.
    """

    def loss(params: ds.pytree.Free, problem: Problem) -> Array:
        signals = STFT.synthesize(separate(ds.constrain(params, tree), problem), length=problem.sources.shape[-1])
        return jnp.mean(ds.training.negative_sdr(problem.sources, signals, ceiling=40.0))

    def part(params: ds.pytree.Free) -> ds.pytree.Free:
        return ds.pytree.Free({name: "layers" if name.startswith("layers") else "model" for name in params.values})

    params = ds.unconstrain(tree, train=names)
    rates = {"layers": rate, "model": model_rate}
    schedule = partial(optax.warmup_cosine_decay_schedule, warmup_steps=warm, decay_steps=steps)
    each = {name: optax.adam(schedule(0.1 * value, value)) for name, value in rates.items()}
    optimizer = optax.chain(optax.clip_by_global_norm(3.0), optax.partition(each, part))
    begun = time.perf_counter()
    fit = ds.training.fit(loss, params, problems, optimizer)
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    return Trained(ds.constrain(fit.params, tree), count, time.perf_counter() - begun, fit.losses.tolist())
