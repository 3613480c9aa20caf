"""The chance of leaving the bone under an aiming error."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from kyphoplan.case import Confidence, Measure
from kyphoplan.case.measure import Z95
from kyphoplan.geometry import Array
from kyphoplan.planning.limits import MISPLACED_MM
from kyphoplan.planning.outline import outline_distance
from kyphoplan.planning.sections import Sections

LEAST_SPREAD_MM = 1e-3  # [mm]
NODES = 2048  # [1] aiming errors that are tried
SEED = 1.16730397826141868425604589985484218  # [1] root of x**5 = x + 1: Roberts' R4 sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class AimingError:
    """How far a hand or a guide misses: two independent Gaussian errors.

    Attributes
    ----------
    entry_sd_mm : of the entry, in each of two directions across the axis [mm].
    direction_sd_deg : of the direction, about each of two axes across it [deg].

    Raises
    ------
    ValueError
        If an error is negative or not finite.
    """

    entry_sd_mm: float = 1.0
    direction_sd_deg: float = 2.0

    def __post_init__(self) -> None:
        """Check."""
        for name, unit in (("entry_sd_mm", "mm"), ("direction_sd_deg", "deg")):
            value = getattr(self, name)
            if not 0.0 <= value <= 20.0:  # noqa: PLR2004
                raise ValueError(f"{name} {value} {unit}: give a value between 0 and 20")

    def spread_mm(self, depth_mm: Array) -> Array:
        """Return the standard deviation (...) of the axis, across itself, at some depth [mm].

        Never 0, so that ways can be ranked by room over spread for a hand without error too.
        """
        spread = np.hypot(self.entry_sd_mm, depth_mm * np.tan(np.deg2rad(self.direction_sd_deg)))
        return np.maximum(spread, LEAST_SPREAD_MM)


@lru_cache(maxsize=4)
def errors(count: int) -> Array:
    """Evenly spread standard normal errors (N, 4): the same for every plan.

    References
    ----------
    Roberts 2018, The unreasonable effectiveness of quasirandom sequences (additive recurrence).
    """
    steps = SEED ** -np.arange(1.0, 5.0)
    return np.asarray(ndtri((0.5 + np.arange(1, count + 1)[:, None] * steps) % 1.0))


def least_room(sections: Sections, aiming: AimingError, count: int = NODES) -> Array:
    """Distance (N,) from the axis to the nearest wall for each aiming error [mm]."""
    draws = errors(count)
    slope = np.tan(np.deg2rad(aiming.direction_sd_deg)) * draws[:, 2:]
    shift = aiming.entry_sd_mm * draws[:, :2] + sections.depth_mm[:, None, None] * slope
    return np.asarray(-outline_distance(shift, sections.outlines()).max(axis=0))


def breach_probability(
    sections: Sections, radius_mm: float, aiming: AimingError, sd_mm: float
) -> Measure:
    """Chance that a cannula leaves the bone [1].

    The interval covers the surface's own uncertainty ``sd_mm`` [mm] (all walls nearer or farther
    at once) and the finite number of errors tried.
    """
    return chance_of_breach(least_room(sections, aiming), radius_mm, aiming, sd_mm)


def chance_of_breach(room: Array, radius_mm: float, aiming: AimingError, sd_mm: float) -> Measure:
    """`breach_probability` from the room (N,) that each aiming error leaves [mm]."""
    value, low, high = (
        float((room < radius_mm + shift).mean()) for shift in (0.0, -Z95 * sd_mm, Z95 * sd_mm)
    )
    finite = [Z95 * np.sqrt(p * (1.0 - p) / NODES) + 1.0 / NODES for p in (low, high)]
    return Measure(
        value=value,
        low=max(low - finite[0], 0.0),
        high=min(high + finite[1], 1.0),
        unit="1",
        confidence=Confidence.HIGH if high - low < 0.1 else Confidence.MEDIUM,  # noqa: PLR2004
        reason=f"{NODES} aiming errors ({aiming.entry_sd_mm:g} mm, "
        f"{aiming.direction_sd_deg:g} deg); walls known to {sd_mm:.2f} mm",
    )


def chance_of_misplacement(room: Array, radius_mm: float) -> float:
    """Chance [1] that a cannula leaves the bone by MISPLACED_MM or more: grade C and worse.

    ``room`` (N,) is what each aiming error leaves [mm].
    """
    return float((room <= radius_mm - MISPLACED_MM).mean())
