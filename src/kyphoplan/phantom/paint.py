"""A grid on which tissues are painted: each voxel gets its partial-volume average, blurred."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from kyphoplan.geometry import Array

BLOCK = 4  # [1] voxels per edge of the blocks in which empty space is skipped
STEEPEST = 1.6  # [1] bound of the slope of our implicit functions
BATCH = 4096  # [1] blocks evaluated at once: 2 MB per array, which stays in the cache
REACH = 1.5  # [1] voxel diagonals outside a surface that can still hold a part of the solid
BLURS = 3.0  # [1] standard deviations of the blur that are painted beyond

Index = tuple[NDArray[np.intp], ...]
Solid = Callable[[Array], Array]  # positions (..., 3) [mm] -> distance to the surface [mm]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """The voxels in and beside a solid.

    Attributes
    ----------
    voxels : their indices on the grid.
    points_mm : (N, 3) their positions [mm].
    distance : (N,) distance to the surface [mm].
    width : (N,) change of the distance across a voxel [mm].
    slope : (N,) change of the distance per millimetre [1].
    blur_mm : standard deviation of the scanner's blur [mm].
    """

    voxels: Index
    points_mm: Array
    distance: Array
    width: Array
    slope: Array
    blur_mm: float

    def fraction(self, depth_mm: Array | float = 0.0) -> Array:
        """Return the part of each voxel that lies deeper than some depth under the surface.

        Within a voxel a plane's distance is taken as uniform with its true variance. The scanner
        blurs before it samples: thin shells reach the next slice, however thick the slices are.
        """
        slope = np.clip(self.slope, 0.6, STEEPEST)
        depth = -(self.distance + depth_mm * slope)
        part = np.clip(0.5 + depth / self.width, 0, 1)
        sigma = self.blur_mm * slope
        edge = np.abs(depth) < 0.5 * self.width + BLURS * sigma
        if self.blur_mm > 0.0:
            depth, width, sigma = depth[edge], self.width[edge], sigma[edge]
            low, high = (_ramp(depth + k * width, sigma) for k in (-0.5, 0.5))
            part[edge] = (high - low) / width
        return np.asarray(part)


def _ramp(depth: Array, sigma: Array) -> Array:
    """Return the integral of a unit step at 0 that is blurred by a Gaussian."""
    z = depth / sigma
    bell = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return np.asarray(depth * ndtr(z) + sigma * bell)


class Canvas:
    """CT values [HU] and labels on a grid, painted one solid over the other."""

    def __init__(
        self, affine: Array, shape: tuple[int, int, int], hu: float, blur_mm: float
    ) -> None:
        """Start with one tissue everywhere; ``blur_mm`` is the scanner's standard deviation."""
        self.blur_mm = blur_mm
        self.columns, self.origin = affine[:3, :3], affine[:3, 3]
        self.inverse = np.linalg.inv(self.columns)
        self.hu = np.full(shape, hu, dtype=np.float32)
        self.labels = np.zeros(shape, dtype=np.uint8)

    def wash(self, solid: Callable[[Array, Array], Array], hu: float) -> None:
        """Paint a large solid, given as a function of x and y, on the whole grid."""
        i, j = np.ogrid[: self.hu.shape[0], : self.hu.shape[1]]
        c, width = self.columns, float(np.cbrt(abs(np.linalg.det(self.columns))))
        for k in range(self.hu.shape[2]):
            x, y = (c[a, 0] * i + c[a, 1] * j + c[a, 2] * k + self.origin[a] for a in range(2))
            part = np.clip(0.5 - solid(x, y) / width, 0, 1)
            plane = self.hu[:, :, k]
            plane += (part * (hu - plane)).astype(np.float32)

    def fill(self, corners_mm: Array, solid: Solid, hu: float) -> None:
        """Paint a solid that lies within a box."""
        sample = self.sample(corners_mm, solid)
        old = self.hu[sample.voxels]
        self.hu[sample.voxels] = old + sample.fraction() * (hu - old)

    def mark(self, sample: Sample, label: int) -> None:
        """Label the voxels whose centre is inside and which have no label yet."""
        old = self.labels[sample.voxels]
        self.labels[sample.voxels] = np.where((sample.distance < 0) & (old == 0), label, old)

    def sample(self, corners_mm: Array, solid: Solid, rough: Solid | None = None) -> Sample:
        """Find the voxels within a box that hold a part of a solid.

        ``rough`` is a cheaper solid that contains the other; it decides where to look.
        """
        index = (corners_mm - self.origin) @ self.inverse.T
        low = np.clip(np.floor(index.min(axis=0)).astype(int) - 1, 0, self.hu.shape)
        high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 2, low, self.hu.shape)
        distance = self._distances(low, -(-(high - low) // BLOCK), solid, rough or solid)
        distance = distance[tuple(slice(n) for n in high - low)]
        diagonal = float(np.linalg.norm(self.columns))
        reach = REACH * diagonal + BLURS * self.blur_mm
        near = np.stack(np.nonzero(distance < reach), axis=-1)
        width, slope = self._steepness(distance, near)
        i, j, k = (near + low).T
        return Sample(
            voxels=(i, j, k),
            points_mm=(near + low) @ self.columns.T + self.origin,
            distance=distance[tuple(near.T)],
            width=width,
            slope=slope,
            blur_mm=self.blur_mm,
        )

    def _distances(
        self, low: NDArray[np.intp], count: NDArray[np.intp], solid: Solid, rough: Solid
    ) -> Array:
        """Return the distances on blocks from a corner on; far ones have their centre's."""
        corners = low + BLOCK * np.moveaxis(np.indices(count.tolist()), 0, -1).reshape(-1, 3)
        centres = (corners + (BLOCK - 1) / 2) @ self.columns.T + self.origin
        values = rough(centres)
        signs = np.array([(1, a, b) for a in (-1, 1) for b in (-1, 1)]) * BLOCK / 2
        radius = float(np.linalg.norm(signs @ self.columns.T, axis=1).max())
        blocks = np.repeat(values[:, None], BLOCK**3, axis=1)
        offsets = np.moveaxis(np.indices((BLOCK,) * 3), 0, -1).reshape(-1, 3)
        near = np.flatnonzero(values < STEEPEST * radius + BLURS * self.blur_mm)
        for start in range(0, len(near), BATCH):
            part = near[start : start + BATCH]
            voxels = corners[part, None] + offsets
            blocks[part] = solid(voxels @ self.columns.T + self.origin)
        a, b, c = (int(n) for n in count)
        grid = blocks.reshape(a, b, c, BLOCK, BLOCK, BLOCK).transpose(0, 3, 1, 4, 2, 5)
        return grid.reshape(a * BLOCK, b * BLOCK, c * BLOCK)

    def _steepness(self, distance: Array, at: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return the change of a distance across some voxels, and per millimetre there."""
        steps = np.empty(at.shape)
        for axis in range(3):
            ahead, behind = at.T.copy(), at.T.copy()
            ahead[axis] = np.minimum(ahead[axis] + 1, distance.shape[axis] - 1)
            behind[axis] = np.maximum(behind[axis] - 1, 0)
            run = np.maximum(ahead[axis] - behind[axis], 1)
            steps[:, axis] = (distance[tuple(ahead)] - distance[tuple(behind)]) / run
        width = np.maximum(np.linalg.norm(steps, axis=1), 1e-3)
        return width, np.asarray(np.linalg.norm(steps @ self.inverse, axis=1))
