"""How safe many straight ways are, quickly: what the search goes by before the best are judged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import Vertebra
from kyphoplan.case.measure import Z95
from kyphoplan.geometry import Array
from kyphoplan.planning.breach import AimingError
from kyphoplan.planning.limits import LABEL_SD, LARGEST_CONVERGENCE_DEG
from kyphoplan.planning.room import Room
from kyphoplan.planning.sections import across, surely_inside_mm, to_walls

COARSE_MM = 1.5  # [mm] along a way while all are tried
FINE_MM = 0.5  # [mm] along a way that is scored by rays: no thin edge before its entry is missed
BACK_MM = 80.0  # [mm] from the tip to the farthest entry
RAY_REACH_MM = 7.0  # [mm] walls farther away do not matter to a score
RAY_STEP_MM = 1.0  # [mm] along rays: enough for a score, since signed distances are straight
SLACK_MM = 0.1  # [mm] fewer rays see a wall so much farther than the judge does
UNDERRATED = 0.5  # [voxel] a distance between voxel centres underrates a narrow pedicle by this
OFF_TARGET = 0.02  # [1/mm] of a standard deviation of safety given for each millimetre nearer
LACK_WEIGHT = 3.0  # [1/mm] of a standard deviation for what a wall lacks to be accepted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a way is searched for."""

    room: Room
    neighbours: tuple[Vertebra, ...]
    radius_mm: float
    aiming: AimingError

    @property
    def sd_mm(self) -> float:
        """Standard uncertainty of a wall [mm]."""
        return LABEL_SD * self.room.voxel_mm

    @property
    def medial_mm(self) -> float:
        """Clearance of the medial wall that is surely accepted: half its 95 % interval [mm]."""
        return Z95 * self.sd_mm + SLACK_MM

    @property
    def early_mm(self) -> float:
        """Depth at which the cannula must already be in bone all around [mm]: see `judging`."""
        return surely_inside_mm(2.0 * self.radius_mm, self.sd_mm)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ways:
    """Many ways of one room, and how safe they are.

    Attributes
    ----------
    passes, targets : (N, 3) where they cross the pedicle, and their tips [mm].
    depth : (N,) from the entry to the tip [mm].
    score : (N,) standard deviations of the aiming error to the nearest wall, less a little for
        each millimetre from the ideal target, and more for each that a wall lacks; -inf
        where a limit is broken.
    """

    passes: Array
    targets: Array
    depth: Array
    score: Array

    def only(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Ways":
        """Return some of them."""
        return Ways(
            passes=self.passes[which],
            targets=self.targets[which],
            depth=self.depth[which],
            score=self.score[which],
        )

    def and_also(self, more: "Ways") -> "Ways":
        """Return these and others."""
        return Ways(
            passes=np.vstack([self.passes, more.passes]),
            targets=np.vstack([self.targets, more.targets]),
            depth=np.concatenate([self.depth, more.depth]),
            score=np.concatenate([self.score, more.score]),
        )


def scored(task: Task, passes: Array, targets: Array, ideal: Array) -> Ways:
    """Score ways through some places to some tips by signed distances along their axes."""
    room, radius, aiming = task.room, task.radius_mm, task.aiming
    passes, targets, outward = _fair(passes, targets)
    t = np.arange(0.0, BACK_MM, COARSE_MM)
    points = targets[:, None, :] + t[:, None] * outward[:, None, :]
    bone = room.bone(points)
    inside = bone < 0
    length = _to_entry(bone, COARSE_MM)
    depth = length[:, None] - t
    judged = depth >= 2.0 * radius
    if room.corridor is not None:
        judged |= points[..., 1] <= room.behind_mm
        bone = np.minimum(bone, room.corridor.outside(points))
    canal = np.where(depth >= 0, room.canal(points), np.inf)
    within = room.true_depth(np.maximum(bone, -canal)) - radius
    safety = np.where(judged, within / aiming.spread_mm(np.maximum(depth, 0.0)), np.inf)
    nearest, safest = canal.min(axis=1), safety.min(axis=1)
    lacking = np.maximum(task.medial_mm + radius - nearest, 0.0)
    off = np.linalg.norm(targets - ideal, axis=1)
    slack = -UNDERRATED * room.voxel_mm / aiming.spread_mm(np.array(BACK_MM / 4.0))
    possible = (nearest > radius) & (safest > slack) & inside.any(axis=1) & ~inside[:, -1]
    if room.corridor is None:
        entry = targets[:, 1] + length * outward[:, 1]
        gap = ~inside & (depth > 0)
        possible &= ~gap.any(axis=1) & (entry >= room.foremost_entry_mm)
    score = safest - OFF_TARGET * off - LACK_WEIGHT * lacking
    return Ways(
        passes=passes,
        targets=targets,
        depth=length,
        score=np.where(possible, score, -np.inf),
    )


def _to_entry(bone: Array, step_mm: float) -> Array:
    """Return the length (N,) to the last bone from its distances (N, T), step by step [mm]."""
    last = bone.shape[1] - 1 - np.argmax(bone[:, ::-1] < 0, axis=1)
    rows, beyond = np.arange(len(bone)), np.minimum(last + 1, bone.shape[1] - 1)
    a, b = bone[rows, last], bone[rows, beyond]
    return np.asarray((last + np.where(b > a, -a / np.maximum(b - a, 1e-9), 0.0)) * step_mm)


def _fair(passes: Array, targets: Array) -> tuple[Array, Array, Array]:
    """Keep the ways that come from behind and converge no more than allowed; their directions."""
    outward = passes - targets
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    convergence = np.rad2deg(np.arctan2(outward[:, 0], outward[:, 1]))
    fair = (np.abs(convergence) <= LARGEST_CONVERGENCE_DEG) & (outward[:, 1] > 0)
    return passes[fair], targets[fair], outward[fair]


def by_rays(task: Task, ways: Ways, ideal: Array, count: int, spacing_mm: float) -> Array:
    """Score ways (N,) by rays from their axes to the walls: slower and exact."""
    room = task.room
    outward = ways.passes - ways.targets
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    t = np.arange(0.0, BACK_MM, FINE_MM)
    bone = room.bone(ways.targets[:, None, :] + t[:, None] * outward[:, None, :])
    length = _to_entry(bone, FINE_MM)
    middle = outward.mean(axis=0)
    first, second = across(-middle / np.linalg.norm(middle))
    depth = np.arange(2.0 * task.radius_mm, float(length.max()), spacing_mm)
    depth = np.append(depth, task.early_mm)
    back = np.maximum(length[:, None] - depth, 0.0)
    centres = ways.targets[:, None, :] + back[..., None] * outward[:, None, :]
    turn = np.arange(count) * (2.0 * np.pi / count)
    rays = np.cos(turn)[:, None] * first + np.sin(turn)[:, None] * second
    walls = wall_distances(room, centres, rays)
    canal = room.canal(centres)
    nearest = np.minimum(walls.min(axis=-1), canal) - task.radius_mm
    safety = (nearest / task.aiming.spread_mm(depth))[:, :-1].min(axis=1)
    off = np.linalg.norm(ways.targets - ideal, axis=1)
    medial = walls[..., np.cos(turn) <= -np.sqrt(0.5) + 1e-9].min(axis=-1)
    inner = np.minimum(medial, canal) - task.radius_mm
    lacking = _lacking(task, inner[:, :-1], centres[:, :-1, 1])
    lacking += np.maximum(SLACK_MM - nearest.min(axis=1), 0.0)
    if room.corridor is None:
        entry = ways.targets[:, 1] + length * outward[:, 1]
        lacking += np.maximum(room.foremost_entry_mm - entry, 0.0)
    return np.asarray(safety - OFF_TARGET * off - LACK_WEIGHT * lacking)


def wall_distances(room: Room, centres: Array, rays: Array) -> Array:
    """Distance (..., R) from centres (..., 3) along rays (R, 3) to the bone's surface [mm].

    No more than RAY_REACH_MM; where no surface is that near, no ray is cast.
    """
    walls = np.full((*centres.shape[:-1], len(rays)), RAY_REACH_MM)
    near = -room.out_of_bone(centres) < RAY_REACH_MM
    walls[near] = to_walls(room.out_of_bone, centres[near], rays, RAY_REACH_MM, RAY_STEP_MM)
    return walls


def _lacking(task: Task, medial: Array, behind: Array) -> Array:
    """Return what the medial wall of the pedicle lacks (N,) to what is surely accepted [mm].

    ``medial`` is its clearance in each section (N, D), ``behind`` how far behind that lies [mm].
    """
    beside = (behind >= task.room.back_wall_mm) & (behind <= task.room.behind_mm)
    least = np.where(beside, medial, np.inf).min(axis=1)
    return np.asarray(np.maximum(task.medial_mm - least, 0.0))
