"""Pedicles and canal cut across: the right side on the right side, outlines where they are."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Level
from kyphoplan.errors import NotFoundError
from kyphoplan.report import draw_canal, draw_pedicles

from .conftest import Case
from .drawn import drawn, every_text, side_words


def test_the_right_pedicle_is_on_the_left_as_seen_from_the_front(turned: Case) -> None:
    figure = draw_pedicles(turned.spine, turned.measurements, Level.L1, turned.ct)
    left, right = sorted(figure.axes, key=lambda axes: axes.get_position().x0)
    assert left.get_title() == "L1 right pedicle"
    assert right.get_title() == "L1 left pedicle"
    for axes in (left, right):
        words = side_words(axes)
        assert (words["left"], words["right"], words["top"]) == ("Right", "Left", "Superior")


def test_the_outline_has_the_pedicles_size_around_the_isthmus(turned: Case) -> None:
    figure = draw_pedicles(turned.spine, turned.measurements, Level.L1, turned.ct)
    for side in ("left", "right"):
        ring = drawn(figure, f"pedicle-{side}")
        assert ring is not None
        assert np.ptp(ring, axis=0) == pytest.approx([8.0, 14.0], abs=0.1)
        assert (ring.min(axis=0) + ring.max(axis=0)) / 2 == pytest.approx([0, 0], abs=0.05)


def test_the_ct_shows_bone_inside_the_outline(turned: Case) -> None:
    figure = draw_pedicles(turned.spine, turned.measurements, Level.L1, turned.ct)
    for axes in figure.axes:
        grey = np.asarray(axes.images[0].get_array())
        middle = grey.shape[0] // 2
        inside = grey[middle - 5 : middle + 6, middle - 5 : middle + 6].mean()
        assert inside > grey[:10].mean() + 0.2


def test_a_missing_pedicle_is_said_to_be_missing(case: Case) -> None:
    lost = replace(case.spine["L1"], right_pedicle=None)
    spine = replace(case.spine, vertebrae=(lost,))
    texts = every_text(draw_pedicles(spine, case.measurements, Level.L1))
    assert "L1 right pedicle\nnot located" in texts
    neither = replace(lost, left_pedicle=None, reason="arch not found")
    with pytest.raises(NotFoundError, match="no pedicle located"):
        draw_pedicles(replace(case.spine, vertebrae=(neither,)), case.measurements, Level.L1)


def test_the_canal_is_seen_from_the_feet(turned: Case) -> None:
    figure = draw_canal(turned.spine, turned.measurements, Level.L1, turned.ct)
    assert side_words(figure.axes[0]) == {
        "left": "Right",
        "right": "Left",
        "top": "Anterior",
        "bottom": "Posterior",
    }
    ring = drawn(figure, "canal")
    assert ring is not None
    assert np.ptp(ring, axis=0) == pytest.approx([22.0, 16.0], abs=0.2)
    assert "5 mm²" in every_text(figure)


def test_without_a_canal_there_is_no_picture(case: Case) -> None:
    spine = replace(case.spine, vertebrae=(replace(case.spine["L1"], canal=None),))
    with pytest.raises(NotFoundError, match="canal not located"):
        draw_canal(spine, case.measurements, Level.L1)
