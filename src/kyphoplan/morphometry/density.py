"""Trabecular density and clefts: the CT inside a body, away from its shell, vessels and gas."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.special import stdtrit

from kyphoplan.case import Confidence, Measure, Part, Vertebra, Volume
from kyphoplan.case.measure import Z95
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
# [mm] values farther apart tell of different bone. In simulated cores of any size whose bone is
# uneven over 2 to 5 mm (linear, Gaussian, exponential) the intervals then hold the true mean in 94
# to 98 %; with 4 mm in 81 to 94 %, as in eight octants, whose neighbours err together across
# their borders
GRAIN_MM = 6.03
FEWEST_FREEDOMS = 1.0  # [1] of a core that is hardly larger than a grain
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
    gas, cement and their halo. The interval covers the sampling (how unevenly this core is dense
    over the size of its grains), not the scanner's calibration.
    """
    if inside is None:
        return Measure.unknown("HU", vertebra.reason or "no CT covers this body")
    core = _core(vertebra, inside)
    if core.sum() * inside.step_mm**3 < SMALLEST_CORE_MM3:
        return Measure.unknown("HU", "no core: too little bone away from cortex, gas and vessels")
    values = inside.hu[core]
    return Measure.of(
        float(values.mean()),
        _standard_error(inside.hu, core, inside.step_mm),
        "HU",
        "mean of the trabecular core; scanner not calibrated",
        confidence=Confidence.MEDIUM,
    )


def _standard_error(hu: Array, core: NDArray[np.bool_], step_mm: float) -> float:
    """Uncertainty of the mean of an image (L, P, S) over a core, by how near values err together.

    The variance of a mean is the sum of the covariances of all pairs of values: here of the pairs
    within GRAIN_MM, whatever noise and structure they are made of. What is left about the mean of
    the sample itself lacks that mean's own error, once for each such pair, so as many are taken
    off below the line; and a variance that rests on few independent parts is itself uncertain
    (Student's t, 1.96 times which is the interval).

    References
    ----------
    Sums of near covariances: Bartlett 1950, doi:10.1093/biomet/37.1-2.1, in space.
    """
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(core))
    inside: Array = core[box].astype(np.float64)
    rest: Array = (hu[box] - np.mean(hu[core], dtype=np.float64)) * inside
    covariances = max(_near_products(rest, step_mm), float((rest**2).sum()))
    near = _near_products(inside, step_mm) / float(inside.sum()) ** 2  # [1] of all pairs
    freedoms = max(1.0 / near - 1.0, FEWEST_FREEDOMS)
    variance = covariances / float(inside.sum()) ** 2 * (1.0 + 1.0 / freedoms)
    return float(np.sqrt(variance) * stdtrit(freedoms, 0.975) / Z95)


def _near_products(values: Array, step_mm: float) -> float:
    """Sum of the products of all pairs of values (L, P, S) within GRAIN_MM of each other."""
    reach = int(GRAIN_MM / step_mm)
    shape = [fft.next_fast_len(n + reach, real=True) for n in values.shape]
    power = np.abs(fft.rfftn(values, shape)) ** 2
    lags = [step_mm * np.minimum(np.arange(n), n - np.arange(n)) for n in shape]
    near = sum(lag**2 for lag in np.meshgrid(*lags, indexing="ij", sparse=True)) < GRAIN_MM**2
    return float(fft.irfftn(power, shape)[near].sum())


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
