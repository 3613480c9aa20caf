"""What the points bring to the octants of the voxels: stiffness, strength, stress, balloons.

Nothing finer than an octant is told apart; the displacement is told at the corners of voxels.
"""

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon import yielding
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.bone_law import LEAST_YIELD_MPA, MOST_MINERAL, BoneLaw
from kyphoplan.simulation.solver.caching import KEPT

PARTS = 2  # [1] octants along the edge of a voxel
SKIN_FINE = 2  # [1] samples along an octant's edge that tell how much of it a balloon takes
SOFT_SHARE = 0.5  # [1] of an octant's stiffness that is not bone's: more and it does not crush
AMONG = 0.8  # [1] of the room around an octant that is tissue: more, and it lies among it
FEW = 0.3  # [octant] of points in an octant: fewer, and it takes after its neighbours
BEARS = 2.0  # [1] times soft tissue's stiffness: less, and an octant has no stress to remember
LEAST_SHARE = 0.1  # [1] of tissue in an octant: less does not make its stress larger
WHOLE = 0.99  # [1] of a voxel that is tissue: less, and its octants dilate by themselves
FILL_POISSON = 0.3  # [1] of soft tissue and of the balloon's inside; neither bears anything
LEAST_TENSION = 1e-3  # [1] of its strength: less, and bone at rest would be on the brink
NEARLY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Octants:
    """The block of one moment; arrays of octants are (2 I, 2 J, 2 K).

    Attributes
    ----------
    law : (..., LAWS) see `yielding.respond`.
    stress : (..., 6) as the octant's mean [MPa].
    tissue : share that is tissue [1].
    shares : (B, I, J, K) share of each voxel that is inside a balloon [1].
    pushes : (B, I + 1, J + 1, K + 1, 3) nodal forces of 1 MPa in each balloon [N].
    whole : (I, J, K) voxels whose octants share their dilatation.
    crushable : octants of bone.
    """

    law: Array
    stress: Array
    tissue: Array
    shares: Array
    pushes: Array
    whole: NDArray[np.bool_]
    crushable: int


def octants(
    points: mp.Points,
    skins: tuple[Skin, ...],
    active: NDArray[np.bool_],
    edge_mm: float,
    law: BoneLaw,
) -> Octants:
    """Gather the points, cut the balloons out."""
    shape, finer = active.shape, edge_mm / PARTS
    fine = tuple(PARTS * n for n in shape)
    inside = np.zeros((len(skins), *fine))
    pushes = np.zeros((len(skins), *(n + 1 for n in shape), 3))
    for part, out, skin in zip(inside, pushes, skins, strict=True):
        part[:] = skin.share(fine, finer, SKIN_FINE)
        yielding.push(part, edge_mm, out)
    cells = mp.gather(points, shape, PARTS)
    share = filled(cells, np.minimum(inside.sum(axis=0), 1.0))
    density = np.minimum(cells[..., mp.MASS] / (finer**3 / 1000.0), MOST_MINERAL)
    whole = _means(share) > WHOLE
    here = np.flatnonzero(active.repeat(PARTS, 0).repeat(PARTS, 1).repeat(PARTS, 2))
    laws, stress = np.zeros((*fine, yielding.LAWS)), np.zeros((*fine, 6))
    crushable = _resist(
        cells.reshape(-1, mp.COUNT), here, share.ravel(), *_strengths(cells, density, law, here),
        law.soft_mpa, law.hardening, laws.reshape(-1, yielding.LAWS), stress.reshape(-1, 6),
    )  # fmt: skip
    return Octants(
        law=laws,
        stress=stress,
        tissue=share,
        shares=np.stack([_means(part) for part in inside]) if len(skins) else inside,
        pushes=pushes,
        whole=whole,
        crushable=max(crushable, 1),
    )


def _strengths(
    cells: Array, density: Array, law: BoneLaw, here: NDArray[np.intp]
) -> tuple[Array, ...]:
    """Return density, modulus, yield stress, shape and centre of the yield surface of octants."""
    there, flat = density.ravel()[here], cells.reshape(-1, mp.COUNT)
    tension = np.maximum(flat[here, mp.TENSION], LEAST_TENSION)
    limit = law.limit(there, flat[here, mp.BORN])
    return there, law.modulus(there), limit, *law.surface(there, tension)


