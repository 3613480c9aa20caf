"""The treated vertebra under load, before and after: between plates, and between its discs.

Hard cement takes the place of the pores it has filled; bone between it adds nothing, as
compression tests of cores from augmented vertebrae found.

References
----------
Kinzl, Boger, Zysset & Pahr 2012, J Biomech 45:1478, doi:10.1016/j.jbiomech.2012.02.012.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.materials import BONE_MINERAL, CEMENT, LEAST_MODULUS_MPA, PMMA
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.crushing import Bone, crush
from kyphoplan.simulation.elasticity import Loads, Method, solve
from kyphoplan.simulation.operation import Operated
from kyphoplan.simulation.operative_field import PLATE, SUPPORT, Field
from kyphoplan.simulation.specimen import Tissue
from kyphoplan.simulation.strength import CRUSHED_SHORTENING, plates

SHARES = (0.3, 0.6, 1.0)  # [1] steps of the crushing curve
LOAD_N = 1000.0  # [N] about the load on a lumbar disc in standing; a ratio does not depend on it
PEAK = 95.0  # [%] of an endplate's voxels bear less than its peak stress
DISC_MPA = (0.5, 20.0)  # [MPa] stiffness by which a disc's points are known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Borne:
    """What the vertebra bears in one state.

    Attributes
    ----------
    stiffness_n_per_mm, failure_n : between rough plates, up to 2 % of the height [N/mm], [N].
    balanced : whether the crushing curve is in balance.
    """

    stiffness_n_per_mm: float
    failure_n: float
    balanced: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """Bone and cement of one moment.

    Attributes
    ----------
    bone_mpa, yield_mpa : (I, J, K) stiffness and yield stress of bone as the voxel's mean [MPa].
    disc : (I, J, K) part of the voxel that is disc [1].
    """

    bone_mpa: Array
    yield_mpa: Array
    disc: Array


def before(field: Field, law: BoneLaw, *, healed: bool = False) -> State:
    """Return the vertebra as it was cut out; ``healed`` takes the weakness of the break away."""
    weak, slack = (1.0, 1.0) if healed else (field.weak, field.slack)
    bone = field.tissue == Tissue.BONE
    disc = np.isin(field.tissue, (Tissue.ANNULUS, Tissue.NUCLEUS)).astype(float)
    return State(
        bone_mpa=np.where(bone, law.modulus(field.density) * weak * slack, 0.0),
        yield_mpa=np.where(bone, law.strength(field.density) * weak, 0.0),
        disc=disc,
    )


def after(operated: Operated, cement: Array, law: BoneLaw, cement_mpa: float) -> State:
    """Return the vertebra as the balloons left it, with hard cement.

    Parameters
    ----------
    cement : (I, J, K) part of each voxel that is cement [1].
    """
    operation, field = operated.operation, operated.field
    points = operation.points
    disc = (points.soft_mpa > DISC_MPA[0]) & (points.soft_mpa < DISC_MPA[1])
    discs = mp.gather(_only(points, disc), field.tissue.shape)[..., mp.VOLUME]
    cells = mp.gather(_only(points, points.mass_mg > 0.0), field.tissue.shape)
    density = np.minimum(cells[..., mp.MASS] / (field.edge_mm**3 / 1000.0), BONE_MINERAL.value)
    weak, there = cells[..., mp.WEAK], np.minimum(cells[..., mp.VOLUME], 1.0)
    within = np.minimum(density / np.maximum(there, LEAST_TISSUE), BONE_MINERAL.value)
    limit = law.limit(within, cells[..., mp.BORN]) * there
    pores = np.maximum(1.0 - density / BONE_MINERAL.value, 0.0)
    filled = np.clip(cement / np.maximum(pores, LEAST_PORES), 0.0, 1.0)
    return State(
        bone_mpa=(1.0 - filled) * law.modulus(density) * weak * field.slack + filled * cement_mpa,
        yield_mpa=(1.0 - filled) * limit * weak + filled * CEMENT.strength,
        disc=np.minimum(discs, 1.0),
    )


LEAST_TISSUE = 0.05  # [1] of a voxel: less does not make what is there denser
LEAST_PORES = 0.05  # [1] below, a voxel cannot be told to be filled


def _only(points: mp.Points, chosen: NDArray[np.bool_]) -> mp.Points:
    return mp.Points(**{n: getattr(points, n)[chosen].copy() for n in points.__slots__})


def borne(field: Field, state: State, method: Method) -> Borne:
    """Compress the vertebra between cement caps until it is 2 % shorter."""
    layers = np.flatnonzero(
        np.isin(field.tissue, (Tissue.ANNULUS, Tissue.NUCLEUS)).any(axis=(0, 1))
    )
    window = (slice(None), slice(None), slice(layers[0], layers[-1] + 1))
    solid = ((field.tissue > 0) | (state.bone_mpa > 0.0)) & (field.tissue != PLATE)
    solid = (solid & (field.tissue != SUPPORT))[window]
    held = (state.disc > HALF)[window]
    solid = joined(solid, held)
    stiff = np.maximum(state.bone_mpa + state.disc * PMMA.modulus, LEAST_MODULUS_MPA)[window]
    limit = np.maximum(state.yield_mpa + state.disc * PMMA.strength, LEAST_YIELD_MPA)[window]
    bone = Bone(
        modulus_mpa=np.where(solid, stiff, 0.0),
        yield_mpa=np.where(solid, limit, 0.0),
        poisson=0.3,
        spacing_mm=field.edge_mm,
    )
    move = CRUSHED_SHORTENING * solid.shape[2] * field.edge_mm
    prescribed = plates(bone, -move, held=held & solid)
    linear = solve(bone.modulus_mpa, field.edge_mm, prescribed, poisson=0.3, method=method)
    stiffness = 2.0 * linear.strain_energy_mj / move**2
    crushed = crush(bone, prescribed, np.array(SHARES), method=method)
    forces = [step.force_n for step in crushed.steps]
    return Borne(
        stiffness_n_per_mm=stiffness,
        failure_n=max(forces, default=float("nan")),
        balanced=crushed.outcome.startswith("converged"),
    )


def joined(solid: NDArray[np.bool_], held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the pieces of a body that hang on what is held: a loose one has no place to rest.

    Examples
    --------
    >>> joined(np.array([[[True, False, True]]]), np.array([[[True, False, False]]]))
    array([[[ True, False, False]]])
    """
    pieces, _ = ndimage.label(solid)
    kept = np.unique(pieces[held & solid])
    return np.asarray(np.isin(pieces, kept[kept > 0]))


