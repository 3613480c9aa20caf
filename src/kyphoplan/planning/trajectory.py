"""The safest straight way into a body on one side: all of them are tried."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import Approach, Side, Trajectory, Vertebra
from kyphoplan.geometry import Array, unit
from kyphoplan.planning.breach import AimingError, errors
from kyphoplan.planning.judging import Line, bone_entry, judge, least_clearance
from kyphoplan.planning.limits import ANTERIOR_MARGIN_MM, ENDPLATE_MARGIN_MM
from kyphoplan.planning.reach import obstacles, tip_distances
from kyphoplan.planning.room import Room, beside_pedicle
from kyphoplan.planning.scoring import Task, Ways, by_rays, scored
from kyphoplan.planning.sections import across

PASS_STEP_MM = 1.0  # [mm] between the places where the pedicle is crossed, at most
PASSES_ACROSS = 12  # [1] such places across the pedicle's width, at least
TARGET_STEP_MM = 2.0  # [mm] between targets
APART_MM = 1.5  # [mm] finalists are at least so far apart
PARAMEDIAN = 0.22  # [1] of the body's width from the mid-line: the middle of one half
MIDLINE_MM = 2.0  # [mm] a tip nearer is on the mid-line
IN_FRONT = 0.10  # [1] of the body's depth behind its front: the foremost tips that are tried
CHUNK = 256  # [1] ways that are asked at once what lies in their way


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard is searched.

    Attributes
    ----------
    backmost : tips are tried so far back [1], as part of the body's depth from its front.
    above : tips are tried so many steps above and below the middle of the body's height [1].
    tried : ways that are asked what lies in their way, at most.
    shortlist : free ways, apart from each other, that are scored by rays.
    finalists : the best of these, which are moved; ``judged`` : the best of them in the end.
    moved_mm : standard deviations of the moves of both ends, turn after turn [mm].
    moves : of each finalist in a turn.
    rays, spacing_mm : around the axis, and between the sections [mm], by which it is scored.
    """

    backmost: float
    above: int
    tried: int
    shortlist: int
    finalists: int
    judged: int
    moved_mm: tuple[float, ...]
    moves: int
    rays: int
    spacing_mm: float


# The anterior third first; where no way to it is accepted, the anterior half, and more carefully.
EFFORTS = (
    Effort(
        backmost=1.0 / 3.0,
        above=3,
        tried=1024,
        shortlist=80,
        finalists=3,
        judged=3,
        moved_mm=(0.5, 0.25),
        moves=32,
        rays=8,
        spacing_mm=2.0,
    ),
    Effort(
        backmost=0.5,
        above=6,
        tried=8192,
        shortlist=320,
        finalists=10,
        judged=4,
        moved_mm=(1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08),
        moves=32,
        rays=16,
        spacing_mm=1.0,
    ),
)


def search(task: Task, effort: Effort, *, midline: bool) -> tuple[list[Line], str]:
    """Find the safest ways from all entries to all targets; or none, and the reason."""
    targets, ideal, reason = _targets(task, effort, midline=midline)
    if len(targets) == 0:
        return [], reason
    passes = _passes(task.room, task.radius_mm)
    grid = np.repeat(passes, len(targets), axis=0), np.tile(targets, (len(passes), 1))
    ways = scored(task, *grid, ideal)
    if not np.isfinite(ways.score).any():
        return [], "no straight way of this diameter stays inside pedicle and body"
    ways, blocking = _apart(task, ways, effort)
    if len(ways.score) == 0:
        return [], f"entry not reachable: {blocking} lies in the way"
    exact = by_rays(task, ways, ideal, effort.rays, effort.spacing_mm)
    chosen = np.argsort(-exact, kind="stable")[: effort.finalists, None]
    found = [_refined(task, ways.only(one), ideal, effort) for one in chosen]
    best = sorted(found, key=lambda item: -item[0])[: effort.judged]
    lines = [Line(entry=entry, target=tip) for _, entry, tip in best if entry is not None]
    return lines, "no straight way of this diameter stays inside and is free"