@nb.njit(cache=KEPT, nogil=True)
def _resist(  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    cells, here, share, density, bone, limit, factor, centre, soft, hardening, laws, stress
):
    """Write the laws of octants, and the stress they remember; return how many can crush."""
    crushable = 0
    for n in range(len(here)):
        at = here[n]
        part, cell, law = share[at], cells[at], laws[at]
        whole = part * cell[mp.WEAK]
        stiff = bone[n] * whole
        modulus = stiff + cell[mp.SOFT] * part + soft
        poisson = part * cell[mp.POISSON] + (1.0 - part) * FILL_POISSON
        crushes = stiff >= SOFT_SHARE * modulus
        crushable += crushes
        law[yielding.SHEAR] = modulus / (2.0 * (1.0 + poisson))
        law[yielding.BULK] = modulus / (3.0 * (1.0 - 2.0 * poisson))
        law[yielding.LIMIT] = max(limit[n] * whole, LEAST_YIELD_MPA) if crushes else np.inf
        law[yielding.FACTOR], law[yielding.CENTRE] = factor[n], centre[n]
        law[yielding.HARDENING] = hardening if density[n] < MOST_MINERAL else 0.0
        if modulus > BEARS * soft:
            for s in range(6):
                stress[at, s] = part * cell[mp.STRESS + s]
    return crushable


def endured(now: Octants, u_mm: Array, edge_mm: float, law: BoneLaw) -> tuple[Array, float, float]:
    """Let the octants go through an increment.

    Returns
    -------
    What happened to each (2 I, 2 J, 2 K, 8), see `yielding.happened`, with the stress as it is
    within the tissue; elastic energy at the end, plastic work of the increment [mJ].
    """
    change = np.zeros((*now.tissue.shape, 8))
    filler = BEARS * law.soft_mpa / (2.0 * (1.0 + FILL_POISSON))
    stored, lost = yielding.happened(u_mm, edge_mm, now.law, now.stress, now.whole, filler, change)
    change[..., 1:7] /= np.maximum(now.tissue, LEAST_SHARE)[..., None]
    return change, stored, lost


def _means(values: Array) -> Array:
    """Mean of each voxel's octants."""
    i, j, k = (n // PARTS for n in values.shape)
    return np.asarray(values.reshape(i, PARTS, j, PARTS, k, PARTS).mean(axis=(1, 3, 5)))


def filled(cells: Array, taken: Array) -> Array:
    """Tell how much of each octant is tissue, and make its mineral a density within the tissue.

    Where bone is stretched the points lie far apart: an octant among them is whole although it
    holds few, and one without any takes after its neighbours.

    Parameters
    ----------
    cells : (2 I, 2 J, 2 K, COUNT) of `material_points.gather`; changed in place: mineral per
        volume.
    taken : share that the balloons take [1].

    Returns
    -------
    Share of tissue [1].
    """
    volume, left = cells[..., mp.VOLUME].copy(), 1.0 - taken
    around = ndimage.uniform_filter(volume, 3)
    among = around > AMONG * ndimage.uniform_filter(left, 3)
    share = np.where(among, left, np.minimum(volume, left))
    cells[..., mp.MASS] /= np.maximum(volume, NEARLY)
    lonely = np.argwhere((volume < FEW) & (share > 0.0))
    taken_after = np.zeros((len(lonely), mp.COUNT))
    _take_after(cells, volume, lonely, taken_after)
    cells[tuple(lonely.T)] = taken_after
    cells[..., mp.VOLUME] = volume
    return np.asarray(share)


@nb.njit(cache=KEPT, nogil=True)
def _take_after(cells, volume, lonely, out):  # type: ignore[no-untyped-def]
    """Write the mean of each octant's neighbours, weighted by what points bring to them."""
    for n in range(len(lonely)):
        weights = NEARLY
        for near in range(27):
            i = min(max(lonely[n, 0] + near // 9 - 1, 0), volume.shape[0] - 1)
            j = min(max(lonely[n, 1] + near // 3 % 3 - 1, 0), volume.shape[1] - 1)
            k = min(max(lonely[n, 2] + near % 3 - 1, 0), volume.shape[2] - 1)
            weight = volume[i, j, k]
            weights += weight
            if weight > 0.0:
                for s in range(out.shape[1]):
                    out[n, s] += weight * cells[i, j, k, s]
        for s in range(out.shape[1]):
            out[n, s] /= weights
