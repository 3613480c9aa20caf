"""The thousand boxes: as many black as the count says, dots up to the end of its interval."""

import re

import pytest

from kyphoplan.report.booklet.grid import boxes, icon_grid


@pytest.mark.parametrize(
    ("count", "high", "black", "dots"),
    [(3.1, 6.4, 3, 3), (0.0, 38.0, 0, 38), (734.0, 788.0, 734, 54), (0.3, None, 1, 0)],
)
def test_the_boxes_are_counted(count: float, high: float | None, black: int, dots: int) -> None:
    paths = re.findall(r' d="([^"]*)"', icon_grid(count, high, "words"))
    empty, spotted, filled = (len(re.findall("M", path)) for path in paths)
    assert (filled, spotted) == (black, dots)
    assert empty + filled == 1000


def test_the_words_stand_for_those_who_do_not_see_it() -> None:
    assert 'role="img"' in icon_grid(3.0, 6.0, "about 3")
    assert "<title>about 3 &lt;b&gt;</title>" in icon_grid(3.0, 6.0, "about 3 <b>")


def test_no_more_than_all() -> None:
    assert boxes(1234.0) == 1000
