"""Trees of nodes as files: a description in JSON beside the arrays, in one archive; reading it runs no code."""

import dataclasses
import importlib
import io
import json
import os
import secrets
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .decorator import NODES
from .leaves import describe

_DESCRIPTION = "description"
_FORMAT = "dsp_sep node 1"


class ModelFileError(ValueError):
    """A file that cannot be read or written as a model: one line that names it and says what to do."""


def save(path: str | os.PathLike, tree: Any, *, overwrite: bool = False) -> None:
    """Write a node, such as an algorithm or a separator, with all that is in it, to one file (a numpy archive).

    The file appears whole or not at all.

    Args:
        path: where to; the extension `.npz` is the usual one.
        tree: nodes of this library, tuples, lists, dictionaries with names for keys, arrays, strings, numbers, `None`.
        overwrite: whether a file that exists may be replaced.

    Raises:
        ModelFileError: for a tree that holds something else (a network is saved by orbax, with its module at hand),
            a file that exists, or a place that cannot be written to.
    """
    path, arrays = Path(path), dict[str, np.ndarray]()
    description = {"format": _FORMAT, "tree": _encode(tree, "", arrays)}
    if path.exists() and not overwrite:
        raise ModelFileError(f"{path} exists: choose another name, or allow overwriting")
    content = io.BytesIO()
    np.savez_compressed(content, **{_DESCRIPTION: np.asarray(json.dumps(description))}, **arrays)  # type: ignore[arg-type]
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.write_bytes(content.getvalue())
        os.replace(temporary, path)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> Any:
    """Read what `save` wrote: an equal tree.

    Only classes made by `node`, of this library or of modules that are imported already, are built, and their leaves
    held against their domains; nothing in the file is run.

    Raises:
        ModelFileError: for a file that is missing, is not a model, or holds values or classes this version rejects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            description = json.loads(str(archive[_DESCRIPTION]))
            if description["format"] != _FORMAT:
                raise ValueError(f"its format is {description['format']!r}, expected {_FORMAT!r}")
            return _check(_decode(description["tree"], archive))
    except FileNotFoundError:
        raise ModelFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read as a model: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, ImportError, EOFError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path} is not a model that this version can read: {error}") from None


def _encode(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (jax.Array, np.ndarray)):
        arrays[name or "value"] = np.asarray(value)
        return {"array": name or "value"}
    if isinstance(value, (tuple, list)) and type(value) in (tuple, list):
        return {type(value).__name__: [_encode(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if isinstance(value, dict):
        return {"dict": {key: _encode(item, f"{name}.{key}", arrays) for key, item in value.items()}}
    reference = f"{type(value).__module__}:{type(value).__qualname__}"
    if reference not in NODES:
        raise ModelFileError(f"{name or 'the tree'} holds a {type(value).__name__}, which a model file cannot")
    fields = {
        field.name: _encode(getattr(value, field.name), f"{name}.{field.name}".lstrip("."), arrays)
        for field in dataclasses.fields(value)
    }
    return {"node": reference, "fields": fields}


def _decode(value: Any, archive: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kind, content = next(iter(value.items()))
    if kind == "array":
        return jnp.asarray(archive[content])
    if kind in ("tuple", "list"):
        items = [_decode(item, archive) for item in content]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {key: _decode(item, archive) for key, item in content.items()}
    fields = {name: _decode(field, archive) for name, field in value["fields"].items()}
    return _rebuild(_node_class(content), fields)


def _node_class(reference: str) -> type:
    module = reference.partition(":")[0]
    if module.split(".")[0] == __name__.split(".")[0]:
        importlib.import_module(module)
    if reference not in NODES:
        raise ValueError(f"it holds a {reference!r}, which is not a node that is known here")
    return NODES[reference]


def _rebuild(cls: type, fields: dict[str, Any]) -> Any:
    """A node as JAX rebuilds one, unchecked: parts of an `Unfolded` lack the leaves of its other part."""
    known = {field.name for field in dataclasses.fields(cls)}
    if fields.keys() != known:
        raise ValueError(f"{cls.__name__} has the fields {', '.join(sorted(known))}, got {', '.join(sorted(fields))}")
    node: Any = object.__new__(cls)
    node.__dict__.update(fields)
    return node


def _check(tree: Any) -> Any:
    for leaf in describe(tree):
        if not leaf.domain.contains(np.asarray(leaf.value)):
            raise ValueError(f"{leaf.name} must be {leaf.domain.expected}")
    return tree
