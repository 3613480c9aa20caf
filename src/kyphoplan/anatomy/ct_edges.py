"""Where the CT itself shows an endplate: shell and step fitted to the voxels around it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from kyphoplan.anatomy.cloud import Base, Cloud
from kyphoplan.anatomy.shell import SHELL_MM, Profiles, Sums, design, profiles
from kyphoplan.anatomy.surface import Anchors, Sightings, Surface, trial_reach, trials
from kyphoplan.geometry import Array

ALONG_SIDE = 10.0  # [1] places around the columns that lie along one side: 40 mm
AROUND = 1.0  # [1] nodes around the columns at which the label's surface stands in
NODE_MM = 4.0  # [mm] distance of the places at which the edge is fitted
WINDOW_MM = 4.5  # [mm] radius of the voxels that take part, at 1 mm voxels
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
STRAY = 0.02  # [1] chance that a place shows a vessel or another bone (ours)


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
    profile = profiles(points, *places, radius)
    model = design(trial, profile.outward, points.box, points.sigma)
    prior = _prior(profile, Sums.of(profile, model), points, reach)
    if prior is None:
        return None
    away = sign * (label.at(*places) - base.at(*places))
    pulled = ((trial - away[:, None]) / (1.5 * _drawn(voxel_mm))) ** 4
    profile = _tempered(profile, prior, points.box)
    sums = Sums.of(profile, model)
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


def label_anchors(label: Surface, places: tuple[Array, Array], voxel_mm: Array) -> Anchors:
    """Take the label's surface where the CT is not asked, at places (M,), (M,).

    Around what is seen it keeps the surface from running off. The label errs alike at places near
    each other: as many as lie along one side of the endplate count as one.
    """
    return Anchors(
        left=places[0],
        posterior=places[1],
        height=label.at(*places),
        sd=np.sqrt(ALONG_SIDE) * np.hypot(_drawn(voxel_mm), label.sd(*places)),
    )


def _drawn(voxel_mm: Array) -> float:
    """How far a label's edge is from the bone's [mm]."""
    return float(np.hypot(LABEL_SD_MM, LABEL_SHARE * float(voxel_mm.max())))


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


def _prior(profile: Profiles, sums: Sums, points: Cloud, reach: float) -> Prior | None:
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


def _with_shell(prior: Prior, profile: Profiles, sums: Sums, pulled: Array) -> Prior:
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


def _misfit(profile: Profiles, sums: Sums, prior: Prior) -> tuple[Array, Array]:
    """Chi squared and shell intensity (N, B) for each place and trial position."""
    levels, cost = sums.levels(prior.variance / prior.sd**2, prior.mean)
    return cost / prior.variance * profile.single[:, None], levels[..., 2]


def nodes(left: Array, posterior: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Places (2, N) of a NODE_MM lattice on an endplate's columns and around them; True on them.

    Symmetric about left = 0.
    """
    u = np.arange(-9, 10) * NODE_MM
    v = np.arange(posterior.min() // NODE_MM - 1.0, posterior.max() // NODE_MM + 3.0) * NODE_MM
    places = np.stack(np.meshgrid(u, v, indexing="ij"), axis=-1).reshape(-1, 2)
    columns = np.stack([left, posterior], axis=1)
    near = np.array([np.abs(columns - place).max(axis=1).min() for place in places])
    kept = near < (0.5 + AROUND) * NODE_MM
    return places[kept].T, near[kept] < 0.5 * NODE_MM


def near_places(seen: Sightings, left: Array, posterior: Array) -> NDArray[np.bool_]:
    """Tell which columns (M,) have enough places around them at which the edge is seen."""
    distance = np.hypot(
        seen.left[seen.seen] - left[:, None], seen.posterior[seen.seen] - posterior[:, None]
    )
    return np.asarray((distance < 1.5 * NODE_MM).sum(axis=1) >= FEWEST_PLACES)
