"""Laws of the phantom's known figures."""

import math
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphoplan.case import Level
from kyphoplan.geometry import angle_deg, rotation
from kyphoplan.phantom import Collapse, Phantom, truth
from kyphoplan.phantom.arch import canal, pedicle_axes, pedicle_centre
from kyphoplan.phantom.sizes import SIZES
from kyphoplan.phantom.stack import stack
from kyphoplan.phantom.tissue import bone

L1 = (Level.L1,)


def broken(
    level: Level = Level.L1, *, levels: tuple[Level, ...] = L1, **losses: object
) -> Phantom:
    return Phantom(levels=levels, collapses=(Collapse(level=level, **losses),))  # type: ignore[arg-type]


@pytest.mark.parametrize("endplate", ["superior", "inferior"])
@given(loss=st.floats(0.0, 0.7))
def test_pressing_a_body_flat_by_x_raises_its_height_loss_by_x(endplate: str, loss: float) -> None:
    phantom = broken(anterior_loss=loss, middle_loss=loss, posterior_loss=loss, endplate=endplate)
    row = truth(phantom)["L1"]
    assert row.height_loss_pct == pytest.approx(100 * loss, abs=1.0)


@given(loss=st.floats(0.1, 0.6))
def test_a_wedge_loses_height_in_front_only_and_bends_the_spine(loss: float) -> None:
    levels = (Level.T12, Level.L1, Level.L2)
    phantom = broken(levels=levels, anterior_loss=loss, middle_loss=loss / 2)
    row, before = truth(phantom)["L1"], truth(phantom.unbroken())["L1"]
    assert row.anterior_height_mm == pytest.approx(
        (1 - loss) * before.anterior_height_mm, rel=0.04
    )
    assert row.posterior_height_mm == pytest.approx(before.posterior_height_mm, rel=0.04)
    opened = row.wedge_angle_deg - before.wedge_angle_deg
    bent = truth(phantom).cobb_deg(Level.T12, Level.L2) - truth(phantom.unbroken()).cobb_deg(
        Level.T12, Level.L2
    )
    assert opened == pytest.approx(bent, abs=1.0)
    drop = loss * before.anterior_height_mm
    assert opened == pytest.approx(np.rad2deg(np.arctan(drop / (0.7 * row.depth_mm))), abs=2.5)


def test_the_middle_alone_sinks_in_a_biconcave_fracture() -> None:
    row = truth(broken(middle_loss=0.35))["L1"]
    assert row.genant_grade == 2
    assert row.anterior_height_mm == pytest.approx(row.unbroken_anterior_height_mm, rel=0.01)
    assert row.superior_depression_mm > 0.3 * row.unbroken_middle_height_mm


def test_an_unbroken_spine_has_no_loss_and_published_heights() -> None:
    for row in truth(Phantom()).levels:
        assert (row.height_loss_pct, row.genant_grade, row.canal_compromise_pct) == (0.0, 0, 0.0)
        assert row.fractured_endplate == "none"
        assert 0.3 < row.superior_depression_mm < row.inferior_depression_mm < 2.5
    row = truth(Phantom())["L1"]
    assert row.posterior_height_mm == pytest.approx(26.57, abs=2 * 1.06)  # Bonczar 2024
    assert row.left_pedicle_width_mm == pytest.approx(8.60, abs=0.92)  # Panjabi 1992


def test_turning_the_patient_changes_no_number_and_turns_every_place() -> None:
    phantom = broken(anterior_loss=0.3, retropulsion_mm=3.0)
    turn = rotation([0.2, -0.5, 0.8], 33.0)
    still, moved = truth(phantom)["L1"], truth(phantom).turned(turn)["L1"]
    for field in fields(still):
        before, after = getattr(still, field.name), getattr(moved, field.name)
        if isinstance(before, np.ndarray):
            np.testing.assert_allclose(after, before @ turn.T, atol=1e-12)
        else:
            assert after == before


def test_heights_are_the_distances_of_the_height_points_along_the_axis() -> None:
    row = truth(broken(anterior_loss=0.4, middle_loss=0.2))["L1"]
    between = row.superior_points_mm - row.inferior_points_mm
    np.testing.assert_allclose(between @ row.superior, row.heights_mm, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(between, axis=1), row.heights_mm, atol=1e-6)
    across = row.posterior_wall_mm - row.anterior_wall_mm
    assert angle_deg(across, row.posterior) < 0.01
    middle = (row.superior_points_mm[1] + row.inferior_points_mm[1]) / 2
    np.testing.assert_allclose(middle, row.centre_mm, atol=1e-4)


def test_the_frame_is_right_handed_and_left_is_left() -> None:
    for row in truth(Phantom()).levels:
        np.testing.assert_allclose(np.cross(row.posterior, row.superior), row.left, atol=1e-9)
        assert row.left @ [1, 0, 0] > 0.999
        assert row.left_isthmus_mm[0] > 0 > row.right_isthmus_mm[0]


