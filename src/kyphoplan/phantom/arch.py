"""The vertebral arch and its canal as implicit functions in the body's frame (see `body`)."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.case import Level
from kyphoplan.geometry import Array
from kyphoplan.phantom.body import VertebraShape, superellipse

ARCH_CORTEX_MM = 1.1  # [mm]
UNION_MM = 2.0  # [mm] over which parts of the arch melt together
PROCESSES = {
    Level.T5: (26.0, 7.0, 1.40, 27.0, 15.0, 6.0),
    Level.T6: (26.0, 7.5, 1.60, 27.5, 15.0, 6.0),
    Level.T7: (27.0, 7.0, 1.45, 28.0, 15.0, 6.0),
    Level.T8: (28.0, 6.5, 1.20, 27.5, 14.5, 5.5),
    Level.T9: (30.0, 5.5, 0.90, 27.0, 14.0, 5.0),
    Level.T10: (28.0, 6.0, 0.75, 25.0, 13.0, 4.0),
    Level.T11: (25.0, 7.0, 0.50, 22.0, 10.0, 3.0),
    Level.T12: (25.0, 8.5, 0.30, 22.0, 7.0, 1.0),
    Level.T13: (27.0, 9.0, 0.28, 28.0, 6.0, 1.0),
    Level.L1: (29.0, 9.5, 0.25, 36.0, 6.0, 0.0),
    Level.L2: (31.0, 10.0, 0.25, 40.0, 7.0, 0.0),
    Level.L3: (31.0, 10.0, 0.22, 44.0, 7.0, 0.0),
    Level.L4: (28.0, 9.5, 0.22, 42.0, 6.0, 1.0),
    Level.L5: (24.0, 8.0, 0.25, 42.0, 5.0, 2.0),
    Level.L6: (24.0, 8.0, 0.25, 42.0, 5.0, 2.0),
}  # [mm] spinous: length, half-height, [1] slope down; transverse: tip beside, behind, above
# Slopes of T5-T8 are those of the spinous process in Kaur 2016 (steepest at T6, 58 deg).
CONVERGENCE_DEG = {Level.T5: 10.0, Level.T6: 9.0, Level.T7: 8.0, Level.T8: 7.0}  # [deg] falls
# from T1 to T12: Lien 2007
THORACIC_CONVERGENCE_DEG, LUMBAR_CONVERGENCE_DEG = 6.0, 10.0  # [deg] Zindrick 1987


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchPlan:
    """Where the parts of the arch lie; x is the distance from the midline; lengths in mm."""

    canal_y: float
    pedicle_y: float
    pedicle_z: float
    convergence_deg: float  # anteriorly to the midline
    decline_deg: float  # anteriorly to caudal
    lamina_z: tuple[float, float]  # caudal and cranial edge
    spinous: tuple[float, float, float]  # length, half-height, slope downwards
    transverse: tuple[float, float, float]  # tip from the midline, backwards, upwards
    superior_z: float
    inferior_z: float
    facet: tuple[float, float, float, float]  # x, y of the superior; x, y of the inferior process


def arch_plan(s: VertebraShape) -> ArchPlan:
    """Place the parts of the arch of one vertebra."""
    k, size, lumbar = s.scale, s.sizes, s.level.region == "lumbar"
    usual_deg = LUMBAR_CONVERGENCE_DEG if lumbar else THORACIC_CONVERGENCE_DEG
    half = size.posterior / 2
    canal_y = s.posterior + size.canal_depth / 2
    drop = s.collapse.posterior_loss * size.posterior if s.collapse.endplate == "superior" else 0.0
    pedicle_z = half - 0.575 * size.pedicle_height - 0.5 * k - 0.7 * drop
    half_canal = size.canal_width / 2
    length, tall, slope, tip, behind, up = PROCESSES[s.level]
    return ArchPlan(
        canal_y=canal_y,
        pedicle_y=canal_y - size.canal_depth / 5,
        pedicle_z=pedicle_z,
        convergence_deg=CONVERGENCE_DEG.get(s.level, usual_deg),
        decline_deg=3.0 if lumbar else 8.0,
        lamina_z=(-half - 0.1 * size.posterior, pedicle_z + 6.0 * k),
        spinous=(length * k, tall * k, slope),
        transverse=(tip * k, behind * k, up * k),
        superior_z=half + 8.5 * k,
        inferior_z=-half - size.disc - 6.0 * k,
        facet=(half_canal + 5.0 * k, canal_y + 6.0 * k, half_canal - 0.5 * k, canal_y + 11.5 * k),
    )


def lowest(s: VertebraShape) -> float:
    """Return the height z of the arch's lowest point: the tip of a steep spinous process [mm]."""
    p = arch_plan(s)
    length, half, slope = p.spinous
    return min(p.pedicle_z - 7.0 * s.scale - slope * length - half, p.inferior_z - 4.5 * s.scale)


