"""A rehearsal in a second: a balloon in endless bone, and one linear solve of the vertebra.

The pressure comes from the mean density around each balloon (`cavity`), the lift of the endplates
from the elastic answer to that pressure on a coarse grid. What is crushed between balloon and
endplate is left out, so the lift is a lower bound; nothing is said of cement.
"""

from dataclasses import replace

import numpy as np

from kyphoplan.case import (
    Confidence,
    Inflation,
    LevelPlan,
    Measure,
    Measurements,
    Plan,
    Spine,
    Vertebra,
    VertebraMeasures,
    Volume,
)
from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal, Rehearsed
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.materials import BONE_POISSON
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.bone_law import LEAST_YIELD_MPA
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.cavity import growing_pressure
from kyphoplan.simulation.domain import outside
from kyphoplan.simulation.elasticity import Loads, Method, solve
from kyphoplan.simulation.fracture import weakened
from kyphoplan.simulation.landmarks import landmarks
from kyphoplan.simulation.logbook import BAR_PER_MPA
from kyphoplan.simulation.operative_field import SOFT_MPA, Field, prepare
from kyphoplan.simulation.uncertainty import Draw, usual

EDGE_MM = 2.0  # [mm]
AROUND_MM = 4.0  # [mm] of bone around a balloon whose mean density counts
TOLERANCE = 1e-3  # [1] of the linear solve
SPREAD = 0.5  # [1] standard deviation of a preview's figure, relative: chosen wide
WHY = "crushing near the endplates is left out, and nothing is said of cement"


def preview(
    plan: Plan,
    spine: Spine,
    ct: Volume,
    measurements: Measurements,
    *,
    calibration: Calibration | None = None,
) -> Rehearsal:
    """Rehearse roughly, in about a second a level; every figure says that it is a preview."""
    draw = usual(calibration)
    levels = tuple(_level(spine[row.level], ct, row, measurements, draw) for row in plan.levels)
    return Rehearsal(levels=levels, notices=(), edge_mm=EDGE_MM, seed=0)


def _level(
    vertebra: Vertebra, ct: Volume, plan: LevelPlan, measurements: Measurements, draw: Draw
) -> LevelRehearsal:
    balloons = _balloons(plan)
    rows = [row for row in measurements.vertebrae if row.level is plan.level]
    figures: dict[str, Measure] = {}
    why = "" if balloons else f"no balloon is planned: {plan.reason}"
    why = why or outside(vertebra, ct, plan)
    if rows and not why:
        try:
            figures = _figures(vertebra, ct, plan, rows[0], draw)
        except CaseError as error:
            why = str(error)
    return LevelRehearsal(
        level=plan.level,
        outcome=Rehearsed.PREVIEW if figures else Rehearsed.ABSTAINED,
        reason=WHY if figures else why,
        moments=(),
        figures=figures,
        as_planned={},
        leaks={},
        cement={},
        portions=(),
        slices=(),
        void=(),
        cloud=(),
        draws=0,
        assumptions={"calibration": draw.assumptions.calibration.source},
    )


def _balloons(plan: LevelPlan) -> list[Inflation]:
    return [b for b in plan.inflations if b.accepted and b.volume_ml > 0.0]


def _figures(
    vertebra: Vertebra, ct: Volume, plan: LevelPlan, row: VertebraMeasures, draw: Draw
) -> dict[str, Measure]:
    given = draw.assumptions
    field = prepare(vertebra, ct, plan, given.calibration, given.surroundings, EDGE_MM)
    field = weakened(field, vertebra, row, given.fracture)
    shares, pressures, reached = [], [], []
    balloons = _balloons(plan)
    for balloon in balloons:
        half = 0.5 * max(balloon.length_mm - balloon.diameter_mm, 0.0) * balloon.axis
        ends = [field.to_block(balloon.centre_mm + s * half) * EDGE_MM for s in (-1.0, 1.0)]
        skin = Skin.around(ends[0], ends[1], 0.5 * balloon.diameter_mm)
        pressure, volume = _endless(field, skin, draw, balloon.largest_pressure_bar / BAR_PER_MPA)
        shares.append(skin.share(field.tissue.shape, field.edge_mm))
        pressures.append(pressure)
        reached.append(min(volume, 1.0) * balloon.volume_ml)
    lift = _lift(field, vertebra, np.stack(shares), np.array(pressures), draw)
    return {
        "largest_pressure": _rough(max(pressures) * BAR_PER_MPA, "bar"),
        "void_volume": replace(
            _rough(sum(reached), "ml"), low=0.0, high=sum(b.volume_ml for b in balloons)
        ),
        "middle_height_gain": _rough(lift[0], "mm"),
        "largest_lift": _rough(lift[1], "mm"),
    }


def _rough(value: float, unit: str) -> Measure:
    why = f"{Rehearsed.PREVIEW}; {WHY}"
    return Measure.of(value, SPREAD * abs(value), unit, why, confidence=Confidence.LOW)


def _endless(field: Field, skin: Skin, draw: Draw, largest: float) -> tuple[float, float]:
    """Return the pressure [MPa], and what part of the volume is reached below the largest."""
    axes = [(np.arange(n) + 0.5) * field.edge_mm for n in field.tissue.shape]
    above = skin.above(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1))
    density = float(field.density[above < AROUND_MM].mean())
    law = draw.assumptions.bone
    pressure = growing_pressure(
        float(law.modulus(density)),
        BONE_POISSON,
        max(float(law.strength(density)), LEAST_YIELD_MPA),
        float(law.factor(np.array(density))),
    )
    return min(pressure, largest), 1.0 if pressure < largest else 0.0


def _lift(
    field: Field, vertebra: Vertebra, shares: Array, pressures: Array, draw: Draw
) -> tuple[float, float]:
    """Return the elastic gain of the middle height and the largest lift [mm]."""
    law, watch = draw.assumptions.bone, landmarks(field, vertebra)
    bone = law.modulus(field.density) * field.weak * (1.0 - shares.sum(axis=0).clip(max=1.0))
    modulus = np.where(field.active, bone + field.soft_mpa + SOFT_MPA, 0.0)
    held = np.full((*(n + 1 for n in modulus.shape), 3), np.nan)
    held[:, :, 0] = held[:, :, -1] = 0.0
    stress = np.zeros((*modulus.shape, 6))
    stress[..., :3] = -np.tensordot(pressures, shares, axes=1)[..., None]
    found = solve(
        modulus, field.edge_mm, held, tolerance=TOLERANCE, loads=Loads(eigenstress_mpa=stress),
        method=Method(),
    )  # fmt: skip
    u = np.nan_to_num(found.displacement_mm)
    figures = watch.figures(mp.carried(watch.places, u, field.edge_mm))
    return figures.middle_mm, figures.largest_lift_mm
