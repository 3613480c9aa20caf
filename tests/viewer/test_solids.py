"""Surfaces have the size, place and outward faces of the bodies they stand for."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Side, Volume
from kyphoplan.geometry import Array
from kyphoplan.viewer import solids

from ..planned import inflation, planned, trajectory

RADIUS = 2.1  # [mm]


def enclosed_mm3(surface: solids.Surface) -> float:
    """Volume inside a closed surface; negative if its faces look inward."""
    a, b, c = np.moveaxis(surface[0][surface[1]], 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def from_line(points: Array, start: Array, end: Array) -> Array:
    along = end - start
    share = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - start - share[:, None] * along, axis=1))


@pytest.mark.parametrize("end", [(3.0, -30.0, 4.0), (0.0, 0.0, 30.0), (-20.0, 0.0, 0.0)])
def test_a_capsule_is_all_within_a_radius_of_its_line_and_no_more(
    end: tuple[float, float, float],
) -> None:
    start, stop = np.array([10.0, 20.0, -5.0]), np.array([10.0, 20.0, -5.0]) + end
    surface = solids.capsule(start, stop, 2 * RADIUS)
    assert from_line(surface[0], start, stop) == pytest.approx(RADIUS, abs=1e-9)
    true = np.pi * RADIUS**2 * (np.linalg.norm(end) + 4.0 / 3.0 * RADIUS)
    assert enclosed_mm3(surface) == pytest.approx(true, rel=0.02)


def test_a_cannula_starts_flat_at_its_entry_and_ends_a_radius_past_its_tip() -> None:
    t = trajectory(planned().spine["L1"], Side.LEFT)
    points, _ = solids.cannula(t)
    along = (points - t.entry_mm) @ (t.target_mm - t.entry_mm) / t.depth_mm
    assert along.min() == pytest.approx(0.0, abs=1e-9)
    assert along.max() == pytest.approx(t.depth_mm + t.outer_diameter_mm / 2.0)
    assert enclosed_mm3(solids.cannula(t)) > 0


@pytest.mark.parametrize("length", [12.0, 17.0])
def test_a_balloon_has_the_planned_length_and_diameter(length: float) -> None:
    b = replace(inflation(trajectory(planned().spine["L1"], Side.RIGHT)), length_mm=length)
    points, _ = solids.balloon(b)
    along = (points - b.centre_mm) @ b.axis
    across = np.linalg.norm(points - b.centre_mm - along[:, None] * b.axis, axis=1)
    assert np.ptp(along) == pytest.approx(length, abs=0.01)
    assert 2 * across.max() == pytest.approx(b.diameter_mm)


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_a_bone_is_where_its_distance_is_zero_and_faces_outward(flip: float) -> None:
    affine = np.diag([0.5 * flip, 0.5, 0.5, 1.0])
    affine[:3, 3] = (-10.0 * flip, 5.0, 5.0)
    centre = np.array([0.0, 15.0, 15.0])
    grid = Volume(np.zeros((41, 41, 41)), affine)
    at = grid.to_patient(np.moveaxis(np.indices(grid.shape), 0, -1))
    surface = solids.bone(Volume(np.linalg.norm(at - centre, axis=-1) - 6.0, affine))
    assert surface is not None
    assert np.linalg.norm(surface[0] - centre, axis=1) == pytest.approx(6.0, abs=0.1)
    assert enclosed_mm3(surface) == pytest.approx(4.0 / 3.0 * np.pi * 6.0**3, rel=0.03)


def test_no_bone_gives_no_surface() -> None:
    assert solids.bone(Volume(np.full((5, 5, 5), 3.0), np.eye(4))) is None
