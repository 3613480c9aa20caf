"""Where the CT itself shows an endplate: shell and step fitted to the voxels around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import ndtr

from kyphoplan.anatomy.relief import Relief
from kyphoplan.case import Volume
from kyphoplan.geometry import Array, Frame

SHELL_MM = 0.6  # [mm] bony endplate; 0.3-1.0 mm in Zhao 2009 (doi:10.1016/j.bone.2008.09.009)
SCANNER_SIGMA_MM = 0.45  # [mm] point spread of a clinical CT beyond its voxels (FWHM 1.1 mm)
NODE_MM = 4.0  # [mm] distance of the places at which the edge is fitted
WINDOW_MM = 4.5  # [mm] radius of the voxels that take part, at 1 mm voxels
COLUMN_MM = 0.8  # [mm] a voxel farther from every column lies outside the footprint
THINNED_MM = 1.2  # [mm] voxels across the endplate need not be closer
TRIAL_MM = 0.1  # [mm] step of the search
BIN_MM = 0.05  # [mm] voxels at nearly the same distance are taken together
FEWEST_VOXELS = 20.0  # [1] four unknowns and noise
SHARPEST_SHELL_HU = 40.0  # [HU] a weaker shell is not told from texture
NOISE_RATIO = 4.0  # [1] residual must rise by this many noise variances within the search
FLOOR_SD_MM = 0.08  # [mm] shell thickness and blur differ from the model's


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edge:
    """Fitted position of the endplate at some places.

    Attributes
    ----------
    left, posterior : (N,) place [mm].
    shift : (N,) outward position relative to the base surface [mm].
    sd : (N,) its standard uncertainty [mm].
    """

    left: Array
    posterior: Array
    shift: Array
    sd: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """CT voxels around an endplate in the vertebra's frame.

    Attributes
    ----------
    left, posterior : (N,) place [mm].
    outward : (N,) distance outside the base surface [mm].
    value : (N,) intensity [HU].
    box : width of a voxel along the axis [mm]: its longest edge there.
    sigma : remaining blur along the axis [mm]: the other edges and the scanner.
    """

    left: Array
    posterior: Array
    outward: Array
    value: Array
    box: float
    sigma: float


def cloud(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], base: Relief, sign: int
) -> Cloud | None:
    """Collect the voxels near a base surface, over the footprint only.

    Parameters
    ----------
    footprint : left and posterior coordinates (N,) of the endplate's columns [mm].
    sign : +1 superior, -1 inferior.

    Returns
    -------
    None if the CT does not reach there.
    """
    edges = np.sort(np.abs(frame.superior @ ct.affine[:3, :3]))
    reach = 2.2 + 1.7 * float(np.linalg.norm(edges))
    block = _block(ct, frame, footprint, (base, reach))
    if block is None:
        return None
    places, values = block
    u, v, s = places.T
    outward = sign * (s - base.at(u, v))
    near = np.abs(outward) < reach
    columns = cKDTree(np.stack(footprint, axis=1))
    near[near] = columns.query(places[near, :2])[0] < COLUMN_MM
    return Cloud(
        left=u[near],
        posterior=v[near],
        outward=outward[near],
        value=values[near],
        box=float(edges[2]),
        sigma=float(np.sqrt((edges[:2] ** 2).sum() / 12.0 + SCANNER_SIGMA_MM**2)),
    )


def _block(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], around: tuple[Relief, float]
) -> tuple[Array, Array] | None:
    """Voxels (N, 3) [mm, local] and values (N,) around an endplate, thinned across it."""
    base, reach = around
    heights = base.at(*footprint)
    low = np.array([footprint[0].min(), footprint[1].min(), heights.min() - reach])
    high = np.array([footprint[0].max(), footprint[1].max(), heights.max() + reach])
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    index = ct.to_indices(frame.to_patient(corners))
    start = np.floor(index.min(axis=0)).astype(int)
    stop = np.ceil(index.max(axis=0)).astype(int) + 1
    if (stop <= 0).any() or (start >= np.array(ct.shape)).any():
        return None
    block = ct.cropped(start, stop)
    across = np.abs(frame.superior @ ct.affine[:3, :3]) < 0.5 * ct.spacing_mm
    stride = np.where(across, np.maximum(1, np.rint(THINNED_MM / ct.spacing_mm)), 1).astype(int)
    first = np.maximum(start, 0)
    steps = [
        np.flatnonzero(np.abs(2 * (k + np.arange(n)) - (size - 1)) % (2 * d) < 2)  # noqa: PLR2004
        for k, n, d, size in zip(first, block.shape, stride, ct.shape, strict=True)
    ]
    chosen = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    values = block.voxels[chosen[:, 0], chosen[:, 1], chosen[:, 2]].astype(float)
    return frame.to_local(block.to_patient(chosen)), values


def fit_edges(points: Cloud, left: Array, posterior: Array, voxel_mm: Array) -> Edge:
    """Fit the edge at places (N,) on the endplate.

    Model: outside level, plus a step to the inside level, plus a thin dense shell just inside
    the edge, blurred. For each trial position the three levels are weighted linear least
    squares; the position with the least residual wins, its curvature gives the uncertainty.

    References
    ----------
    Model-based cortical edge: Treece 2010, doi:10.1016/j.media.2010.01.003.
    """
    trial_reach = 0.8 + 0.75 * float(voxel_mm.max())
    trial = np.arange(-trial_reach, trial_reach + 0.5 * TRIAL_MM, TRIAL_MM)
    radius = WINDOW_MM + 0.7 * (float(voxel_mm.max()) - 1.0)
    profile = _profiles(points, left, posterior, radius)
    cost, shell = _costs(profile, trial, points.box, points.sigma)
    rows = [
        _minimum(trial, cost[n], shell[n], (profile.weight[n].sum(), profile.free[n]))
        for n in range(left.size)
    ]
    shift, sd = np.array(rows).reshape(-1, 2).T
    good = np.isfinite(shift)
    return Edge(left=left[good], posterior=posterior[good], shift=shift[good], sd=sd[good])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Voxels around N places, gathered over T bins of outward distance.

    Attributes
    ----------
    outward : (T,) middle of each bin [mm].
    weight, value : (N, T) sum of the weights and of weight times intensity.
    square : (N,) sum of weight times squared intensity.
    free : (N,) effective number of voxels.
    """

    outward: Array
    weight: Array
    value: Array
    square: Array
    free: Array


