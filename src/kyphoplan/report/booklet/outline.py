"""The outline of a bone where a plane cuts it, smooth enough to be drawn as a line."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.measure import approximate_polygon, find_contours

from kyphoplan.case import Part, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.report.plane import Plane, Window, sample

STEP_MM = 0.5  # [mm] grid on which the cut is looked at
SMOOTH_MM = 0.7  # [mm] rounds the steps of the voxels off
TOLERANCE_MM = 0.12  # [mm] a corner less far off a line is left out
SMALLEST_MM2 = 12.0  # [mm2] smaller islands are crumbs of the label map


def bone_rings(vertebra: Vertebra, plane: Plane, window: Window, *, arch: bool) -> list[Array]:
    """Return the closed outlines (N, 2) [mm] of a vertebra on a plane: of its body, or its arch.

    Spurs belong to neither and are left out; so is a vertebra that was not located.
    """
    if vertebra.parts is None:
        return []
    u, v = window.grid(STEP_MM)
    found = sample(vertebra.parts, plane.lift(u, v), order=0)
    inside = (found == (Part.ARCH if arch else Part.BODY)).astype(float)
    soft = gaussian_filter(np.pad(inside, 1), SMOOTH_MM / STEP_MM)
    step = np.array([window.width_mm / u.shape[1], window.height_mm / u.shape[0]])
    corner = np.array([window.u_low, window.v_low]) - 0.5 * step
    rings = []
    for contour in find_contours(soft, 0.5):
        ring = corner + contour[:, ::-1] * step
        if _area_mm2(ring) >= SMALLEST_MM2:
            rings.append(approximate_polygon(ring, TOLERANCE_MM))
    return rings


def _area_mm2(ring: Array) -> float:
    u, v = ring.T
    return 0.5 * abs(float(np.dot(u, np.roll(v, 1)) - np.dot(v, np.roll(u, 1))))
