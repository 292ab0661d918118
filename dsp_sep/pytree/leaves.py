"""The leaves of a node by dotted name: what they are called, where they live, and a tree taken apart by them."""

import dataclasses
import difflib
import fnmatch
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import GetAttrKey, tree_flatten_with_path

from .domains import REAL, Domain


class Leaf(NamedTuple):
    """One leaf of a tree of nodes, with what the fields on the way to it say."""

    name: str
    value: Any
    domain: Domain
    cast: bool


def describe(tree: Any) -> list[Leaf]:
    """Every leaf in the order of `jax.tree.leaves`. The innermost field that names a domain decides."""
    return [_describe(tree, path, value) for path, value in tree_flatten_with_path(tree)[0]]


def _describe(tree: Any, path: tuple, value: Any) -> Leaf:
    parts, domain, cast = [], REAL, True
    for key in path:
        field = _field(tree, key)
        if field is None:
            name = getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))
        else:
            name = "" if field.metadata["transparent"] else field.name
            domain = field.metadata["domain"] or domain
            cast = cast and field.metadata["cast"]
        parts += [str(name)] * (name != "")
        tree = _child(tree, key)
    return Leaf(".".join(parts), value, domain, cast)


def _field(tree: Any, key: Any) -> dataclasses.Field | None:
    if not isinstance(key, GetAttrKey) or not dataclasses.is_dataclass(tree):
        return None
    found = {field.name: field for field in dataclasses.fields(tree)}[key.name]
    return found if "domain" in found.metadata else None


def _child(tree: Any, key: Any) -> Any:
    if isinstance(key, GetAttrKey):
        return getattr(tree, key.name)
    return tree[key.key] if hasattr(key, "key") else tree[key.idx] if hasattr(key, "idx") else None


def names(tree: Any) -> tuple[str, ...]:
    """The dotted names of all leaves, such as `stft.window`: what `train` and `untied` choose from."""
    return tuple(leaf.name for leaf in describe(tree))


def select(tree: Any, patterns: Iterable[str]) -> set[str]:
    """The names that match any of the patterns (`*` matches any part of a name, dots too).

    A name of a part that is not itself a leaf, such as `mixture_weight`, stands for all leaves below it.

    Raises:
        ValueError: for a pattern that matches nothing, with the nearest names.
        TypeError: for a string where a sequence of strings is expected.
    """
    if isinstance(patterns, str):
        raise TypeError(f"names of leaves are given as a sequence: ({patterns!r},) in place of {patterns!r}")
    known, chosen = names(tree), set()
    for pattern in patterns:
        matched = {n for n in known if fnmatch.fnmatchcase(n, pattern) or fnmatch.fnmatchcase(n, pattern + ".*")}
        if not matched:
            near = difflib.get_close_matches(pattern, known, n=3, cutoff=0) or known
            raise ValueError(f"no leaf is named {pattern!r}; the nearest are {', '.join(near)}")
        chosen |= matched
    return chosen


def partition(tree: Any, chosen: set[str]) -> tuple[Any, Any]:
    """Two trees of the same kind: one with the chosen leaves and `None` for the others, one the other way round."""
    leaves, structure = describe(tree), jax.tree.structure(tree)
    inside = [leaf.value if leaf.name in chosen else None for leaf in leaves]
    outside = [None if leaf.name in chosen else leaf.value for leaf in leaves]
    return jax.tree.unflatten(structure, inside), jax.tree.unflatten(structure, outside)


def combine(first: Any, second: Any) -> Any:
    """The tree that two parts of it make: the leaf of the second where the first has `None`."""
    return jax.tree.map(lambda a, b: b if a is None else a, first, second, is_leaf=lambda leaf: leaf is None)


def cast(tree: Any, dtype: Any) -> Any:
    """The inexact leaves in the precision of a real dtype, but for those of fields that keep theirs (networks)."""
    complex_dtype = np.result_type(dtype, np.complex64)

    def convert(leaf: Leaf) -> Any:
        if not leaf.cast or not jnp.issubdtype(jnp.result_type(leaf.value), jnp.inexact):
            return leaf.value
        return leaf.value.astype(complex_dtype if jnp.iscomplexobj(leaf.value) else dtype)

    return jax.tree.unflatten(jax.tree.structure(tree), [convert(leaf) for leaf in describe(tree)])
