"""Where an image lies in the patient: decided here, once, from plain header numbers.

Every reader hands its header's numbers to this module (DICOM slices: to `slice_stack`) and gets
one affine [mm, LPS] back, or a refusal. Nothing else in kyphoplan interprets a header's geometry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kyphoplan.case import Notice, Severity
from kyphoplan.errors import GeometryError, UnknownSidesError
from kyphoplan.geometry import Array, angle_deg, unit
from kyphoplan.io.stated import OR_STATE, check_statement, stated_affine

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # [1] NIfTI's frame to ours, and back
AGREEMENT_MM = 0.1  # [mm] farther apart, sform and qform place an image differently; own choice
CONTRADICTION_DEG = 45.0  # [deg] farther apart, two orientations name different sides
SIZE_AGREEMENT = 0.01  # [1] relative difference of header voxel size and affine; own choice
SMALLEST_MM, LARGEST_MM = 0.02, 20.0  # [mm] voxel sizes a spine CT can have (micro-CT to survey)
LONGEST_QUATERNION = 1.001  # [1] squared length of b, c, d; more is no rounding of 1
FARTHEST_MM = 10_000.0  # [mm] of the first voxel from the origin: tables move 2 m; own choice
FLATTEST = 0.2  # [1] volume of a voxel over that of its box: less is no CT's tilt (78 deg)
UPRIGHT_DEG = 0.1  # [deg] a slice stack is called tilted above this; own choice


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiPlacement:
    """The geometry fields of a NIfTI header, as stored (RAS, in the header's own unit).

    Attributes
    ----------
    shape : voxels along i, j, k.
    pixdim : ``pixdim[0:4]``: qfac and the three voxel sizes.
    quaternion, offset : ``quatern_b, c, d`` and ``qoffset_x, y, z``.
    sform : (3, 4) ``srow_x, y, z``.
    qform_code, sform_code : 0 means "not set".
    to_mm : millimetres per unit of the header.
    """

    shape: tuple[int, ...]
    pixdim: Sequence[float]
    quaternion: Sequence[float]
    offset: Sequence[float]
    sform: ArrayLike
    qform_code: int
    sform_code: int
    to_mm: float = 1.0


def nifti_affine(
    header: NiftiPlacement, orientation: str | None = None
) -> tuple[Array, tuple[Notice, ...]]:
    """Decide the affine [mm, LPS] of a NIfTI image, from sform and qform together.

    The sform is taken where it is set, else the qform. If both are set they must name the same
    directions; a smaller disagreement is reported. An orientation that the user states counts only
    where the header's is unknown or contradictory.

    Raises
    ------
    GeometryError
        If no orientation is set, the two contradict each other, or the numbers are impossible.

    References
    ----------
    NIfTI-1 data format, nifti1.h, "3D image (volume) orientation and location in space".
    """
    sizes = np.asarray(header.pixdim[1:4], float)
    if not np.isfinite(sizes).all() or (sizes <= 0).any():
        raise GeometryError(
            f"voxel size {numbers(sizes)} is impossible: write the file again from its source",
            code="voxel_size",
        )
    try:
        ras, notices = _stated_by_header(header)
    except UnknownSidesError as error:
        if orientation is None:
            raise
        return stated_affine(orientation, sizes * header.to_mm, header.shape, str(error))
    ras[:3] *= header.to_mm
    _check_sizes(ras, sizes * header.to_mm)
    affine = LPS_FROM_RAS @ ras
    check_statement(affine, orientation)
    return affine, notices + tilt_notices(affine)


def _stated_by_header(header: NiftiPlacement) -> tuple[Array, tuple[Notice, ...]]:
    """Return the affine (RAS, in the header's unit) that sform and qform agree upon."""
    if header.sform_code <= 0 and header.qform_code <= 0:
        raise UnknownSidesError(
            "orientation unknown (sform and qform code 0), so left and right cannot be told: "
            f"convert it again from DICOM{OR_STATE}",
            code="orientation_unknown",
        )
    sform, qform = _sform(header), _qform(header)
    notices: tuple[Notice, ...] = ()
    if header.sform_code > 0 and header.qform_code > 0:
        notices = _compare(sform, qform, header)
    return sform if header.sform_code > 0 else qform, notices


def _sform(header: NiftiPlacement) -> Array:
    return np.vstack([np.asarray(header.sform, float), [0.0, 0.0, 0.0, 1.0]])


def _qform(header: NiftiPlacement) -> Array:
    """Quaternion, voxel sizes and qfac to an affine (nifti1.h, METHOD 2)."""
    b, c, d = (float(q) for q in header.quaternion)
    if b * b + c * c + d * d > LONGEST_QUATERNION:
        text = f"qform {numbers([b, c, d])} is no rotation: convert it again from DICOM"
        raise GeometryError(text, code="placement")
    a = np.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    q = np.array([a, b, c, d])
    a, b, c, d = q / np.linalg.norm(q)
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    qfac = -1.0 if header.pixdim[0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = turn * np.asarray(header.pixdim[1:4], float) * [1.0, 1.0, qfac]
    affine[:3, 3] = header.offset
    return affine


def _compare(sform: Array, qform: Array, header: NiftiPlacement) -> tuple[Notice, ...]:
    """Refuse two orientations that name different sides; report a smaller disagreement."""
    if not (np.isfinite(sform).all() and np.isfinite(qform).all()):
        text = "sform or qform is not a number (NaN or infinite): convert it again from DICOM"
        raise GeometryError(text, code="placement")
    for axis in range(3):
        if angle_deg(sform[:3, axis], qform[:3, axis]) > CONTRADICTION_DEG:
            codes = f"sform (code {header.sform_code}) and qform (code {header.qform_code})"
            raise UnknownSidesError(
                f"{codes} contradict each other: sform says {_letters(sform)}, qform says "
                f"{_letters(qform)}: convert it again from DICOM{OR_STATE}",
                code="orientation_contradictory",
            )
    corners = _corners(header.shape)
    apart = np.linalg.norm(((sform - qform) @ corners)[:3], axis=0).max() * header.to_mm
    if apart <= AGREEMENT_MM:
        return ()
    return (
        Notice(
            code="sform_qform_disagree",
            severity=Severity.WARNING,
            level=None,
            text=f"sform and qform place this image up to {apart:.1f} mm apart; sform was used",
            remedy="check that CT and label map were made from the same image",
        ),
    )


def _corners(shape: Sequence[int]) -> Array:
    """Return the eight corner voxels as homogeneous columns (4, 8)."""
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in shape[:3]], [1], indexing="ij"), float)
    return ends.reshape(4, -1)


