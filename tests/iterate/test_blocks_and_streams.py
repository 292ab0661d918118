"""Blocks give what one pass over everything gives; streams are poured."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.iterate import blocks, pour
from tests.checks import distance
from tests.each import marked


def statistics(block):
    """Something with frames kept, and something summed over frames."""
    x, gain = block["x"], block["gain"]
    kept = {"power": jnp.abs(x) ** 2 * gain, "sum": jnp.sum(x.real, axis=-2, keepdims=True)}
    return kept, jnp.einsum("...ft,...gt->...fg", x, jnp.conj(x))


def operands(frames):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 3, frames)) + 1j * rng.standard_normal((2, 3, frames))
    return {"x": jnp.asarray(x), "gain": jnp.asarray(rng.random((2, 3, frames)))}


SIZES = ((12, 4), (13, 4), (15, 4), (5, 8), (8, 8), (9, 8), (3, 1))


@pytest.mark.parametrize(
    ("frames", "size"), marked({f"{frames}-{size}": (frames, size) for frames, size in SIZES}, {"13-4", "5-8", "3-1"})
)
def test_blocks_equal_one_block(frames, size, x64):
    data = operands(frames)

    def total(data, size):
        kept, gram = blocks(statistics, jnp.add, data, size=size)
        return sum(jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(kept)) + jnp.sum(jnp.abs(gram))

    assert distance(blocks(statistics, jnp.add, data, size=size), statistics(data)) < 1e-12
    expected = jax.grad(lambda gain: total(data | {"gain": gain}, frames))(data["gain"])
    actual = jax.jit(jax.grad(lambda gain: total(data | {"gain": gain}, size)))(data["gain"])
    assert distance(actual, expected) < 1e-12


def test_blocks_along_another_axis():
    x = jnp.arange(24.0).reshape(2, 6, 2)
    kept, total = blocks(lambda x: (2 * x, jnp.sum(x)), jnp.add, x, axis=-2, size=4)
    np.testing.assert_array_equal(kept, 2 * x)
    assert total == jnp.sum(x)


def test_blocks_refuse():
    x = jnp.zeros((2, 6))
    for data, options in ((x, {"size": 0}), (x, {"size": 2, "axis": 1}), ((x, x[:, :3]), {"size": 2})):
        with pytest.raises(ValueError, match=r"blocks: size must be at least 1 .*, axis negative .*, .* one length"):
            blocks(lambda x: (x, x), jnp.add, data, **options)


class Delay:
    """A stream that gives everything a chunk late."""

    latency = 3

    def init(self):
        return np.zeros(self.latency)

    def push(self, state, chunk):
        joined = np.concatenate([state, chunk])
        return joined[len(chunk) :], joined[: len(chunk)]

    def flush(self, state):
        return state


def test_pour():
    stream, signal = Delay(), np.arange(1.0, 11.0)
    out = list(pour(stream, np.split(signal, [4, 5, 9]), stream.init()))
    assert [len(piece) for piece in out] == [4, 1, 4, 1, 3]
    np.testing.assert_array_equal(np.concatenate(out), np.concatenate([np.zeros(3), signal]))
