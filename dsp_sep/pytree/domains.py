"""Where a hyperparameter lives, and the free number that moves it there.

A domain is relative: the free parameter `u` is zero at the value the training starts from, `value(0, start) == start`
to the last bit, and any real `u` gives a value inside the domain. So an untrained unfolded algorithm is the classic
one, and weight decay on `u` pulls towards the value of the paper. (Softplus and the logit do neither: they return
another number than went in, and send 0 and 1 to infinity.)
"""

import abc
import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..numerics import matmul, scale, square_magnitude, tiny, transpose


@dataclasses.dataclass(frozen=True)
class Domain(abc.ABC):
    """A set of values with a relative parametrisation.

    Attributes:
        expected: the domain in words, for error messages.
    """

    expected = "anything"

    @abc.abstractmethod
    def contains(self, value: np.ndarray) -> bool:
        """Whether every number of a known value lies in the domain."""

    @abc.abstractmethod
    def value(self, u: Array, start: Array) -> Array:
        """The value that the free parameter `u` moves `start` to, of the shape of `start`."""

    def free(self, start: Array) -> Array:
        """The free parameter of `start` itself: zeros, of the shape of `start` unless the domain says otherwise."""
        return jnp.zeros(start.shape, start.real.dtype)

    def stuck(self, start: np.ndarray) -> bool:
        """Whether no free parameter can move `start` at all."""
        return start.size == 0


class Real(Domain):
    """Real or complex numbers, `start + u`.

    The free parameter of a complex array is real with a last axis (real part, imaginary part): the gradient that JAX
    gives of a complex parameter is the conjugate of the direction to descend, and optimisers do not know.
    """

    expected = "real or complex"

    def contains(self, value: np.ndarray) -> bool:
        return True

    def free(self, start: Array) -> Array:
        return jnp.zeros(start.shape + (2,) * jnp.iscomplexobj(start), start.real.dtype)

    def value(self, u: Array, start: Array) -> Array:
        return start + (lax.complex(u[..., 0], u[..., 1]) if jnp.iscomplexobj(start) else u)


class Nonnegative(Domain):
    """Numbers from zero on, `start · exp(u)`: zeros stay zero, as under multiplicative updates.

    The factor ends where its square would leave the numbers of the dtype (about `e^±44` in single precision).
    """

    expected = "nonnegative"

    def contains(self, value: np.ndarray) -> bool:
        return bool(np.all(value >= 0))

    def value(self, u: Array, start: Array) -> Array:
        return start * _exp(u)

    def stuck(self, start: np.ndarray) -> bool:
        return not start.any()


class Positive(Nonnegative):
    """Numbers above zero, `start · exp(u)`."""

    expected = "positive"

    def contains(self, value: np.ndarray) -> bool:
        return bool(np.all(value > 0))


class UnitInterval(Domain):
    """Numbers from 0 to 1, `start · eᵘ / (1 - start + start · eᵘ)`: the odds are multiplied by `eᵘ`; 0 and 1 stay."""

    expected = "between 0 and 1"

    def contains(self, value: np.ndarray) -> bool:
        return bool(np.all((value >= 0) & (value <= 1)))

    def value(self, u: Array, start: Array) -> Array:
        shrinking = jnp.exp(jnp.where(u >= 0, -u, u))
        odds, against = jnp.where(u >= 0, 1, shrinking), jnp.where(u >= 0, shrinking, 1)
        total = (1 - start) * against + start * odds
        at_an_end = total < tiny(total.dtype)
        return jnp.where(at_an_end, start, start * odds / jnp.where(at_an_end, 1, total))

    def stuck(self, start: np.ndarray) -> bool:
        return bool(np.all((start == 0) | (start == 1)))


class Simplex(Domain):
    """Nonnegative numbers whose sum over the last axis stays what it is at the start (one, as a rule)."""

    expected = "nonnegative, with a positive sum over the last axis"

    def contains(self, value: np.ndarray) -> bool:
        return value.ndim > 0 and bool(np.all(value >= 0) and np.all(value.sum(-1) > 0))

    def value(self, u: Array, start: Array) -> Array:
        largest = jnp.max(u, axis=-1, keepdims=True, where=start > 0, initial=-jnp.inf)
        grown = start * jnp.exp(jnp.where(start > 0, u - lax.stop_gradient(largest), 0))
        return grown * (jnp.sum(start, axis=-1, keepdims=True) / jnp.sum(grown, axis=-1, keepdims=True))

    def stuck(self, start: np.ndarray) -> bool:
        return start.shape[-1] < 2


class UnitNorm(Domain):
    """Columns (axis -2) that keep the Euclidean norm they start with (one, as a rule): `start + u`, rescaled."""

    expected = "columns of positive norm (a matrix)"

    def contains(self, value: np.ndarray) -> bool:
        return value.ndim > 1 and bool(np.all(np.linalg.norm(value, axis=-2) > 0))

    def free(self, start: Array) -> Array:
        return REAL.free(start)

    def value(self, u: Array, start: Array) -> Array:
        moved = REAL.value(u, start)
        before, after = (jnp.sum(square_magnitude(m), axis=-2, keepdims=True) for m in (start, moved))
        lost = after == 0
        gain = jnp.sqrt(before / jnp.where(lost, 1, after))
        return jnp.where(lost, start, scale(gain, moved))


class HermitianPositiveDefinite(Domain):
    """Hermitian positive definite matrices (last two axes), `(L M) (L M)ᴴ` for a start `L Lᴴ` (Cholesky).

    `M` is lower triangular with the exponential of the diagonal of `u`, so that `L M` is again a Cholesky factor.
    """

    expected = "Hermitian positive definite"

    def contains(self, value: np.ndarray) -> bool:
        if value.ndim < 2 or not np.allclose(value, value.conj().swapaxes(-1, -2), rtol=1e-4, atol=1e-6):
            return False
        return bool(np.all(np.linalg.eigvalsh(value) > 0))

    def free(self, start: Array) -> Array:
        return REAL.free(start)

    def value(self, u: Array, start: Array) -> Array:
        untouched = jnp.all(u == 0)
        u = REAL.value(u, jnp.zeros_like(start))
        eye = jnp.eye(start.shape[-1], dtype=start.dtype).reshape((1,) * (start.ndim - 2) + start.shape[-2:])
        lower = jnp.tril(u, -1) + scale(jnp.sqrt(_exp(2 * u.real)), eye)
        factor = matmul(jnp.linalg.cholesky(start), lower)
        moved = matmul(factor, jnp.conj(transpose(factor)))
        return lax.stop_gradient(jnp.where(untouched, start, moved)) + (moved - lax.stop_gradient(moved))


class Fixed(Domain):
    """Anything that is not to be trained, such as the running statistics of a network."""

    expected = "anything"

    def contains(self, value: np.ndarray) -> bool:
        return True

    def value(self, u: Array, start: Array) -> Array:
        return start

    def stuck(self, start: np.ndarray) -> bool:
        return True


def _exp(u: Array) -> Array:
    """The exponential, held where its square and that of its inverse are finite."""
    bound = -math.log(tiny(u.dtype))
    return jnp.exp(jnp.clip(u, -bound, bound))


REAL = Real()
NONNEGATIVE = Nonnegative()
POSITIVE = Positive()
UNIT_INTERVAL = UnitInterval()
SIMPLEX = Simplex()
UNIT_NORM = UnitNorm()
HERMITIAN_POSITIVE_DEFINITE = HermitianPositiveDefinite()
FIXED = Fixed()
