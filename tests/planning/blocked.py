"""Whether any straight way at all is safe in the exact shape: brute force, blind to the plan."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import Side
from kyphoplan.geometry import Array
from kyphoplan.phantom.arch import pedicle_axes, pedicle_centre
from kyphoplan.phantom.tissue import bone
from kyphoplan.planning.limits import (
    ANTERIOR_MARGIN_MM,
    ENDPLATE_MARGIN_MM,
    LARGEST_CONVERGENCE_DEG,
    REACH_OUT_MM,
)
from kyphoplan.planning.room import ENTRY_BEHIND_MM

from .truths import Exact

RING = np.arange(16) * (2.0 * np.pi / 16)
BACK_MM, FRONT_MM, STEP_MM = 45.0, 60.0, 1.0  # [mm] from the isthmus along a way
ROUNDS = ((400, 1.0), (400, 0.5), (400, 0.25), (400, 0.12))  # [1] tries around the best, spread


@dataclass(frozen=True, kw_only=True)
class Search:
    """All ways through one pedicle of an exact shape; own frame, x lateral to the side."""

    exact: Exact
    side: Side
    radius_mm: float

    @property
    def sign(self) -> float:
        return 1.0 if self.side is Side.LEFT else -1.0

    def world(self, own: Array) -> Array:
        """Own points as patient positions."""
        return self.exact.item.frame.to_patient(own * [self.sign, 1.0, 1.0]) @ self.exact.pose.T

    def bone(self, own: Array) -> Array:
        return self.exact.bone(self.world(own))

    def others(self, own: Array) -> Array:
        """Distance to the bone of the next vertebrae."""
        points = self.world(own) @ self.exact.pose
        found = np.full(points.shape[:-1], np.inf)
        for item, above in self.exact.others:
            found = np.minimum(found, np.minimum.reduce(bone(item, points, above)))
        return found


def lines(s: Search, ways: Array) -> tuple[Array, Array]:
    """Points of crossing (N, 3) and directions to the tip (N, 3) of ways (N, 4)."""
    shape = s.exact.item.shape
    _, wide, tall = pedicle_axes(shape)
    centre = pedicle_centre(shape, left=s.side is Side.LEFT) * [s.sign, 1.0, 1.0]
    through = centre + ways[:, :1] * wide + ways[:, 1:2] * tall
    axial, sagittal = np.deg2rad(ways[:, 2]), np.deg2rad(ways[:, 3])
    forward = np.stack([-np.tan(axial), -np.ones(len(ways)), np.tan(sagittal)], axis=1)
    return through, forward / np.linalg.norm(forward, axis=1, keepdims=True)


def rings(points: Array, forward: Array, radius: float) -> Array:
    """Points (N, S, R, 3) on the cannula's surface around axis points (N, S, 3)."""
    first = np.cross(forward, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(forward, first)
    around = np.cos(RING)[:, None] * first[:, None] + np.sin(RING)[:, None] * second[:, None]
    return points[:, :, None, :] + radius * around[:, None]


def slack(s: Search, ways: Array) -> Array:
    """Millimetres (N,) by which each way keeps the limits; negative where it breaks one."""
    shape, r = s.exact.item.shape, s.radius_mm
    through, forward = lines(s, ways)
    t = np.arange(-BACK_MM, FRONT_MM, STEP_MM)
    axis = through[:, None] + t[:, None] * forward[:, None]
    in_bone = s.bone(axis) < 0
    middle = int(np.searchsorted(t, 0.0))
    behind = np.argmax(~in_bone[:, middle::-1], axis=1)  # steps back to the first gap
    entry = t[middle] - (behind - 1) * STEP_MM
    later = (in_bone & (t < (entry - STEP_MM)[:, None])).any(axis=1)
    depth = t - entry[:, None]
    y = axis[..., 1]
    beside = (y > shape.posterior) & (depth >= 2 * r)
    out = s.bone(rings(axis, forward, r)).max(axis=-1)
    canal = s.exact.canal(s.world(axis)) - r
    inside = np.where(beside, -out, np.inf).min(axis=1)
    inside = np.minimum(inside, np.where(depth >= 0, canal, np.inf).min(axis=1))
    inside = np.minimum(inside, _tip(s, axis, forward, out, depth))
    start = through + entry[:, None] * forward
    back = np.arange(-2 * r, REACH_OUT_MM, STEP_MM)
    free = s.others(start[:, None] - back[:, None] * forward[:, None]).min(axis=1) - r
    fair = (np.abs(ways[:, 2]) <= LARGEST_CONVERGENCE_DEG) & ~later & in_bone[:, middle]
    fair &= start[:, 1] >= through[:, 1] + ENTRY_BEHIND_MM
    return np.where(fair, np.minimum(inside, free), -9.0)


def _tip(s: Search, axis: Array, forward: Array, out: Array, depth: Array) -> Array:
    """Slack (N,) at the best tip in the anterior half, with all that leads to it in bone."""
    shape, r = s.exact.item.shape, s.radius_mm
    part = (axis[..., 1] - shape.anterior) / shape.sizes.depth
    may = (part < 0.5) & (part > 0.0)
    body = s.exact.body(s.world(axis))
    plates = -body - r - ENDPLATE_MARGIN_MM
    ahead = axis + (r + ANTERIOR_MARGIN_MM) * forward[:, None]
    front = np.maximum(-s.exact.body(s.world(ahead)), -9.0)
    led = np.minimum.accumulate(np.where(depth >= 2 * r, -out, np.inf), axis=1)
    score = np.minimum(np.minimum(plates, front), led)
    return np.where(may, score, -9.0).max(axis=1)


def safest(s: Search, width_mm: float, height_mm: float) -> tuple[float, Array]:
    """Largest slack of all ways [mm], and the way that has it: offsets [mm], angles [deg]."""
    free = 0.5 * width_mm - s.radius_mm
    grid = [
        np.linspace(-free, free, 7),
        np.linspace(-0.5, 0.5, 7) * (height_mm - 2 * s.radius_mm),
        np.arange(-5.0, 35.1, 4.0),
        np.arange(-28.0, 28.1, 7.0),
    ]
    ways = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 4)
    found = np.concatenate([slack(s, part) for part in np.array_split(ways, len(ways) // 200)])
    order = np.argsort(-found)[:12]
    best, score = ways[order], found[order]
    rng = np.random.default_rng(0)
    for count, spread in ROUNDS:
        moves = rng.normal(size=(len(best), count // len(best), 4)) * [0.4, 1.0, 4.0, 6.0] * spread
        tries = np.vstack([best, (best[:, None] + moves).reshape(-1, 4)])
        values = np.concatenate([score, slack(s, tries[len(best) :])])
        order = np.argsort(-values)[:12]
        best, score = tries[order], values[order]
    return float(score[0]), best[0]
