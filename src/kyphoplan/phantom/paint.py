"""A grid on which tissues are painted: each voxel gets its partial-volume average."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array

BLOCK = 4  # [1] voxels per edge of the blocks in which empty space is skipped
STEEPEST = 1.6  # [1] bound of the slope of our implicit functions
BATCH = 4096  # [1] blocks evaluated at once: 2 MB per array, which stays in the cache

Solid = Callable[[Array], Array]  # positions (..., 3) [mm] -> distance to the surface [mm]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """Some blocks of the grid: their indices and the positions of their voxels [mm]."""

    blocks: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    points_mm: Array


class Canvas:
    """CT values [HU] and labels on a grid, painted one solid over the other."""

    def __init__(self, affine: Array, shape: tuple[int, ...], hu: float) -> None:
        """Start with one tissue everywhere."""
        self.columns, self.origin = affine[:3, :3], affine[:3, 3]
        self.inverse = np.linalg.inv(self.columns)
        self.shape = shape
        padded = tuple(-(-n // BLOCK) * BLOCK for n in shape)
        self._hu = np.full(padded, hu, dtype=np.float32)
        self._labels = np.zeros(padded, dtype=np.uint8)

    @property
    def hu(self) -> NDArray[np.float32]:
        """The painted CT values."""
        return self._hu[tuple(slice(n) for n in self.shape)]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The painted labels."""
        return self._labels[tuple(slice(n) for n in self.shape)]

    def wash(self, solid: Callable[[Array, Array], Array], hu: float) -> None:
        """Paint a large solid, given as a function of x and y, on the whole grid."""
        for k in range(self._hu.shape[2]):
            i, j = np.ogrid[: self._hu.shape[0], : self._hu.shape[1]]
            c = self.columns
            x, y = (c[a, 0] * i + c[a, 1] * j + c[a, 2] * k + self.origin[a] for a in range(2))
            width = float(np.cbrt(abs(np.linalg.det(c))))
            part = np.clip(0.5 - solid(x, y) / width, 0, 1)
            plane = self._hu[:, :, k]
            plane += (part * (hu - plane)).astype(np.float32)

    def patches(self, corners_mm: Array, rough: Solid) -> Iterator[Patch]:
        """Yield the blocks within a box that reach into a solid."""
        index = (corners_mm - self.origin) @ self.inverse.T
        limit = np.array(self._hu.shape) // BLOCK
        low = np.clip(np.floor(index.min(axis=0) / BLOCK).astype(int), 0, limit)
        high = np.clip(np.ceil(index.max(axis=0) / BLOCK).astype(int) + 1, 0, limit)
        ranges = [np.arange(a, b) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*ranges, indexing="ij"), -1).reshape(-1, 3)
        if not len(grid):
            return
        half = (BLOCK - 1) / 2
        centres = (grid * BLOCK + half) @ self.columns.T + self.origin
        signs = np.array([(1, a, b) for a in (-1, 1) for b in (-1, 1)]) * (half + 0.5)
        radius = float(np.linalg.norm(signs @ self.columns.T, axis=1).max())
        grid = grid[rough(centres) < STEEPEST * radius]
        offsets = np.stack(np.meshgrid(*[np.arange(BLOCK)] * 3, indexing="ij"), -1)
        for start in range(0, len(grid), BATCH):
            part = grid[start : start + BATCH]
            voxels = part[:, None, None, None, :] * BLOCK + offsets
            points = voxels @ self.columns.T + self.origin
            yield Patch(blocks=(part[:, 0], part[:, 1], part[:, 2]), points_mm=points)

    def hu_of(self, patch: Patch) -> NDArray[np.float32]:
        """CT values of a patch."""
        return np.asarray(_blocks(self._hu)[patch.blocks])

    def paint(self, patch: Patch, hu: NDArray[np.floating]) -> None:
        """Set the CT values of a patch."""
        _blocks(self._hu)[patch.blocks] = hu

    def mark(self, patch: Patch, inside: NDArray[np.bool_], label: int) -> None:
        """Label the voxels of a patch whose centre is inside and which have no label yet."""
        blocks = _blocks(self._labels)
        old = blocks[patch.blocks]
        blocks[patch.blocks] = np.where(inside & (old == 0), label, old)

    def edge(self, distance: Array) -> "Edge":
        """Prepare the partial-volume averages of a distance sampled on a patch."""
        steps = np.stack(list(np.gradient(distance, axis=(1, 2, 3))), -1)
        width = np.sqrt((steps**2).sum(axis=-1))
        slope = np.sqrt(((steps @ self.inverse) ** 2).sum(axis=-1))
        return Edge(distance=distance, width=np.maximum(width, 1e-3), slope=slope)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edge:
    """A distance on a patch with its change across a voxel and per millimetre."""

    distance: Array
    width: Array
    slope: Array

    def fraction(self, depth_mm: Array | float = 0.0) -> Array:
        """Return the part of each voxel that lies deeper than some depth under the surface.

        Within a voxel a plane's distance is taken as uniform with its true variance.
        """
        depth = depth_mm * np.clip(self.slope, 0.6, STEEPEST)
        return np.asarray(np.clip(0.5 - (self.distance + depth) / self.width, 0, 1))


def _blocks(grid: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return a view [block, block, block, voxel, voxel, voxel] of a padded grid."""
    a, b, c = (n // BLOCK for n in grid.shape)
    return grid.reshape(a, BLOCK, b, BLOCK, c, BLOCK).transpose(0, 2, 4, 1, 3, 5)
