"""The bone as a network of resistances, part of it filled with cement."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.darcy import Network, connect
from kyphoplan.simulation.cement.outlets import Outlet
from kyphoplan.simulation.cement.permeability import Permeability
from kyphoplan.simulation.cement.rheology import PowerLaw


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Medium:
    """What does not change while cement comes in; N voxels, F faces, M voxels of outlets.

    Attributes
    ----------
    permeability : (3, N) along each axis [mm2].
    porosity : (N,) [1].
    void : (N,) part of the pores that is void [1].
    edge_mm : of a voxel [mm].
    marrow : viscosity [MPa s].
    outlets : all ways out.
    way : (M,) number of the outlet.
    cell : (M,) the voxel it opens from.
    conductance : (M,) [mm3].
    outside : (M,) pressure outside [MPa].
    passing : (M,) whether cement passes.
    one_way : (M,) whether it lies along one way with others, see `Outlet`.
    within : (M,) length of the way from there on that lies in the bone [mm].
    entry : (M,) resistance from the middle of the voxel into the way, times permeability and edge
        over viscosity [1], see `entry_of`.
    """

    network: Network
    permeability: Array
    porosity: Array
    void: Array
    edge_mm: float
    marrow: float
    outlets: tuple[Outlet, ...]
    way: NDArray[np.int64]
    cell: NDArray[np.int64]
    conductance: Array
    outside: Array
    passing: NDArray[np.bool_]
    one_way: NDArray[np.bool_]
    within: Array
    entry: Array

    @property
    def pores_mm3(self) -> Array:
        """Pore volume of each voxel (N,) [mm3]."""
        return self.porosity * self.edge_mm**3

    def speed(self, through: Array) -> Array:
        """Return the speed of filtration in each voxel (N,) [mm/s], from the flow at its faces.

        Along each axis the mean of both counts; where flow begins or ends, the one that there is.
        """
        network, count = self.network, self.network.count
        size = np.abs(through)
        ahead, behind = np.zeros(3 * count), np.zeros(3 * count)
        ahead[network.axis * count + network.first] = size
        behind[network.axis * count + network.second] = size
        ends = np.maximum((ahead > 0.0).astype(float) + (behind > 0.0), 1.0)
        along = ((ahead + behind) / ends).reshape(3, count) / self.edge_mm**2
        return np.asarray(np.sqrt((along**2).sum(axis=0)))

    def thickness(self, law: PowerLaw, speed: Array) -> Array:
        """Return the viscosity of cement in each voxel (N,) [MPa s]."""
        mean = np.cbrt(self.permeability.prod(axis=0))
        return law(speed, mean, self.porosity)

    def between(self, viscosity: Array, part: Array, through: Array | None) -> Array:
        """Return flow per pressure through each face (F,) [mm3/s/MPa].

        Parameters
        ----------
        viscosity : (N,) of cement [MPa s].
        part : (N,) part of the pores that is cement [1].
        through : (F,) the flow before, which tells at which end a partly full voxel is full.
        """
        network = self.network
        forward = None if through is None else through > 0.0
        resistance = np.zeros(network.first.size)
        for cell, out in (
            (network.first, forward),
            (network.second, None if forward is None else ~forward),
        ):
            share = part[cell] if out is None else half_full(part[cell], out)
            mixed = share * viscosity[cell] + (1.0 - share) * self.marrow
            resistance += mixed / self.permeability[network.axis, cell]
        return np.asarray(2.0 * self.edge_mm / resistance)

    def closed(self, full: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which openings (M,) cement has closed: pores, and veins behind where it came in.

        Parameters
        ----------
        full : (N,) voxels full of cement.
        """
        wet = full[self.cell]
        nearest = np.zeros(len(self.outlets))  # the best conductance is that of the nearest
        np.maximum.at(nearest, self.way[wet], self.conductance[wet])
        behind = self.one_way & (self.conductance < nearest[self.way])
        return np.asarray((~self.passing & wet) | behind)

    def outward(self, viscosity: Array, part: Array, inside_way: Array) -> Array:
        """Return flow per pressure out of each opening (M,) [mm3/s/MPa].

        Parameters
        ----------
        inside_way : (M,) viscosity inside the way out [MPa s].
        """
        share = half_full(part[self.cell], np.ones(self.cell.size, bool))
        mixed = share * viscosity[self.cell] + (1.0 - share) * self.marrow
        mean = np.cbrt(self.permeability[:, self.cell].prod(axis=0))
        resistance = self.entry * mixed / (mean * self.edge_mm) + inside_way / self.conductance
        return np.asarray(1.0 / resistance)


