"""The study of implicit and unrolled gradients makes its results and its page, and shows what it is there to show."""

import json

import pytest

from .test_examples import EXAMPLES, load


@pytest.mark.thorough
def test_implicit_is_as_right_as_unrolled_in_less_memory(tmp_path, monkeypatch, users_settings):
    monkeypatch.syspath_prepend(EXAMPLES)
    module = load("implicit_against_unrolled")
    assert module.main(tmp_path, **module.QUICK) > 0
    rows = json.loads((tmp_path / "results.json").read_text())["activations"]
    at = {(count, way): (error, memory) for count, way, error, _, memory in rows}
    assert at[200, "implicit"][0] < at[10, "implicit"][0] and at[200, "implicit"][0] < at[200, "one step"][0]
    assert at[200, "implicit"][1] == at[10, "implicit"][1] and at[200, "plain"][1] > at[10, "plain"][1]
    assert "| 200 | implicit |" in (tmp_path / "README.md").read_text()
