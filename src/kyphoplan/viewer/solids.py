"""Surfaces as triangles: bones from their distance field, cannulas and balloons by revolution."""

import numpy as np
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from kyphoplan.case import Inflation, Trajectory, Volume
from kyphoplan.geometry import Array, unit

Triangles = NDArray[np.uint32]
Surface = tuple[Array, Triangles]  # corners (N, 3) [mm, LPS] and their numbers (M, 3)

BONE_STEP_MM = 1.0  # [mm] grid of the bones shown: finer cannot be told apart on a screen
SEGMENTS = 32  # [1] corners around a cannula or balloon
ARC_STEPS = 9  # [1] rings of a round tip


def bone(surface: Volume) -> Surface | None:
    """Return the bone's surface from its signed distance, facing outward; None if empty."""
    stride = max(round(BONE_STEP_MM / float(surface.spacing_mm.min())), 1)
    values = surface.voxels[::stride, ::stride, ::stride].astype(np.float32)
    closed = np.pad(values, 1, constant_values=float(max(values.max(), BONE_STEP_MM)))
    if not closed.min() < 0.0 < closed.max():
        return None
    corners, triangles, _, _ = marching_cubes(closed, 0.0)
    placed = surface.to_patient((corners - 1.0) * stride)
    if np.linalg.det(surface.affine[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    return placed, triangles.astype(np.uint32)


def capsule(
    start_mm: Array, end_mm: Array, diameter_mm: float, *, flat_start: bool = False
) -> Surface:
    """Return all points within half a diameter of a line, round or flat at its start [mm, LPS]."""
    axis = np.asarray(end_mm, float) - np.asarray(start_mm, float)
    radius, length = diameter_mm / 2.0, float(np.linalg.norm(axis))
    turn = np.linspace(0.0, np.pi / 2.0, ARC_STEPS)
    along, across = length + radius * np.sin(turn), radius * np.cos(turn)
    before = (np.zeros(2), np.array([0.0, radius])) if flat_start else (length - along, across)
    order = slice(None) if flat_start else slice(None, None, -1)
    along = np.concatenate([before[0][order], along])
    across = np.concatenate([before[1][order], across])
    return revolved(np.asarray(start_mm, float), unit(axis), along, across)


def cannula(trajectory: Trajectory) -> Surface:
    """Return a cannula as it is judged: from its entry to half a diameter past its tip."""
    t = trajectory
    return capsule(t.entry_mm, t.target_mm, t.outer_diameter_mm, flat_start=True)


def balloon(inflation: Inflation) -> Surface:
    """Return a balloon at its planned size: a capsule along its cannula."""
    start, end = balloon_core(inflation)
    return capsule(start, end, inflation.diameter_mm)


def balloon_core(inflation: Inflation) -> tuple[Array, Array]:
    """Return the two ends of a balloon's straight part [mm, LPS]."""
    least = 1e-3  # [mm] a ball keeps a direction
    half = max(inflation.length_mm - inflation.diameter_mm, least) / 2.0 * unit(inflation.axis)
    return inflation.centre_mm - half, inflation.centre_mm + half


def revolved(origin_mm: Array, axis: Array, along: Array, across: Array) -> Surface:
    """Turn a profile about a line: ring k lies ``along[k]`` from the origin, ``across[k]`` wide.

    Parameters
    ----------
    origin_mm : (3,) [mm, LPS].
    axis : (3,) unit vector.
    along, across : (K,) position on the axis and radius of each ring [mm].

    Examples
    --------
    >>> corners, triangles = revolved(np.zeros(3), np.array([0.0, 0, 1]), [0.0, 1.0], [1.0, 1.0])
    >>> corners.shape, triangles.shape
    ((64, 3), (64, 3))
    """
    least = np.eye(3)[int(np.argmin(np.abs(axis)))]
    first = unit(np.cross(axis, least))
    second = np.cross(axis, first)
    turn = np.linspace(0.0, 2.0 * np.pi, SEGMENTS, endpoint=False)
    circle = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    rings = (
        np.asarray(origin_mm, float)
        + np.asarray(along, float)[:, None, None] * axis
        + np.asarray(across, float)[:, None, None] * circle
    )
    return rings.reshape(-1, 3), _bands(len(rings))


def _bands(rings: int) -> Triangles:
    """Join each ring to the next by two triangles per segment, facing outward."""
    ring, segment = np.meshgrid(np.arange(rings - 1), np.arange(SEGMENTS), indexing="ij")
    a = ring * SEGMENTS + segment
    b = ring * SEGMENTS + (segment + 1) % SEGMENTS
    halves = [np.stack([a, b, b + SEGMENTS], -1), np.stack([a, b + SEGMENTS, a + SEGMENTS], -1)]
    return np.concatenate([h.reshape(-1, 3) for h in halves]).astype(np.uint32)
