"""A vertebra's mask and CT on an isotropic grid that is aligned with its own frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import Volume
from kyphoplan.geometry import Array, Frame

Mask = NDArray[np.bool_]

LEFT_MM = 42.0  # [mm] half width of the grid; keeps the transverse processes' roots
ANTERIOR_MM = 62.0  # [mm] in front of the canal: deepest body 45 mm and an osteophyte
POSTERIOR_MM = 45.0  # [mm] behind the canal: the laminae and the root of the spinous process
SUPERIOR_MM = 34.0  # [mm] above and below: half of a tall body, its rim and its processes
FINEST_MM, COARSEST_MM = 0.5, 1.0  # [mm] limits of the grid's spacing


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """An isotropic grid [left, posterior, superior] in a frame.

    Attributes
    ----------
    frame : the anatomical frame.
    step_mm : distance between nodes [mm].
    left, posterior, superior : node coordinates along the three axes [mm].
    """

    frame: Frame
    step_mm: float
    left: Array
    posterior: Array
    superior: Array

    @classmethod
    def around(cls, frame: Frame, step_mm: float, posterior_shift_mm: float = 0.0) -> "Grid":
        """Build the grid of a vertebra; nodes are symmetric about the mid-plane.

        ``posterior_shift_mm`` is how far the frame's origin lies in front of the canal.
        """
        return cls(
            frame=frame,
            step_mm=step_mm,
            left=_nodes(-LEFT_MM, LEFT_MM, step_mm),
            posterior=_nodes(
                -ANTERIOR_MM + posterior_shift_mm, POSTERIOR_MM + posterior_shift_mm, step_mm
            ),
            superior=_nodes(-SUPERIOR_MM, SUPERIOR_MM, step_mm),
        )

    @property
    def affine(self) -> Array:
        """(4, 4) placement of the nodes in the patient [mm, LPS]."""
        affine = np.eye(4)
        affine[:3, :3] = self.frame.axes.T * self.step_mm
        affine[:3, 3] = self.frame.to_patient([self.left[0], self.posterior[0], self.superior[0]])
        return affine

    def sample(self, volume: Volume, *, outside: float, order: int = 1) -> Array:
        """Interpolate a volume at the nodes (linear by default); ``outside`` beyond its grid."""
        to_index = np.linalg.inv(volume.affine) @ self.affine
        shape = (self.left.size, self.posterior.size, self.superior.size)
        return np.asarray(
            ndimage.affine_transform(
                np.asarray(volume.voxels, dtype=np.float32),
                to_index[:3, :3],
                to_index[:3, 3],
                output_shape=shape,
                order=order,
                mode="constant",
                cval=outside,
                output=np.float32,
            )
        )


def _nodes(start: float, stop: float, step: float) -> Array:
    """Node coordinates on multiples of the step."""
    return np.arange(np.floor(start / step), np.ceil(stop / step) + 1.0) * step


def grid_step(spacing_mm: Array) -> float:
    """Choose the grid spacing [mm] for a scan: its finest voxel edge, within our limits."""
    return float(np.clip(spacing_mm.min(), FINEST_MM, COARSEST_MM))


def signed_distance(mask: Volume) -> Volume:
    """Return the signed distance to a mask's surface [mm], negative inside.

    Interpolating it gives a smoother surface between thick slices than the mask itself
    (shape-based interpolation).

    References
    ----------
    Raya and Udupa 1990, Shape-based interpolation, doi:10.1109/42.52980.
    """
    inside = np.asarray(mask.voxels, bool)
    spacing = mask.spacing_mm
    if inside.all():
        return Volume(np.full(inside.shape, -spacing.min(), np.float32), mask.affine)
    distance = ndimage.distance_transform_edt(~inside, sampling=spacing)
    distance -= ndimage.distance_transform_edt(inside, sampling=spacing)
    return Volume(distance.astype(np.float32), mask.affine)


def crossing(values: Array, coordinates: Array, *, rising: bool) -> Array:
    """Coordinate at which each row of ``values`` (..., N) first changes sign, from the start.

    ``rising``: from negative to positive; NaN where there is no such change. Linear in between.

    Examples
    --------
    >>> crossing(np.array([[-2.0, -1.0, 3.0]]), np.array([0.0, 1.0, 2.0]), rising=True)
    array([1.25])
    """
    v = values if rising else -values
    change = (v[..., :-1] < 0) & (v[..., 1:] >= 0)
    found = change.any(axis=-1)
    first = np.argmax(change, axis=-1)
    a = np.take_along_axis(v, first[..., None], -1)[..., 0].astype(float)
    b = np.take_along_axis(v, first[..., None] + 1, -1)[..., 0].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(found, a / np.where(found, a - b, 1.0), np.nan)
    return np.where(found, coordinates[first] + t * (coordinates[1] - coordinates[0]), np.nan)
