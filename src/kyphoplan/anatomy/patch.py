"""A smooth patch of surface: cubic B-splines on a lattice, bent as little as its data allow."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kyphoplan.geometry import Array

KNOT_MM = 4.0  # [mm] distance of the knots
MARGIN = 1  # [1] knots beyond the outermost point on each side
ORDER = 4  # [1] knots that take part at a point, along each axis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """The basis functions of a patch at N points.

    Attributes
    ----------
    knots : (N, 16) numbers of the knots that take part.
    share : (N, 16) their weights, which add up to 1.
    count : number of knots of the patch.
    """

    knots: NDArray[np.intp]
    share: Array
    count: int

    def heights(self, coefficients: Array) -> Array:
        """Height (N,) at the points [mm]."""
        return np.asarray((self.share * coefficients[self.knots]).sum(axis=1))

    def collected(self, values: Array) -> Array:
        """Gather values (N,) at the knots (K,): the transpose of `heights`."""
        weights = self.share * values[:, None]
        return np.asarray(np.bincount(self.knots.ravel(), weights.ravel(), self.count), np.float64)

    def products(self) -> sparse.csc_array:
        """Products of the basis functions at each point (K*K, N); weights times them add up."""
        count = len(self.knots)
        pairs = self.knots[:, :, None] * self.count + self.knots[:, None, :]
        values = self.share[:, :, None] * self.share[:, None, :]
        starts = np.arange(count + 1) * ORDER**4
        return sparse.csc_array(
            (values.ravel(), pairs.ravel(), starts), shape=(self.count**2, count)
        )

    def dense(self) -> Array:
        """Return the basis as a matrix (N, K)."""
        matrix = np.zeros((len(self.knots), self.count))
        np.put_along_axis(matrix, self.knots, self.share, axis=1)
        return matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patch:
    """The lattice of a surface over (left, posterior); symmetric about left = 0.

    Attributes
    ----------
    corner : (2,) place of the first knot [mm].
    shape : number of knots along left and posterior.

    References
    ----------
    Eilers and Marx 1996, Flexible smoothing with B-splines and penalties,
    doi:10.1214/ss/1038425655.
    """

    corner: Array
    shape: tuple[int, int]

    @classmethod
    def over(cls, left: Array, posterior: Array) -> "Patch":
        """Lay the lattice over points (N,) [mm]."""
        half = int(np.ceil(np.abs(left).max() / KNOT_MM)) + MARGIN
        first = int(np.floor(posterior.min() / KNOT_MM)) - MARGIN
        last = int(np.ceil(posterior.max() / KNOT_MM)) + MARGIN
        return cls(
            corner=np.array([-half, first]) * KNOT_MM, shape=(2 * half + 1, last - first + 1)
        )

    def basis(self, left: Array, posterior: Array) -> Basis:
        """Return the basis at points (N,); beyond the lattice its outermost pieces go on."""
        places = np.stack([left, posterior]) - self.corner[:, None]
        (i, a), (j, b) = (
            _cubic(place / KNOT_MM, count) for place, count in zip(places, self.shape, strict=True)
        )
        steps = np.arange(ORDER)
        knots = (i[:, None] + steps)[:, :, None] * self.shape[1] + (j[:, None] + steps)[:, None]
        return Basis(
            knots=knots.reshape(len(left), ORDER**2),
            share=(a[:, :, None] * b[:, None, :]).reshape(len(left), ORDER**2),
            count=self.shape[0] * self.shape[1],
        )

    def bending(self) -> Array:
        """Integral of the squared third derivatives as a quadratic form (K, K) [1/mm4].

        Quadratic surfaces are free: an endplate's dish costs nothing.
        """
        return _bending(self.shape)


@lru_cache(maxsize=64)
def _bending(shape: tuple[int, int]) -> Array:
    """Return `Patch.bending` for a number of knots along each axis."""
    eyes = [np.eye(count) for count in shape]
    total = np.zeros((shape[0] * shape[1],) * 2)
    for order, times in ((0, 1.0), (1, 3.0), (2, 3.0), (3, 1.0)):
        u, v = np.diff(eyes[0], order, axis=0), np.diff(eyes[1], 3 - order, axis=0)
        total += times * np.kron(u.T @ u, v.T @ v)
    total /= KNOT_MM**4
    total.flags.writeable = False  # it is kept and shared
    return total


def _cubic(x: Array, count: int) -> tuple[NDArray[np.intp], Array]:
    """First knot (N,) and the four weights (N, 4) of the uniform cubic B-spline."""
    cell = np.clip(np.floor(x).astype(int), 1, count - 3)
    t = x - cell
    s = 1.0 - t
    middle = 3.0 * t**3 - 6.0 * t**2 + 4.0, 3.0 * s**3 - 6.0 * s**2 + 4.0
    return cell - 1, np.stack([s**3, *middle, t**3], axis=1) / 6.0
