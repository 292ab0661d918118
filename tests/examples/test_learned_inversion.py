"""The study of learned inversion runs from songs to pages, goes on where it was cut off, and its sums are right."""

import dataclasses
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def parts(monkeypatch):
    """A function that imports a module of the study; its script is "script"."""
    monkeypatch.syspath_prepend(EXAMPLES)

    def part(name):
        if name != "script":
            return importlib.import_module(f"learned_inversion.{name}")
        spec = importlib.util.spec_from_file_location("learned_inversion_script", EXAMPLES / "learned_inversion.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return part


@pytest.mark.thorough
def test_study_goes_from_songs_to_pages_and_on(parts, tmp_path, monkeypatch, users_settings):
    pytest.importorskip("matplotlib")
    script, family = parts("script"), parts("family")
    some = {name: family.fixed()[name] for name in ("MISI", "Mix+Incons")}
    monkeypatch.setattr(family, "fixed", lambda: some)
    assert np.isfinite(script.main(None, tmp_path, script.QUICK))
    page = (tmp_path / "README.md").read_text()
    assert "2 untied layers over the best of the grid, 2 iterations" in page
    assert "trained jointly over magnitudes trained without layers" in page
    assert {path.stem for path in tmp_path.glob("*.png")} == {"by_count", "constants", "differences", "training"}
    records = json.loads((tmp_path / "results.json").read_text())
    assert len(records["network/grid/train"]) == 16
    scores = records["network/joint/layers"]["scores"]["SDR"]
    assert len(scores) == len(records["about"]["songs"]["test"]) and np.all(np.isfinite(scores))

    lost, kept = records.pop("network/mixture phase"), records["network/untied/2"]
    (tmp_path / "results.json").write_text(json.dumps(records))
    script.main(None, tmp_path, script.QUICK)
    again = json.loads((tmp_path / "results.json").read_text())
    with pytest.raises(ValueError, match="results of other songs or another setting"):
        script.main(None, tmp_path, dataclasses.replace(script.QUICK, steps=7))
    assert again["network/mixture phase"] == lost and again["network/untied/2"] == kept


@pytest.mark.thorough
def test_layers_learn(parts, users_settings):
    family, learning, problems = parts("family"), parts("learning"), parts("problems")
    songs = problems.read(None)["train"]
    cut = next(problems.excerpts(songs, 0.5, 1, seed=0))
    tree = {"layers": family.layers({"exponent": 1.0}, 2)}
    names = tuple(f"layers.{name}" for name in family.CONSTANTS.values())
    trained = learning.train(tree, names, [problems.noisy(cut, 0)] * 8, steps=8)
    assert trained.losses[-1] < trained.losses[0] - 0.3
    assert trained.parameters == 2 * len(names)


def test_intervals(parts):
    intervals = importlib.import_module("study.intervals")
    better, than = [2.0, 3.0, 5.0, 4.0], [1.0, 1.5, 3.0, 3.5]
    mean, low, high = intervals.paired(better, than)  # differences 1, 1.5, 2, 0.5; t of 3 degrees of freedom is 3.182
    half = 3.182446 * np.sqrt(np.var([1, 1.5, 2, 0.5], ddof=1) / 4)
    np.testing.assert_allclose([mean, low, high], [1.25, 1.25 - half, 1.25 + half], rtol=1e-6)
    low, high = intervals.bootstrapped(better, than)
    assert 0.5 < low < 1.25 < high < 2


def test_grid_and_songs(parts):
    family, problems = parts("family"), parts("problems")
    assert len(family.points(family.GRID)) >= 200
    searched = family.GRID | family.BEYOND
    beside = family.neighbours(family.points(searched)[0], searched, 0.5)
    assert len(beside) == 2 * len(family.CONSTANTS) and all(point["radial"] > 0 for point in beside)
    sources = np.zeros((2, 1, 4 * problems.RATE), np.float32)
    sources[0], sources[1, :, 2 * problems.RATE :] = 1, 1
    assert problems.where_all_sound(sources, 2.0).all()
    songs = {"a": sources, "b": 2 * sources}
    loudest = [piece.max() for piece in problems.excerpts(songs, 1.0, 4, seed=0)]
    assert sorted(loudest[:2]) == sorted(loudest[2:]) == [1, 2]
    assert next(problems.excerpts(songs, 0.5, 1, seed=0, tries=30))[1].all()
    assert next(problems.remixed(songs, 1.0, 1, seed=0)).shape == (2, 1, problems.RATE)
