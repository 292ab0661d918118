"""Nodes are pytrees that check what they are made of at construction, and only there."""

import copy
import dataclasses
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.pytree import cast, combine, domains, hyper, names, node, partition, static


@node
class Part:
    gain: jax.Array = hyper(domain=domains.NONNEGATIVE, kw_only=False)
    label: str = static(default="label")


@node
class Whole:
    part: Part = hyper(default=Part(1.0))
    several: tuple = hyper(default=(Part(2.0), Part(3.0)))
    shift: jax.Array = hyper(default=0, domain=domains.REAL)
    kept: jax.Array = hyper(default=0.5, cast=False)
    count: int = static(default=2)


def test_numbers_become_strong_arrays():
    whole = Whole(shift=3)
    for leaf in jax.tree.leaves(whole):
        assert leaf.dtype == jnp.float32 and not leaf.weak_type
    assert Part(np.float64(2)).gain.dtype == jnp.float32
    assert Part(np.arange(3)).gain.shape == (3,)


def test_is_frozen_and_shows_itself():
    whole = Whole()
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole.shift = 1
    assert repr(Part(0.5)) == "Part(gain=0.5, label='label')"
    assert repr(Part(np.ones(3))) == "Part(gain=float32[3], label='label')"
    with pytest.raises(TypeError):
        Part(1.0, "positional")


def test_checks_at_construction_only():
    with pytest.raises(ValueError, match=r"Part: gain must be nonnegative, got -1"):
        Part(-1.0)
    with pytest.raises(TypeError, match=r"Whole: count must be hashable, got \[1\]"):
        Whole(count=[1])
    assert jax.tree.map(lambda x: -x, Part(1.0)).gain == -1
    assert jax.tree.map(lambda _: None, Part(1.0)).gain is None
    assert jax.grad(lambda x: Part(x).gain * 2)(1.0) == 2


def test_static_fields_are_compared_by_value():
    traces = []

    @jax.jit
    def double(part):
        traces.append(part.label)
        return 2 * part.gain

    double(Part(1.0, label="a")), double(Part(2.0, label="a")), double(Part(1.0, label="b"))
    assert traces == ["a", "b"]


def test_copies():
    whole = Whole(shift=7)
    for twin in (copy.deepcopy(whole), pickle.loads(pickle.dumps(whole)), dataclasses.replace(whole)):
        assert twin.shift == 7 and twin.several[1].gain == 3 and twin.count == 2


def test_names_partition_and_combine():
    whole = Whole()
    assert names(whole) == ("part.gain", "several.0.gain", "several.1.gain", "shift", "kept")
    inside, outside = partition(whole, {"several.0.gain", "shift"})
    assert jax.tree.leaves(inside) == [2, 0] and jax.tree.leaves(outside) == [1, 3, 0.5]
    assert inside.part.gain is None
    assert jax.tree.leaves(combine(inside, outside)) == jax.tree.leaves(whole)
    assert jax.tree.leaves(combine(outside, inside)) == jax.tree.leaves(whole)


def test_cast(x64):
    whole = Whole(shift=np.ones(2, np.complex128), part=Part(np.float64(2)))
    single = cast(whole, jnp.float32)
    assert single.shift.dtype == jnp.complex64 and single.part.gain.dtype == jnp.float32
    assert single.kept.dtype == jnp.float64
    key = jax.random.key(0)
    assert cast({"key": key, "n": jnp.arange(2)}, jnp.float32)["key"] is key
    assert cast(None, jnp.float32) is None
