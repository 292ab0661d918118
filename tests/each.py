"""Parameters of tests: one of each kind always, all of them in a thorough run; so the cases of the table."""

from collections.abc import Callable, Container, Mapping

import pytest

from tests.cases import CASES, Case

ALWAYS = {
    "activations",
    "griffin_lim",
    "misi_ratio",
    "nmf_kullback_leibler",
}


def marked(parameters: Mapping[str, object], always: Container[str]) -> list:
    """Parameters by their ids, tuples where there are several; those that do not always run are marked as thorough."""
    return [
        pytest.param(
            *(value if type(value) is tuple else (value,)),
            id=name,
            marks=() if name in always else pytest.mark.thorough,
        )
        for name, value in parameters.items()
    ]


def each(wanted: Callable[[Case], object] = lambda case: True) -> pytest.MarkDecorator:
    """A test of each case that is wanted."""
    return pytest.mark.parametrize("case", marked({case.name: case for case in CASES if wanted(case)}, ALWAYS))
