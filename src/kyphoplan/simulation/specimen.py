"""A vertebra cut out of the CT, set upright on its own axis, between cement caps or discs."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import Part, Vertebra, Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import (
    ANNULUS,
    BONE_POISSON,
    LEAST_MODULUS_MPA,
    MODULUS,
    NUCLEUS,
    PMMA,
    STRENGTH,
    DensityLaw,
    Material,
    default,
)
from kyphoplan.morphometry.density import look_inside
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.crushing import Bone

CAP_MM = 3.0  # [mm] of cement over the highest point of an endplate
DISC_MM = 8.0  # [mm] of disc over that point; means of 5.5 to 13.6 in 106 MRI scans ("Morphometric
# study of lumbar intervertebral spaces (discs) by using MRI", its abstract), chosen within
NUCLEUS_SHARE = 0.4  # [1] of a disc's area; 0.21 to 0.60 are studied, doi:10.1115/1.4043029
CAPPED_SHARE = 0.35  # [1] of the body's height: deeper than any endplate or tilt, not the waist
BONE_SHARE = 0.25  # [1] a voxel with less bone than this is left out
LEAST_YIELD_MPA = 1e-3  # [MPa] of a voxel of bone without mineral, so that it stays solvable


class Tissue(IntEnum):
    """What a voxel of the specimen is."""

    VOID = 0
    BONE = 1
    CEMENT = 2
    ANNULUS = 3
    NUCLEUS = 4


class Caps(StrEnum):
    """What the vertebra is pressed between."""

    CEMENT = "cement"
    DISC = "disc"


CAP_MATERIALS: dict[Caps, dict[Tissue, Material]] = {
    Caps.CEMENT: {Tissue.CEMENT: PMMA},
    Caps.DISC: {Tissue.ANNULUS: ANNULUS, Tissue.NUCLEUS: NUCLEUS},
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specimen:
    """A vertebra between two flat caps, on the grid of its own frame.

    Attributes
    ----------
    tissue : (I, J, K) `Tissue`; i runs to the left, j posterior, k superior.
    hu : (I, J, K) mean intensity of the bone in each voxel [HU].
    share : (I, J, K) part of the voxel that is bone [1].
    edge_mm : edge of a voxel [mm].
    affine : 4x4, from voxel indices to the patient [mm, LPS].
    caps : what it lies between.
    """

    tissue: NDArray[np.uint8]
    hu: Array
    share: Array
    edge_mm: float
    affine: Array
    caps: Caps = Caps.CEMENT

    @property
    def capped(self) -> NDArray[np.bool_]:
        """Voxels of the caps."""
        return self.tissue > Tissue.BONE

    @property
    def height_mm(self) -> float:
        """Distance between the two plates [mm]."""
        return float(self.tissue.shape[2] * self.edge_mm)


def cut(
    vertebra: Vertebra, ct: Volume, edge_mm: float = 1.0, *, caps: Caps = Caps.CEMENT
) -> Specimen:
    """Cut a vertebra out of the CT and cap its endplates with cement or with discs.

    The CT is sampled on a fine grid of the vertebra's frame; each voxel of the specimen takes the
    mean of the bone in it and the share of it, so mineral is kept and thin cortex weighs by its
    share.

    Raises
    ------
    CaseError
        If the vertebra was not located, or the CT does not cover it.
    """
    parts, inside = vertebra.parts, look_inside(vertebra, ct)
    if parts is None or inside is None:
        why = vertebra.reason or "the CT does not cover it"
        raise CaseError(f"{vertebra.level}: cannot be cut out: {why}")
    factor = max(round(edge_mm / inside.step_mm), 1)
    bone = parts.voxels != Part.OUTSIDE
    share = _blocks(bone.astype(float), factor)
    hu = _blocks(np.where(bone, inside.hu, 0.0), factor) / np.maximum(share, 1e-9)
    body = _blocks((parts.voxels == Part.BODY).astype(float), factor) >= 0.5  # noqa: PLR2004
    solid = _largest(share >= BONE_SHARE)
    edge = factor * inside.step_mm
    thick = round((DISC_MM if caps is Caps.DISC else CAP_MM) / edge)
    tissue, origin = _capped(solid, body & solid, thick)
    if caps is Caps.DISC:
        tissue = _as_disc(tissue)
    affine = parts.affine.copy()
    affine[:3, :3] *= factor
    first = factor * np.asarray(origin, float) + 0.5 * (factor - 1)
    affine[:3, 3] = parts.to_patient(first)
    hu, share = (_window(values, origin, tissue.shape) for values in (hu, share))
    return Specimen(tissue=tissue, hu=hu, share=share, edge_mm=edge, affine=affine, caps=caps)


def _window(values: Array, origin: tuple[int, int, int], shape: tuple[int, ...]) -> Array:
    """Cut a window out of a block along i and j; along k it may reach beyond, into zeros."""
    result = np.zeros(shape)
    low, high = max(origin[2], 0), min(origin[2] + shape[2], values.shape[2])
    here = values[origin[0] : origin[0] + shape[0], origin[1] : origin[1] + shape[1], low:high]
    result[:, :, low - origin[2] : high - origin[2]] = here
    return result


def _blocks(values: Array, factor: int) -> Array:
    """Mean of blocks of ``factor`` voxels a side; the rim is filled with zeros."""
    pad = [(0, -n % factor) for n in values.shape]
    filled = np.pad(values, pad)
    i, j, k = (n // factor for n in filled.shape)
    return np.asarray(filled.reshape(i, factor, j, factor, k, factor).mean(axis=(1, 3, 5)))


def _largest(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest piece whose voxels share faces."""
    labels, _ = ndimage.label(solid)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def _capped(
    solid: NDArray[np.bool_], body: NDArray[np.bool_], cap: int
) -> tuple[NDArray[np.uint8], tuple[int, int, int]]:
    """Fill cement over and under the body up to flat plates; crop to them; return the origin."""
    tissue = np.pad(np.where(solid, Tissue.BONE, Tissue.VOID), ((0, 0), (0, 0), (cap, cap)))
    body = np.pad(body, ((0, 0), (0, 0), (cap, cap)))
    levels = np.flatnonzero(body.any(axis=(0, 1)))
    bottom, top = int(levels[0]) - cap, int(levels[-1]) + cap
    reached = round(CAPPED_SHARE * levels.size)  # no cement under the overhang of a far rim
    for i, j in np.argwhere(body.any(axis=2)):
        column = np.flatnonzero(body[i, j])
        lower, upper = slice(bottom, column[0]), slice(column[-1] + 1, top + 1)
        for reach, near in (
            (lower, column[0] - levels[0] <= reached),
            (upper, levels[-1] - column[-1] <= reached),
        ):
            free = (tissue[i, j, reach] == Tissue.VOID) & near
            tissue[i, j, reach][free] = Tissue.CEMENT
    tissue = tissue[:, :, bottom : top + 1]
    tissue = np.where(_largest(tissue > 0), tissue, Tissue.VOID)
    where = np.argwhere(tissue > 0)
    first, last = where.min(axis=0), where.max(axis=0) + 1
    cropped = tissue[first[0] : last[0], first[1] : last[1]].astype(np.uint8)
    return cropped, (int(first[0]), int(first[1]), bottom - cap)


