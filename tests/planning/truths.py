"""Random phantoms, and a judge of cannulas that knows only their exact shape: brute force."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, LevelPlan, Side, Spine, Trajectory
from kyphoplan.geometry import Array, rotation
from kyphoplan.morphometry import measure
from kyphoplan.phantom import Collapse, Phantom, Scan, scan
from kyphoplan.phantom.arch import canal, pedicle_width
from kyphoplan.phantom.body import body
from kyphoplan.phantom.stack import Placed, stack
from kyphoplan.phantom.tissue import bone
from kyphoplan.planning import plan

ORDER = (
    Level.T5,
    Level.T6,
    Level.T7,
    Level.T8,
    Level.T9,
    Level.T10,
    Level.T11,
    Level.T12,
    Level.L1,
    Level.L2,
    Level.L3,
    Level.L4,
    Level.L5,
)
TURN = np.arange(24) * (2.0 * np.pi / 24)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A phantom drawn at random, as it is scanned, and the level to plan."""

    phantom: Phantom
    level: Level
    spacing_mm: tuple[float, float, float]
    tilt_deg: tuple[float, float, float]

    @property
    def image(self) -> Scan:
        """Scan it."""
        return scan(self.phantom, spacing_mm=self.spacing_mm, tilt_deg=self.tilt_deg, noise_hu=0.0)


def drawn(seed: int) -> Drawn:
    """Draw anatomy, fracture, pose and voxel size; the same for the same seed."""
    rng = np.random.default_rng([seed, 77])
    top = int(rng.integers(0, len(ORDER) - 1))
    levels = ORDER[top : top + 2]
    level = levels[int(rng.integers(2))]
    front = float(rng.choice([0.0, rng.uniform(0.1, 0.6)]))
    back = front * float(rng.uniform(0.0, 0.4))
    collapse = Collapse(
        level=level,
        anterior_loss=front,
        middle_loss=float(rng.uniform(back, max(front, back))),
        posterior_loss=back,
        endplate=str(rng.choice(["superior", "inferior"])),  # type: ignore[arg-type]
        retropulsion_mm=float(rng.uniform(0.0, 6.0)) if front > 0.2 else 0.0,
    )
    plane = float(rng.uniform(1.0, 1.5))
    tilt = rng.uniform(-12.0, 12.0, 3)
    return Drawn(
        phantom=Phantom(
            levels=levels,
            collapses=(collapse,) if front else (),
            size=float(rng.uniform(0.85, 1.15)),
            kyphosis_deg=float(rng.uniform(-3.0, 8.0)),
            scoliosis_deg=float(rng.uniform(-6.0, 6.0)),
            axial_rotation_deg=float(rng.uniform(-4.0, 4.0)),
            left_pedicle_scale=float(rng.uniform(0.55, 1.0)),
        ),
        level=level,
        spacing_mm=(plane, plane, float(rng.uniform(1.0, 1.5))),
        tilt_deg=(float(tilt[0]), float(tilt[1]), float(tilt[2])),
    )


@dataclass(frozen=True, kw_only=True)
class Exact:
    """The exact shape of one vertebra of a scan, asked at patient positions [mm, LPS]."""

    item: Placed
    above: Placed | None
    others: tuple[tuple[Placed, Placed | None], ...]
    pose: Array

    @classmethod
    def of(cls, case: Drawn) -> "Exact":
        """Find the planned level."""
        placed = stack(case.phantom)
        k = case.phantom.levels.index(case.level)
        x, y, z = case.tilt_deg
        pose = rotation([0, 0, 1], z) @ rotation([0, 1, 0], y) @ rotation([1, 0, 0], x)
        pairs = list(zip(placed, (None, *placed), strict=False))  # each with the one above it
        return cls(
            item=placed[k],
            above=placed[k - 1] if k else None,
            others=tuple(pairs[max(k - 1, 0) : k] + pairs[k + 1 : k + 2]),
            pose=pose,
        )

    def local(self, points_mm: Array) -> Array:
        """Place points in the vertebra's own frame."""
        return self.item.frame.to_local(points_mm @ self.pose)

    def bone(self, points_mm: Array) -> Array:
        """Distance to the bone's surface, negative inside."""
        return np.minimum.reduce(bone(self.item, points_mm @ self.pose, self.above))

    def canal(self, points_mm: Array) -> Array:
        """Distance to the canal's wall, negative in the lumen."""
        own = self.local(points_mm)
        return canal(self.item.shape, own[..., 0], own[..., 1])

    def body(self, points_mm: Array) -> Array:
        """Distance to the body's surface, negative inside."""
        own = self.local(points_mm)
        return body(self.item.shape, own[..., 0], own[..., 1], own[..., 2])[0]

    def pedicle_width_mm(self, side: Side) -> float:
        """True width at the isthmus."""
        return pedicle_width(self.item.shape, left=side is Side.LEFT)


def skin(way: Trajectory, entry: Array, target: Array) -> tuple[Array, Array, Array]:
    """Points (S, R, 3) on a cannula's surface, their axis points (S, 3) and depths (S,)."""
    length = float(np.linalg.norm(target - entry))
    direction = (target - entry) / length
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    depth = np.arange(0.0, length + 0.25, 0.5)
    axis = entry + depth[:, None] * direction
    ring = np.cos(TURN)[:, None] * first + np.sin(TURN)[:, None] * second
    return axis[:, None, :] + 0.5 * way.outer_diameter_mm * ring, axis, depth


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What brute force finds: millimetres into the canal, and out of the bone by place."""

    into_canal_mm: float
    medial_mm: float
    pedicle_mm: float
    anywhere_mm: float


def brute_force(way: Trajectory, exact: Exact) -> Verdict:
    """Judge a cannula by the exact shape at every half millimetre of its surface."""
    points, axis, depth = skin(way, way.entry_mm, way.target_mm)
    into = -float(exact.canal(points).min())
    out = exact.bone(points)
    inside = depth >= way.outer_diameter_mm
    shape = exact.item.shape
    back = exact.local(axis)[:, 1]
    beside = inside & (back > shape.posterior) & (back < shape.posterior + shape.sizes.canal_depth)
    own, centre = exact.local(points)[..., 0], exact.local(axis)[:, None, 0]
    medial = np.abs(own) < np.abs(centre) - 0.7 * 0.5 * way.outer_diameter_mm
    return Verdict(
        into_canal_mm=into,
        medial_mm=float(np.where(medial & beside[:, None], out, -9.0).max()),
        pedicle_mm=float(out[beside].max()) if beside.any() else 9.0,
        anywhere_mm=float(out[inside].max()),
    )


@cache
def located(seed: int) -> Spine:
    """Locate a drawn phantom from the label map alone, once."""
    return locate(drawn(seed).image.labels)


@cache
def planned(seed: int) -> LevelPlan:
    """Measure and plan a drawn phantom, once."""
    spine = located(seed)
    return plan(spine, measure(spine), levels=(drawn(seed).level,)).levels[0]
