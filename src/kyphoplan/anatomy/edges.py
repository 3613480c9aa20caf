"""Where the CT itself shows an endplate: shell and step fitted to the voxels around it."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import log_ndtr, logsumexp, ndtr

from kyphoplan.anatomy.surface import Sightings
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
FEWEST_PLACES = 4  # [1] that tell what is usual
LEVEL_SD_HU = 60.0  # [HU] scatter of marrow, disc and soft tissue about their median (ours)
SHELL_SCATTER = 0.1  # [1] scatter of the shell's intensity over one endplate (ours)
LEAST_SHELL_SD_HU = 30.0  # [HU] beside that share (ours)
SHELLS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.12, 1.25, 1.4, 1.6, 1.8)  # [1] of the first guess are tried
MODEL_ERROR = 0.1  # [1] of the shell's peak: its thickness and blur differ from the model's
SHARED_MM = 0.25  # [mm] voxels nearer than this to one distance share that error
LABEL_SD_MM, LABEL_SHARE = 0.6, 0.3  # [mm, voxel] how far a label's edge is from the bone's (ours)
LEAST_NOISE_HU = 10.0  # [HU] no clinical CT is quieter
LABEL_MM = 0.15  # [mm] how sharply a label parts bone from the rest (ours)
LEAST_CHANCE = 20.0  # [1] a voxel labelled wrongly costs no more than this
TOGETHER = 4.0  # [voxel2] labels on less area err together; voxels as along the axis (ours)
STRAY = 0.02  # [1] chance that a place shows a vessel or another bone (ours)
MISLABELLED = 1e-4  # [1] chance that a place on the label tells nothing (ours)
CELL_MM = 2.0  # [mm] labels within are taken together


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
    area : part of the endplate that falls to a voxel [mm2].
    """

    left: Array
    posterior: Array
    outward: Array
    value: Array
    box: float
    sigma: float
    area: float


class Base(Protocol):
    """A surface around which voxels are looked at."""

    def at(self, left: Array, posterior: Array) -> Array:
        """Position along the superior axis at places (N,) [mm]."""


def cloud(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], base: Base, sign: int
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
    places, values, thinned = block
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
        area=ct.voxel_mm3 * thinned / float(np.linalg.norm(edges)),
    )


def _block(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], around: tuple[Base, float]
) -> tuple[Array, Array, int] | None:
    """Voxels (N, 3) [mm, local] and values (N,) around an endplate, one of how many across it."""
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
    return frame.to_local(block.to_patient(chosen)), values, int(stride.prod())


def edges_seen(
    points: Cloud, places: tuple[Array, Array], voxel_mm: Array, around: tuple[Base, Base, int]
) -> Sightings | None:
    """Tell how likely the edge passes near a base surface, at places (N,), (N,) on it.

    ``around`` is the base surface, that of the label, and +1 superior, -1 inferior endplate.

    Model: outside level, plus a step to the inside level, plus a thin dense shell just inside
    the edge, blurred. For each trial position the three levels are weighted linear least
    squares. None if the CT shows no edge.

    References
    ----------
    Model-based cortical edge: Treece 2010, doi:10.1016/j.media.2010.01.003.
    """
    base, label, sign = around
    reach = trial_reach(voxel_mm)
    trial = trials(voxel_mm)
    radius = WINDOW_MM + 0.7 * (float(voxel_mm.max()) - 1.0)
    profile = _profiles(points, *places, radius)
    design = _design(trial, profile.outward, points.box, points.sigma)
    prior = _prior(profile, _Sums.of(profile, design), points, reach)
    if prior is None:
        return None
    doubt = 1.5 * np.hypot(LABEL_SD_MM, LABEL_SHARE * float(voxel_mm.max()))
    away = sign * (label.at(*places) - base.at(*places))
    pulled = ((trial - away[:, None]) / doubt) ** 4
    profile = _tempered(profile, prior, points.box)
    sums = _Sums.of(profile, design)
    prior = _with_shell(prior, profile, sums, pulled)
    misfit, shell = _misfit(profile, sums, prior)
    misfit += pulled
    best = np.take_along_axis(shell, np.argmin(misfit, axis=1)[:, None], 1)[:, 0]
    good = (profile.free >= FEWEST_VOXELS) & (best >= SHARPEST_SHELL_HU)
    if good.sum() < FEWEST_PLACES:
        return None
    return Sightings(
        left=places[0],
        posterior=places[1],
        base=base.at(*places),
        trial=sign * trial,
        chance=-0.5 * np.where(good[:, None], misfit, pulled),
        seen=good,
        stray=STRAY,
    )


