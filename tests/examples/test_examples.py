"""The examples run, and show what they are there to show, on small settings."""

import importlib.util
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {
    "separate_a_song": {"components": 8, "steps": 30, "iterations": 10},
    "unfold_misi": {"depth": 2, "steps": 8, "seconds": 1.0},
    "implicit_against_unrolled": {"counts": (10, 400), "seconds": 0.2, "components": 2, "picture": None},
    "learn_against_grid": {"components": 6, "iterations": 8, "steps": 9, "seconds": 1.0},
    "learn_sparsity": {"components": 8, "iterations": 10, "steps": 8, "seconds": 1.0},
}

STUDIES = {"deep_nmf", "hybrid_em", "learned_inversion", "multichannel_em", "reverberant_rooms"}
"""Those with tests of their own."""


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem not in STUDIES))
def test_example_gains(name, users_settings):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(**SMALL[name]) > 0