def canal(s: VertebraShape, x: Array, y: Array) -> Array:
    """Return the distance to the wall of the oval canal [mm], negative in the lumen."""
    a, b = s.sizes.canal_width / 2, s.sizes.canal_depth / 2
    return superellipse(x, y - s.posterior - b, a, b)


def pedicle_axes(s: VertebraShape) -> tuple[Array, Array, Array]:
    """Return the left pedicle's unit directions: forward axis, width, height."""
    p = arch_plan(s)
    c, d = np.deg2rad(p.convergence_deg), np.deg2rad(p.decline_deg)
    forward = np.array([-np.sin(c) * np.cos(d), -np.cos(c) * np.cos(d), -np.sin(d)])
    width = np.array([np.cos(c), -np.sin(c), 0.0])
    return forward, width, np.cross(width, forward)


def pedicle_centre(s: VertebraShape, *, left: bool) -> Array:
    """Return the centre of the narrowest place, in the body's frame [mm]."""
    p = arch_plan(s)
    x = 0.485 * s.sizes.canal_width + pedicle_width(s, left=left) / 2
    return np.array([x if left else -x, p.pedicle_y, p.pedicle_z])


def pedicle_width(s: VertebraShape, *, left: bool) -> float:
    """Return the transverse diameter at the narrowest place [mm]."""
    return s.sizes.pedicle_width * (s.left_pedicle_scale if left else 1.0)