def labels_seen(points: Cloud, base: Base, sign: int, voxel_mm: Array) -> Sightings:
    """Tell how likely a surface near a base parts the voxels labelled as bone from the others.

    ``points`` hold the signed distance to the label; only the side of each voxel's centre is
    used. Gathered over cells of CELL_MM.
    """
    trial = trials(voxel_mm)
    cell = np.rint(np.stack([points.left, points.posterior], axis=1) / CELL_MM).astype(int)
    cells, member = np.unique(cell, axis=0, return_inverse=True)
    side = np.where(points.value < 0.0, 1.0, -1.0)
    weight = min(1.0, points.area / (TOGETHER * points.box**2))
    chance = np.zeros((len(cells), trial.size))
    for k, shift in enumerate(trial):
        margin = side * (shift - points.outward) / LABEL_MM
        chance[:, k] = np.bincount(
            member.ravel(), weight * np.maximum(log_ndtr(margin), -LEAST_CHANCE), len(cells)
        )
    left, posterior = cells.T * CELL_MM
    return Sightings(
        left=left,
        posterior=posterior,
        base=base.at(left, posterior),
        trial=sign * trial,
        chance=chance,
        seen=np.ones(len(cells), bool),
        stray=MISLABELLED,
    )


def trial_reach(voxel_mm: Array) -> float:
    """How far from a base surface the edge is sought [mm]."""
    return 0.8 + 0.75 * float(voxel_mm.max())


