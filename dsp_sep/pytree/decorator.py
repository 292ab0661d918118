"""The decorator that makes a frozen dataclass a pytree, and the two kinds of field it has."""

import dataclasses
import typing
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.tree_util import GetAttrKey

from .domains import Domain

T = typing.TypeVar("T")
_MISSING: Any = dataclasses.MISSING
Number = Any
"""The type of a leaf that may be given as a number: an array as soon as it is there."""
NODES: dict[str, type] = {}
"""Every class that `node` has made, by module and name."""


def hyper(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    domain: Domain | None = None,
    kw_only: bool = True,
    cast: bool = True,
    transparent: bool = False,
) -> Any:
    """A field whose arrays are leaves: a hyperparameter, or a part that has some.

    Args:
        default: the value where none is given.
        default_factory: a function that makes it, for a default that is itself a node.
        domain: where the numbers live; `None` leaves it to the nodes inside (real numbers where nobody says more).
        kw_only: `False` for the operand, which may be given by position.
        cast: whether a driver casts the leaves to the precision of the data.
        transparent: whether the field's name is left out of the dotted names of its leaves.
    """
    metadata = {"domain": domain, "cast": cast, "transparent": transparent}
    return dataclasses.field(default=default, default_factory=default_factory, kw_only=kw_only, metadata=metadata)


def static(*, default: Any = _MISSING, kw_only: bool = True) -> Any:
    """A field that is part of the program, not of its data: hashable, compared by value."""
    return dataclasses.field(default=default, kw_only=kw_only, metadata={"static": True})


@typing.dataclass_transform(
    frozen_default=True, kw_only_default=True, eq_default=False, field_specifiers=(hyper, static)
)
def node(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass and a pytree.

    At construction only (never when JAX rebuilds an object), numbers in leaf fields become strong arrays, values that
    are known are held against their domain, and then the class's own `validate(self)` runs, if there is one.

    Raises:
        ValueError: at construction, for a value outside the domain of its field.
        TypeError: at construction, for a static field that is not hashable.
    """
    cls.__post_init__ = _post_init  # type: ignore[attr-defined]
    cls.__repr__ = _repr  # type: ignore[method-assign, assignment]
    cls = dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)(cls)
    NODES[f"{cls.__module__}:{cls.__qualname__}"] = cls
    fields = dataclasses.fields(cls)  # type: ignore[arg-type]
    leaves = tuple(f.name for f in fields if not f.metadata.get("static"))
    fixed = tuple(f.name for f in fields if f.metadata.get("static"))

    def values(self, names):
        return tuple(getattr(self, name) for name in names)

    def unflatten(aux, children):
        self = object.__new__(cls)
        self.__dict__.update(zip(leaves + fixed, (*children, *aux), strict=True))
        return self

    jax.tree_util.register_pytree_with_keys(
        cls,
        lambda self: (tuple(zip(map(GetAttrKey, leaves), values(self, leaves), strict=True)), values(self, fixed)),
        unflatten,
        lambda self: (values(self, leaves), values(self, fixed)),
    )
    return cls


def _post_init(self: Any) -> None:
    for field in dataclasses.fields(self):
        if field.metadata.get("static"):
            _check_hashable(self, field.name)
            continue
        value = jax.tree.map(_strong, getattr(self, field.name))
        object.__setattr__(self, field.name, value)
        domain = field.metadata["domain"]
        for leaf in jax.tree.leaves(value) if domain else ():
            if not isinstance(leaf, jax.core.Tracer) and not domain.contains(np.asarray(leaf)):
                raise ValueError(f"{type(self).__name__}: {field.name} must be {domain.expected}, got {_short(leaf)}")
    if hasattr(self, "validate"):
        self.validate()


def _check_hashable(self: Any, name: str) -> None:
    try:
        hash(getattr(self, name))
    except TypeError:
        raise TypeError(f"{type(self).__name__}: {name} must be hashable, got {getattr(self, name)!r}") from None


def _strong(value: Any) -> Any:
    """Numbers and arrays of numbers as inexact arrays that are not weakly typed; anything else as it is."""
    if not isinstance(value, (bool, int, float, complex, np.ndarray, np.generic, jax.Array)):
        return value
    array = jnp.asarray(value)
    if jnp.issubdtype(array.dtype, jax.dtypes.extended):
        return array
    dtype = array.dtype if jnp.issubdtype(array.dtype, jnp.inexact) else jnp.result_type(float)
    return lax.convert_element_type(array, dtype)


def _repr(self: Any) -> str:
    shown = (f"{field.name}={_short(getattr(self, field.name))}" for field in dataclasses.fields(self))
    return f"{type(self).__name__}({', '.join(shown)})"


def _short(value: Any) -> str:
    if not isinstance(value, jax.Array):
        return repr(value)
    if isinstance(value, jax.core.Tracer) or value.size != 1 or jnp.issubdtype(value.dtype, jax.dtypes.extended):
        return f"{value.dtype}{list(value.shape)}"
    return f"{value.item():.6g}"
