"""Most of the time of these tests is the compiler's."""

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def compile_quickly():
    """Code that is compiled in half the time and runs a little slower."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