def trials(voxel_mm: Array) -> Array:
    """Positions (B,) at which the edge is tried [mm]; symmetric about 0."""
    count = int(np.ceil(trial_reach(voxel_mm) / TRIAL_MM))
    return np.arange(-count, count + 1, dtype=np.float64) * TRIAL_MM


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """What the whole endplate tells about one place on it.

    Attributes
    ----------
    mean, sd : (3,) outside level, step to the inside and shell over the inside [HU].
    variance : of a voxel about the model [HU2].
    """

    mean: Array
    sd: Array
    variance: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Voxels around N places, gathered over T bins of outward distance.

    Attributes
    ----------
    outward : (T,) middle of each bin [mm].
    weight, value : (N, T) sum of the weights and of weight times intensity.
    square : (N, T) sum of weight times squared intensity.
    free : (N,) effective number of voxels.
    single : (N,) effective number of voxels per unit of weight.
    """

    outward: Array
    weight: Array
    value: Array
    square: Array
    free: Array
    single: Array


def _profiles(points: Cloud, left: Array, posterior: Array, radius: float) -> Profiles:
    """Gather the voxels within a radius of each place, weighted by nearness (tricube)."""
    low = float(points.outward.min())
    bins = np.floor((points.outward - low) / BIN_MM).astype(int)
    count = int(bins.max()) + 1
    weight, value = np.zeros((left.size, count)), np.zeros((left.size, count))
    square, free = np.zeros((left.size, count)), np.zeros(left.size)
    for n, (u0, v0) in enumerate(zip(left, posterior, strict=True)):
        distance = np.hypot(points.left - u0, points.posterior - v0) / radius
        use = np.flatnonzero(distance < 1.0)
        w, y = (1.0 - distance[use] ** 3) ** 3, points.value[use]
        weight[n] = np.bincount(bins[use], w, count)
        value[n] = np.bincount(bins[use], w * y, count)
        square[n] = np.bincount(bins[use], w * y * y, count)
        free[n] = w.sum() ** 2 / max((w * w).sum(), 1e-12) if use.size else 0.0
    outward = np.asarray(low + (np.arange(count) + 0.5) * BIN_MM, np.float64)
    return Profiles(
        outward=outward,
        weight=weight,
        value=value,
        square=square,
        free=free,
        single=free / np.maximum(weight.sum(axis=1), 1e-9),
    )


def _design(trial: Array, outward: Array, box: float, sigma: float) -> Array:
    """Model values (B, T, 3) of unit levels at outward positions, for each trial position."""
    gap = trial[:, None] - outward[None, :]
    step = _blurred_step(gap, box, sigma)
    shell = step - _blurred_step(gap - SHELL_MM, box, sigma)
    return np.stack([np.ones_like(gap), step, shell], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sums:
    """Weighted sums of N profiles against the model at B trial positions.

    Attributes
    ----------
    gram : (N, B, 3, 3) products of the model's parts.
    right : (N, B, 3) products of the model's parts and the intensities.
    square : (N,) squares of the intensities.
    """

    gram: Array
    right: Array
    square: Array

    @classmethod
    def of(cls, profile: Profiles, design: Array) -> "_Sums":
        """Sum over the bins of distance."""
        pairs = design[..., :, None] * design[..., None, :]
        return cls(
            gram=np.tensordot(profile.weight, pairs, axes=(1, 1)),
            right=np.tensordot(profile.value, design, axes=(1, 1)),
            square=profile.square.sum(axis=1),
        )

    def levels(self, pull: Array, towards: Array) -> tuple[Array, Array]:
        """Best levels (N, B, 3) and their weighted squares of residuals (N, B).

        ``pull`` (3,) is the weight of each level's prior mean ``towards`` (3,).
        """
        right = self.right + pull * towards
        levels = np.linalg.solve(self.gram + np.diag(pull), right[..., None])[..., 0]
        square = self.square + float(pull @ towards**2)
        cost = np.maximum(square[:, None] - (levels * right).sum(axis=-1), 0.0)
        return np.asarray(levels, np.float64), np.asarray(cost, np.float64)


def _prior(profile: Profiles, sums: _Sums, points: Cloud, reach: float) -> Prior | None:
    """Levels and scatter of the endplate as a whole, from free fits at all its places."""
    levels, cost = sums.levels(np.full(3, 1e-6), np.zeros(3))
    known = profile.free >= FEWEST_VOXELS
    outside, inside = points.outward > reach, points.outward < -reach - SHELL_MM
    if known.sum() < FEWEST_PLACES or not outside.any() or not inside.any():
        return None
    best = np.argmin(np.where(levels[..., 2] > 0, cost, np.inf), axis=1)
    rows = np.flatnonzero(known)
    shell = float(np.median(levels[rows, best[rows], 2]))
    total = profile.weight.sum(axis=1)[rows]
    out, within = (float(np.median(points.value[side])) for side in (outside, inside))
    return Prior(
        mean=np.array([out, within - out, max(shell, 0.0)]),
        sd=np.array([LEVEL_SD_HU, LEVEL_SD_HU, max(SHELL_SCATTER * shell, LEAST_SHELL_SD_HU)]),
        variance=max(float(np.median(cost[rows, best[rows]] / total)), LEAST_NOISE_HU**2),
    )


def _with_shell(prior: Prior, profile: Profiles, sums: _Sums, pulled: Array) -> Prior:
    """Take the shell that explains all places together best.

    Within one thick slice a denser shell looks like one farther out; where the endplate crosses
    from slice to slice the two differ. ``pulled`` (N, B) is the misfit against the label.
    """
    tried, found = prior.mean[2] * np.array(SHELLS), []
    known = profile.free >= FEWEST_VOXELS
    for shell in tried:
        sd = max(SHELL_SCATTER * shell, LEAST_SHELL_SD_HU)
        trial = replace(
            prior,
            mean=np.array([*prior.mean[:2], shell]),
            sd=np.array([*prior.sd[:2], sd]),
        )
        misfit = _misfit(profile, sums, trial)[0] + pulled + 2.0 * np.log(sd)
        found.append((float(logsumexp(-0.5 * misfit[known], axis=1).sum()), trial))
    return max(found, key=lambda pair: pair[0])[1]


def _tempered(profile: Profiles, prior: Prior, box: float) -> Profiles:
    """Weigh down voxels at one distance from the surface: what the model lacks they all share.

    In an endplate that lies along a thick slice a thousand voxels tell no more than a few.
    """
    shared = MODEL_ERROR * prior.mean[2] * min(1.0, SHELL_MM / box)  # [HU]
    groups = np.floor(profile.outward / SHARED_MM).astype(int)
    groups -= groups.min()
    member = np.equal.outer(np.arange(groups.max() + 1), groups).astype(float)
    together = (profile.weight @ member.T) @ member  # [1] weight at nearly the same distance
    factor = 1.0 / (1.0 + profile.single[:, None] * together * shared**2 / prior.variance)
    return replace(
        profile,
        weight=profile.weight * factor,
        value=profile.value * factor,
        square=profile.square * factor,
    )


def _misfit(profile: Profiles, sums: _Sums, prior: Prior) -> tuple[Array, Array]:
    """Chi squared and shell intensity (N, B) for each place and trial position."""
    levels, cost = sums.levels(prior.variance / prior.sd**2, prior.mean)
    return cost / prior.variance * profile.single[:, None], levels[..., 2]


def _blurred_step(x: Array, box: float, sigma: float) -> Array:
    """Return a unit step at 0, averaged over a box and blurred, at positions x [mm]."""

    def integral(y: Array) -> Array:
        z = y / sigma
        return np.asarray(y * ndtr(z) + sigma * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))

    return (integral(x + 0.5 * box) - integral(x - 0.5 * box)) / box


def nodes(left: Array, posterior: Array) -> tuple[Array, Array]:
    """Places of a NODE_MM lattice that lie on the endplate's columns, symmetric about left = 0."""
    u = np.arange(-8, 9) * NODE_MM
    v = np.arange(np.floor(posterior.min() / NODE_MM), posterior.max() / NODE_MM + 1.0) * NODE_MM
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    columns = np.stack([left, posterior], axis=1)
    near = np.array([np.abs(columns - place).max(axis=1).min() for place in places])
    keep = near < 0.5 * NODE_MM
    return places[keep, 0], places[keep, 1]


def near_places(seen: Sightings, left: Array, posterior: Array) -> NDArray[np.bool_]:
    """Tell which columns (M,) have enough places around them at which the edge is seen."""
    distance = np.hypot(
        seen.left[seen.seen] - left[:, None], seen.posterior[seen.seen] - posterior[:, None]
    )
    return np.asarray((distance < 1.5 * NODE_MM).sum(axis=1) >= FEWEST_PLACES)
