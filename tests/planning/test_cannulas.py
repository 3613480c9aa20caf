"""Gauges are found by name, and only real ones."""

from itertools import pairwise

import pytest

from kyphoplan.planning.cannulas import CANNULAS, Cannula, cannula_named


def test_a_larger_gauge_is_a_thinner_cannula() -> None:
    rows = sorted(CANNULAS, key=lambda c: int(c.name.removesuffix("G")))
    assert all(a.outer_diameter_mm > b.outer_diameter_mm for a, b in pairwise(rows))


@pytest.mark.parametrize("name", ["8G", " 10g ", "11G", "13G"])
def test_a_gauge_is_found_by_its_name(name: str) -> None:
    assert cannula_named(name).name == name.strip().upper()


def test_an_unknown_gauge_names_the_choice() -> None:
    with pytest.raises(ValueError, match="8G, 10G, 11G, 13G"):
        cannula_named("9G")


def test_an_impossible_diameter_is_refused() -> None:
    with pytest.raises(ValueError, match="between"):
        Cannula(name="own", outer_diameter_mm=40.0)
