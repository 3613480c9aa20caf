"""A frame turned upright between two endplates whose planes are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.anatomy.endplates import Columns, facing
from kyphoplan.anatomy.patch import KNOT_MM, Patch
from kyphoplan.anatomy.surface import Surface
from kyphoplan.geometry import Frame, angle_deg, unit

WALLS, WIDTH = (-20.0, 12.0), 40.0  # [mm]
FRAME = Frame.from_directions(
    [5.0, -3.0, 8.0], superior=[0.1, 0.2, 1.0], posterior=[0.1, 1.0, 0.0]
)
SLOPES = st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))


def flat(
    sign: int, slopes: tuple[float, float], dish: float = 0.0, *, seen: float = 12.0
) -> Columns:
    """Return an endplate sloping to the left and backwards, seen up to a place behind [mm]."""
    u, v = (a.ravel() for a in np.meshgrid(np.arange(-20.0, 21.0), np.arange(-20.0, seen)))
    patch = Patch.over(np.array([-24.0, 24.0]), np.array([-24.0, 16.0]))
    i, j = np.indices(patch.shape)
    x, y = patch.corner[0] + KNOT_MM * i, patch.corner[1] + KNOT_MM * j
    height = sign * 12.0 + slopes[0] * x + slopes[1] * y - sign * dish * (x**2 + (y + 4.0) ** 2)
    fitted = Surface(patch=patch, coefficients=height.ravel(), precision=np.eye(height.size))
    none = np.zeros(u.size)
    return Columns(
        left=u,
        posterior=v,
        height=fitted.at(u, v),
        label=none,
        from_wall=none,
        refined=none > 0,
        sign=sign,
        fitted=fitted,
    )


@given(SLOPES, SLOPES)
def test_superior_halves_the_angle_of_the_two_planes(
    top: tuple[float, float], bottom: tuple[float, float]
) -> None:
    own = facing((flat(1, top), flat(-1, bottom)), FRAME, WALLS, WIDTH)
    normals = [unit([-b, -c, 1.0]) @ FRAME.axes for b, c in (top, bottom)]
    assert angle_deg(own.superior, normals[0]) == pytest.approx(
        angle_deg(own.superior, normals[1]), abs=1e-6
    )
    assert abs(np.cross(*normals) @ own.superior) < 1e-9
    np.testing.assert_array_equal(own.origin_mm, FRAME.origin_mm)
    assert np.linalg.det(own.axes) == pytest.approx(1.0)
    assert own.posterior @ FRAME.posterior > 0.8


def test_parallel_endplates_give_their_normal() -> None:
    own = facing((flat(1, (0.2, -0.1)), flat(-1, (0.2, -0.1))), FRAME, WALLS, WIDTH)
    np.testing.assert_allclose(own.superior, unit([-0.2, 0.1, 1.0]) @ FRAME.axes, atol=1e-9)


def test_a_dish_in_the_middle_turns_nothing() -> None:
    own = facing((flat(1, (0.0, 0.0), 0.005), flat(-1, (0.0, 0.0), 0.008)), FRAME, WALLS, WIDTH)
    assert angle_deg(own.superior, FRAME.superior) < 1e-6


def test_what_a_fragment_hides_turns_nothing() -> None:
    whole, hidden = (flat(1, (0.1, 0.2), 0.006, seen=seen) for seen in (12.0, 2.0))
    below = flat(-1, (0.0, -0.1))
    first, second = (facing((top, below), FRAME, WALLS, WIDTH) for top in (whole, hidden))
    np.testing.assert_array_equal(first.axes, second.axes)


def test_the_mirror_image_is_turned_the_other_way() -> None:
    one = facing((flat(1, (0.1, 0.2)), flat(-1, (-0.3, 0.0))), FRAME, WALLS, WIDTH)
    other = facing((flat(1, (-0.1, 0.2)), flat(-1, (0.3, 0.0))), FRAME, WALLS, WIDTH)
    seen, mirrored = (FRAME.axes @ frame.superior for frame in (one, other))
    np.testing.assert_allclose(seen, mirrored * [-1.0, 1.0, 1.0], atol=1e-12)
