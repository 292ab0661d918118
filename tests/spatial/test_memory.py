"""The memory that five minutes in stereo with four sources need beyond their spectrograms, as XLA states it."""

import jax
import jax.numpy as jnp
import pytest

from dsp_sep import run
from dsp_sep.iterate import blocks
from dsp_sep.spatial import EM, Dictionaries, WienerRefinement, posterior_mean

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("optimized")]

FREQUENCIES, FRAMES, BLOCK, LIMIT = 1025, 300 * 44100 // 512, 32, 2**31
MIXTURE = jax.ShapeDtypeStruct((2, FREQUENCIES, FRAMES), jnp.complex64)
MAGNITUDES = jax.ShapeDtypeStruct((4, 1, FREQUENCIES, FRAMES), jnp.float32)


def needed(function, *arguments):
    """Bytes of results and intermediate arrays."""
    memory = jax.jit(function).lower(*arguments).compile().memory_analysis()
    return memory.output_size_in_bytes + memory.temp_size_in_bytes


def dictionaries():
    return Dictionaries(dictionary=jnp.ones((4, FREQUENCIES, 32)))


@pytest.mark.parametrize(
    "algorithm",
    [EM(block=BLOCK), EM(dictionaries(), block=BLOCK), WienerRefinement(block=BLOCK)],
    ids=["free", "dictionaries", "refinement"],
)
def test_all_iterations_and_the_images(algorithm):
    assert needed(lambda *data: run(algorithm, data, 5).output, MIXTURE, MAGNITUDES) < LIMIT


@pytest.mark.parametrize(
    ("algorithm", "steps"),
    [(EM(exponent=1.0, block=BLOCK), 1), (EM(dictionaries(), exponent=1.0, block=BLOCK), 5)],
    ids=["free", "dictionaries"],
)
def test_a_gradient_whose_loss_goes_by_blocks_too(algorithm, steps):
    def loss(algorithm, mixture, magnitudes):
        state = run(algorithm, (mixture, magnitudes), steps).state

        def part(block):
            mixture, powers, magnitudes = block
            images = posterior_mean(mixture, powers, state.covariances, algorithm.noise)
            return None, jnp.sum((jnp.abs(images) - magnitudes) ** 2)

        return blocks(part, jnp.add, (mixture, algorithm.powers(state), magnitudes), size=BLOCK)[1]

    assert needed(jax.grad(loss), algorithm, MIXTURE, MAGNITUDES) < LIMIT
