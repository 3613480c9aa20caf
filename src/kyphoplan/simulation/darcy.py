"""Slow flow through pores: Darcy's law in finite volumes, one pressure per voxel.

``div(k / viscosity grad p) + sources = 0``, with ways out as conductances to the outside.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

from kyphoplan.geometry import Array

RESIDUAL = 1e-7  # [1] of the balance, relative to the sources
MOST_STEPS = 200
STALE_STEPS = 12  # [1] steps above which the preconditioner is made anew; fresh it takes 3 to 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """The voxels that fluid can enter, and the faces between them.

    Attributes
    ----------
    index : (I, J, K) number of each voxel; -1 where fluid cannot be.
    first, second : (F,) the voxels of each face, ``second`` one further along its axis.
    axis : (F,) 0, 1, 2.
    pattern : matrix with the positions of its entries as data.
    """

    index: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    axis: NDArray[np.int64]
    pattern: Any

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(self.pattern.shape[0])


def connect(inside: NDArray[np.bool_]) -> Network:
    """Give the voxels numbers and find their common faces."""
    index = np.full(inside.shape, -1, np.int64)
    count = int(inside.sum())
    index[inside] = np.arange(count)
    first, second, axes = [], [], []
    for axis in range(3):
        low, high = (np.moveaxis(index, axis, 0)[part] for part in (slice(-1), slice(1, None)))
        both = (low >= 0) & (high >= 0)
        first.append(low[both])
        second.append(high[both])
        axes.append(np.full(int(both.sum()), axis))
    a, b = np.concatenate(first), np.concatenate(second)
    here = np.arange(count)
    rows, columns = np.concatenate([here, a, b]), np.concatenate([here, b, a])
    places = np.arange(1, rows.size + 1, dtype=float)
    pattern = sparse.csr_matrix((places, (rows, columns)), shape=(count, count))
    return Network(index=index, first=a, second=b, axis=np.concatenate(axes), pattern=pattern)


class Flow:
    """Pressures of a network, one problem after the other, each from the last answer."""

    def __init__(self, network: Network) -> None:
        """Start at rest."""
        self.network = network
        self.pressure: Array = np.zeros(network.count)
        self.residual = 0.0
        self._order = network.pattern.data.astype(np.int64) - 1
        self._preconditioner: Any = None
        self._steps = 0

    def solve(self, between: Array, outward: Array, source: Array) -> bool:
        """Find the pressures [MPa]; say whether they balance.

        Parameters
        ----------
        between : (F,) flow per pressure through each face [mm3/s/MPa].
        outward : (N,) flow per pressure out of each voxel [mm3/s/MPa].
        source : (N,) flow into each voxel, with conductance x outside pressure [mm3/s].
        """
        matrix = self._matrix(between, outward)
        size = float(np.linalg.norm(source))
        if size == 0.0:
            self.pressure = np.zeros_like(source)
            self.residual = 0.0
            return True
        if self._preconditioner is None or self._steps > STALE_STEPS:
            self._preconditioner = _preconditioner(matrix)
        self._steps = 0
        self.pressure, stopped = cg(
            matrix,
            source,
            x0=self.pressure,
            rtol=RESIDUAL,
            maxiter=MOST_STEPS,
            M=self._preconditioner,
            callback=self._count,
        )
        self.residual = float(np.linalg.norm(source - matrix @ self.pressure)) / size
        return bool(stopped == 0 and np.isfinite(self.pressure).all())

    def forget(self) -> None:
        """Make the preconditioner anew next time: the front has moved, viscosities jump there."""
        self._preconditioner = None

    def _count(self, _: Array) -> None:
        self._steps += 1

    def _matrix(self, between: Array, outward: Array) -> Any:
        network = self.network
        diagonal = outward.copy()
        diagonal += np.bincount(network.first, between, network.count)
        diagonal += np.bincount(network.second, between, network.count)
        entries = np.concatenate([diagonal, -between, -between])[self._order]
        pattern = network.pattern
        return sparse.csr_matrix((entries, pattern.indices, pattern.indptr), pattern.shape)

    def through(self, between: Array) -> Array:
        """Return the flow through each face, positive from first to second [mm3/s]."""
        network = self.network
        return between * (self.pressure[network.first] - self.pressure[network.second])


def _preconditioner(matrix: Any) -> Any:
    """One cycle of algebraic multigrid (PyAMG)."""
    from pyamg import ruge_stuben_solver  # noqa: PLC0415 - slow to load

    return ruge_stuben_solver(matrix, max_coarse=200).aspreconditioner()