def test_a_symmetric_phantom_has_equal_pedicles_and_a_scaled_left_one_differs() -> None:
    row = truth(Phantom(levels=L1))["L1"]
    assert row.left_pedicle_width_mm == row.right_pedicle_width_mm
    row = truth(Phantom(levels=L1, left_pedicle_scale=0.8))["L1"]
    assert row.left_pedicle_width_mm == pytest.approx(0.8 * row.right_pedicle_width_mm)


@pytest.mark.parametrize("left", [True, False])
def test_the_isthmus_is_the_narrowest_place_of_the_bone_around_it(left: bool) -> None:
    placed = stack(Phantom(left_pedicle_scale=0.85))
    for above, item in pairwise(placed):
        side = np.array([1.0 if left else -1.0, 1.0, 1.0])
        forward, wide, tall = (d * side for d in pedicle_axes(item.shape))
        start = pedicle_centre(item.shape, left=left)
        reach = np.arange(-40, 40, 0.05)
        sizes = {}
        for along in (-2.0, -1.0, 0.0, 1.0, 2.0):
            extents = []
            for way in (wide, tall):
                line = item.frame.to_patient(start + along * forward + reach[:, None] * way)
                inside = np.minimum(*bone(item, line, above)[:2]) < 0
                gaps = np.flatnonzero(~inside)
                centre = len(reach) // 2
                extents.append(0.05 * (gaps[gaps > centre].min() - gaps[gaps < centre].max() - 1))
            sizes[along] = extents
        row = truth(Phantom(left_pedicle_scale=0.85))[item.level]
        width = row.left_pedicle_width_mm if left else row.right_pedicle_width_mm
        assert sizes[0.0] == pytest.approx([width, row.left_pedicle_height_mm], abs=0.11)
        assert min(w for w, _ in sizes.values()) > sizes[0.0][0] - 0.11
        assert min(h for _, h in sizes.values()) > sizes[0.0][1] - 0.11


def test_an_unbroken_canal_is_a_superellipse_and_the_space_up_to_the_bone_around_it() -> None:
    """Counted point by point: it is no more than what is free of bone within 2 mm of the oval."""
    p, step = 2.5, 0.1
    share = math.gamma(1 + 1 / p) ** 2 / math.gamma(1 + 2 / p)
    phantom = Phantom()
    for row, item in zip(truth(phantom).levels, stack(phantom), strict=True):
        sizes = SIZES[row.level]
        whole = sizes.canal_width * sizes.canal_depth * share
        side = np.arange(-18.0, 18.0, step)
        x, y = np.meshgrid(side, side, indexing="ij")
        z = item.frame.to_local(row.canal_centre_mm)[2]
        places = np.stack([x, y + item.shape.posterior + sizes.canal_depth / 2, 0.0 * x + z], -1)
        free = np.minimum.reduce(bone(item, item.frame.to_patient(places), None)) > 0
        near = canal(item.shape, places[..., 0], places[..., 1]) < 2.0
        assert 1.005 * whole < row.canal_area_mm2 < 1.035 * whole
        assert row.canal_area_mm2 < 1.002 * (free & near).sum() * step**2


@settings(max_examples=8)
@given(bulge=st.floats(1.0, 8.0))
def test_more_retropulsion_leaves_less_canal(bulge: float) -> None:
    row = truth(broken(anterior_loss=0.3, retropulsion_mm=bulge))["L1"]
    less = truth(broken(anterior_loss=0.3, retropulsion_mm=bulge / 2))["L1"]
    assert row.canal_compromise_pct > less.canal_compromise_pct > 0
    assert row.canal_area_mm2 < less.canal_area_mm2
    assert row.retropulsion_mm == bulge


def test_a_cleft_has_the_volume_that_was_asked_for() -> None:
    for ml in (0.5, 1.0):
        assert truth(broken(middle_loss=0.2, cleft_ml=ml))["L1"].cleft_ml == pytest.approx(
            ml, rel=0.04
        )


def test_volume_grows_with_the_cube_of_the_size() -> None:
    large = truth(Phantom(levels=L1, size=1.1))["L1"].body_volume_ml
    small = truth(Phantom(levels=L1))["L1"].body_volume_ml
    assert large / small == pytest.approx(1.1**3, rel=0.01)  # the rim's radius does not grow


def test_added_kyphosis_is_the_sum_over_the_discs() -> None:
    levels = (Level.T12, Level.L1, Level.L2)
    bent = truth(Phantom(levels=levels, kyphosis_deg=20.0))
    straight = truth(Phantom(levels=levels))
    gain = bent.cobb_deg(Level.T12, Level.L2) - straight.cobb_deg(Level.T12, Level.L2)
    assert gain == pytest.approx(20.0, abs=1e-6)


def test_an_absent_level_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="T9"):
        truth(Phantom(levels=L1))["T9"]
    with pytest.raises(KeyError, match="L1-L3"):
        truth(Phantom(levels=L1)).cobb_deg(Level.L1, Level.L3)