def _profiles(points: Cloud, left: Array, posterior: Array, radius: float) -> Profiles:
    """Gather the voxels within a radius of each place, weighted by nearness (tricube)."""
    low = float(points.outward.min())
    bins = np.floor((points.outward - low) / BIN_MM).astype(int)
    count = int(bins.max()) + 1
    weight, value = np.zeros((left.size, count)), np.zeros((left.size, count))
    square, free = np.zeros(left.size), np.zeros(left.size)
    for n, (u0, v0) in enumerate(zip(left, posterior, strict=True)):
        distance = np.hypot(points.left - u0, points.posterior - v0) / radius
        use = np.flatnonzero(distance < 1.0)
        w, y = (1.0 - distance[use] ** 3) ** 3, points.value[use]
        weight[n] = np.bincount(bins[use], w, count)
        value[n] = np.bincount(bins[use], w * y, count)
        square[n] = (w * y * y).sum()
        free[n] = w.sum() ** 2 / max((w * w).sum(), 1e-12) if use.size else 0.0
    outward = np.asarray(low + (np.arange(count) + 0.5) * BIN_MM, np.float64)
    return Profiles(outward=outward, weight=weight, value=value, square=square, free=free)


def _costs(profile: Profiles, trial: Array, box: float, sigma: float) -> tuple[Array, Array]:
    """Residual sum of squares and shell intensity (N, B) for each place and trial position."""
    gap = trial[:, None] - profile.outward[None, :]
    step = _blurred_step(gap, box, sigma)
    shell = step - _blurred_step(gap - SHELL_MM, box, sigma)
    design = np.stack([np.ones_like(gap), step, shell], axis=-1)  # (B, T, 3)
    pairs = design[..., :, None] * design[..., None, :]
    gram = np.tensordot(profile.weight, pairs, axes=(1, 1)) + 1e-6 * np.eye(3)  # (N, B, 3, 3)
    right = np.tensordot(profile.value, design, axes=(1, 1))  # (N, B, 3)
    levels = np.linalg.solve(gram, right[..., None])[..., 0]
    cost = profile.square[:, None] - (levels * right).sum(axis=-1)
    cost = np.where(levels[..., 2] > 0, cost, np.inf)
    return np.asarray(cost, np.float64), np.asarray(levels[..., 2], np.float64)


