"""The study of deep NMF runs from songs to a page and goes on; untrained layers are supervised NMF."""

import importlib
import importlib.util
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    spec = importlib.util.spec_from_file_location("deep_nmf_script", EXAMPLES / "deep_nmf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield module


@pytest.mark.thorough
def test_study_goes_from_songs_to_a_page_and_on(script, tmp_path):
    pytest.importorskip("matplotlib")
    assert np.isfinite(script.main(None, tmp_path, script.QUICK))
    page = (tmp_path / "README.md").read_text()
    assert "deep NMF, all layers, 2, over supervised NMF, chosen by the grid, 2" in page
    assert (tmp_path / "depths.png").exists()
    records = json.loads((tmp_path / "results.json").read_text())
    # three dictionaries of 8 atoms, and a weight for each atom and an exponent in both layers
    assert records["deep/2"]["parameters"] == 3 * 513 * 8 + 2 * (8 + 1)
    assert records["task-driven/2"]["parameters"] == 513 * 8
    assert np.shape(records["deep/2"]["scores"]["SDR"]) == (3, 4)

    lost, kept = records.pop("grid"), records["deep/2"]
    (tmp_path / "results.json").write_text(json.dumps(records))
    script.main(None, tmp_path, script.QUICK)
    again = json.loads((tmp_path / "results.json").read_text())
    assert again["grid"] == lost and again["deep/2"] == kept


@pytest.mark.thorough
def test_untrained_variants_are_supervised_nmf(script):
    models, judging, Choice = script.models, script.judging, script.Choice
    rng = np.random.default_rng(0)
    song = script.problems.levelled(rng.normal(size=(2, 1, 4000)).astype(np.float32))
    point = Choice(1.0, False, 0.3, 1.0).point(jnp.asarray(rng.uniform(0.1, 1, (513, 4)), jnp.float32))
    expected = judging.by_count(point, [song], (7,), (1.0,))[0, 0, 0]
    for variant in models.VARIANTS.values():
        made = judging.of_separator(models.separator(point, variant, 7, 2), [song])
        np.testing.assert_allclose(made["SDR"], expected[:1], atol=2e-3)
