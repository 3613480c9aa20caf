"""Ways out of the bone: for cement holes and veins, for marrow the pores of the shell as well."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.materials import SHELL_MM, SHELL_PERMEABILITY

Voxels = NDArray[np.int64]
NEIGHBOURS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlet:
    """A way out of some voxels; a valve: nothing comes in.

    Attributes
    ----------
    site : where it leads; None for the pores of the shell, which only marrow passes.
    voxels : (N, 3) indices of the voxels it opens from.
    conductance_mm3 : (N,) flow x viscosity / pressure [mm3].
    radius_mm : of a round way with the same resistance to flow at the same speed [mm].
    length_mm, area_mm2 : of the way itself, which fills with cement [mm], [mm2].
    outside_mpa : pressure outside over the resting pressure of the marrow [MPa].
    one_way : the voxels lie one behind the other along one way: cement that has come into it
        nearer to its mouth plugs what lies behind.
    """

    site: Site | None
    voxels: Voxels
    conductance_mm3: Array
    radius_mm: float
    length_mm: float
    area_mm2: float
    outside_mpa: float = 0.0
    one_way: bool = False

    @property
    def room_mm3(self) -> float:
        """Volume of the way itself [mm3]."""
        return self.area_mm2 * self.length_mm


def tube(
    site: Site,
    voxels: Voxels,
    radius_mm: float,
    length_mm: float,
    *,
    resistance: float = 1.0,
    outside_mpa: float = 0.0,
) -> Outlet:
    """Open a round way, by Poiseuille's law: ``pi r^4 / (8 length)`` over its voxels together.

    Parameters
    ----------
    resistance : times as much resistance as the tube alone [1].

    Examples
    --------
    >>> vein = tube(Site.BASIVERTEBRAL, np.array([[0, 0, 0]]), 1.0, 10.0)
    >>> round(float(vein.conductance_mm3.sum()), 4)
    0.0393
    """
    voxels = np.atleast_2d(np.asarray(voxels, np.int64))
    if not (radius_mm > 0.0 and length_mm > 0.0 and resistance > 0.0 and len(voxels)):
        raise ValueError("a way out needs voxels, and radius, length and resistance above 0")
    whole = np.pi * radius_mm**4 / (8.0 * length_mm * resistance)
    return Outlet(
        site=site,
        voxels=voxels,
        conductance_mm3=np.full(len(voxels), whole / len(voxels)),
        radius_mm=radius_mm,
        length_mm=length_mm,
        area_mm2=float(np.pi * radius_mm**2),
        outside_mpa=outside_mpa,
    )


def vein(site: Site, voxels: Voxels, away_mm: Array, radius_mm: float, length_mm: float) -> Outlet:
    """Open a vein that runs through bone and takes up what reaches it on its way.

    Parameters
    ----------
    away_mm : (N,) from where the vein leaves the bone to each voxel, along the vein [mm].
    length_mm : of the vein outside the bone that resists [mm].

    Examples
    --------
    >>> basal = vein(Site.BASIVERTEBRAL, np.array([[0, 0, 0]]), np.array([5.0]), 1.0, 5.0)
    >>> round(float(basal.conductance_mm3[0]), 4)
    0.0393
    """
    if not (radius_mm > 0.0 and length_mm > 0.0):
        raise ValueError("a vein needs radius and length above 0")
    return Outlet(
        site=site,
        voxels=voxels,
        conductance_mm3=np.pi * radius_mm**4 / (8.0 * (length_mm + away_mm)),
        radius_mm=radius_mm,
        length_mm=length_mm,
        area_mm2=float(np.pi * radius_mm**2),
        one_way=True,
    )


def slit(
    site: Site,
    voxels: Voxels,
    gap_mm: float,
    width_mm: float,
    length_mm: float,
    *,
    resistance: float = 1.0,
) -> Outlet:
    """Open a flat way: ``width gap^3 / (12 length)``, as a crack or beside a cannula.

    Parameters
    ----------
    resistance : times as much resistance as the slit alone [1].

    Examples
    --------
    >>> beside = slit(Site.TRACK, np.array([[0, 0, 0]]), 0.1, 12.0, 10.0)
    >>> round(float(beside.conductance_mm3.sum()), 6)
    0.0001
    """
    voxels = np.atleast_2d(np.asarray(voxels, np.int64))
    if not (gap_mm > 0.0 and width_mm > 0.0 and length_mm > 0.0 and resistance > 0.0):
        raise ValueError("a slit needs gap, width, length and resistance above 0")
    if not len(voxels):
        raise ValueError("a slit needs voxels")
    whole = width_mm * gap_mm**3 / (12.0 * length_mm * resistance)
    return Outlet(
        site=site,
        voxels=voxels,
        conductance_mm3=np.full(len(voxels), whole / len(voxels)),
        radius_mm=gap_mm * float(np.sqrt(8.0 / 12.0)),
        length_mm=length_mm,
        area_mm2=gap_mm * width_mm,
    )


def shell_pores(
    inside: NDArray[np.bool_],
    edge_mm: float,
    *,
    permeability_mm2: float = SHELL_PERMEABILITY.value,
    thickness_mm: float = SHELL_MM.value,
) -> Outlet:
    """Let marrow seep out of every voxel at the surface, through pores that cement does not pass.

    Parameters
    ----------
    inside : (I, J, K) voxels that fluid can enter.
    """
    faces = exposed_faces(inside)
    voxels = np.argwhere(faces > 0)
    area = faces[faces > 0].astype(float) * edge_mm**2
    return Outlet(
        site=None,
        voxels=voxels,
        conductance_mm3=permeability_mm2 * area / thickness_mm,
        radius_mm=edge_mm,
        length_mm=thickness_mm,
        area_mm2=float(area.sum()),
    )


def exposed_faces(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the faces of each voxel that lead out (I, J, K)."""
    padded = np.pad(inside, 1)
    core = (slice(1, -1),) * 3
    count = np.zeros(inside.shape, np.int64)
    for axis in range(3):
        for step in (1, -1):
            count += inside & ~np.roll(padded, step, axis)[core]
    return count
