"""What a draw takes anew, and how runs become figures."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import Side
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.uncertainty import (
    FEWEST,
    Draw,
    draws,
    measured,
    unit_of,
    usual,
)

from ..planned import planned

LINE = given(0.8, -5.0, spread=0.1)


def varying(draw: Draw) -> dict[str, object]:
    """What must differ from draw to draw."""
    mixture = draw.mixture
    return {
        "calibration": draw.assumptions.calibration.slope,
        "laws of bone": (
            draw.assumptions.bone.plastic_poisson,
            draw.assumptions.bone.modulus.name,
            draw.assumptions.bone.strength.name,
        ),
        "break": draw.assumptions.fracture.kept,
        "crushed bone": draw.assumptions.fracture.spongy_kept,
        "column": draw.assumptions.surroundings.support_mpa_per_mm,
        "viscosity": (mixture.cement.consistency, mixture.cement.index),
        "time": (mixture.start_s, mixture.cement.doubling_s, mixture.control.rate_ml_per_s),
        "permeability": (mixture.permeability.anchor, mixture.permeability.seed),
        "ways out": (mixture.ways.segmental_mm, mixture.ways.crack_place, mixture.ways.vein_turn),
        "aim on the left": draw.aside_mm[Side.LEFT],
        "aim on the right": draw.aside_mm[Side.RIGHT],
        "hard cement": draw.cement_mpa,
    }


@pytest.mark.parametrize("name", varying(draws(1, 1, LINE)[0]))
def test_each_draw_takes_it_anew(name: str) -> None:
    values = [varying(draw)[name] for draw in draws(3, 12, LINE)]
    assert len(set(values)) == 12


def test_a_draw_depends_on_seed_and_number_alone() -> None:
    many, few = draws(5, 9, LINE), draws(5, 2, LINE)
    assert many[:2] == few
    assert draws(6, 2, LINE) != few


def test_every_law_of_bone_comes_up_that_is_not_from_memory() -> None:
    many = draws(1, 60, LINE)
    assert len({draw.assumptions.bone.modulus.name for draw in many}) > 1
    assert len({draw.assumptions.bone.strength.name for draw in many}) > 1


def test_a_healed_break_has_no_open_crack() -> None:
    many = draws(2, 60, LINE)
    kept = np.array([draw.assumptions.fracture.kept for draw in many])
    gap = np.array([draw.mixture.ways.fracture_gap_mm for draw in many])
    assert (gap <= np.maximum(1.0 - kept, 1e-3)).all()


def test_each_side_is_aimed_for_itself_and_nothing_else_moves() -> None:
    plan = planned().plan.levels[0]
    draw = replace(usual(LINE), aside_mm={Side.LEFT: (1.0, 0.0, 0.0)})
    aimed = draw.aimed(plan)
    for before, after in zip(plan.inflations, aimed.inflations, strict=True):
        moved = after.centre_mm - before.centre_mm
        assert moved == pytest.approx([1.0, 0.0, 0.0] if before.side is Side.LEFT else [0.0] * 3)
    for way, turned in zip(plan.trajectories, aimed.trajectories, strict=True):
        assert turned.target_mm - turned.entry_mm == pytest.approx(way.target_mm - way.entry_mm)
    assert aimed.fill == plan.fill


def test_every_figure_is_an_interval() -> None:
    runs = [
        {"void_volume": float(n), "posterior_wall_breach": float(n % 4 == 0)} for n in range(8)
    ]
    found = measured(runs)
    void = found["void_volume"]
    assert void.value == pytest.approx(3.5)
    assert void.low is not None
    assert void.high is not None
    assert 0.0 <= void.low < 1.0
    assert 6.0 < void.high <= 7.0
    breach = found["posterior_wall_breach"]
    assert breach.value == 0.25
    assert 0.0 < (breach.low or 0.0) < 0.25 < (breach.high or 0.0) < 1.0
    assert "2 of 8 runs" in breach.reason


def test_few_runs_estimate_nothing() -> None:
    found = measured([{"void_volume": 2.0}] * (FEWEST - 1))["void_volume"]
    assert (found.value, found.low, found.high) == (None, None, None)
    assert found.reason.startswith("not estimated")
    assert measured([{"void_volume": 2.0}] * FEWEST)["void_volume"].value == 2.0


def test_what_no_run_came_to_is_not_a_number() -> None:
    found = measured([{"failure_load_after": float("nan")}] * 6)["failure_load_after"]
    assert found.value is None
    assert unit_of("failure_load_after") == "N"
    some = measured([{"failure_load_after": float("nan")}, *[{"failure_load_after": 5.0}] * 6])
    assert "6 of 7" in some["failure_load_after"].reason
