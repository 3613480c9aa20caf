"""The intensity across an endplate: a step with a dense shell, and the voxels it is fitted to."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from kyphoplan.anatomy.cloud import Cloud
from kyphoplan.geometry import Array

SHELL_MM = 0.6  # [mm] bony endplate; 0.3-1.0 mm in Zhao 2009 (doi:10.1016/j.bone.2008.09.009)
BIN_MM = 0.05  # [mm] voxels at nearly the same distance are taken together


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


def profiles(points: Cloud, left: Array, posterior: Array, radius: float) -> Profiles:
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


def design(trial: Array, outward: Array, box: float, sigma: float) -> Array:
    """Model values (B, T, 3) of unit levels at outward positions, for each trial position."""
    gap = trial[:, None] - outward[None, :]
    step = _blurred_step(gap, box, sigma)
    shell = step - _blurred_step(gap - SHELL_MM, box, sigma)
    return np.stack([np.ones_like(gap), step, shell], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
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
    def of(cls, profile: Profiles, design: Array) -> "Sums":
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


def _blurred_step(x: Array, box: float, sigma: float) -> Array:
    """Return a unit step at 0, averaged over a box and blurred, at positions x [mm]."""

    def integral(y: Array) -> Array:
        z = y / sigma
        return np.asarray(y * ndtr(z) + sigma * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))

    return (integral(x + 0.5 * box) - integral(x - 0.5 * box)) / box
