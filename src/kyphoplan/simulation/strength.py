"""How stiff and strong a vertebra is between its caps: compression, flexion, crushing."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Confidence, Measure
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import MODULUS, STRENGTH, Status
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.crushing import Bone, Crushed, Step, Watch, crush
from kyphoplan.simulation.elasticity import Method, Solution, solve
from kyphoplan.simulation.gauge import Gauge, touching
from kyphoplan.simulation.specimen import CAP_MATERIALS, Caps, Specimen, bone_of

FAILURE_SHORTENING = 0.0068  # [1] linear failure: Crawford's criterion, as the spine workflow of
# the peer ParOSol 0.1.26 uses it (coefficient 0.0068); secondary
CRUSHED_SHORTENING = 0.02  # [1] end of the crushing curve, same source
SHARES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # [1] steps of the crushing curve
SHARES_SOFT = tuple(n / 12 for n in range(1, 13))  # [1] between discs it ends when that is enough
MOST_LOAD = 2.0  # [1] of the linear failure load: discs give way by so much before it is given up
SOFT = "; between discs, which are linear and carry no fibres, by the vertebra's own shortening"
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
    flexion_failure : the largest moment of the curve of forward flexion [N mm].
    height_mm : what shortening is relative to: between the plates, or the endplates under discs
        [mm].
    plates_mm : how far the plates go at the end of the curve, all of it [mm].
    caps : what the vertebra lies between.
    calibration : where densities come from.
    crushed : the curve and the maps at its end.
    bone : the block that was computed.
    """

    stiffness: Measure
    bending: Measure
    linear_failure: Measure
    failure: Measure
    flexion_failure: Measure
    height_mm: float
    plates_mm: float
    caps: Caps
    calibration: str
    crushed: Crushed
    bone: Bone


def measure_strength(
    specimen: Specimen,
    calibration: Calibration,
    *,
    threads: int = 1,
    told: Callable[[Step], None] = lambda step: None,
    flexion: bool = False,
) -> Strength:
    """Compress a specimen between rough plates and say what it bears.

    Between discs, all shortening is that of the vertebra between its endplates.

    Parameters
    ----------
    told : called after each step of the compression.
    flexion : let it crush in forward flexion too, which takes as long again.

    Raises
    ------
    CaseError
        If the solver does not find the linear answer.
    """
    method, gauge = Method(threads=threads), Gauge(specimen)
    bone = bone_of(specimen, calibration)
    pressed = _pressed(specimen, calibration, method, gauge)
    stiffness, spread = pressed.stiffness, _spread(specimen, calibration, method, gauge)
    soft = specimen.caps is Caps.DISC
    height = gauge.height_mm if soft else specimen.height_mm
    move, enough = _end(specimen, pressed, height)
    crushed = crush(
        bone,
        plates(bone, -move, held=_held(specimen)),
        np.array(SHARES_SOFT if soft else SHARES),
        method=method,
        told=told,
        watch=Watch(gauge=gauge, enough_mm=enough),
    )
    reason = f"calibration ({calibration.source})" + (SOFT if soft else "")
    shortening = FAILURE_SHORTENING * height
    return Strength(
        stiffness=_measure(stiffness, spread, "N/mm", reason),
        bending=_bending(specimen, bone, method, spread / stiffness, reason),
        linear_failure=_measure(shortening * stiffness, shortening * spread, "N", reason),
        failure=_failure(crushed, enough, spread / stiffness, reason),
        flexion_failure=_flexion(specimen, bone, method, spread / stiffness, reason)
        if flexion
        else Measure.unknown("N mm", "flexion was not asked for"),
        height_mm=height,
        plates_mm=move,
        caps=specimen.caps,
        calibration=calibration.source,
        crushed=crushed,
        bone=bone,
    )


def _measure(value: float, sd: float, unit: str, reason: str) -> Measure:
    return Measure.of(value, sd, unit, reason, confidence=Confidence.LOW, lowest=0.0)


