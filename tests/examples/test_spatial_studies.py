"""The spatial studies run from songs or rooms to pages, and go on where they were cut off."""

import dataclasses
import importlib.util
import json
from pathlib import Path

import jax
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def script(monkeypatch):
    """A function that imports a study's script by its name, with the user's rules of promotion."""
    monkeypatch.syspath_prepend(EXAMPLES)

    def load(name):
        spec = importlib.util.spec_from_file_location(f"{name}_script", EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield load


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name, some, record, sentence",
    [
        ("hybrid_em", (), "0/trained through EM", "network alone, longer, then EM"),
        (
            "multichannel_em",
            ("approximate EM", "exact EM", "exact EM, no directions at first", "exact EM, powers of the dictionaries"),
            "nmf/exact EM, powers of the dictionaries",
            "above the approximate EM at its best",
        ),
        ("reverberant_rooms", ("AuxIVA", "FastMNMF2", "AuxIVA, then EM, low rank"), "2/FastMNMF2", "2 microphones"),
    ],
)
def test_study_goes_to_pages_and_on(script, tmp_path, monkeypatch, name, some, record, sentence):
    pytest.importorskip("matplotlib")
    study = script(name)
    if some:
        every = study.methods
        monkeypatch.setattr(study, "methods", lambda *given: {method: every(*given)[method] for method in some})
    assert np.isfinite(study.main(None, tmp_path, study.QUICK))
    page = (tmp_path / "README.md").read_text()
    assert sentence in page and "nan" not in page
    assert len(list(tmp_path.glob("*.png"))) == 1
    results = tmp_path / "results.json"
    records = json.loads(results.read_text())
    assert record in records
    assert all(np.all(np.isfinite(leaf)) for key, r in records.items() if key != "about" for leaf in jax.tree.leaves(r))

    (tmp_path / "README.md").unlink()
    study.main(None, tmp_path, study.QUICK)
    assert (tmp_path / "README.md").read_text() == page and json.loads(results.read_text()) == records
    other = dataclasses.replace(study.QUICK, seconds=0.6)
    with pytest.raises(ValueError, match="results of other songs or another setting"):
        study.main(None, tmp_path, other)
