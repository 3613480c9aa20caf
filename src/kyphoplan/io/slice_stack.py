"""Where a stack of DICOM slices lies in the patient, from the slices' own positions."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphoplan.errors import GeometryError
from kyphoplan.geometry import Array
from kyphoplan.io.placement import check_place, check_voxel_size, numbers

DIRECTION_TOLERANCE = 1e-3  # [1] of unit length and right angle: DICOM files round to 4-6 digits
DOUBLED_MM = 0.01  # [mm] two slices closer than this are at one place; own choice
STEP_TOLERANCE = 0.01  # [1] of the usual step between slices; own choice
MOST_TOLD = 3  # [1] gaps that a refusal tells one by one; own choice
STEP_TOLERANCE_MM = 0.05  # [mm] of the step, and of a slice from the stack's line; own choice


def dicom_affine(
    positions_mm: ArrayLike, orientation: ArrayLike, pixel_spacing_mm: ArrayLike
) -> tuple[Array, NDArray[np.intp]]:
    """Decide the affine [mm, LPS] of a stack of DICOM slices, and the order of the slices.

    Slices are ordered along their normal; only ImagePositionPatient and ImageOrientationPatient
    count, no tag such as SliceThickness or InstanceNumber. A stack that does not rise along the
    normal (gantry tilt) gives a sheared affine.

    Parameters
    ----------
    positions_mm : (N, 3) ImagePositionPatient of each slice.
    orientation : (6,) ImageOrientationPatient.
    pixel_spacing_mm : (2,) PixelSpacing: between rows, between columns.

    Returns
    -------
    affine : (4, 4) for voxels [column, row, slice].
    order : (N,) indices of the slices in stack order.

    Raises
    ------
    GeometryError
        If slices are missing, doubled, unevenly spaced or off the line.

    References
    ----------
    DICOM PS3.3 C.7.6.2 (Image Plane Module).
    """
    row, column = np.asarray(orientation, float).reshape(2, 3)
    skew = abs(float(row @ column))
    lengths = np.linalg.norm([row, column], axis=1)
    if (
        not np.isfinite(skew)
        or skew > DIRECTION_TOLERANCE
        or np.ptp([*lengths, 1.0]) > (DIRECTION_TOLERANCE)
    ):
        raise GeometryError(
            f"image orientation {numbers(np.ravel(orientation))} is no pair of right-angled unit "
            "directions: export the series again",
            code="orientation_damaged",
        )
    positions = np.asarray(positions_mm, float)
    heights = positions @ np.cross(row, column)
    order = np.argsort(heights, kind="stable")
    positions, heights = positions[order], heights[order]
    _check_steps(heights, np.cross(row, column))
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    off = np.linalg.norm(
        positions - positions[0] - np.outer(np.arange(len(positions)), step), axis=1
    )
    if off.max() > STEP_TOLERANCE_MM:
        raise GeometryError(
            f"slices lie up to {off.max():.2f} mm off their common line: export the series again",
            code="slices_off_line",
        )
    between_rows, between_columns = sizes = np.asarray(pixel_spacing_mm, float)
    if not (sizes > 0.0).all():
        text = f"pixel spacing {numbers(sizes)} mm is impossible: export the series again"
        raise GeometryError(text, code="voxel_size")
    affine = np.eye(4)
    affine[:3, :3] = np.stack([row * between_columns, column * between_rows, step], axis=1)
    affine[:3, 3] = positions[0]
    check_voxel_size(affine)
    check_place(affine)
    return affine, order


def _check_steps(heights: Array, normal: Array) -> None:
    """Refuse doubled, missing and uneven slices; heights rise along the normal [mm]."""
    steps = np.diff(heights)
    usual = float(np.median(steps))
    if not np.isfinite(heights).all():
        text = "slice position is not a number: export the series again"
        raise GeometryError(text, code="placement")
    doubled = np.flatnonzero(steps < DOUBLED_MM)
    if doubled.size:
        raise GeometryError(
            f"{doubled.size + 1} slices share one position ({heights[doubled[0]]:.2f} mm along "
            "the normal): leave one of each (two reconstructions in one series?)",
            code="slices_doubled",
        )
    uneven = np.flatnonzero(np.abs(steps - usual) > max(STEP_TOLERANCE * usual, STEP_TOLERANCE_MM))
    if uneven.size:
        raise _uneven(heights, normal, usual, uneven)


def _uneven(
    heights: Array, normal: Array, usual: float, uneven: NDArray[np.intp]
) -> GeometryError:
    """Say how wide each gap is, where it lies, and which slices are even among themselves."""
    ends = [(float(heights[n]), float(heights[n + 1])) for n in uneven]
    times = np.diff(ends, axis=1)[:, 0] / usual
    tolerance = max(STEP_TOLERANCE, STEP_TOLERANCE_MM / usual) * np.round(times)
    whole = (np.abs(times - np.round(times)) <= tolerance) & (times > 1.5)  # noqa: PLR2004
    missing = int(np.round(times).sum()) - len(times) if whole.all() else 0
    told = [
        f"{high - low:.2f} mm instead of {usual:.2f} mm between {low:.2f} and {high:.2f} mm"
        for low, high in ends[:MOST_TOLD]
    ]
    what = f"{missing} missing" if missing else "uneven spacing"
    also = f", and {len(ends) - MOST_TOLD} more" if len(ends) > MOST_TOLD else ""
    edges = [-1, *uneven.tolist(), len(heights) - 1]
    first, last = max(((a + 1, b) for a, b in pairwise(edges)), key=lambda part: part[1] - part[0])
    return GeometryError(
        f"slices are not evenly spaced: {', '.join(told)}{also} along the normal ({what}): give "
        f"the complete series, or only the {last - first + 1} even slices from "
        f"{heights[first]:.2f} to {heights[last]:.2f} mm with labels made from these",
        code="slices_missing" if missing else "slices_uneven",
        gaps=[{"from_mm": low, "to_mm": high} for low, high in ends],
        normal=normal.tolist(),
    )
