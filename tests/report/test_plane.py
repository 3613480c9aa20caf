"""Picture planes: sides in words, coordinates there and back, values from a volume."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.case import Volume
from kyphoplan.geometry import Frame, rotation
from kyphoplan.report.plane import Plane, Window, sample

angles = st.floats(-180, 180)


@given(angles, angles, st.floats(-50, 50), st.floats(-50, 50))
def test_projecting_undoes_lifting(turn: float, lean: float, u: float, v: float) -> None:
    axes = rotation([0, 0, 1], turn) @ rotation([1, 0, 0], lean)
    plane = Plane.facing([3.0, -40.0, 7.0], towards=axes[:, 1], up=axes[:, 2])
    assert plane.project(plane.lift(u, v)) == pytest.approx([u, v], abs=1e-9)


@given(angles, angles)
def test_sides_are_named_after_the_body_however_it_lies(turn: float, lean: float) -> None:
    axes = rotation([0, 0, 1], turn) @ rotation([1, 0, 0], lean)
    body = Frame(origin_mm=np.zeros(3), axes=axes.T)
    front = Plane.facing(body.origin_mm, towards=body.posterior, up=body.superior)
    feet = Plane.facing(body.origin_mm, towards=body.superior, up=-body.posterior)
    side = Plane.facing(body.origin_mm, towards=-body.left, up=body.superior)
    assert (front.words(body)["right"], front.words(body)["top"]) == ("Left", "Superior")
    assert (feet.words(body)["right"], feet.words(body)["top"]) == ("Left", "Anterior")
    assert (side.words(body)["right"], side.words(body)["top"]) == ("Posterior", "Superior")


def test_a_linear_volume_is_sampled_exactly_and_nothing_outside() -> None:
    i, j, k = np.indices((6, 7, 8))
    affine = np.diag([2.0, 1.0, 1.5, 1.0])
    volume = Volume((i + 10 * j + 100 * k).astype(np.int16), affine)
    inside = sample(volume, np.array([[3.0, 2.5, 3.0]]))
    assert inside == pytest.approx([1.5 + 25 + 200])
    assert np.isnan(sample(volume, np.array([[3.0, 2.5, 40.0]]))).all()


def test_a_window_takes_in_all_points_with_its_margin() -> None:
    window = Window.around([[0.0, 0.0], [10.0, 4.0], [np.nan, np.nan]], 2.0)
    assert window.extent == (-2.0, 12.0, -2.0, 6.0)
    u, v = window.grid(0.5)
    assert u.shape == v.shape == (16, 28)
    assert u[0, 0] == pytest.approx(-1.75)
