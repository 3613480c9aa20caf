"""The operated vertebra as a block: bone, discs, neighbours that give way, the cannula's track.

Above and below lie the discs; beyond them a rigid plate each, the neighbouring vertebra, held by
a soft layer that stands for all that resists when the column is stretched or extended there:
ligaments, facet joints, muscles. The rest around the bone is soft tissue that hardly resists.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import LevelPlan, Trajectory, Vertebra, Volume
from kyphoplan.geometry import Array
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.specimen import CAP_MATERIALS, Caps, Specimen, Tissue, cut

PLATE_MM, SUPPORT_MM = 1.0, 2.0  # [mm] of the neighbour's endplate and of the layer that holds it
PLATE_MPA = 2000.0  # [MPa] of a neighbour: rigid beside a disc; any large value serves
SOFT_MPA = 0.05  # [MPa] of muscle, fat, marrow without mineral: assumed, hardly resists
BEHIND_MM = 12.0  # [mm] of arch that is kept behind the body; farther back nothing strains
AROUND_MM = 1.0  # [mm] of soft tissue around the bone
TRACK_FINE = 4  # [1] samples along a voxel's edge that tell how much of it a cannula takes

PLATE, SUPPORT = 5, 6  # more values of a `Tissue` array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """A block of voxels in which balloons are inflated.

    Attributes
    ----------
    tissue : (I, J, K) `Tissue`, or PLATE, SUPPORT; i runs to the left, j posterior, k superior.
    density : (I, J, K) bone mineral as the voxel's mean [mg/cm3].
    soft_mpa, poisson : (I, J, K) what is not bone [MPa, 1].
    weak : (I, J, K) share of strength, and of stiffness, that is left of broken bone [1].
    tension : (I, J, K) share of that strength that is left in tension [1].
    slack : (I, J, K) share of that stiffness that is left of crushed bone [1].
    track : (I, J, K) share of the voxel that a cannula has taken [1].
    share : (I, J, K) part of the voxel that is bone, with its marrow [1].
    edge_mm : edge of a voxel [mm].
    affine : 4x4 from voxel indices (centres) to the patient [mm, LPS].
    """

    tissue: NDArray[np.uint8]
    density: Array
    soft_mpa: Array
    poisson: Array
    weak: Array
    tension: Array
    slack: Array
    track: Array
    share: Array
    edge_mm: float
    affine: Array

    @property
    def active(self) -> NDArray[np.bool_]:
        """Voxels that are computed: all tissue and a rim of soft tissue around it."""
        return np.asarray(
            ndimage.binary_dilation(self.tissue > 0, iterations=_layers(AROUND_MM, self.edge_mm))
        )

    def in_track(self, places: Array, trajectories: tuple[Trajectory, ...]) -> NDArray[np.bool_]:
        """Tell which places (N, 3) [voxels from the corner] an accepted cannula has taken."""
        inside = np.zeros(len(places), bool)
        for way in trajectories:
            if way.accepted:
                start, end = self.to_block(way.entry_mm), self.to_block(way.target_mm)
                radius = 0.5 * way.outer_diameter_mm / self.edge_mm
                inside |= _beside(places, start, end) < radius
        return inside

    def to_block(self, positions_mm: Array) -> Array:
        """Patient positions (..., 3) [mm, LPS] in voxels from the block's corner."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(positions_mm @ inverse[:3, :3].T + inverse[:3, 3] + 0.5)

    def to_patient(self, places: Array) -> Array:
        """Places (..., 3) [voxels from the corner] as patient positions [mm, LPS]."""
        return np.asarray((places - 0.5) @ self.affine[:3, :3].T + self.affine[:3, 3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """How far the column around the vertebra gives way.

    Attributes
    ----------
    support_mpa_per_mm : pressure on a neighbour that shifts it by a millimetre [MPa/mm].
    """

    support_mpa_per_mm: float


def prepare(
    vertebra: Vertebra,
    ct: Volume,
    plan: LevelPlan,
    calibration: Calibration,
    surroundings: Surroundings,
    edge_mm: float = 1.0,
) -> Field:
    """Cut the vertebra out between its discs, add its neighbours, and take out the cannulas.

    Raises
    ------
    CaseError
        If the vertebra was not located or the CT does not cover it.
    """
    specimen = cut(vertebra, ct, edge_mm, caps=Caps.DISC)
    tissue = _without_far_arch(specimen)
    density = np.where(tissue == Tissue.BONE, calibration(specimen.hu) * specimen.share, 0.0).clip(
        min=0.0
    )
    soft, poisson = np.zeros(tissue.shape), np.full(tissue.shape, 0.3)
    for kind, material in CAP_MATERIALS[Caps.DISC].items():
        soft[tissue == kind] = material.modulus
        poisson[tissue == kind] = material.poisson
    field = Field(
        tissue=tissue,
        density=density,
        soft_mpa=soft,
        poisson=poisson,
        weak=np.ones(tissue.shape),
        tension=np.ones(tissue.shape),
        slack=np.ones(tissue.shape),
        track=np.zeros(tissue.shape),
        share=specimen.share,
        edge_mm=specimen.edge_mm,
        affine=specimen.affine,
    )
    return drilled(_between_neighbours(field, surroundings), plan.trajectories)


def _layers(thickness_mm: float, edge_mm: float) -> int:
    """Return how many voxels stand for a thickness: one at least."""
    return max(round(thickness_mm / edge_mm), 1)


def _without_far_arch(specimen: Specimen) -> NDArray[np.uint8]:
    """Leave out what lies far behind the discs."""
    back = np.flatnonzero(specimen.capped.any(axis=(0, 2)))[-1]
    tissue = specimen.tissue.copy()
    tissue[:, back + round(BEHIND_MM / specimen.edge_mm) :] = Tissue.VOID
    pieces, _ = ndimage.label(tissue > 0)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(np.where(pieces == sizes.argmax(), tissue, Tissue.VOID), np.uint8)


def _between_neighbours(field: Field, surroundings: Surroundings) -> Field:
    """Crop to what is there, and add plates and supports above and below, soft tissue around."""
    edge = field.edge_mm
    plate, support = _layers(PLATE_MM, edge), _layers(SUPPORT_MM, edge)
    rim, more = _layers(AROUND_MM, edge), plate + support
    where = np.argwhere(field.tissue > 0)
    first, last = where.min(axis=0), where.max(axis=0) + 1
    window = (slice(first[0], last[0]), slice(first[1], last[1]), slice(None))
    pads = ((rim, rim), (rim, rim), (more, more))

    def grown(values: Array, fill: float) -> Array:
        return np.pad(values[window], pads, constant_values=fill)

    tissue = grown(field.tissue.astype(float), Tissue.VOID)
    soft, poisson = grown(field.soft_mpa, 0.0), grown(field.poisson, 0.3)
    layer = surroundings.support_mpa_per_mm * support * edge
    for at, step in ((more, -1), (tissue.shape[2] - more - 1, 1)):
        disc = np.isin(tissue[:, :, at], (Tissue.ANNULUS, Tissue.NUCLEUS))
        for n in range(1, more + 1):
            here = tissue[:, :, at + step * n]
            here[disc] = PLATE if n <= plate else SUPPORT
            soft[:, :, at + step * n][disc] = PLATE_MPA if n <= plate else layer
            poisson[:, :, at + step * n][disc] = 0.3 if n <= plate else 0.0
    affine = field.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ (np.array([first[0] - rim, first[1] - rim, -more]))
    return Field(
        tissue=tissue.astype(np.uint8),
        density=grown(field.density, 0.0),
        soft_mpa=soft,
        poisson=poisson,
        weak=grown(field.weak, 1.0),
        tension=grown(field.tension, 1.0),
        slack=grown(field.slack, 1.0),
        track=grown(field.track, 0.0),
        share=grown(field.share, 0.0),
        edge_mm=edge,
        affine=affine,
    )


def drilled(field: Field, trajectories: tuple[Trajectory, ...]) -> Field:
    """Note what each accepted cannula has replaced: a capsule from entry to target."""
    track = field.track.copy()
    for way in trajectories:
        if way.accepted:
            start, end = field.to_block(way.entry_mm), field.to_block(way.target_mm)
            radius = 0.5 * way.outer_diameter_mm / field.edge_mm
            np.maximum(track, capsule_share(track.shape, start, end, radius), out=track)
    return replace(field, track=track)


def capsule_share(shape: tuple[int, ...], start: Array, end: Array, radius: float) -> Array:
    """Return how much of each voxel lies within a distance of a straight line, all in voxels."""
    result = np.zeros(shape)
    low = np.clip(np.floor(np.minimum(start, end) - radius).astype(int) - 1, 0, shape)
    high = np.clip(np.ceil(np.maximum(start, end) + radius).astype(int) + 1, 0, shape)
    if (high <= low).any():
        return result
    axes = [
        (np.arange(a * TRACK_FINE, b * TRACK_FINE) + 0.5) / TRACK_FINE
        for a, b in zip(low, high, strict=True)
    ]
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    inside = np.clip(0.5 - (_beside(places, start, end) - radius) * TRACK_FINE, 0.0, 1.0)
    i, j, k = (n // TRACK_FINE for n in inside.shape)
    result[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = inside.reshape(
        i, TRACK_FINE, j, TRACK_FINE, k, TRACK_FINE
    ).mean(axis=(1, 3, 5))
    return result


def _beside(places: Array, start: Array, end: Array) -> Array:
    """Distance of places (..., 3) from a straight line between two points."""
    along = end - start
    s = np.clip((places - start) @ along / (along @ along), 0.0, 1.0)
    return np.asarray(np.linalg.norm(places - start - s[..., None] * along, axis=-1))
