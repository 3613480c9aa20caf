"""A plan judged again: the same verdicts for a surgeon's own cannulas, balloons and cement."""

from dataclasses import replace

from kyphoplan.case import Approach, LevelPlan, Plan, Spine, Trajectory
from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.cement import judge_fill
from kyphoplan.planning.inflations import exists, judge_inflations
from kyphoplan.planning.judging import judge, refused
from kyphoplan.planning.levels import AIMING, finest_mm, neighbours_of, notices, voxel_mm
from kyphoplan.planning.room import rooms


def check(plan: Plan, spine: Spine, *, aiming: AimingError = AIMING) -> Plan:
    """Judge everything in a plan: cannulas, balloons and cement.

    A cannula is judged from its entry, target, side and diameter alone, a balloon from its device,
    place and size, cement from its volumes.

    Returns
    -------
    The same plan with fresh figures and verdicts. What is refused stays in its place with
    ``accepted`` False and its reason; nothing is moved or left out.

    Raises
    ------
    NotFoundError
        If a level is not in the label map.
    """
    levels = tuple(_checked(level, spine, aiming) for level in plan.levels)
    return Plan(levels=levels, notices=notices(levels, spine))


def _checked(level: LevelPlan, spine: Spine, aiming: AimingError) -> LevelPlan:
    vertebra = spine[level.level]
    ways = tuple(_judged(way, level, spine, aiming) for way in level.trajectories)
    balloons = judge_inflations(vertebra, level.inflations, ways, finest_mm(spine))
    fill = None if level.fill is None else judge_fill(vertebra, level.fill, ways)
    checked = replace(level, trajectories=ways, inflations=balloons, fill=fill)
    bad = "; ".join(f"{what}: {why}" for what, why in objections(checked))
    return replace(checked, reason=bad or level.reason)


def objections(level: LevelPlan) -> tuple[tuple[str, str], ...]:
    """Name everything that is refused in a level, each with the reason."""
    found = [(str(way.side), way.reason) for way in level.trajectories if not way.accepted]
    found += [
        (f"{balloon.side} balloon", balloon.reason)
        for balloon in level.inflations
        if exists(balloon) and not balloon.accepted
    ]
    fill = level.fill
    if fill is not None and fill.total.value is not None and not fill.accepted:
        found.append(("cement", fill.reason))
    return tuple(found)


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
