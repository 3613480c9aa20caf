"""Ways out of the bone: for cement holes and veins, for marrow the pores of the shell as well."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.materials import SHELL_MM, SHELL_PERMEABILITY

Voxels = NDArray[np.int64]
NEIGHBOURS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


def _nothing() -> Array:
    return np.zeros(0)


def _nowhere() -> Voxels:
    return np.zeros((0, 3), np.int64)


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
    within_mm : (N,) length of the way that still lies in the bone, from each voxel on [mm].
    bored : (K, 3) voxels that the way splits or bores: CT blurs the thin shell over them, so
        that without it they would seal what lies behind.
    bore_mm4 : (K,) permeability x area of the way within each of them [mm4].
    """

    site: Site | None
    voxels: Voxels
    conductance_mm3: Array
    radius_mm: float
    length_mm: float
    area_mm2: float
    outside_mpa: float = 0.0
    one_way: bool = False
    within_mm: Array = field(default_factory=_nothing)
    bored: Voxels = field(default_factory=_nowhere)
    bore_mm4: Array = field(default_factory=_nothing)


def tube(
    site: Site,
    voxels: Voxels,
    radius_mm: float,
    length_mm: float,
    *,
    resistance: float = 1.0,
    outside_mpa: float = 0.0,
    bored: Voxels | None = None,
) -> Outlet:
    """Open a round way, by Poiseuille's law: ``pi r^4 / (8 length)`` over its voxels together.

    Parameters
    ----------
    resistance : times as much resistance as the tube alone [1].
    bored : (K, 3) voxels under its mouth that it bores [indices]; none if None.

    Examples
    --------
    >>> vein = tube(Site.BASIVERTEBRAL, np.array([[0, 0, 0]]), 1.0, 10.0)
    >>> round(float(vein.conductance_mm3.sum()), 4)
    0.0393
    """
    voxels = np.atleast_2d(np.asarray(voxels, np.int64))
    if not (radius_mm > 0.0 and length_mm > 0.0 and resistance > 0.0 and len(voxels)):
        raise ValueError("a way out needs voxels, and radius, length and resistance above 0")
    bore = np.pi * radius_mm**4 / 8.0
    under = _nowhere() if bored is None else bored
    return Outlet(
        site=site,
        voxels=voxels,
        conductance_mm3=np.full(len(voxels), bore / (length_mm * resistance * len(voxels))),
        radius_mm=radius_mm,
        length_mm=length_mm,
        area_mm2=float(np.pi * radius_mm**2),
        outside_mpa=outside_mpa,
        bored=under,
        bore_mm4=np.full(len(under), bore / len(voxels)),
    )


def vein(
    site: Site,
    voxels: Voxels,
    away_mm: Array,
    radius_mm: float,
    length_mm: float,
    *,
    within_mm: float = 0.0,
) -> Outlet:
    """Open a vein that runs through bone and takes up what reaches it on its way.

    Parameters
    ----------
    away_mm : (N,) from where the vein leaves the bone to each voxel, along the vein [mm].
    length_mm : of the vein outside the bone that resists [mm].
    within_mm : of this bore with the volume of another way in the bone that it ends in [mm].

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
        within_mm=away_mm + within_mm,
    )


def slit(
    site: Site,
    voxels: Voxels,
    gap_mm: float,
    width_mm: float,
    length_mm: float,
    *,
    resistance: float = 1.0,
    bored: Voxels | None = None,
) -> Outlet:
    """Open a flat way: ``width gap^3 / (12 length)``, as a crack or beside a cannula.

    Parameters
    ----------
    resistance : times as much resistance as the slit alone [1].
    bored : (K, 3) voxels under its mouth that it splits [indices]; none if None.

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
    split = width_mm * gap_mm**3 / 12.0 / len(voxels)
    under = _nowhere() if bored is None else bored
    return Outlet(
        site=site,
        voxels=voxels,
        conductance_mm3=np.full(len(voxels), split / (length_mm * resistance)),
        radius_mm=gap_mm * float(np.sqrt(8.0 / 12.0)),
        length_mm=length_mm,
        area_mm2=gap_mm * width_mm,
        bored=under,
        bore_mm4=np.full(len(under), split),
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
