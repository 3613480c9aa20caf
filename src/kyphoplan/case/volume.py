"""A block of voxels with its place in the patient, and a map of labelled vertebrae."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kyphoplan.case.level import Level
from kyphoplan.errors import GeometryError
from kyphoplan.geometry import Array

SMALLEST_VOXEL_MM3 = 1e-6  # [mm3] below this an affine is degenerate: (10 micrometre)^3


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels ``[i, j, k]`` and the 4x4 affine that places their centres in the patient.

    Attributes
    ----------
    voxels : (I, J, K) array, read-only.
    affine : (4, 4) array [mm, LPS], read-only; oblique and sheared (gantry tilt) are allowed.

    Raises
    ------
    GeometryError
        If the affine is not finite or not invertible.
    ValueError
        If the voxels are not a non-empty 3-D array or the affine is not 4x4.

    Examples
    --------
    >>> v = Volume(np.zeros((2, 3, 4)), np.diag([1.0, 1.0, 2.5, 1.0]))
    >>> v.spacing_mm
    array([1. , 1. , 2.5])
    >>> v.to_patient([1, 0, 2])
    array([1., 0., 5.])
    """

    voxels: NDArray[Any]
    affine: Array

    def __post_init__(self) -> None:
        """Check and freeze."""
        voxels = np.asarray(self.voxels).view()
        affine = np.array(self.affine, dtype=float)
        if voxels.ndim != 3 or voxels.size == 0:  # noqa: PLR2004
            raise ValueError(f"voxels have shape {voxels.shape}: give a non-empty 3-D array")
        if affine.shape != (4, 4):
            raise ValueError(f"affine has shape {affine.shape}: give a 4x4 matrix")
        if not np.isfinite(affine).all() or not np.array_equal(affine[3], [0, 0, 0, 1]):
            raise GeometryError("affine: not a finite 4x4 placement: check the image header")
        if abs(np.linalg.det(affine[:3, :3])) < SMALLEST_VOXEL_MM3:
            raise GeometryError("affine: not invertible (zero voxel size): check the image header")
        voxels.flags.writeable = False
        affine.flags.writeable = False
        object.__setattr__(self, "voxels", voxels)
        object.__setattr__(self, "affine", affine)

    def __reduce__(self) -> tuple[type["Volume"], tuple[NDArray[Any], Array]]:
        """Pickle through the constructor, so that a copy is read-only too."""
        return (Volume, (np.asarray(self.voxels), np.asarray(self.affine)))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along i, j, k."""
        return self.voxels.shape

    @property
    def spacing_mm(self) -> Array:
        """Distance between voxel centres along i, j, k [mm]."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def voxel_mm3(self) -> float:
        """Volume of one voxel [mm3]."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_patient(self, indices: ArrayLike) -> Array:
        """Patient positions (..., 3) [mm, LPS] of voxel indices (..., 3)."""
        return np.asarray(np.asarray(indices, float) @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_indices(self, positions_mm: ArrayLike) -> Array:
        """Fractional voxel indices (..., 3) of patient positions (..., 3) [mm, LPS]."""
        inverse = np.linalg.inv(self.affine[:3, :3])
        return np.asarray((np.asarray(positions_mm, float) - self.affine[:3, 3]) @ inverse.T)

    def cropped(self, start: ArrayLike, stop: ArrayLike) -> "Volume":
        """Return the sub-block [start, stop) with its place kept; limits are clipped to the grid.

        Examples
        --------
        >>> v = Volume(np.zeros((4, 4, 4)), np.eye(4)).cropped((1, 1, 1), (9, 3, 3))
        >>> v.shape, v.affine[:3, 3]
        ((3, 2, 2), array([1., 1., 1.]))
        """
        lo = np.clip(np.asarray(start, int), 0, np.array(self.shape) - 1)
        hi = np.clip(np.asarray(stop, int), lo + 1, self.shape)
        affine = self.affine.copy()
        affine[:3, 3] = self.to_patient(lo)
        block = tuple(slice(a, b) for a, b in zip(lo, hi, strict=True))
        return Volume(self.voxels[block], affine)

    def reordered(self, axes: ArrayLike) -> "Volume":
        """Return the same volume stored so that its axes follow three patient directions.

        The voxel axes are permuted and flipped (no interpolation) so that i, j, k run as nearly
        as possible along the three given directions (rows, patient frame).

        Examples
        --------
        >>> v = Volume(np.arange(8).reshape(2, 2, 2), np.diag([-1.0, 1, 1, 1]))
        >>> v.reordered(np.eye(3)).voxels[0, 0, 0]
        np.int64(4)
        """
        columns = self.affine[:3, :3] / self.spacing_mm
        alignment = np.asarray(axes, float) @ columns  # [direction, voxel axis]
        order = _best_assignment(np.abs(alignment))
        flips = [alignment[row, column] < 0 for row, column in enumerate(order)]
        voxels = self.voxels.transpose(order)
        affine = self.affine.copy()
        affine[:3, :3] = self.affine[:3, :3][:, order]
        for axis, flip in enumerate(flips):
            if flip:
                voxels = np.flip(voxels, axis)
                affine[:3, 3] += affine[:3, axis] * (voxels.shape[axis] - 1)
                affine[:3, axis] *= -1.0
        return Volume(np.ascontiguousarray(voxels), affine)


def _best_assignment(alignment: Array) -> list[int]:
    """Choose for each direction its own voxel axis with the largest total alignment."""
    orders = ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
    return max(orders, key=lambda order: sum(alignment[row, c] for row, c in enumerate(order)))


@dataclass(frozen=True, eq=False, kw_only=True)
class LabelMap:
    """Which voxel belongs to which vertebra.

    Attributes
    ----------
    volume : integer voxels; 0 is background.
    levels : label value -> level; values not named here are ignored.
    scheme : name of the label scheme ("verse", "totalseg", ...).
    basis : how the scheme is known ("stated by user", "header table", "file names", ...).
    """

    volume: Volume
    levels: Mapping[int, Level]
    scheme: str = "stated"
    basis: str = "stated by user"

    def __post_init__(self) -> None:
        """Check and freeze."""
        if not np.issubdtype(self.volume.voxels.dtype, np.integer):
            raise ValueError(f"labels are {self.volume.voxels.dtype}: give integers")
        levels = MappingProxyType(dict(sorted(self.levels.items(), key=lambda item: item[1])))
        object.__setattr__(self, "levels", levels)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor."""
        return (_rebuild, (self.volume, dict(self.levels), self.scheme, self.basis))

    def value_of(self, level: Level) -> int:
        """Return the label value of a level; KeyError if the map does not name it."""
        return next(value for value, named in self.levels.items() if named is level)


def _rebuild(volume: Volume, levels: dict[int, Level], scheme: str, basis: str) -> LabelMap:
    return LabelMap(volume=volume, levels=levels, scheme=scheme, basis=basis)
