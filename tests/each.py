"""The cases of the table as parameters of tests: one of each kind always, all of them in a thorough run."""

from collections.abc import Callable

import pytest

from tests.cases import CASES, Case

ALWAYS = {
    "activations",
    "complex_nmf",
    "em",
    "griffin_lim",
    "griffin_lim_best",
    "hals",
    "misi_ratio",
    "nmf_kullback_leibler",
    "nmf_sparse",
    "semi_supervised",
}


def each(wanted: Callable[[Case], object] = lambda case: True) -> pytest.MarkDecorator:
    """A test of each case that is wanted."""
    chosen = [
        pytest.param(case, id=case.name, marks=() if case.name in ALWAYS else pytest.mark.thorough)
        for case in CASES
        if wanted(case)
    ]
    return pytest.mark.parametrize("case", chosen)
