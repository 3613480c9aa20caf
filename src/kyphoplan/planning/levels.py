"""The plan of a spine, level by level: cannulas, then balloons, then cement."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from kyphoplan.case import (
    Approach,
    Level,
    LevelPlan,
    Measure,
    Measurements,
    Notice,
    Plan,
    Severity,
    Side,
    Spine,
    Trajectory,
    Vertebra,
    follows,
)
from kyphoplan.planning.balloon import place_balloons
from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.cannulas import Cannula, cannula_named
from kyphoplan.planning.cement import propose_fill
from kyphoplan.planning.limits import BREACH_TO_WARN, PEDICLE_MARGIN_MM
from kyphoplan.planning.room import Room, rooms
from kyphoplan.planning.trajectory import Found, find_on_side

AIMING = AimingError()
LOWEST = (Level.L5, Level.L6)  # below them is the sacrum


def plan(
    spine: Spine,
    measurements: Measurements,
    *,
    levels: tuple[Level, ...] | None = None,
    cannula: Cannula | str = "10G",
    aiming: AimingError = AIMING,
) -> Plan:
    """Plan how each fractured vertebra is to be reached and treated.

    Parameters
    ----------
    levels : what to plan; the fractured levels of ``measurements`` if None.
    cannula : a gauge of `CANNULAS` or a cannula of one's own.
    aiming : the error under which the way is to stay inside the bone.

    Returns
    -------
    One `LevelPlan` per level from head to tail. A level that cannot be reached safely has no
    trajectory and says why; the least bad one is never offered.

    Raises
    ------
    NotFoundError
        If a level is not in the label map.
    """
    chosen = levels if levels is not None else tuple(row.level for row in measurements.fractures)
    tool = cannula_named(cannula) if isinstance(cannula, str) else cannula
    plans = tuple(plan_level(spine, level, tool, aiming) for level in sorted(set(chosen)))
    return Plan(levels=plans, notices=notices(plans, spine))


def plan_level(spine: Spine, level: Level, cannula: Cannula, aiming: AimingError) -> LevelPlan:
    """Plan one level: cannulas, a balloon for each, and the cement that fills their voids."""
    found = find_trajectories(spine, level, cannula, aiming)
    if not found.trajectories:
        return found
    inflations = place_balloons(spine[level], found.trajectories, finest_mm(spine))
    fill = propose_fill(spine[level], found.trajectories, inflations)
    return replace(found, inflations=inflations, fill=fill)


def voxel_mm(spine: Spine) -> float:
    """Root mean square of the voxel's edges [mm]: what the label's edges are uncertain by."""
    return float(np.sqrt(np.mean(spine.spacing_mm**2)))


def finest_mm(spine: Spine) -> float:
    """Finest edge of a voxel [mm]: signed distances overstate depth by half of it at least."""
    return float(spine.spacing_mm.min())


def neighbours_of(spine: Spine, level: Level) -> tuple[Vertebra, ...]:
    """Return the labelled vertebrae next above and below."""
    k = spine.levels.index(level)
    return spine.vertebrae[max(k - 1, 0) : k] + spine.vertebrae[k + 1 : k + 2]


def find_trajectories(
    spine: Spine, level: Level, cannula: Cannula, aiming: AimingError
) -> LevelPlan:
    """Find the cannulas of one level: from both sides, from one to the mid-line, or none."""
    vertebra = spine[level]
    prepared = rooms(vertebra, voxel_mm(spine))
    around = neighbours_of(spine, level)
    with ThreadPoolExecutor(len(prepared)) as pool:  # the sides do not depend on each other
        searches = {
            side: pool.submit(_from_side, room, around, side, cannula, aiming, level)
            for side, room in prepared.items()
        }
    found = {side: search.result() for side, search in searches.items()}
    good = tuple(f.trajectory for f in found.values() if f.trajectory is not None)
    failed = tuple(f"{side}: {f.reason}" for side, f in found.items() if f.trajectory is None)
    if len(good) == 1 and good[0].approach is not Approach.EXTRAPEDICULAR:
        good = (_to_midline(prepared, around, good[0], cannula, aiming),)
    return LevelPlan(
        level=level,
        approach=approach_of(good),
        reason="" if good else "not safely reachable: " + "; ".join(failed),
        trajectories=good,
        refused=failed,
        inflations=(),
        fill=None,
    )


def approach_of(trajectories: tuple[Trajectory, ...]) -> Approach:
    """Name the approach of one level by its trajectories."""
    if not trajectories:
        return Approach.NONE
    if any(way.approach is Approach.EXTRAPEDICULAR for way in trajectories):
        return Approach.EXTRAPEDICULAR
    return Approach.BIPEDICULAR if len(trajectories) > 1 else Approach.UNIPEDICULAR


def _from_side(
    room: Room | str,
    around: tuple[Vertebra, ...],
    side: Side,
    cannula: Cannula,
    aiming: AimingError,
    level: Level,
) -> Found:
    """Find a way on one side: through the pedicle, or beside it where a thoracic one is narrow.

    A pedicle is surely too narrow only where its whole interval is; else the walls decide.
    """
    if isinstance(room, str):
        return Found(trajectory=None, reason=room)
    width, needed = room.pedicle.width, cannula.outer_diameter_mm + 2.0 * PEDICLE_MARGIN_MM
    assert width.value is not None  # as `rooms` has seen
    assert width.high is not None
    narrow = f"too narrow: {_with_interval(width)} for {needed:.1f} mm with its margins"
    search = partial(
        find_on_side,
        room,
        around,
        side=side,
        diameter_mm=cannula.outer_diameter_mm,
        aiming=aiming,
    )
    if width.high >= needed:
        through = search(approach=Approach.BIPEDICULAR)
        if through.trajectory is not None or width.value >= needed:
            return through
        narrow = f"may be {narrow}; {through.reason}"
    if level.region == "thoracic":
        return search(approach=Approach.EXTRAPEDICULAR)
    return Found(trajectory=None, reason=f"pedicle {narrow}")


def _with_interval(width: Measure) -> str:
    return f"{width.value:.1f} mm ({width.low:.1f} to {width.high:.1f})"


def _to_midline(
    prepared: dict[Side, Room | str],
    around: tuple[Vertebra, ...],
    single: Trajectory,
    cannula: Cannula,
    aiming: AimingError,
) -> Trajectory:
    """Aim the only way at the mid-line; where that is refused or often missed, stay beside it."""
    room = prepared[single.side]
    assert isinstance(room, Room)  # a trajectory came from it
    middle = find_on_side(
        room,
        around,
        side=single.side,
        approach=Approach.UNIPEDICULAR,
        diameter_mm=cannula.outer_diameter_mm,
        aiming=aiming,
    )
    beside = replace(single, approach=Approach.UNIPEDICULAR)
    if middle.trajectory is None:
        return beside
    chance = middle.trajectory.breach_probability.value or 0.0
    often = chance > max(BREACH_TO_WARN, beside.breach_probability.value or 0.0)
    return beside if often else middle.trajectory


def notices(plans: tuple[LevelPlan, ...], spine: Spine) -> tuple[Notice, ...]:
    """Warn of levels without a way, of ways that are easily missed, and of what was not seen."""
    return tuple(
        notice
        for row in plans
        for found in (
            _not_reachable(row),
            _easily_missed(row),
            _maybe_narrow(row, spine),
            _unseen(row, spine),
            _limits(row),
        )
        for notice in found
    )


def _not_reachable(row: LevelPlan) -> Iterator[Notice]:
    if row.approach is Approach.NONE:
        yield Notice(
            code="not_reachable",
            severity=Severity.WARNING,
            level=row.level,
            text=row.reason,
            remedy="try a thinner cannula, or plan by hand and check it",
        )


def _easily_missed(row: LevelPlan) -> Iterator[Notice]:
    for way in row.trajectories:
        chance = way.breach_probability.value
        if chance is not None and chance > BREACH_TO_WARN:
            yield Notice(
                code="breach_likely",
                severity=Severity.WARNING,
                level=row.level,
                text=f"{way.side}: the cannula leaves the bone in {100 * chance:.0f} % "
                "of attempts with the assumed aiming error",
                remedy="use a thinner cannula or navigation",
            )


def _maybe_narrow(row: LevelPlan, spine: Spine) -> Iterator[Notice]:
    """Warn of ways through pedicles that are measured narrower than they should be."""
    vertebra = spine[row.level]
    for way in row.trajectories:
        pedicle = vertebra.left_pedicle if way.side is Side.LEFT else vertebra.right_pedicle
        if pedicle is None or way.approach is Approach.EXTRAPEDICULAR:
            continue
        width, needed = pedicle.width, way.outer_diameter_mm + 2.0 * PEDICLE_MARGIN_MM
        if width.value is not None and width.value < needed:
            yield Notice(
                code="pedicle_may_be_narrow",
                severity=Severity.WARNING,
                level=row.level,
                text=f"{way.side}: the pedicle may be narrower than the {needed:.1f} mm that "
                f"cannula and margins need: {_with_interval(width)}",
                remedy="use a thinner cannula, or measure the pedicle on thinner slices",
            )


def _unseen(row: LevelPlan, spine: Spine) -> Iterator[Notice]:
    """Warn of neighbours that may lie in the way but were not located."""
    if not row.trajectories:
        return
    for name, why in unseen_neighbours(spine, row.level):
        yield Notice(
            code="neighbour_unseen",
            severity=Severity.WARNING,
            level=row.level,
            text=f"{name} was not checked as an obstacle: {why}",
            remedy=f"see on the images that {name} does not lie in the cannulas' way",
        )


def unseen_neighbours(spine: Spine, level: Level) -> Iterator[tuple[str, str]]:
    """Yield the next vertebrae that no way was wholly checked against, each with the reason.

    The sacrum, which is not located, lies below every way and is left out.
    """
    k = spine.levels.index(level)
    above = spine.vertebrae[k - 1] if k > 0 else None
    below = spine.vertebrae[k + 1] if k + 1 < len(spine.vertebrae) else None
    if above is None or not follows(above.level, level):
        yield f"the vertebra above {level}", "it is not labelled"
    else:
        yield from _unseen_part(above)
    if below is not None and follows(level, below.level):
        yield from _unseen_part(below)
    elif level not in LOWEST:
        yield f"the vertebra below {level}", "it is not labelled"


def _unseen_part(vertebra: Vertebra) -> Iterator[tuple[str, str]]:
    if vertebra.surface is None or vertebra.frame is None:
        yield str(vertebra.level), vertebra.reason or "it could not be located"
    elif vertebra.cropped:
        yield str(vertebra.level), "it is cut by the field of view, and only its part in view was"


def _limits(row: LevelPlan) -> Iterator[Notice]:
    """Note the balloons whose limits were not seen in print."""
    for device in sorted({b.device for b in row.inflations if b.accepted and not b.verified}):
        yield Notice(
            code="limits_unverified",
            severity=Severity.INFO,
            level=row.level,
            text=f"largest volume and pressure of {device} were not found in print: unverified",
            remedy="read the limits on the pack of the balloon in hand",
        )