def half_full(part: Array, out: NDArray[np.bool_]) -> Array:
    """Return the part of a half voxel that is cement [1]: the half it enters by fills first.

    Examples
    --------
    >>> half_full(np.array([0.75, 0.75]), np.array([True, False]))
    array([0.5, 1. ])
    """
    return np.asarray(np.clip(np.where(out, 2.0 * part - 1.0, 2.0 * part), 0.0, 1.0))


def reached(inside: NDArray[np.bool_], seeds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Keep the pieces of a body that fluid reaches from some voxels (N, 3)."""
    pieces, _ = ndimage.label(inside)
    met = np.unique(pieces[tuple(seeds.T)])
    return np.asarray(np.isin(pieces, met[met > 0]))


def medium_of(
    inside: NDArray[np.bool_],
    bone: Array,
    void: Array,
    edge_mm: float,
    outlets: tuple[Outlet, ...],
    marrow: float,
    permeability: Permeability,
) -> Medium:
    """Build the network of the voxels inside; openings elsewhere are left out."""
    network = connect(inside)
    solid, empty = np.clip(bone[inside], 0.0, 1.0), np.clip(void[inside], 0.0, 1.0)
    spongy = (1.0 - empty) * (1.0 - np.minimum(solid, DENSEST_PORES))
    porosity = empty + spongy
    texture = permeability.texture(inside.shape, edge_mm)
    bored = sum((_bored(outlet, network) for outlet in outlets), np.zeros(network.count))
    cells = [network.index[tuple(outlet.voxels.T)] for outlet in outlets]
    there = np.concatenate([cell >= 0 for cell in cells] or [np.zeros(0, bool)])
    way = np.repeat(np.arange(len(outlets)), [cell.size for cell in cells])[there]
    lengths = [o.within_mm if o.within_mm.size else np.zeros(len(o.voxels)) for o in outlets]
    return Medium(
        network=network,
        permeability=permeability.axes(solid, empty, texture[inside]) + bored / edge_mm**2,
        porosity=porosity,
        void=empty / porosity,
        edge_mm=edge_mm,
        marrow=marrow,
        outlets=outlets,
        way=way,
        cell=_joined(cells)[there].astype(np.int64),
        conductance=_joined([outlet.conductance_mm3 for outlet in outlets])[there],
        outside=np.array([outlet.outside_mpa for outlet in outlets])[way],
        passing=np.array([outlet.site is not None for outlet in outlets], bool)[way],
        one_way=np.array([outlet.one_way for outlet in outlets], bool)[way],
        within=_joined(lengths)[there],
        entry=np.array([entry_of(outlet, edge_mm) for outlet in outlets])[way],
    )


def entry_of(outlet: Outlet, edge_mm: float) -> float:
    """Return the resistance into a way, times permeability and edge over viscosity [1].

    Out through the skin it is that of half a voxel. Into a vein, fluid flows from all around, as
    into a well: a voxel's pressure is that at 0.2 of its edge from the vein's axis.

    Examples
    --------
    >>> entry_of(Outlet(
    ...     site=None, voxels=np.zeros((1, 3), int), conductance_mm3=np.ones(1), radius_mm=0.2,
    ...     length_mm=1.0, area_mm2=1.0,
    ... ), 2.0)
    0.5

    References
    ----------
    Peaceman DW, Soc Pet Eng J 1978;18:183, doi:10.2118/6893-PA (the well in a square block).
    """
    if not outlet.one_way:
        return 0.5
    return float(np.log(max(WELL * edge_mm / outlet.radius_mm, 1.0)) / (2.0 * np.pi))


def _joined(parts: Sequence[Array] | Sequence[NDArray[np.int64]]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0)


def _bored(outlet: Outlet, network: Network) -> Array:
    """Return what a way adds to permeability x area of each voxel (N,) [mm4]."""
    cell = network.index[tuple(outlet.bored.T)]
    there = cell >= 0
    return np.bincount(cell[there], outlet.bore_mm4[there], network.count).astype(float)


WELL = 0.2  # [1] of a voxel's edge: source as `entry_of`
DENSEST_PORES = 0.98  # [1] bone share beyond which a voxel keeps two hundredths of pores: solvable
