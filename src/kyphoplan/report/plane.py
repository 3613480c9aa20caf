"""A picture plane in the patient: which way its sides point, and what a volume shows on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import map_coordinates

from kyphoplan.case import Volume
from kyphoplan.geometry import Array, Frame, reject, unit

WORDS = (("Left", "Right"), ("Posterior", "Anterior"), ("Superior", "Inferior"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A plane to look at: u runs to the picture's right, v to its top [mm].

    Attributes
    ----------
    origin_mm : (3,) the point u = v = 0 [mm, LPS].
    right, up : (3,) unit vectors of the picture in the patient, at right angles.
    """

    origin_mm: Array
    right: Array
    up: Array

    @classmethod
    def facing(cls, origin_mm: ArrayLike, *, towards: ArrayLike, up: ArrayLike) -> "Plane":
        """Build the plane seen by someone who looks along ``towards``, with ``up`` at the top.

        Examples
        --------
        >>> Plane.facing([0, 0, 0], towards=[0, 1, 0], up=[0, 0, 1]).right
        array([1., 0., 0.])
        """
        sight = unit(towards)
        top = unit(reject(up, sight))
        return cls(origin_mm=np.asarray(origin_mm, float), right=np.cross(sight, top), up=top)

    def project(self, positions_mm: ArrayLike) -> Array:
        """Picture coordinates (..., 2) [mm] of patient positions (..., 3) [mm, LPS]."""
        offset = np.asarray(positions_mm, float) - self.origin_mm
        return np.stack([offset @ self.right, offset @ self.up], axis=-1)

    def lift(self, u: ArrayLike, v: ArrayLike) -> Array:
        """Patient positions [mm, LPS] of picture coordinates [mm]."""
        return (
            self.origin_mm
            + np.asarray(u, float)[..., None] * self.right
            + np.asarray(v, float)[..., None] * self.up
        )

    def words(self, frame: Frame) -> dict[str, str]:
        """Say in words of the body's own frame where the picture's four sides lie.

        Examples
        --------
        >>> frame = Frame.from_directions([0, 0, 0], superior=[0, 0, 1], posterior=[0, 1, 0])
        >>> front = Plane.facing([0, 0, 0], towards=frame.posterior, up=frame.superior)
        >>> front.words(frame)
        {'right': 'Left', 'left': 'Right', 'top': 'Superior', 'bottom': 'Inferior'}
        """
        right, left = _nearest(self.right, frame)
        top, bottom = _nearest(self.up, frame)
        return {"right": right, "left": left, "top": top, "bottom": bottom}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a plane that a picture shows, in picture coordinates [mm]."""

    u_low: float
    u_high: float
    v_low: float
    v_high: float

    @classmethod
    def around(cls, points: ArrayLike, margin_mm: float) -> "Window":
        """Take in all points (N, 2) with a margin [mm]; NaN points are left out."""
        p = np.asarray(points, float).reshape(-1, 2)
        low, high = np.nanmin(p, axis=0) - margin_mm, np.nanmax(p, axis=0) + margin_mm
        return cls(
            u_low=float(low[0]), u_high=float(high[0]), v_low=float(low[1]), v_high=float(high[1])
        )

    @property
    def width_mm(self) -> float:
        """Size from left to right [mm]."""
        return self.u_high - self.u_low

    @property
    def height_mm(self) -> float:
        """Size from top to bottom [mm]."""
        return self.v_high - self.v_low

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """The four limits in the order matplotlib wants them."""
        return (self.u_low, self.u_high, self.v_low, self.v_high)

    def grid(self, step_mm: float) -> tuple[Array, Array]:
        """Picture coordinates u, v (rows, columns) of the pixel centres, bottom row first."""
        columns = max(round(self.width_mm / step_mm), 1)
        rows = max(round(self.height_mm / step_mm), 1)
        u = self.u_low + (np.arange(columns) + 0.5) * self.width_mm / columns
        v = self.v_low + (np.arange(rows) + 0.5) * self.height_mm / rows
        uu, vv = np.meshgrid(u, v)
        return uu, vv


Lift = Callable[[Array, Array], Array]


def sample(volume: Volume, positions_mm: Array, *, order: int = 1) -> Array:
    """Return the volume's value at patient positions (..., 3); NaN outside it.

    ``order`` 0 takes the nearest voxel (labels), 1 interpolates linearly (CT).
    """
    indices = np.moveaxis(volume.to_indices(positions_mm), -1, 0)
    outside = np.zeros(indices.shape[1:], bool)
    for axis, size in enumerate(volume.shape):
        outside |= (indices[axis] < -0.5) | (indices[axis] > size - 0.5)  # noqa: PLR2004 half a voxel
    values = map_coordinates(
        volume.voxels, indices, order=order, mode="nearest", output=np.float64
    )
    return np.where(outside, np.nan, values)


def _nearest(direction: Array, frame: Frame) -> tuple[str, str]:
    """Return the word for a direction and the word for its opposite."""
    along = frame.axes @ direction
    axis = int(np.argmax(np.abs(along)))
    positive, negative = WORDS[axis]
    return (positive, negative) if along[axis] > 0 else (negative, positive)
