"""Many runs of one level, each with another set of what is uncertain; seeded, so repeatable.

A draw takes the CT's calibration, the law of bone, the break's weakness, the hold of the column,
the cement and every way out anew. What all runs come to is a median with the range of 95 % of
them; a leak is the share of runs in which it is seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kyphoplan.case import Confidence, LevelPlan, Measure, Side
from kyphoplan.geometry import Array
from kyphoplan.materials import (
    CEMENT_MPA,
    COLUMN_MPA_PER_MM,
    CRUSHED_HARDENING,
    FRACTURE_KEPT,
    HU_SLOPE,
    MODULUS,
    PLASTIC_WIDENING,
    RUBBLE_TENSION,
    SPONGY_KEPT,
    SPONGY_STIFFNESS,
    STRENGTH,
    DensityLaw,
    Status,
)
from kyphoplan.simulation.bone_law import BoneLaw
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.cement.cementing import Mixture
from kyphoplan.simulation.fracture import FractureModel
from kyphoplan.simulation.leakage import share_of
from kyphoplan.simulation.operation import Assumptions
from kyphoplan.simulation.operative_field import Surroundings

PORT_SD_MM = (
    1.0  # [mm] by which a balloon or port ends beside its plan: the aiming error's default
)
TAIL = 2.5  # [%] of the runs left out at each end of an interval
FEWEST = 5  # [1] draws from which a range is told
NOT_ESTIMATED = f"not estimated: one run tells no range; take --draws 20, {FEWEST} at least"

YES_OR_NO = ("posterior_wall_breach", "bone_gave_way")  # told as the share of runs in which it is

UNITS: Mapping[str, str] = {
    "anterior_height_gain": "mm",
    "middle_height_gain": "mm",
    "posterior_height_gain": "mm",
    "wedge_change": "deg",
    "segment_change": "deg",
    "mean_lift": "mm",
    "largest_lift": "mm",
    "inflated_middle_height_gain": "mm",
    "inflated_volume": "ml",
    "largest_pressure": "bar",
    "posterior_wall_strain": "1",
    "posterior_wall_breach": "1",
    "bone_gave_way": "1",
    "void_volume": "ml",
    "left_void_volume": "ml",
    "right_void_volume": "ml",
    "crushing_work": "J",
    "cement_injected": "ml",
    "cement_leaked": "ml",
    "fill_fraction": "%",
    "interdigitation": "%",
    "cement_left_share": "%",
    "cement_pressure": "bar",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One set of what is uncertain.

    Attributes
    ----------
    assumptions, mixture, cement_mpa : of bone, of flow, of hard cement [MPa].
    aside_mm : by side, (3,) by which cannula, balloon and port end beside their plan [mm, LPS].
    """

    assumptions: Assumptions
    mixture: Mixture
    cement_mpa: float
    aside_mm: Mapping[Side, tuple[float, float, float]] = field(default_factory=dict)

    def aimed(self, plan: LevelPlan) -> LevelPlan:
        """Return the plan with cannulas and balloons moved aside."""
        aside = {side: np.array(self.aside_mm.get(side, (0.0, 0.0, 0.0))) for side in Side}
        moved = tuple(replace(b, centre_mm=b.centre_mm + aside[b.side]) for b in plan.inflations)
        ways = tuple(
            replace(t, entry_mm=t.entry_mm + aside[t.side], target_mm=t.target_mm + aside[t.side])
            for t in plan.trajectories
        )
        return replace(plan, inflations=moved, trajectories=ways)


def usual(calibration: Calibration | None = None) -> Draw:
    """Take every value as it stands; without a calibration the assumed one."""
    line = calibration or assumed_calibration()
    return Draw(
        assumptions=Assumptions(
            calibration=line,
            fracture=FractureModel(
                kept=FRACTURE_KEPT.value,
                spongy_kept=SPONGY_KEPT.value,
                spongy_stiffness=SPONGY_STIFFNESS.value,
                tension=RUBBLE_TENSION.value,
            ),
            surroundings=Surroundings(support_mpa_per_mm=COLUMN_MPA_PER_MM.value),
        ),
        mixture=Mixture.of(),
        cement_mpa=CEMENT_MPA.value,
    )


def assumed_calibration() -> Calibration:
    """Return the line that is assumed where a scan has none."""
    return Calibration(
        slope=HU_SLOPE.value,
        offset=0.0,
        slope_sd=(HU_SLOPE.high - HU_SLOPE.low) / (2.0 * 1.96),
        offset_sd=5.0,
        source=f"assumed: {HU_SLOPE.value:g} mg/cm3 per HU; {HU_SLOPE.source}",
    )


