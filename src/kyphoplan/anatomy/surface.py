"""The smooth endplate that agrees best with what is seen at many places on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from kyphoplan.anatomy.patch import Patch
from kyphoplan.geometry import Array

STIFFNESS = (1e3, 1e2, 1e1)  # [mm4] weight of the bending; the one that predicts best is taken
ROUNDS = 20  # [1] of message passing; six to ten are usual
DAMPING = 0.7  # [1] part of a change that is made at once
SETTLED_MM = 0.005  # [mm] change of the surface that ends them
FINEST_MM = 0.1  # [mm] step of the trials: what is narrower is not resolved
LEAST_VARIANCE = FINEST_MM**2 / 12.0  # [mm2] so no place is known better than this
WIDEST_MM = 30.0  # [mm] doubt of a place of which nothing is known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """How likely the surface passes at some distance from a base, at N places.

    Attributes
    ----------
    left, posterior : (N,) place [mm].
    base : (N,) position of the base along the superior axis [mm].
    trial : (B,) distance from the base along the superior axis [mm], evenly spaced.
    chance : (N, B) natural logarithm of the likelihood, up to a constant per place.
    seen : (N,) False where only a guess stands in.
    stray : chance that a place shows something else [1].
    """

    left: Array
    posterior: Array
    base: Array
    trial: Array
    chance: Array
    seen: NDArray[np.bool_]
    stray: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anchors:
    """Where the surface roughly is, at M places of which no sighting tells.

    Attributes
    ----------
    left, posterior : (M,) place [mm].
    height : (M,) position along the superior axis [mm].
    sd : (M,) its standard uncertainty [mm].
    """

    left: Array
    posterior: Array
    height: Array
    sd: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """A fitted endplate.

    Attributes
    ----------
    patch : its lattice.
    coefficients : (K,) position along the superior axis at the knots [mm].
    precision : (K, K) inverse covariance of the coefficients [1/mm2].
    """

    patch: Patch
    coefficients: Array
    precision: Array

    def at(self, left: Array, posterior: Array) -> Array:
        """Position along the superior axis at places (N,) [mm]."""
        flat = self.patch.basis(np.ravel(left), np.ravel(posterior))
        return flat.heights(self.coefficients).reshape(np.shape(left))

    def sd(self, left: Array, posterior: Array) -> Array:
        """Return its standard uncertainty at places (N,) [mm]."""
        return np.sqrt(np.diag(self.covariance(left, posterior)))

    def mean_sd(self, left: Array, posterior: Array) -> float:
        """Return the standard uncertainty of its mean position over places (N,) [mm]."""
        mean = self.patch.basis(left, posterior).dense().mean(axis=0)
        return float(np.sqrt(mean @ np.linalg.solve(self.precision, mean)))

    def covariance(self, left: Array, posterior: Array) -> Array:
        """Return the covariance (N, N) of its position at places (N,) [mm2]."""
        basis = self.patch.basis(left, posterior).dense()
        return np.asarray(basis @ np.linalg.solve(self.precision, basis.T))


def trial_reach(voxel_mm: Array) -> float:
    """How far from a base surface the edge is sought [mm]."""
    return 0.8 + 0.75 * float(voxel_mm.max())


def trials(voxel_mm: Array) -> Array:
    """Positions (B,) at which the edge is tried [mm]; symmetric about 0."""
    count = int(np.ceil(trial_reach(voxel_mm) / FINEST_MM))
    return np.arange(-count, count + 1, dtype=np.float64) * FINEST_MM


def join(
    patch: Patch,
    seen: Sightings,
    anchors: Anchors | None = None,
    stiffnesses: tuple[float, ...] = STIFFNESS,
) -> Surface:
    """Find the surface through what is seen at all places, as smooth as they allow.

    Between two slices a place tells no more than "somewhere here"; its neighbours and the
    smoothness tell the rest, and where they do not the doubt stays.

    References
    ----------
    Expectation propagation: Minka 2001, UAI 17:362; stiffness by the prediction of each place
    from the others: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, 5.4.
    """
    lowest = seen.chance.max(axis=1, keepdims=True)
    likely = np.exp(seen.chance - lowest)
    likely = likely / likely.sum(axis=1, keepdims=True) + seen.stray / seen.trial.size
    best, most = None, -np.inf
    held = _held(patch, anchors)
    for stiffness in stiffnesses:
        prior = stiffness * patch.bending() + held[0], held[1]
        surface, foretold = _passed(patch, prior, seen, likely)
        if foretold <= most:
            break
        best, most = surface, foretold
    assert best is not None
    return best


def _held(patch: Patch, anchors: Anchors | None) -> tuple[Array, Array]:
    """Precision (K, K) and pull (K,) of the anchors on the knots; hardly any without them."""
    count = patch.shape[0] * patch.shape[1]
    slack = 1e-9 * np.eye(count)
    if anchors is None or anchors.left.size == 0:
        return slack, np.zeros(count)
    matrix = patch.basis(anchors.left, anchors.posterior).dense() / anchors.sd[:, None]
    return slack + matrix.T @ matrix, matrix.T @ (anchors.height / anchors.sd)


def _passed(
    patch: Patch, held: tuple[Array, Array], seen: Sightings, likely: Array
) -> tuple[Surface, float]:
    """Pass messages between the places and the surface; return it and how well it foretells.

    ``held`` are precision (K, K) and pull (K,) of what is known of the knots beforehand.
    """
    basis = patch.basis(seen.left, seen.posterior)
    matrix, products = basis.dense(), basis.products()
    prior, towards_prior = held
    mean, variance = _moments(likely, seen.trial[None, :])
    least = (2.0 * np.ptp(seen.trial)) ** -2  # what tells nothing still holds the search's range
    weight = 1.0 / np.maximum(variance, LEAST_VARIANCE)
    pull, before = weight * (seen.base + mean), np.inf
    for _ in range(ROUNDS):
        precision = prior + (products @ weight).reshape(prior.shape)
        root = np.linalg.cholesky(precision)
        across = solve_triangular(root, matrix.T, lower=True)
        centre = across.T @ solve_triangular(
            root, basis.collected(pull) + towards_prior, lower=True
        )
        if np.abs(centre - before).max() < SETTLED_MM:
            break
        variance, before = (across**2).sum(axis=0), centre
        left_out = np.maximum(1.0 / variance - weight, WIDEST_MM**-2)
        others = (centre / variance - pull) / left_out
        left_out = np.minimum(left_out, FINEST_MM**-2)
        away = (seen.base - others)[:, None] + seen.trial
        joint = likely * np.exp(-0.5 * left_out[:, None] * away**2) + 1e-300
        mean, spread = _moments(joint, away)
        found, exact = others + mean, 1.0 / np.maximum(spread, LEAST_VARIANCE)
        told = exact - left_out > least
        new = np.where(told, exact - left_out, least)
        towards = np.where(told, exact * found - left_out * others, least * found)
        weight, pull = weight + DAMPING * (new - weight), pull + DAMPING * (towards - pull)
    foretold = float(np.log(joint.sum(axis=1) * np.sqrt(left_out)).sum())
    coefficients = np.asarray(
        np.linalg.solve(precision, basis.collected(pull) + towards_prior), np.float64
    )
    return Surface(patch=patch, coefficients=coefficients, precision=precision), foretold


def _moments(chance: Array, places: Array) -> tuple[Array, Array]:
    """Mean and variance (N,) of a distribution (N, B) over places."""
    total = chance.sum(axis=1)
    mean = (chance * places).sum(axis=1) / total
    return mean, (chance * (places - mean[:, None]) ** 2).sum(axis=1) / total
