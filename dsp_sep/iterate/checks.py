"""Values are checked where somebody asks for it: under `checkify`, and at no cost otherwise."""

import jax.numpy as jnp
from jax import Array
from jax.experimental import checkify


def check_finite(name: str, what: str, array: Array) -> None:
    """Under `jax.experimental.checkify.checkify`, an error for a NaN or an infinity; otherwise nothing is computed.

    Args:
        name: of the algorithm.
        what: the argument.
        array: its values.
    """
    bad = jnp.sum(~jnp.isfinite(array))
    checkify.debug_check(bad == 0, f"{name}: {what} must be finite, got {{bad}} values that are not", bad=bad)


def check_nonnegative(name: str, what: str, array: Array) -> None:
    """As `check_finite`, and an error for a value below zero too."""
    check_finite(name, what, array)
    least = jnp.min(array, initial=0)
    checkify.debug_check(least >= 0, f"{name}: {what} must not be negative, got {{least}}", least=least)
