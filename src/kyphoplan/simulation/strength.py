"""How stiff and strong a vertebra is under its caps: compression, flexion, crushing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Confidence, Measure
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import MODULUS, STRENGTH, Status
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.crushing import Bone, Crushed, Step, crush
from kyphoplan.simulation.elasticity import Method, Solution, solve
from kyphoplan.simulation.specimen import Specimen, bone_of

FAILURE_SHORTENING = 0.0068  # [1] linear failure: Crawford's criterion, as the spine workflow of
# the peer ParOSol 0.1.26 uses it (coefficient 0.0068); secondary
CRUSHED_SHORTENING = 0.02  # [1] end of the crushing curve, same source
SHARES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # [1] steps of the crushing curve
TILT_DEG = 0.2  # [deg] of the upper plate in flexion; linear, so any small angle serves
DEVIATIONS = 1.96  # [1] of a normal 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strength:
    """What a vertebra bears.

    Attributes
    ----------
    stiffness, bending : [N/mm] and [N mm/deg], forward flexion.
    linear_failure, failure : load at the shortening that means failure [N], by the linear model,
        and the largest load of the crushing curve [N].
    height_mm : between the plates [mm].
    calibration : where densities come from.
    crushed : the curve and the maps at its end.
    bone : the block that was computed.
    """

    stiffness: Measure
    bending: Measure
    linear_failure: Measure
    failure: Measure
    height_mm: float
    calibration: str
    crushed: Crushed
    bone: Bone


def measure_strength(
    specimen: Specimen,
    calibration: Calibration,
    *,
    threads: int = 1,
    told: Callable[[Step], None] = lambda step: None,
) -> Strength:
    """Compress a specimen between rough plates and say what it bears.

    Raises
    ------
    CaseError
        If the solver does not find the linear answer.
    """
    method = Method(threads=threads)
    bone = bone_of(specimen, calibration)
    stiffness, spread = _stiffness_with_spread(specimen, calibration, method)
    bending = _bending(bone, method)
    shortening = FAILURE_SHORTENING * specimen.height_mm
    end = plates(bone, -CRUSHED_SHORTENING * specimen.height_mm)
    crushed = crush(bone, end, np.array(SHARES), method=method, told=told)
    reason = f"calibration ({calibration.source})"
    return Strength(
        stiffness=_measure(stiffness, spread, "N/mm", reason),
        bending=_measure(bending, spread * bending / stiffness, "N mm/deg", reason),
        linear_failure=_measure(shortening * stiffness, shortening * spread, "N", reason),
        failure=_failure(crushed, spread / stiffness, reason),
        height_mm=specimen.height_mm,
        calibration=calibration.source,
        crushed=crushed,
        bone=bone,
    )


def _measure(value: float, sd: float, unit: str, reason: str) -> Measure:
    return Measure.of(value, sd, unit, reason, confidence=Confidence.LOW, lowest=0.0)


def plates(bone: Bone, move_mm: float, tilt: float = 0.0) -> Array:
    """Prescribe rough plates: below still, above moved along k and tilted forward [rad]."""
    solid = _nodes(bone.modulus_mpa > 0.0)
    prescribed = np.full((*solid.shape, 3), np.nan)
    prescribed[:, :, 0][solid[:, :, 0]] = 0.0
    upper = solid[:, :, -1]
    posterior = np.argwhere(upper)[:, 1] * bone.spacing_mm
    prescribed[:, :, -1][upper] = 0.0
    prescribed[:, :, -1, 2][upper] = move_mm + tilt * (posterior - posterior.mean())
    return prescribed


def _nodes(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the nodes of solid voxels."""
    nodes = np.zeros([n + 1 for n in solid.shape], bool)
    for a, b, c in np.ndindex(2, 2, 2):
        nodes[a : a + solid.shape[0], b : b + solid.shape[1], c : c + solid.shape[2]] |= solid
    return nodes


def _solved(bone: Bone, prescribed: Array, method: Method) -> Solution:
    solution = solve(
        bone.modulus_mpa, bone.spacing_mm, prescribed, poisson=bone.poisson, method=method
    )
    if not solution.converged:
        raise CaseError(f"the specimen cannot be loaded: {solution.outcome}: {solution.detail}")
    return solution


def _stiffness(bone: Bone, method: Method) -> float:
    move = -FAILURE_SHORTENING * bone.modulus_mpa.shape[2] * bone.spacing_mm
    solution = _solved(bone, plates(bone, move), method)
    return 2.0 * solution.strain_energy_mj / move**2


def _stiffness_with_spread(
    specimen: Specimen, calibration: Calibration, method: Method
) -> tuple[float, float]:
    """Stiffness [N/mm] and its standard deviation from the calibration's own."""
    middle = _stiffness(bone_of(specimen, calibration), method)
    if calibration.slope_sd == 0.0 and calibration.offset_sd == 0.0:
        return middle, 0.0
    ends = [
        _stiffness(bone_of(specimen, calibration.shifted(sign * DEVIATIONS)), method)
        for sign in (-1.0, 1.0)
    ]
    return middle, abs(ends[1] - ends[0]) / (2.0 * DEVIATIONS)


def _bending(bone: Bone, method: Method) -> float:
    """Moment per degree of forward flexion [N mm/deg], from the energy."""
    tilt = np.deg2rad(TILT_DEG)
    solution = _solved(bone, plates(bone, 0.0, tilt), method)
    return 2.0 * solution.strain_energy_mj / tilt**2 * np.deg2rad(1.0)


def _failure(crushed: Crushed, spread: float, reason: str) -> Measure:
    """Return the largest load of the curve; without a whole curve there is none."""
    forces = [step.force_n for step in crushed.steps]
    if not crushed.outcome.startswith("converged"):
        return Measure.unknown("N", f"the crushing curve is not whole: {crushed.detail}")
    laws = [law for law in STRENGTH.values() if law.status is not Status.MEMORY]
    factors = [law.factor / laws[0].factor for law in laws]
    between = (max(factors) - min(factors)) / (2.0 * DEVIATIONS)
    sd = max(forces) * float(np.hypot(spread, between))
    whole = f"{reason}; published strength laws differ by a factor of {max(factors):.2f}"
    return _measure(max(forces), sd, "N", whole)


def laws_used() -> dict[str, str]:
    """Name the laws behind the figures with their sources and how they are known."""
    stiff, limit = next(iter(MODULUS.values())), next(iter(STRENGTH.values()))
    return {
        "modulus": f"{stiff.factor:g} x (g/cm3)^{stiff.exponent:g} MPa; {stiff.source}; "
        f"{stiff.status}",
        "strength": f"{limit.factor:g} x (g/cm3)^{limit.exponent:g} MPa; {limit.source}; "
        f"{limit.status}",
    }