def plates(
    bone: Bone, move_mm: float, tilt: float = 0.0, *, held: NDArray[np.bool_] | None = None
) -> Array:
    """Prescribe rough plates: below still, above moved along k and tilted forward [rad].

    Parameters
    ----------
    held : (I, J, K) voxels that the plates hold where they reach them; all by default.
    """
    solid = touching(bone.modulus_mpa > 0.0 if held is None else held)
    prescribed = np.full((*solid.shape, 3), np.nan)
    prescribed[:, :, 0][solid[:, :, 0]] = 0.0
    upper = solid[:, :, -1]
    posterior = np.argwhere(upper)[:, 1] * bone.spacing_mm
    prescribed[:, :, -1][upper] = 0.0
    prescribed[:, :, -1, 2][upper] = move_mm + tilt * (posterior - posterior.mean())
    return prescribed


def _solved(bone: Bone, prescribed: Array, method: Method) -> Solution:
    solution = solve(
        bone.modulus_mpa, bone.spacing_mm, prescribed, poisson=bone.poisson, method=method
    )
    if not solution.converged:
        raise CaseError(f"the specimen cannot be loaded: {solution.outcome}: {solution.detail}")
    return solution


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pressed:
    """One linear compression: the load, and what the plates and the vertebra itself gave way."""

    force_n: float
    plates_mm: float
    vertebra_mm: float

    @property
    def stiffness(self) -> float:
        """Load over the vertebra's own shortening [N/mm]."""
        return self.force_n / self.vertebra_mm

    @property
    def caps_mm_per_n(self) -> float:
        """What the caps give way under the load, without the vertebra [mm/N]."""
        return (self.plates_mm - self.vertebra_mm) / self.force_n


def _pressed(
    specimen: Specimen, calibration: Calibration, method: Method, gauge: Gauge
) -> _Pressed:
    """Compress the specimen by the model without yield.

    Cement is part of the vertebra, since it hardly gives way and published figures count it so;
    a disc is not.
    """
    bone = bone_of(specimen, calibration)
    move = FAILURE_SHORTENING * specimen.height_mm
    solution = _solved(bone, plates(bone, -move, held=_held(specimen)), method)
    soft = specimen.caps is Caps.DISC
    return _Pressed(
        force_n=2.0 * solution.strain_energy_mj / move,
        plates_mm=move,
        vertebra_mm=gauge(solution.displacement_mm) if soft else move,
    )


def _held(specimen: Specimen) -> NDArray[np.bool_] | None:
    """Let plates hold discs only, never a process that reaches as high; None is all there is."""
    return specimen.capped if specimen.caps is Caps.DISC else None


def _spread(specimen: Specimen, calibration: Calibration, method: Method, gauge: Gauge) -> float:
    """Tell the standard deviation of the stiffness from the calibration's own [N/mm]."""
    if calibration.slope_sd == 0.0 and calibration.offset_sd == 0.0:
        return 0.0
    ends = [
        _pressed(specimen, calibration.shifted(sign * DEVIATIONS), method, gauge).stiffness
        for sign in (-1.0, 1.0)
    ]
    return abs(ends[1] - ends[0]) / (2.0 * DEVIATIONS)


def _bending(
    specimen: Specimen, bone: Bone, method: Method, spread: float, reason: str
) -> Measure:
    """Moment per degree of forward flexion, from the energy; discs would bend, not the vertebra.

    Parameters
    ----------
    spread : relative standard deviation [1].
    """
    if specimen.caps is Caps.DISC:
        return Measure.unknown("N mm/deg", "discs bend more than the vertebra: take cement caps")
    tilt = np.deg2rad(TILT_DEG)
    solution = _solved(bone, plates(bone, 0.0, tilt), method)
    moment = float(2.0 * solution.strain_energy_mj / tilt**2 * np.deg2rad(1.0))
    return _measure(moment, spread * moment, "N mm/deg", reason)


