"""Slow flow through pores: Darcy's law in finite volumes, one pressure per voxel.

``div(k / viscosity grad p) + sources = 0``, with ways out as conductances to the outside.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.multigrid import SIDES, levels_of, solve

RESIDUAL = 1e-6  # [1] of the balance, relative to the sources; 1e-7 moves a cloud by 2e-7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Network:
    """The voxels that fluid can enter, and the faces between them.

    Attributes
    ----------
    index : (I, J, K) number of each voxel; -1 where fluid cannot be.
    first, second : (F,) the voxels of each face, ``second`` one further along its axis.
    axis : (F,) 0, 1, 2.
    count : number of voxels N.
    """

    index: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    axis: NDArray[np.int64]
    count: int


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
    return Network(
        index=index,
        first=np.concatenate(first),
        second=np.concatenate(second),
        axis=np.concatenate(axes),
        count=count,
    )


class Flow:
    """Pressures of a network, one problem after the other, each from the last answer."""

    def __init__(self, network: Network) -> None:
        """Start at rest."""
        self.network = network
        self.pressure: Array = np.zeros(network.count)
        self.residual = 0.0
        self.steps = 0
        self._levels = levels_of(network.index)

    def solve(self, between: Array, outward: Array, source: Array) -> bool:
        """Find the pressures [MPa]; say whether they balance.

        Parameters
        ----------
        between : (F,) flow per pressure through each face [mm3/s/MPa].
        outward : (N,) flow per pressure out of each voxel [mm3/s/MPa].
        source : (N,) flow into each voxel, with conductance x outside pressure [mm3/s].
        """
        if not source.any():
            self.pressure = np.zeros_like(source)
            self.residual = 0.0
            return True
        network = self.network
        ways = np.zeros((network.count, SIDES))
        ways[network.first, 2 * network.axis] = between
        ways[network.second, 2 * network.axis + 1] = between
        self.pressure, self.steps, self.residual = solve(
            self._levels, ways, outward, source, self.pressure, RESIDUAL
        )
        return bool(self.residual <= RESIDUAL and np.isfinite(self.pressure).all())

    def through(self, between: Array) -> Array:
        """Return the flow through each face, positive from first to second [mm3/s]."""
        network = self.network
        return between * (self.pressure[network.first] - self.pressure[network.second])
