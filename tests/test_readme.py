"""The README's code works as it is printed."""

import re
from pathlib import Path

import jax.numpy as jnp
import pytest

from dsp_sep import data

README = (Path(__file__).parents[1] / "README.md").read_text()


@pytest.mark.parametrize(
    "seconds", [pytest.param(2.0, id="beginning"), pytest.param(None, id="song", marks=pytest.mark.thorough)]
)
def test_python_example(seconds, users_settings, monkeypatch):
    if seconds:
        song = data.example()
        monkeypatch.setattr(data, "example", lambda: song.excerpt(0, seconds))
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL) if "import jax" in block)
    names: dict = {}
    exec(code, names)
    samples, frames = names["samples"], names["X"].shape[-1]
    assert names["song"].sources.shape == (4, 2, samples)
    assert names["factors"].dictionary.shape == (2, 1025, 32)
    assert names["factors"].activations.shape == (2, 32, frames)
    assert names["S"].shape == (4, 2, 1025, frames)
    moved = names["params"].values["mixture_weight.exponent"]
    assert moved.shape == (5,) and jnp.all(moved != 0)
