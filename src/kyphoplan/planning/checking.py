"""A plan judged again: the same verdicts for a surgeon's own entries and targets."""

from dataclasses import replace

from kyphoplan.case import Approach, LevelPlan, Plan, Spine, Trajectory
from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.judging import judge, refused
from kyphoplan.planning.levels import AIMING, neighbours_of, notices, voxel_mm
from kyphoplan.planning.room import rooms


def check(plan: Plan, spine: Spine, *, aiming: AimingError = AIMING) -> Plan:
    """Judge every trajectory of a plan from its entry, target, side and diameter alone.

    Returns
    -------
    The same plan with fresh clearances, grades and verdicts. A refused trajectory stays in its
    place with ``accepted`` False and its reason; nothing is moved or left out.

    Raises
    ------
    NotFoundError
        If a level is not in the label map.
    """
    levels = tuple(_checked(level, spine, aiming) for level in plan.levels)
    return Plan(levels=levels, notices=notices(levels))


def _checked(level: LevelPlan, spine: Spine, aiming: AimingError) -> LevelPlan:
    ways = tuple(_judged(way, level, spine, aiming) for way in level.trajectories)
    bad = tuple(f"{way.side}: {way.reason}" for way in ways if not way.accepted)
    return replace(level, trajectories=ways, reason="; ".join(bad) or level.reason)


def _judged(way: Trajectory, level: LevelPlan, spine: Spine, aiming: AimingError) -> Trajectory:
    room = rooms(spine[level.level], voxel_mm(spine))[way.side]
    approach = Approach.UNIPEDICULAR if way.approach is Approach.NONE else way.approach
    ends = way.entry_mm, way.target_mm
    if isinstance(room, str):
        return refused(way.side, approach, ends, way.outer_diameter_mm, room)
    return judge(
        room,
        neighbours_of(spine, level.level),
        side=way.side,
        approach=approach,
        entry_mm=way.entry_mm,
        target_mm=way.target_mm,
        diameter_mm=way.outer_diameter_mm,
        aiming=aiming,
    )
