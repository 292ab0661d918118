"""Settings of every test: nothing is promoted in silence, neither dtypes nor ranks; compiling is quick."""

import contextlib

import jax
import pytest

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def x64():
    """Double precision for one test."""
    with jax.enable_x64(True):
        yield


@contextlib.contextmanager
def _optimized():
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)
    jax.clear_caches()


@pytest.fixture
def optimized():
    """Programs compiled as they are for users; those in the caches, which do not know of the setting, are not."""
    with _optimized():
        yield


@pytest.fixture(scope="module")
def optimized_file():
    """The same for all that follows in a file."""
    with _optimized():
        yield


@pytest.fixture
def users_settings(optimized):
    """JAX's own defaults, for code as users write it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.fixture(autouse=True, scope="module")
def _bounded_memory():
    """What one file of tests compiled is not kept for the next."""
    yield
    jax.clear_caches()