def _blurred_step(x: Array, box: float, sigma: float) -> Array:
    """Return a unit step at 0, averaged over a box and blurred, at positions x [mm]."""

    def integral(y: Array) -> Array:
        z = y / sigma
        return np.asarray(y * ndtr(z) + sigma * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))

    return (integral(x + 0.5 * box) - integral(x - 0.5 * box)) / box


def _minimum(
    trial: Array, cost: Array, shell: Array, sample: tuple[float, float]
) -> tuple[float, float]:
    """Parabola through the least cost: position and uncertainty [mm]; (inf, inf) if none.

    ``sample`` is the sum of the weights and the effective number of voxels.
    """
    nothing = (np.inf, np.inf)
    k = int(np.argmin(cost))
    if k in (0, trial.size - 1) or not np.isfinite(cost[k - 1 : k + 2]).all():
        return nothing
    total, free = sample
    if free < FEWEST_VOXELS:
        return nothing
    step = trial[1] - trial[0]
    bend = (cost[k - 1] - 2.0 * cost[k] + cost[k + 1]) / step**2
    variance = max(cost[k], 1e-6) / total
    rise = min(cost[0], cost[-1]) - cost[k]
    if bend <= 0 or shell[k] < SHARPEST_SHELL_HU or rise < NOISE_RATIO * variance:
        return nothing
    position = trial[k] + 0.5 * (cost[k - 1] - cost[k + 1]) / (bend * step)
    spread = variance * (total / free) / (0.5 * bend)
    return float(position), float(np.hypot(np.sqrt(spread), FLOOR_SD_MM))


def nodes(left: Array, posterior: Array) -> tuple[Array, Array]:
    """Places of a NODE_MM lattice that lie on the endplate's columns, symmetric about left = 0."""
    u = np.arange(-8, 9) * NODE_MM
    v = np.arange(np.floor(posterior.min() / NODE_MM), posterior.max() / NODE_MM + 1.0) * NODE_MM
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    columns = np.stack([left, posterior], axis=1)
    near = np.array([np.abs(columns - place).max(axis=1).min() for place in places])
    keep = near < 0.5 * NODE_MM
    return places[keep, 0], places[keep, 1]


def smooth_shift(edge: Edge, left: Array, posterior: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Spread the fitted shifts over columns (M,): local planes; False where too few are near.

    Shifts that differ from their surroundings by far are left out (another bone, a vessel).
    """
    if edge.shift.size == 0:
        return np.zeros(left.size), np.zeros(left.size, bool)
    kept = _consistent(edge)
    distance = np.hypot(
        left[:, None] - edge.left[None, kept], posterior[:, None] - edge.posterior[None, kept]
    )
    weight = np.exp(-0.5 * (distance / (1.5 * NODE_MM)) ** 2) / edge.sd[kept] ** 2
    weight = np.where(distance < 3.0 * NODE_MM, weight, 0.0)
    known = (weight > 0).sum(axis=1) >= 4  # noqa: PLR2004 - a plane and one more
    du = edge.left[None, kept] - left[:, None]
    dv = edge.posterior[None, kept] - posterior[:, None]
    design = np.stack([np.ones_like(du), du, dv], axis=-1)
    gram = np.einsum("cni,cn,cnj->cij", design, weight, design)
    gram += np.diag([1e-9, 1.0, 1.0]) * weight.sum(axis=1)[:, None, None] + 1e-12 * np.eye(3)
    right = np.einsum("cni,cn,n->ci", design, weight, edge.shift[kept])
    mean = np.linalg.solve(gram, right[..., None])[:, 0, 0]
    return np.where(known, mean, 0.0), known


def _consistent(edge: Edge) -> NDArray[np.bool_]:
    """Tell where a shift agrees with the median of its neighbours."""
    distance = np.hypot(
        edge.left[:, None] - edge.left[None], edge.posterior[:, None] - edge.posterior[None]
    )
    middle = np.array([np.median(edge.shift[row < 2.1 * NODE_MM]) for row in distance])
    away = np.abs(edge.shift - middle)
    return np.asarray(away <= 3.0 * max(1.4826 * float(np.median(away)), 0.15))
