"""Cannulas against the exact shape of random phantoms, judged by brute force."""

import numpy as np
import pytest

from kyphoplan.case import Approach, GertzbeinRobbins, Level, LevelPlan, Side
from kyphoplan.planning import AimingError
from kyphoplan.planning.cannulas import cannula_named
from kyphoplan.planning.judging import judge, least_clearance
from kyphoplan.planning.levels import neighbours_of, voxel_mm
from kyphoplan.planning.room import Room, rooms

from .blocked import Search, safest
from .truths import Drawn, Exact, Verdict, brute_force, drawn, located, planned

IN_TEST, IN_SOAK = 60, 1000
WIDE_MM = cannula_named("10G").outer_diameter_mm + 2.0
BATCH = 15


def judged(case: Drawn, plan: LevelPlan) -> list[Verdict]:
    """Brute force over all trajectories of a plan; none may touch canal or medial wall.

    `pytest.fail` and no assertion: a known miss of the grades must not hide it.
    """
    exact = Exact.of(case)
    verdicts = []
    for way in plan.trajectories:
        assert way.accepted
        verdict = brute_force(way, exact)
        beside = way.approach is Approach.EXTRAPEDICULAR
        if verdict.into_canal_mm > 0.0 or (verdict.medial_mm > 0.0 and not beside):
            pytest.fail(f"{way.side} way of {case}: {verdict}")
        assert way.grade is GertzbeinRobbins.A
        assert beside or verdict.pedicle_mm <= 0.0 or GertzbeinRobbins.B in way.possible
        verdicts.append(verdict)
    return verdicts


def refused_with_reason(plan: LevelPlan, side: Side) -> bool:
    """Say whether a side without a way says why."""
    return any(text.startswith(f"{side}: ") and len(text) > len(side) + 5 for text in plan.refused)


def graded(seeds: range) -> tuple[list[bool], list[tuple[int, Side]]]:
    """Plan random phantoms: each way through a wide pedicle truly grade A or not; those without.

    A way beside a pedicle, because it was measured as narrow, is one without.
    """
    wide: list[bool] = []
    without: list[tuple[int, Side]] = []
    for seed in seeds:
        case = drawn(seed)
        plan = planned(seed)
        found = dict(zip((w.side for w in plan.trajectories), judged(case, plan), strict=True))
        exact = Exact.of(case)
        for side in Side:
            assert side in found or refused_with_reason(plan, side), (seed, side)
            if exact.pedicle_width_mm(side) < WIDE_MM:
                continue
            way = next((w for w in plan.trajectories if w.side is side), None)
            if way is None or way.approach is Approach.EXTRAPEDICULAR:
                without.append((seed, side))
            else:
                wide.append(found[side].pedicle_mm <= 0.0)
        if not found:
            assert plan.approach is Approach.NONE
            assert plan.reason
    return wide, without


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, IN_TEST, BATCH))
def test_no_way_crosses_canal_or_medial_wall_and_wide_pedicles_get_grade_a(start: int) -> None:
    wide, without = graded(range(start, start + BATCH))
    assert np.mean(wide) >= 0.99
    assert len(without) <= 1


@pytest.mark.soak
def test_the_same_on_a_thousand_phantoms() -> None:
    """Refused and extrapedicular sides count against the share: 1,522 of 1,531 when last run."""
    wide, without = graded(range(IN_SOAK))
    assert np.mean(wide) >= 0.99
    assert sum(wide) >= 0.99 * (len(wide) + len(without)), without


def safest_way(seed: int, side: Side) -> float:
    """Millimetres by which the safest of all straight ways keeps the limits."""
    exact = Exact.of(drawn(seed))
    search = Search(exact=exact, side=side, radius_mm=WIDE_MM / 2.0 - 1.0)
    height = exact.item.shape.sizes.pedicle_height
    return safest(search, exact.pedicle_width_mm(side), height)[0]


@pytest.mark.soak
def test_brute_force_finds_a_way_where_there_is_one_and_none_in_a_narrow_pedicle() -> None:
    assert safest_way(130, Side.RIGHT) > 0.5
    assert safest_way(1, Side.LEFT) < 0.0  # 3.2 mm wide


def test_a_way_that_enters_on_an_edge_is_refused() -> None:
    """Within the label 3.7 mm from the nearest wall, and yet 0.1 mm outside the exact shape."""
    spine = located(14)
    room = rooms(spine[Level.L5], voxel_mm(spine))[Side.RIGHT]
    assert isinstance(room, Room)
    ends = (np.array([27.12, 36.94, 8.22]), np.array([9.17, -9.36, -0.13]))
    entry, target = (room.to_patient(end) for end in ends)
    way = judge(
        room,
        neighbours_of(spine, Level.L5),
        side=Side.RIGHT,
        approach=Approach.BIPEDICULAR,
        entry_mm=entry,
        target_mm=target,
        diameter_mm=cannula_named("10G").outer_diameter_mm,
        aiming=AimingError(),
    )
    assert 0.0 < brute_force(way, Exact.of(drawn(14))).pedicle_mm < 0.5
    assert least_clearance(way) > 2.0
    assert way.reason.startswith("entry: on an edge of bone")
