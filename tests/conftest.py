"""Settings of every test: nothing is promoted in silence, neither dtypes nor ranks."""

import jax
import pytest

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def loose_promotion():
    """JAX's own defaults, for code as users write it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(autouse=True, scope="module")
def _bounded_memory():
    """What one file of tests compiled is not kept for the next."""
    yield
    jax.clear_caches()