def _as_disc(tissue: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make an annulus of the caps, and a nucleus of what lies farthest from their rim."""
    result = tissue.copy()
    caps, count = ndimage.label(tissue == Tissue.CEMENT)
    for cap in range(1, count + 1):
        here = caps == cap
        area = here.any(axis=2)
        depth = ndimage.distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
        inner = depth > np.quantile(depth[area], 1.0 - NUCLEUS_SHARE)
        result[here] = Tissue.ANNULUS
        result[here & inner[:, :, None]] = Tissue.NUCLEUS
    return result


def bone_of(
    specimen: Specimen,
    calibration: Calibration,
    *,
    modulus: DensityLaw | None = None,
    strength: DensityLaw | None = None,
) -> Bone:
    """Give each voxel its stiffness and yield stress, by the default laws or named ones."""
    density = calibration(specimen.hu) * specimen.share
    solid = specimen.tissue == Tissue.BONE
    stiff = np.maximum((modulus or default(MODULUS))(density), LEAST_MODULUS_MPA)
    limit = np.maximum((strength or default(STRENGTH))(density), LEAST_YIELD_MPA)
    moduli, limits = np.where(solid, stiff, 0.0), np.where(solid, limit, 0.0)
    poisson = np.full(moduli.shape, BONE_POISSON)
    for tissue, material in CAP_MATERIALS[specimen.caps].items():
        here = specimen.tissue == tissue
        moduli[here], limits[here] = material.modulus, material.strength
        poisson[here] = material.poisson
    return Bone(
        modulus_mpa=moduli,
        yield_mpa=limits,
        poisson=BONE_POISSON if (poisson == BONE_POISSON).all() else poisson,
        spacing_mm=specimen.edge_mm,
    )