def _check_sizes(affine: Array, sizes_mm: Array) -> None:
    """Refuse an affine whose columns are not the stated voxel sizes, or no spine CT's sizes."""
    if not np.isfinite(affine).all():
        raise GeometryError(
            "placement is not a number (NaN or infinite): convert it again from DICOM",
            code="placement",
        )
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if (np.abs(lengths - sizes_mm) > SIZE_AGREEMENT * sizes_mm).any():
        raise GeometryError(
            f"voxel size {numbers(sizes_mm)} mm in the header, {numbers(lengths)} mm in the "
            "placement: convert it again from DICOM",
            code="placement",
        )
    check_voxel_size(affine)
    check_place(affine)


def check_voxel_size(affine: Array) -> None:
    """Refuse voxel sizes that no spine CT has (a wrong unit, metres or micrometres).

    Raises
    ------
    GeometryError
        If a voxel is smaller than 0.02 mm or larger than 20 mm.
    """
    lengths = np.linalg.norm(np.asarray(affine)[:3, :3], axis=0)
    if not np.isfinite(lengths).all() or lengths.min() < SMALLEST_MM or lengths.max() > LARGEST_MM:
        raise GeometryError(
            f"voxel size {numbers(lengths)} mm cannot be a spine CT's: check the file's unit "
            "(millimetres expected)",
            code="voxel_size",
        )
    if abs(np.linalg.det(np.asarray(affine)[:3, :3])) < FLATTEST * lengths.prod():
        text = "voxel axes lie in one plane (singular placement): convert it again from DICOM"
        raise GeometryError(text, code="placement")


def check_place(affine: Array) -> None:
    """Refuse a place that no scanner's coordinates have: so far out, millimetres are lost.

    Raises
    ------
    GeometryError
        If the first voxel lies more than 10 m from the origin.
    """
    far = float(np.abs(np.asarray(affine)[:3, 3]).max())
    if not far < FARTHEST_MM:
        text = f"it is placed {far:.3g} mm from the scanner's origin: convert it again from DICOM"
        raise GeometryError(text, code="placement")


def tilt_deg(affine: ArrayLike) -> float:
    """Angle between the slice stack and the slices' normal [deg]; 0 unless sheared.

    Examples
    --------
    >>> sheared = np.eye(4)
    >>> sheared[1, 2] = 1.0
    >>> round(tilt_deg(sheared), 6)
    45.0
    """
    i, j, k = np.asarray(affine, float)[:3, :3].T
    angle = angle_deg(np.cross(unit(i), unit(j)), k)
    return min(angle, 180.0 - angle)


def is_sheared(affine: ArrayLike) -> bool:
    """Say whether the three voxel axes are not at right angles (to `UPRIGHT_DEG`)."""
    i, j, k = np.asarray(affine, float)[:3, :3].T
    return any(abs(angle_deg(a, b) - 90.0) > UPRIGHT_DEG for a, b in ((i, j), (i, k), (j, k)))


def tilt_notices(affine: Array) -> tuple[Notice, ...]:
    """Report a sheared image (gantry tilt): measured in place, but pictures look slanted."""
    if not np.isfinite(affine).all() or not is_sheared(affine):
        return ()
    return (
        Notice(
            code="gantry_tilt",
            severity=Severity.WARNING,
            level=None,
            text=f"the slices are tilted by {tilt_deg(affine):.1f} deg against their stack; "
            "everything is measured in the patient's own space",
            remedy="check landmarks on the pictures; do not resample the scan by hand",
        ),
    )


def _letters(affine: Array) -> str:
    """Return the nearest patient directions of a RAS affine, such as ``RAS``."""
    words = np.array(["LR", "PA", "IS"])
    letters = []
    for axis in range(3):
        direction = affine[:3, axis]
        row = int(np.argmax(np.abs(direction)))
        letters.append(words[row][int(direction[row] > 0)])
    return "".join(letters)


def numbers(values: ArrayLike) -> str:
    """Return sizes as text, such as ``1 x 1 x 2.5``."""
    return " x ".join(f"{v:.4g}" for v in np.asarray(values, float))
