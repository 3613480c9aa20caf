"""The treated vertebra as cement finds it: where its bone is now, and how open each voxel is.

The bone's points have moved, and a skin that moved by a hundredth of a voxel leaves a trace of
bone in the next voxel. Such a voxel is no bone: taken for it, it would be nearly free of mineral,
as open as a void, and all such voxels together would be a sleeve around the shell in which marrow
and cement run freely to every way out. So each point carries the share of its voxel that was bone,
with its marrow, and a voxel counts as in the CT: by how much of it is bone.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.materials import BONE_MINERAL
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.cement.outlets import exposed_faces
from kyphoplan.simulation.operation import Operated
from kyphoplan.simulation.operative_field import Field
from kyphoplan.simulation.specimen import BONE_SHARE, Specimen, Tissue

SMALLEST = 1e-3  # [1] of a voxel that is left beside a void


def treated(
    operated: Operated, mineral_mg_per_cm3: float = BONE_MINERAL.value
) -> tuple[Specimen, Array]:
    """Return the vertebra with its voids as a specimen, and how much fluid cannot enter.

    Parameters
    ----------
    mineral_mg_per_cm3 : of solid bone [mg/cm3].

    Returns
    -------
    The specimen, and (I, J, K) the share of what is not void that is solid bone or outside [1].
    """
    field, void = operated.field, operated.void
    share = share_now(bone_now(field, operated.start, operated.operation.points), void)
    specimen = Specimen(
        tissue=np.where(share > 0.0, Tissue.BONE, Tissue.VOID).astype(np.uint8),
        hu=np.zeros(share.shape),
        share=share,
        edge_mm=field.edge_mm,
        affine=field.affine,
    )
    return specimen, solid_now(share, void, operated.operation.density / mineral_mg_per_cm3)


def bone_now(field: Field, start: mp.Points, points: mp.Points) -> Array:
    """Return the share of each voxel that bone, with its marrow, and cannulas fill now [1].

    Parameters
    ----------
    start, points : the same points before the balloons and now.
    """
    born = tuple(start.place.astype(int).T)
    own = np.where(field.tissue == Tissue.BONE, field.share, 0.0)[born]
    carried = replace(points, mass_mg=points.volume * own)  # gathered as a sum, as mineral is
    return np.asarray(mp.gather(carried, field.tissue.shape)[..., mp.MASS])


def share_now(bone: Array, void: Array) -> Array:
    """Return the share of each voxel that is bone or void [1]; 0 where the vertebra is not.

    At the skin, what neither fills is outside. Within, it is a gap that marrow fills.

    Examples
    --------
    >>> bone = np.array([0.0, 0.02, 0.6, 0.9, 1.0, 0.3, 0.01]).reshape(-1, 1, 1)
    >>> share_now(np.tile(bone, (1, 5, 5)), np.zeros((7, 5, 5)))[:, 2, 2]
    array([0. , 0. , 0.6, 1. , 1. , 0.3, 0. ])
    """
    there = ndimage.binary_fill_holes(bone + void >= BONE_SHARE)
    skin = exposed_faces(there) > 0
    return np.where(there, np.where(skin, np.minimum(bone + void, 1.0), 1.0), 0.0)


def solid_now(share: Array, void: Array, mineral: NDArray[np.float64]) -> Array:
    """Return the share of what is not void that fluid cannot enter: solid bone, and outside [1].

    Parameters
    ----------
    share : (I, J, K) of each voxel that is bone or void [1].
    mineral : (I, J, K) of each voxel that is solid bone [1].

    Examples
    --------
    >>> share, void, mineral = np.array([1.0, 1.0, 0.5]), np.array([0.0, 0.5, 0.0]), 0.1
    >>> solid_now(share, void, np.full(3, mineral))
    array([0.1, 0.2, 0.6])
    """
    open_ = np.maximum(share - void - mineral, 0.0)
    return np.asarray(1.0 - np.minimum(open_ / np.maximum(1.0 - void, SMALLEST), 1.0))
