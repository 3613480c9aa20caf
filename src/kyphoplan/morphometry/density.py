"""Trabecular density and clefts: the CT inside a body, away from its shell, vessels and gas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import Confidence, Measure, Part, Vertebra, Volume
from kyphoplan.geometry import Array

# Distances that are compared with the grid's nodes lie off its lattice: no rounding decides.
CORE_MM = 4.03  # [mm] from the body's surface: cortex, endplate and their blur stay out
SMALLEST_CORE_MM3 = 300.0  # [mm3] less is no sample
VEIN_MM = (4.03, 12.03)  # [mm] half width and depth of the basivertebral vessels at the back
GAS_HU = -200.0  # [HU] no marrow is darker (fat is about -100); vacuum cleft
PURE_GAS_HU = -900.0  # [HU] a voxel full of gas, after blur
DENSE_HU = 800.0  # [HU] no trabecular bone is denser: cement or metal
HALO_MM = 2.03  # [mm] around gas and cement that partial volume and streaks reach
CLEFT_DEPTH_MM = 1.03  # [mm] from the surface: a dark voxel there is air outside
SMALLEST_CLEFT_ML = 0.03  # [ml] less is noise
STUDENT = 2.365 / 1.96  # [1] 97.5 % point of Student's t with the seven freedoms of eight parts
OUTSIDE_HU = -32768.0  # [HU] stands for "not in the image"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inside:
    """The CT on the grid of a vertebra's parts.

    Attributes
    ----------
    hu : (L, P, S) intensity [HU].
    depth_mm : (L, P, S) distance from the body's surface [mm], 0 outside.
    step_mm : grid spacing [mm].
    """

    hu: Array
    depth_mm: Array
    step_mm: float


def look_inside(vertebra: Vertebra, ct: Volume) -> Inside | None:
    """Sample the CT in a vertebra; None if it was not located or the CT does not cover it."""
    if vertebra.parts is None or vertebra.body is None:
        return None
    parts = vertebra.parts
    to_index = np.linalg.inv(ct.affine) @ parts.affine
    hu = ndimage.affine_transform(
        np.asarray(ct.voxels, np.float32),
        to_index[:3, :3],
        to_index[:3, 3],
        output_shape=parts.shape,
        order=1,
        cval=OUTSIDE_HU,
    )
    body = parts.voxels == Part.BODY
    if (hu[body] < -2000.0).any():  # noqa: PLR2004 - [HU] beyond the image
        return None
    step = float(parts.spacing_mm[0])
    depth = ndimage.distance_transform_edt(body, sampling=step)
    return Inside(hu=hu, depth_mm=depth, step_mm=step)


def density_hu(vertebra: Vertebra, inside: Inside | None) -> Measure:
    """Measure the mean trabecular intensity [HU].

    Mean over the body's core: CORE_MM inside its surface, without the basivertebral vessels,
    gas, cement and their halo. The interval covers the sampling (how far eight parts of this core
    differ, whatever noise and structure they are made of), not the scanner's calibration.
    """
    if inside is None:
        return Measure.unknown("HU", vertebra.reason or "no CT covers this body")
    core = _core(vertebra, inside)
    if core.sum() * inside.step_mm**3 < SMALLEST_CORE_MM3:
        return Measure.unknown("HU", "no core: too little bone away from cortex, gas and vessels")
    values = inside.hu[core]
    return Measure.of(
        float(values.mean()),
        STUDENT * _standard_error(values, np.argwhere(core)),
        "HU",
        "mean of the trabecular core; scanner not calibrated",
        confidence=Confidence.MEDIUM,
    )


def _standard_error(values: Array, places: NDArray[np.intp]) -> float:
    """Uncertainty of a mean from the means of the eight octants about the core's middle.

    Spongy bone is uneven over centimetres, and a reconstruction's noise over voxels: single
    values tell too little of it.
    """
    side = np.sign(places - np.median(places, axis=0))
    clear = (side[:, side.any(axis=0)] != 0).all(axis=1)  # the same parts seen in a mirror
    octant, values = ((side > 0) @ [1, 2, 4])[clear], values[clear]
    count = np.bincount(octant, minlength=8)
    means = np.bincount(octant, values, minlength=8) / np.maximum(count, 1)
    share, parts = count / values.size, int((count > 0).sum())
    spread = float(np.sum((share * (means - values.mean())) ** 2))
    return float(np.sqrt(spread * parts / max(parts - 1, 1)))


def _core(vertebra: Vertebra, inside: Inside) -> NDArray[np.bool_]:
    """Find the trabecular core (L, P, S)."""
    assert vertebra.parts is not None  # told by `look_inside`
    core = inside.depth_mm > CORE_MM
    odd = (inside.depth_mm > 0) & ((inside.hu < GAS_HU) | (inside.hu > DENSE_HU))
    odd &= inside.depth_mm > 0.5 * CORE_MM
    if odd.any():
        core &= ndimage.distance_transform_edt(~odd, sampling=inside.step_mm) > HALO_MM
    left, posterior = _places(vertebra)
    back = float(posterior[vertebra.parts.voxels == Part.BODY].max())
    vein = (np.abs(left) < VEIN_MM[0]) & (posterior > back - VEIN_MM[1])
    return np.asarray(core & ~vein)


def _places(vertebra: Vertebra) -> tuple[Array, Array]:
    """Left and posterior coordinates of the voxels (L, P, S) in the body's frame [mm]."""
    parts, frame = vertebra.parts, vertebra.frame
    assert parts is not None  # located
    assert frame is not None
    voxels = np.moveaxis(np.indices(parts.shape), 0, -1)
    left, posterior, _ = np.moveaxis(frame.to_local(parts.to_patient(voxels)), -1, 0)
    return left, posterior


def cleft_volume(vertebra: Vertebra, inside: Inside | None) -> Measure:
    """Measure the gas-filled intravertebral cleft [ml]; a fluid-filled one cannot be told on CT.

    Gas is weighed by partial volume between marrow and pure gas around voxels below GAS_HU.
    """
    if inside is None:
        return Measure.unknown("ml", vertebra.reason or "no CT covers this body")
    core = inside.depth_mm > CLEFT_DEPTH_MM
    marrow = float(np.median(inside.hu[inside.depth_mm > CORE_MM])) if core.any() else 0.0
    seeds = core & (inside.hu < GAS_HU)
    labels, count = ndimage.label(ndimage.binary_dilation(seeds, iterations=2) & core)
    cell = inside.step_mm**3 / 1000.0
    share = np.clip((marrow - inside.hu) / (marrow - PURE_GAS_HU), 0.0, 1.0)
    share = np.where(share > 0.15, share, 0.0)  # noqa: PLR2004 - noise and fat
    sizes = ndimage.sum_labels(share, labels, np.arange(1, count + 1)) * cell
    value = float(sum(size for size in np.atleast_1d(sizes) if size >= SMALLEST_CLEFT_ML))
    return Measure.of(
        value,
        0.15 * value + 0.02,
        "ml",
        "gas by partial volume; a fluid-filled cleft is not visible on CT",
        confidence=Confidence.MEDIUM,
        lowest=0.0,
    )


def is_augmented(inside: Inside | None) -> bool:
    """Say whether dense material (earlier cement, metal) fills more than 0.2 ml of the core."""
    if inside is None:
        return False
    dense = (inside.hu > 1.5 * DENSE_HU) & (inside.depth_mm > CORE_MM)
    return bool(dense.sum() * inside.step_mm**3 > 200.0)  # noqa: PLR2004 [mm3]
