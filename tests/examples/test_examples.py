"""The examples run, and show what they are there to show, on small settings."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {
    "separate_a_song": {"components": 8, "steps": 30, "iterations": 10},
    "unfold_misi": {"depth": 2, "steps": 8, "seconds": 1.0},
    "learn_against_grid": {
        "components": 2,
        "iterations": 4,
        "per_axis": 2,
        "excerpts": 1,
        "seconds": 0.3,
        "own": False,
    },
    "learn_sparsity": {"components": 8, "iterations": 10, "steps": 8, "seconds": 1.0},
}

STUDIES = {
    "deep_nmf",
    "hybrid_em",
    "implicit_against_unrolled",
    "learned_inversion",
    "multichannel_em",
    "reverberant_rooms",
}
"""Those with tests of their own."""


def load(name):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.stem, marks=() if path.stem == "separate_a_song" else pytest.mark.thorough)
        for path in sorted(EXAMPLES.glob("*.py"))
        if path.stem not in STUDIES
    ],
)
def test_example_gains(name, users_settings, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    assert load(name).main(**SMALL[name]) > 0