def _targets(task: Task, effort: Effort, *, midline: bool) -> tuple[Array, Array, str]:
    """Places (N, 3) for the tip, and the ideal one (3,); or the reason why there is none."""
    room, radius = task.room, task.radius_mm
    depth = room.back_wall_mm - room.front_wall_mm
    ideal_x = 0.0 if midline else PARAMEDIAN * room.body.width_mm
    x = ideal_x + np.arange(-3, 4) * TARGET_STEP_MM
    x = x[np.abs(x) <= MIDLINE_MM] if midline else x[x >= 0.0]
    rows = round((effort.backmost - IN_FRONT) / (1.0 / 3.0 - IN_FRONT) * 3.0) + 1
    y = room.front_wall_mm + np.linspace(IN_FRONT, effort.backmost, rows) * depth
    plan = np.stack(np.meshgrid(x, y, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    plan[:, 2] = _middle_height(room, plan)
    z = np.arange(-effort.above, effort.above + 1) * TARGET_STEP_MM
    places = (plan[:, None, :] + z[:, None] * [0.0, 0.0, 1.0]).reshape(-1, 3)
    ahead, plates = tip_distances(room, places)
    ahead_ok = ahead - radius >= ANTERIOR_MARGIN_MM
    plates_ok = plates.min(axis=1) - radius >= ENDPLATE_MARGIN_MM
    ideal = np.array([ideal_x, room.front_wall_mm + 0.25 * depth, 0.0])
    ideal[2] = _middle_height(room, ideal[None])[0]
    if not plates_ok.any():
        return (
            places[:0],
            ideal,
            "the body is too flat in front for the cannula between endplates",
        )
    if not (ahead_ok & plates_ok).any():
        return places[:0], ideal, "no place for the tip 4 mm behind the anterior wall"
    return places[ahead_ok & plates_ok], ideal, ""


def _middle_height(room: Room, places: Array) -> Array:
    """Height (N,) halfway between the endplates at places (N, 3) [mm]; 0 where there are none."""
    z = np.arange(-25.0, 25.1, 0.5)
    columns = np.repeat(places[:, None, :], z.size, axis=1)
    columns[..., 2] = z
    inside = room.out_of_body(columns) < 0
    share = inside.sum(axis=1)
    starts = places.copy()
    starts[:, 2] = np.where(share > 0, (inside * z).sum(axis=1) / np.maximum(share, 1), 0.0)
    plates = tip_distances(room, starts)[1]
    return np.asarray(starts[:, 2] + 0.5 * (plates[:, 0] - plates[:, 1]))


def _passes(room: Room, radius: float) -> Array:
    """Places (N, 3) in the pedicle's narrowest section through which the axis may go [mm]."""
    outline = room.to_own(room.pedicle.outline_mm) - room.isthmus_mm
    low, high = outline.min(axis=0), outline.max(axis=0)
    low[0], high[0] = low[0] + radius, high[0] - radius
    if room.corridor is not None:
        high[0] = room.corridor.lateral_mm - room.isthmus_mm[0]
    finer = min(PASS_STEP_MM, float(np.ptp(outline[:, 0])) / PASSES_ACROSS)
    x = _lattice(low[0], high[0], finer)
    z = _lattice(low[2] + radius, high[2] - radius, PASS_STEP_MM)
    plane = np.stack(np.meshgrid(x, [0.0], z, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(room.isthmus_mm + plane)


def _lattice(low: float, high: float, step: float) -> Array:
    """Multiples of a step between two limits, 0 always among them."""
    steps = np.arange(np.ceil(low / step), np.floor(high / step) + 1.0)
    return np.union1d(steps, [0.0]) * step


def _apart(task: Task, ways: Ways, effort: Effort) -> tuple[Ways, str]:
    """Choose the best free ways that are not next to each other; and what blocks the others."""
    order = np.argsort(-ways.score, kind="stable")
    order = order[np.isfinite(ways.score[order])][: effort.tried]
    blocked = _blocked(task, ways.only(order))
    left = order[[not name for name in blocked]]
    chosen: list[int] = []
    while left.size and len(chosen) < effort.shortlist:
        k = int(left[0])
        chosen.append(k)
        away = np.linalg.norm(ways.passes[left] - ways.passes[k], axis=1)
        away += np.linalg.norm(ways.targets[left] - ways.targets[k], axis=1)
        left = left[away >= APART_MM]
    return ways.only(np.array(chosen, dtype=np.intp)), next((n for n in blocked if n), "")


def _blocked(task: Task, ways: Ways) -> list[str]:
    """Name for each way what lies before its entry; empty where it is free."""
    outward = ways.passes - ways.targets
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    entries = ways.targets + ways.depth[:, None] * outward
    found: list[str] = []
    for start in range(0, len(entries), CHUNK):
        part = slice(start, start + CHUNK)
        found += obstacles(
            task.room, task.neighbours, entries[part], outward[part], task.radius_mm
        )
    return found


def _refined(
    task: Task, way: Ways, ideal: Array, effort: Effort
) -> tuple[float, Array | None, Array]:
    """Move one way, ever less, to the best nearby; its score, its entry if any, and its tip."""
    score = -np.inf
    turns = len(effort.moved_mm)
    for turn, spread in enumerate(effort.moved_mm):
        moves = spread * errors(effort.moves * turns)[turn::turns]
        ways = _with_moved(task, way, moves, ideal)
        exact = by_rays(task, ways, ideal, effort.rays, effort.spacing_mm)
        way, score = ways.only(np.argmax(exact, keepdims=True)), float(exact.max())
    through, tip = way.passes[0], way.targets[0]
    return score, bone_entry(task.room, through, tip), tip


def _with_moved(task: Task, way: Ways, moves: Array, ideal: Array) -> Ways:
    """Return a way, and those with its ends moved (N, 4) [mm] that are possible and free."""
    first, second = across(unit(way.targets[0] - way.passes[0]))
    passes = way.passes + moves[:, :1] * first + moves[:, 1:2] * second
    tips = way.targets + moves[:, 2:3] * first + moves[:, 3:] * second
    ahead, plates = tip_distances(task.room, tips)
    fits = ahead - task.radius_mm >= ANTERIOR_MARGIN_MM
    fits &= plates.min(axis=1) - task.radius_mm >= ENDPLATE_MARGIN_MM
    found = scored(task, passes[fits], tips[fits], ideal)
    found = found.only(np.isfinite(found.score))
    free = np.array([not name for name in _blocked(task, found)], dtype=bool)
    return way.and_also(found.only(free))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What was found for one side: a way, or why there is none."""

    trajectory: Trajectory | None
    reason: str


def find_on_side(
    room: Room,
    neighbours: tuple[Vertebra, ...],
    *,
    side: Side,
    approach: Approach,
    diameter_mm: float,
    aiming: AimingError,
) -> Found:
    """Find the accepted way that is well inside and least likely to breach, in one approach."""
    if approach is Approach.EXTRAPEDICULAR:
        room = beside_pedicle(room)
    midline = approach is Approach.UNIPEDICULAR
    task = Task(room=room, neighbours=neighbours, radius_mm=0.5 * diameter_mm, aiming=aiming)
    accepted: list[Trajectory] = []
    reason = ""
    for effort in EFFORTS:
        lines, nothing = search(task, effort, midline=midline)
        judged = [
            judge(
                room,
                neighbours,
                side=side,
                approach=approach,
                entry_mm=room.to_patient(line.entry),
                target_mm=room.to_patient(line.target),
                diameter_mm=diameter_mm,
                aiming=aiming,
            )
            for line in lines
        ]
        accepted += [way for way in judged if way.accepted]
        reason = judged[0].reason if judged else nothing
        if midline or any(least_clearance(way) >= task.sd_mm for way in accepted):
            break  # a way beside the mid-line is at hand, or one is well inside
    best = max(accepted, key=lambda way: _merit(way, task.sd_mm), default=None)
    return Found(trajectory=best, reason="" if best else reason)


def _merit(way: Trajectory, sd_mm: float) -> tuple[float, float]:
    """Rank accepted ways: first those that are well inside the pedicle, then by their breach."""
    return min(least_clearance(way), sd_mm), -(way.breach_probability.value or 0.0)
