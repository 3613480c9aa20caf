"""A smooth surface through scattered heights: a quadratic plus a blurred remainder."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.geometry import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relief:
    """A smooth surface s(left, posterior): a quadratic plus a blurred remainder.

    Attributes
    ----------
    coefficients : (6,) of 1, u, v, uu, uv, vv.
    corner : (2,) place of the remainder's first node [mm]; its nodes are 1 mm apart.
    remainder : (A, B) [mm].
    """

    coefficients: Array
    corner: Array
    remainder: Array

    @classmethod
    def through(cls, left: Array, posterior: Array, height: Array, blur_mm: float) -> "Relief":
        """Fit the surface to scattered points (N,); infinite blur keeps the quadratic alone."""
        fit = np.linalg.lstsq(_terms(left, posterior), height, rcond=None)
        coefficients = np.asarray(fit[0], np.float64)
        corner = -np.ceil([np.abs(left).max(), -posterior.min()]) - 2.0  # even about left = 0
        if np.isinf(blur_mm):
            return cls(coefficients=coefficients, corner=corner, remainder=np.zeros((1, 1)))
        rest = height - _terms(left, posterior) @ coefficients
        node = np.rint(np.stack([left, posterior], axis=1) - corner).astype(int)
        total, count = (np.zeros(node.max(axis=0) + 3) for _ in range(2))
        np.add.at(total, (node[:, 0], node[:, 1]), rest)
        np.add.at(count, (node[:, 0], node[:, 1]), 1.0)
        total, count = (ndimage.gaussian_filter(grid, blur_mm) for grid in (total, count))
        return cls(
            coefficients=coefficients, corner=corner, remainder=total / np.maximum(count, 1e-3)
        )

    def at(self, left: Array, posterior: Array) -> Array:
        """Height of the surface [mm]; beyond its points it continues smoothly."""
        place = np.stack([left - self.corner[0], posterior - self.corner[1]])
        rest = ndimage.map_coordinates(self.remainder, place, order=1, mode="nearest")
        return np.asarray(_terms(left, posterior) @ self.coefficients + rest)


def _terms(u: Array, v: Array) -> Array:
    """Return the six terms (..., 6) of a quadratic surface."""
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=-1)
