"""The safest straight way into a body on one side: all of them are tried."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import Approach, Side, Trajectory, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.judging import Line, bone_entry, judge
from kyphoplan.planning.limits import (
    ANTERIOR_MARGIN_MM,
    ENDPLATE_MARGIN_MM,
    LARGEST_CONVERGENCE_DEG,
)
from kyphoplan.planning.reach import in_the_way, tip_distances
from kyphoplan.planning.room import Room, beside_pedicle
from kyphoplan.planning.sections import across, to_walls

COARSE_MM = 1.5  # [mm] along a way while all are tried
BACK_MM = 80.0  # [mm] from the tip to the farthest entry
PASS_STEP_MM = 1.0  # [mm] between the places where the pedicle is crossed, at most
PASSES_ACROSS = 12  # [1] such places across the pedicle's width, at least
TARGET_STEP_MM = 2.0  # [mm] between targets
FINALISTS = 4  # [1] ways that are refined and judged
REFINE_MM = (0.6, 0.3)  # [mm] steps of the last improvement
RAY_SPACING_MM = 2.0  # [mm] between the sections that score an improvement
RAY_REACH_MM = 7.0  # [mm] walls farther away do not matter to it
APART_MM = 1.5  # [mm] finalists are at least so far apart
PARAMEDIAN = 0.22  # [1] of the body's width from the mid-line: the middle of one half
MIDLINE_MM = 2.0  # [mm] a tip nearer is on the mid-line
UNDERRATED = 0.5  # [voxel] a distance between voxel centres underrates a narrow pedicle by this
OFF_TARGET = 0.02  # [1/mm] of a standard deviation of safety given for each millimetre nearer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """Many ways of one room, and how safe they are.

    Attributes
    ----------
    passes, targets : (N, 3) where they cross the pedicle, and their tips [mm].
    depth : (N,) from the entry to the tip [mm].
    score : (N,) standard deviations of the aiming error to the nearest wall, less a little for
        each millimetre from the ideal target; -inf where a limit is broken.
    """

    passes: Array
    targets: Array
    depth: Array
    score: Array


def search(
    room: Room,
    neighbours: tuple[Vertebra, ...],
    radius_mm: float,
    aiming: AimingError,
    *,
    midline: bool,
) -> tuple[list[Line], str]:
    """Find the safest ways from all entries to all targets; or none, and the reason."""
    targets, ideal, reason = _targets(room, radius_mm, midline=midline)
    if len(targets) == 0:
        return [], reason
    passes = _passes(room, radius_mm)
    grid = np.repeat(passes, len(targets), axis=0), np.tile(targets, (len(passes), 1))
    ways = _scored(room, *grid, ideal, radius_mm, aiming)
    if not np.isfinite(ways.score).any():
        return [], "no straight way of this diameter stays inside pedicle and body"
    chosen, blocking = _apart(room, neighbours, ways, radius_mm)
    best = []
    for k in chosen:
        finer = _refined(room, ways.passes[k], ways.targets[k], ideal, radius_mm, aiming)
        if finer is not None:
            best.append(finer)
    best.sort(key=lambda item: -item[0])
    return [line for _, line in best], f"entry not reachable: {blocking} lies in the way"


def _targets(room: Room, radius: float, *, midline: bool) -> tuple[Array, Array, str]:
    """Places (N, 3) for the tip in the anterior third, and the ideal one (3,); or the reason."""
    depth = room.back_wall_mm - room.front_wall_mm
    ideal_x = 0.0 if midline else PARAMEDIAN * room.body.width_mm
    x = ideal_x + np.arange(-3, 4) * TARGET_STEP_MM
    x = x[np.abs(x) <= MIDLINE_MM] if midline else x[x >= 0.0]
    y = room.front_wall_mm + np.linspace(0.10, 1.0 / 3.0, 4) * depth
    plan = np.stack(np.meshgrid(x, y, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    plan[:, 2] = _middle_height(room, plan)
    z = np.arange(-3, 4) * TARGET_STEP_MM
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
            "the anterior third is too flat for the cannula between endplates",
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


def _scored(
    room: Room, passes: Array, targets: Array, ideal: Array, radius: float, aiming: AimingError
) -> Ways:
    """Score ways through some places to some tips."""
    outward = passes - targets
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    convergence = np.rad2deg(np.arctan2(outward[:, 0], outward[:, 1]))
    fair = (np.abs(convergence) <= LARGEST_CONVERGENCE_DEG) & (outward[:, 1] > 0)
    passes, targets, outward = passes[fair], targets[fair], outward[fair]
    t = np.arange(0.0, BACK_MM, COARSE_MM)
    points = targets[:, None, :] + t[:, None] * outward[:, None, :]
    bone = room.bone(points)
    inside = bone < 0
    last = t.size - 1 - np.argmax(inside[:, ::-1], axis=1)
    depth = last[:, None] * COARSE_MM - t
    judged = depth >= 2.0 * radius
    if room.corridor is not None:
        judged |= points[..., 1] <= room.behind_mm
        bone = np.minimum(bone, room.corridor.outside(points))
    canal = room.canal(points)
    within = room.true_depth(np.maximum(bone, -canal)) - radius
    safety = np.where(judged, within / aiming.spread_mm(np.maximum(depth, 0.0)), np.inf)
    clear = np.where(depth >= 0, canal, np.inf).min(axis=1) > radius
    off = np.linalg.norm(targets - ideal, axis=1)
    score = safety.min(axis=1) - OFF_TARGET * off
    gap = ~inside & (depth > 0)
    slack = -UNDERRATED * room.voxel_mm / aiming.spread_mm(np.array(BACK_MM / 4.0))
    possible = clear & (safety.min(axis=1) > slack) & inside.any(axis=1) & ~inside[:, -1]
    if room.corridor is None:
        entry = targets[:, 1] + last * COARSE_MM * outward[:, 1]
        possible &= ~gap.any(axis=1) & (entry >= room.foremost_entry_mm)
    return Ways(
        passes=passes,
        targets=targets,
        depth=last * COARSE_MM,
        score=np.where(possible, score, -np.inf),
    )


def _apart(
    room: Room, neighbours: tuple[Vertebra, ...], ways: Ways, radius: float
) -> tuple[list[int], str]:
    """Choose the best free ways that are not next to each other; and what blocks the others."""
    chosen: list[int] = []
    tried, blocking = 0, ""
    for k in np.argsort(-ways.score, kind="stable"):
        if not np.isfinite(ways.score[k]) or FINALISTS in (len(chosen), tried // 20):
            break
        away = [
            np.linalg.norm(ways.passes[k] - ways.passes[j])
            + np.linalg.norm(ways.targets[k] - ways.targets[j])
            for j in chosen
        ]
        if min(away, default=np.inf) < APART_MM:
            continue
        tried += 1
        outward = ways.passes[k] - ways.targets[k]
        outward /= np.linalg.norm(outward)
        entry = ways.targets[k] + ways.depth[k] * outward
        blocked = in_the_way(room, neighbours, entry, outward, radius)
        blocking = blocking or blocked
        if not blocked:
            chosen.append(int(k))
    return chosen, blocking


def _refined(
    room: Room, through: Array, target: Array, ideal: Array, radius: float, aiming: AimingError
) -> tuple[float, Line] | None:
    """Move a way in ever smaller steps to the best nearby; its score and its line."""
    score = -np.inf
    for step in REFINE_MM:
        offsets = np.array(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 4, indexing="ij")).reshape(4, -1).T
        first, second = across((target - through) / np.linalg.norm(target - through))
        near = through + step * (offsets[:, :1] * first + offsets[:, 1:2] * second)
        tips = target + step * (offsets[:, 2:3] * first + offsets[:, 3:] * second)
        ahead, plates = tip_distances(room, tips)
        fits = (ahead - radius >= ANTERIOR_MARGIN_MM) & (
            plates.min(axis=1) - radius >= ENDPLATE_MARGIN_MM
        )
        ways = _scored(room, near[fits], tips[fits], ideal, radius, aiming)
        possible = np.isfinite(ways.score)
        if not possible.any():
            continue
        exact = np.where(possible, _by_rays(room, ways, ideal, radius, aiming), -np.inf)
        k = int(np.argmax(exact))
        through, target, score = ways.passes[k], ways.targets[k], float(exact[k])
    entry = bone_entry(room, through, target)
    return None if entry is None else (score, Line(entry=entry, target=target))


def _by_rays(room: Room, ways: Ways, ideal: Array, radius: float, aiming: AimingError) -> Array:
    """Score ways (N,) by rays from their axes to the walls: slower and exact."""
    length = np.linalg.norm(ways.passes - ways.targets, axis=1, keepdims=True)
    outward = (ways.passes - ways.targets) / length
    middle = outward.mean(axis=0)
    first, second = across(-middle / np.linalg.norm(middle))
    depth = np.arange(2.0 * radius, float(ways.depth.max()), RAY_SPACING_MM)
    back = np.maximum(ways.depth[:, None] - depth, 0.0)
    centres = ways.targets[:, None, :] + back[..., None] * outward[:, None, :]
    turn = np.arange(8) * (np.pi / 4.0)
    rays = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    walls = to_walls(room, centres, rays, RAY_REACH_MM).min(axis=-1) - radius
    safety = (walls / aiming.spread_mm(depth)).min(axis=1)
    return np.asarray(safety - OFF_TARGET * np.linalg.norm(ways.targets - ideal, axis=1))


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
    """Find the accepted way with the least breach probability, within one approach."""
    if approach is Approach.EXTRAPEDICULAR:
        room = beside_pedicle(room)
    midline = approach is Approach.UNIPEDICULAR
    lines, reason = search(room, neighbours, 0.5 * diameter_mm, aiming, midline=midline)
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
    accepted = [way for way in judged if way.accepted]
    if not accepted:
        return Found(trajectory=None, reason=judged[0].reason if judged else reason)
    best = min(accepted, key=lambda way: way.breach_probability.value or 0.0)
    return Found(trajectory=best, reason="")