HALF = 0.5  # [1]
LEAST_YIELD_MPA = 1e-3  # [MPa] of bone without mineral


def endplate_peaks(field: Field, state: State, method: Method) -> tuple[float, float]:
    """Return the peak pressure on the neighbours above and below under one load [MPa].

    Linear, through the discs, with the neighbours' plates moved together.
    """
    bones = np.where((field.tissue == PLATE), field.soft_mpa, 0.0)
    disc = state.disc * np.where(field.soft_mpa > 0.0, field.soft_mpa, ANNULUS_MPA)
    modulus = np.maximum(state.bone_mpa + disc + bones, LEAST_MODULUS_MPA)
    layers = np.flatnonzero((field.tissue == PLATE).any(axis=(0, 1)))
    window = (slice(None), slice(None), slice(layers[0], layers[-1] + 1))
    plate = (field.tissue == PLATE)[window]
    solid = joined(((field.tissue > 0) | (state.bone_mpa > 0.0))[window], plate)
    stiff = np.where(solid, modulus[window], 0.0)
    bone = Bone(modulus_mpa=stiff, yield_mpa=stiff, poisson=0.3, spacing_mm=field.edge_mm)
    prescribed = plates(bone, -1.0, held=plate)
    found = solve(stiff, field.edge_mm, prescribed, poisson=POISSON, loads=Loads(), method=method)
    area = field.edge_mm**2
    force = 2.0 * found.strain_energy_mj
    peaks = []
    for k, layer in ((stiff.shape[2] - 1, -1), (0, 0)):
        forces = np.abs(found.reaction_n[:, :, layer, 2])
        cells = 0.25 * (forces[1:, 1:] + forces[:-1, 1:] + forces[1:, :-1] + forces[:-1, :-1])
        here = plate[:, :, k]
        peaks.append(float(np.percentile(cells[here], PEAK)) / area * LOAD_N / force)
    return peaks[0], peaks[1]


ANNULUS_MPA = 4.2  # [MPa] of disc that has moved; source: materials.ANNULUS
POISSON = 0.3  # [1] of the whole block: only ratios of one load to another are told
