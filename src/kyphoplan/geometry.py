"""Directions, frames and rigid motions in the patient: LPS millimetres throughout.

x runs to the patient's left, y to posterior, z to superior (the DICOM patient frame).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def unit(vector: ArrayLike) -> Array:
    """Return the vector scaled to length 1.

    Raises
    ------
    ValueError
        If the vector has no direction (zero length or not finite).

    Examples
    --------
    >>> unit([0.0, 3.0, 4.0])
    array([0. , 0.6, 0.8])
    """
    v = np.asarray(vector, dtype=float)
    length = float(np.linalg.norm(v))
    if not np.isfinite(length) or length == 0.0:
        raise ValueError(f"vector {v} has no direction: give a finite, non-zero vector")
    return v / length


def reject(vector: ArrayLike, direction: ArrayLike) -> Array:
    """Return the part of a vector that is perpendicular to a unit direction.

    Examples
    --------
    >>> reject([1.0, 2.0, 3.0], [0.0, 0.0, 1.0])
    array([1., 2., 0.])
    """
    v, d = np.asarray(vector, dtype=float), np.asarray(direction, dtype=float)
    return v - (v @ d) * d


def rotation(axis: ArrayLike, angle_deg: float) -> Array:
    """Return the 3x3 matrix that turns by an angle [deg] about an axis (right-hand rule).

    Examples
    --------
    >>> np.round(rotation([0, 0, 1], 90.0) @ [1.0, 0.0, 0.0], 12) + 0.0
    array([0., 1., 0.])

    References
    ----------
    Rodrigues' rotation formula.
    """
    x, y, z = unit(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    a = np.deg2rad(angle_deg)
    return np.eye(3) + np.sin(a) * cross + (1.0 - np.cos(a)) * cross @ cross


def angle_deg(first: ArrayLike, second: ArrayLike) -> float:
    """Return the angle between two vectors [deg], 0 to 180.

    Examples
    --------
    >>> round(angle_deg([1, 0, 0], [1, 1, 0]), 6)
    45.0
    """
    a, b = unit(first), unit(second)
    return float(np.rad2deg(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A right-handed anatomical frame: an origin and the body's own three directions.

    Attributes
    ----------
    origin_mm : (3,) patient position [mm, LPS].
    axes : (3, 3), rows are the unit vectors left, posterior, superior of the body.
    """

    origin_mm: Array
    axes: Array

    @classmethod
    def from_directions(
        cls, origin_mm: ArrayLike, *, superior: ArrayLike, posterior: ArrayLike
    ) -> "Frame":
        """Build the frame from superior, and posterior made perpendicular to it.

        Examples
        --------
        >>> Frame.from_directions([0, 0, 0], superior=[0, 0, 2], posterior=[0, 1, 1]).left
        array([1., 0., 0.])
        """
        s = unit(superior)
        p = unit(reject(posterior, s))
        axes = np.stack([np.cross(p, s), p, s])
        return cls(origin_mm=np.asarray(origin_mm, dtype=float), axes=axes)

    @property
    def left(self) -> Array:
        """Unit vector to the patient's left."""
        return self.axes[0]

    @property
    def posterior(self) -> Array:
        """Unit vector to posterior."""
        return self.axes[1]

    @property
    def superior(self) -> Array:
        """Unit vector to superior (cranial)."""
        return self.axes[2]

    def to_local(self, positions_mm: ArrayLike) -> Array:
        """Patient positions (..., 3) [mm] as (left, posterior, superior) from the origin [mm]."""
        return np.asarray((np.asarray(positions_mm, dtype=float) - self.origin_mm) @ self.axes.T)

    def to_patient(self, local_mm: ArrayLike) -> Array:
        """(left, posterior, superior) from the origin (..., 3) [mm] as patient positions [mm]."""
        return np.asarray(np.asarray(local_mm, dtype=float) @ self.axes + self.origin_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """A rigid motion: x -> rotation @ x + shift.

    Attributes
    ----------
    rotation : (3, 3) orthogonal matrix.
    shift_mm : (3,) [mm].

    Examples
    --------
    >>> turn = Motion(rotation=rotation([0, 0, 1], 90.0), shift_mm=np.array([0.0, 0.0, 5.0]))
    >>> np.round(turn.points([1.0, 0.0, 0.0]), 9) + 0.0
    array([0., 1., 5.])
    """

    rotation: Array
    shift_mm: Array

    def points(self, positions_mm: ArrayLike) -> Array:
        """Move positions (..., 3) [mm]."""
        return np.asarray(np.asarray(positions_mm, float) @ self.rotation.T + self.shift_mm)

    def directions(self, vectors: ArrayLike) -> Array:
        """Turn vectors (..., 3)."""
        return np.asarray(np.asarray(vectors, float) @ self.rotation.T)

    def affine(self, affine: Array) -> Array:
        """Move a placement (4, 4) of voxels."""
        moved = np.eye(4)
        moved[:3, :3] = self.rotation @ affine[:3, :3]
        moved[:3, 3] = self.points(affine[:3, 3])
        return moved