def drawn(rng: np.random.Generator, calibration: Calibration | None = None) -> Draw:
    """Draw everything that is uncertain."""
    line = calibration or assumed_calibration()
    slope = max(line.slope + line.slope_sd * rng.standard_normal(), SMALLEST_SLOPE)
    offset = line.offset + line.offset_sd * rng.standard_normal()
    kept = FRACTURE_KEPT.drawn(rng)
    law = BoneLaw(
        modulus=_any(rng, MODULUS),
        strength=_any(rng, STRENGTH),
        plastic_poisson=PLASTIC_WIDENING.drawn(rng),
        hardening=CRUSHED_HARDENING.drawn(rng),
    )
    aside = {side: PORT_SD_MM * rng.standard_normal(3) for side in Side}
    mixture = Mixture.of(rng=rng)
    ways = replace(  # a healed break is closed
        mixture.ways,
        fracture_gap_mm=max(mixture.ways.fracture_gap_mm * (1.0 - kept), SMALLEST_GAP_MM),
        endplate_gap_mm=max(mixture.ways.endplate_gap_mm * (1.0 - kept), SMALLEST_GAP_MM),
    )
    return Draw(
        assumptions=Assumptions(
            calibration=replace(line, slope=slope, offset=offset, slope_sd=0.0, offset_sd=0.0),
            bone=law,
            fracture=FractureModel(
                kept=kept,
                spongy_kept=SPONGY_KEPT.drawn(rng),
                spongy_stiffness=SPONGY_STIFFNESS.drawn(rng),
                tension=RUBBLE_TENSION.drawn(rng),
            ),
            surroundings=Surroundings(support_mpa_per_mm=COLUMN_MPA_PER_MM.drawn(rng)),
        ),
        mixture=replace(mixture, ways=ways),
        cement_mpa=CEMENT_MPA.drawn(rng),
        aside_mm={side: (float(x), float(y), float(z)) for side, (x, y, z) in aside.items()},
    )


SMALLEST_SLOPE = 0.1  # [mg/cm3 per HU]
SMALLEST_GAP_MM = 1e-3  # [mm] closed to cement, and solvable


def _any(rng: np.random.Generator, laws: Mapping[str, DensityLaw]) -> DensityLaw:
    known = [law for law in laws.values() if law.status is not Status.MEMORY]
    return known[int(rng.integers(len(known)))]


def draws(seed: int, count: int, calibration: Calibration | None = None) -> tuple[Draw, ...]:
    """Draw so many sets; each depends on the seed and its own number alone."""
    return tuple(
        drawn(np.random.default_rng([seed, number]), calibration) for number in range(count)
    )


def measured(runs: Sequence[Mapping[str, float]]) -> dict[str, Measure]:
    """Turn the figures of all draws into figures with intervals; a few tell none.

    Examples
    --------
    >>> found = measured([{"void_volume": 2.0}])["void_volume"]
    >>> found.value, found.reason.split(":")[0]
    (None, 'not estimated')
    """
    names = list(dict.fromkeys(name for run in runs for name in run))
    return {
        name: _measure(name, np.array([run.get(name, np.nan) for run in runs])) for name in names
    }


def unit_of(name: str) -> str:
    """Name the unit of a figure."""
    if name in UNITS:
        return UNITS[name]
    if name.startswith("cement_"):
        return "ml"
    if "ratio" in name or name.endswith("_of_healed"):
        return "1"
    return "N/mm" if name.startswith("stiffness") else "N"


def _measure(name: str, values: Array) -> Measure:
    unit, known = unit_of(name), values[np.isfinite(values)]
    if not known.size:
        return Measure.unknown(unit, "no run came to this figure")
    if values.size < FEWEST:
        return Measure.unknown(unit, NOT_ESTIMATED)
    if known.size < FEWEST:
        return Measure.unknown(unit, f"only {known.size} of {values.size} runs came to it")
    if name in YES_OR_NO:
        value = float(known.mean())
        low, high = share_of(int(known.sum()), known.size)
        why = f"{known.sum():.0f} of {known.size} runs"
    else:
        value = float(np.median(known))
        low, high = (float(np.percentile(known, part)) for part in (TAIL, 100.0 - TAIL))
        why = f"median and 95 % of {known.size} of {values.size} runs"
    return Measure(
        value=value,
        low=min(low, value),
        high=max(high, value),
        unit=unit,
        confidence=Confidence.LOW,
        reason=why,
    )
