"""The table of cases and the pages of the rooms hold every algorithm that the rooms have."""

import inspect

import pytest

import dsp_sep as ds
from dsp_sep.iterate import Algorithm
from tests.cases import CASES
from tests.problems import TINY

ROOMS = ("masking", "nmf", "phase", "spatial")


def algorithms(room):
    public = {name: getattr(room, name) for name in room.__all__}
    return {name for name, value in public.items() if inspect.isclass(value) and issubclass(value, Algorithm)}


def inside(algorithm):
    yield type(algorithm).__name__
    for part in vars(algorithm).values():
        if isinstance(part, Algorithm):
            yield from inside(part)


def test_every_algorithm_has_a_case():
    used = {name for case in CASES for name in inside(case.algorithm())}
    assert {name for room in ROOMS for name in algorithms(getattr(ds, room))} <= used


@pytest.mark.parametrize("name", ROOMS)
def test_every_algorithm_is_on_the_page_of_its_room(name):
    room = getattr(ds, name)
    missing = {one for one in algorithms(room) if f"`{one}" not in room.__doc__ and f"({one}(" not in room.__doc__}
    assert not missing


def test_every_case_can_be_had_in_another_size():
    from dataclasses import replace

    size = replace(TINY, samples=300, frames=30, frequencies=17, components=6, sources=4, channels=3)
    for case in CASES:
        case.algorithm(size)
        assert case.data((), size) is not None