def _end(specimen: Specimen, pressed: _Pressed, height_mm: float) -> tuple[float, float]:
    """Return how far the plates go, and the shortening of the vertebra that is enough [mm]."""
    enough = CRUSHED_SHORTENING * height_mm
    if specimen.caps is Caps.CEMENT:
        return enough, float("inf")
    load = MOST_LOAD * FAILURE_SHORTENING * height_mm * pressed.stiffness
    return enough + load * pressed.caps_mm_per_n, enough


def _failure(crushed: Crushed, enough_mm: float, spread: float, reason: str) -> Measure:
    """Return the largest load of the curve; without a whole curve there is none.

    Parameters
    ----------
    enough_mm : shortening up to which the curve counts; infinite if all of it does.
    spread : relative standard deviation [1].
    """
    if not crushed.outcome.startswith("converged"):
        return Measure.unknown("N", f"the crushing curve is not whole: {crushed.detail}")
    forces = np.array([0.0, *(step.force_n for step in crushed.steps)])
    if np.isfinite(enough_mm):
        lengths = np.array([0.0, *(step.gauge_mm for step in crushed.steps)])
        if lengths[-1] < enough_mm:
            return Measure.unknown("N", "the curve ends before the vertebra is 2 % shorter")
        forces[-1] = np.interp(enough_mm, lengths[-2:], forces[-2:])
    return _most(forces, spread, "N", reason)


def _most(forces: Array, spread: float, unit: str, reason: str) -> Measure:
    """Return the largest load of a curve; the published laws of strength widen its interval."""
    most = float(forces.max())
    laws = [law for law in STRENGTH.values() if law.status is not Status.MEMORY]
    factors = [law.factor / laws[0].factor for law in laws]
    between = (max(factors) - min(factors)) / (2.0 * DEVIATIONS)
    whole = f"{reason}; published strength laws differ by a factor of {max(factors):.2f}"
    return _measure(most, most * float(np.hypot(spread, between)), unit, whole)


def _flexion(
    specimen: Specimen, bone: Bone, method: Method, spread: float, reason: str
) -> Measure:
    """Tilt the upper plate forward about its middle and let the front crush: the largest moment.

    The tilt ends where the plate's front edge has come down by what ends the curve of
    compression. No criterion for flexion was found in print: it is taken over from there.

    Parameters
    ----------
    spread : relative standard deviation [1].
    """
    if specimen.caps is Caps.DISC:
        return Measure.unknown("N mm", "discs bend more than the vertebra: take cement caps")
    arm = -float(np.nanmin(plates(bone, 0.0, 1.0)[:, :, -1, 2]))
    tilt = CRUSHED_SHORTENING * specimen.height_mm / arm
    prescribed = plates(bone, 0.0, tilt)
    crushed = crush(bone, prescribed, np.array(SHARES), method=method)
    if not crushed.outcome.startswith("converged"):
        return Measure.unknown("N mm", f"the curve of flexion is not whole: {crushed.detail}")
    reach = float(np.nanmax(np.abs(prescribed)))  # [mm] what the force of a step works on
    moments = np.array([step.force_n for step in crushed.steps]) * reach / tilt
    return _most(moments, spread, "N mm", f"{reason}; up to a tilt of {np.rad2deg(tilt):.1f} deg")


def caps_used(caps: Caps) -> dict[str, str]:
    """Name what the caps are made of with its source and how it is known."""
    used = {
        tissue.name.lower(): f"{of.modulus:g} MPa, ratio {of.poisson:g}; {of.source}; {of.status}"
        for tissue, of in CAP_MATERIALS[caps].items()
    }
    return {"kind": str(caps), **used}


def laws_used() -> dict[str, str]:
    """Name the laws behind the figures with their sources and how they are known."""
    stiff, limit = next(iter(MODULUS.values())), next(iter(STRENGTH.values()))
    return {
        "modulus": f"{stiff.factor:g} x (g/cm3)^{stiff.exponent:g} MPa; {stiff.source}; "
        f"{stiff.status}",
        "strength": f"{limit.factor:g} x (g/cm3)^{limit.exponent:g} MPa; {limit.source}; "
        f"{limit.status}",
    }