def pedicle(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the nearer pedicle [mm]: a tube, flared to both ends."""
    forward, wide, tall = pedicle_axes(s)
    left = x > 0
    centre = pedicle_centre(s, left=True)
    other = pedicle_centre(s, left=False)
    rx = np.abs(x) - np.where(left, centre[0], -other[0])
    ry, rz = y - centre[1], z - centre[2]
    along = rx * forward[0] + ry * forward[1] + rz * forward[2]
    widths = (pedicle_width(s, left=True) / 2, pedicle_width(s, left=False) / 2)
    bend = (along / (12.0 * s.scale)) ** 2
    a = np.where(left, *widths) * (1 + 0.30 * bend)
    b = s.sizes.pedicle_height / 2 * (1 + 0.12 * bend)
    p = (rx * wide[0] + ry * wide[1]) / a
    q = (rx * tall[0] + ry * tall[1] + rz * tall[2]) / b
    radius = np.sqrt(p**2 + q**2)
    slope = np.sqrt((p / a) ** 2 + (q / b) ** 2)
    tube = radius * (radius - 1) / np.maximum(slope, 1e-3)
    reach = centre[1] - 0.26 * s.sizes.depth
    return np.asarray(np.maximum(tube, np.maximum(along - reach, -8.0 * s.scale - along)))


def _capsule(
    p: tuple[Array, Array, Array], start: tuple[float, ...], end: tuple[float, ...], radii: Array
) -> Array:
    """Return the distance to a rod whose radius changes from start to end."""
    axis = np.subtract(end, start)
    rel = [c - o for c, o in zip(p, start, strict=True)]
    t = np.clip(sum(r * a for r, a in zip(rel, axis, strict=True)) / (axis @ axis), 0, 1)
    square = sum((r - t * a) ** 2 for r, a in zip(rel, axis, strict=True))
    return np.asarray(np.sqrt(square) - (radii[0] + t * (radii[1] - radii[0])))


def _melt(a: Array, b: Array) -> Array:
    """Return the smooth union of two solids."""
    h = np.maximum(UNION_MM - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - h * h / (4 * UNION_MM))


def _lamina(s: VertebraShape, p: ArchPlan, ring: Array, y: Array, z: Array) -> Array:
    """Return the distance to the closed ring behind the canal."""
    back = y - p.canal_y
    low, high = p.lamina_z
    fall = 0.30 * np.maximum(back, 0)  # the roof's upper edge descends backwards
    middle = (low + high - fall) / 2
    half = (high - low - fall) / 2
    q, r = ring - 5.5 * s.scale, np.abs(z - middle) - half
    shell = np.minimum(np.maximum(q, r), 0) + np.hypot(np.maximum(q, 0), np.maximum(r, 0))
    return np.asarray(np.maximum(shell, -back))


def _spinous(s: VertebraShape, p: ArchPlan, ax: Array, y: Array, z: Array) -> Array:
    """Return the distance to the spinous process, a plate that points back and down."""
    length, half, slope = p.spinous
    start = p.canal_y + s.sizes.canal_depth / 2 + 2.0 * s.scale
    run = y - start
    centre = p.pedicle_z - 7.0 * s.scale - slope * run
    thick = s.scale * (1.8 + 1.6 * np.clip(run / length, 0, 1) ** 2)
    tall = half * (0.75 + 0.25 * np.clip(run / length, 0, 1))
    q = (ax - thick, np.abs(run - length / 2) - length / 2 + 3, np.abs(z - centre) - tall + 3)
    outer = np.sqrt(sum(np.maximum(c, 0) ** 2 for c in q))
    inner = np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0)
    return np.asarray((outer + inner - 1.5 * s.scale) / np.hypot(1, slope / 2))


def _corner(s: VertebraShape, p: ArchPlan, ring: Array, ax: Array, y: Array, z: Array) -> Array:
    """Return the distance to the bone that fills the corner of body, pedicle and canal."""
    k = s.scale
    tall = np.abs(z - p.pedicle_z) - 0.42 * s.sizes.pedicle_height
    fill = np.maximum(ring - 7.0 * k, y - (p.pedicle_y - 2.5 * k))
    return np.asarray(np.maximum(np.maximum(fill, tall), 4.0 * k - ax))


def arch(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the arch: pedicles, laminae and processes [mm]."""
    p, k, ax = arch_plan(s), s.scale, np.abs(x)
    point = (ax, y, z)
    ring = canal(s, x, y)
    sx, sy, ix, iy = p.facet
    root = (sx + 1.0 * k, sy, p.pedicle_z - 2.0 * k)
    tip, behind, up = p.transverse
    lateral = (tip, root[1] + behind, root[2] + up)
    thick = np.array([5.0, 3.5]) * k
    solid = _lamina(s, p, ring, y, z)
    solid = _melt(solid, _spinous(s, p, ax, y, z))
    solid = _melt(solid, _capsule(point, root, lateral, thick))
    superior = _capsule(point, root, (sx + 0.5 * k, sy, p.superior_z), np.array([5.5, 4.5]) * k)
    solid = _melt(solid, superior)
    low = (ix, iy, p.inferior_z)
    inferior = _capsule(point, (sx - k, sy, p.pedicle_z - 8 * k), low, np.array([5.0, 4.5]) * k)
    solid = _melt(solid, inferior)
    solid = np.minimum(solid, _corner(s, p, ring, ax, y, z))
    solid = np.minimum(solid, pedicle(s, x, y, z))
    return np.asarray(np.maximum(solid, -ring))
