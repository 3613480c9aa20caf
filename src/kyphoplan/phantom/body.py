"""The vertebral body as implicit functions in its own frame: negative inside, about 1 per mm.

The frame of the unbroken body: x left, y posterior, z superior, origin between the rim planes,
where the depth of the mid-sagittal plane is halved.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from kyphoplan.case import Level
from kyphoplan.geometry import Array
from kyphoplan.phantom.shape import Collapse, Phantom
from kyphoplan.phantom.sizes import SIZES, Sizes

STATIONS = (0.15, 0.50, 0.85)  # [1] of the depth: where heights are measured
SUPERIOR_DISH = 0.055  # [1] of the mean height: 1.3 mm in L1
INFERIOR_DISH = 0.080  # [1] of the mean height: 2.0 mm in L1
POSTERIOR_CONCAVITY = 0.075  # [1] of the depth: the kidney's hilum, 1 mm deep in the end
WAIST = (0.10, 0.08, 0.018)  # [1] narrowing at mid-height: sides, front (half-sizes), back (depth)
RIM_RADIUS_MM = 2.0  # [mm] over which the rim is rounded
DEPRESSION_SIGMA_MM = 5.0  # [mm] focal dish of a fracture
RETROPULSION_SIGMA_MM = (8.0, 5.0)  # [mm] half-width of the bulge: sideways, craniocaudal
RETROPULSION_AT = 0.55  # [1] height of the bulge between centre (0) and broken endplate (1)
LIP_LENGTH_MM = 5.0  # [mm] along the wall, of the smallest osteophyte
ENDPLATE_CORTEX_MM, WALL_CORTEX_MM = 0.6, 1.0  # [mm] as CT shows them: Silva 1994, Spine 19:409


@dataclass(frozen=True, slots=True, kw_only=True)
class VertebraShape:
    """All that shapes one vertebra in its own frame; lengths in mm."""

    level: Level
    sizes: Sizes
    collapse: Collapse
    osteophyte_mm: float
    left_pedicle_scale: float
    scale: float

    @property
    def half_width(self) -> float:
        """Half the transverse size of the rim [mm]."""
        return self.sizes.width / 2

    @property
    def concavity(self) -> float:
        """Depth of the kidney's hilum [mm]."""
        return POSTERIOR_CONCAVITY * self.sizes.depth

    @property
    def anterior(self) -> float:
        """Where the anterior rim crosses the mid-sagittal plane, y [mm]."""
        return -self.sizes.depth / 2

    @property
    def posterior(self) -> float:
        """Where the posterior rim crosses the mid-sagittal plane, y [mm]."""
        return self.sizes.depth / 2

    @property
    def mean_height(self) -> float:
        """Mean of anterior and posterior rim height, unbroken [mm]."""
        return (self.sizes.anterior + self.sizes.posterior) / 2


@lru_cache(maxsize=256)
def vertebra_shape(phantom: Phantom, level: Level) -> VertebraShape:
    """Return the shape of one vertebra of a phantom."""
    raw = SIZES[level]
    names = [name for name in Sizes.__slots__ if not name.endswith("_deg")]
    scaled = {name: getattr(raw, name) * phantom.size for name in names}
    heights, canal = phantom.individual_of(level)
    for name in ("anterior", "posterior"):
        scaled[name] *= heights
    for name in ("canal_width", "canal_depth"):
        scaled[name] *= canal
    return VertebraShape(
        level=level,
        sizes=Sizes(**scaled, disc_lordosis_deg=raw.disc_lordosis_deg),
        collapse=phantom.collapse_of(level),
        osteophyte_mm=phantom.osteophyte_mm(level),
        left_pedicle_scale=phantom.left_pedicle_scale,
        scale=phantom.size,
    )


def loss_curve(losses: tuple[float, float, float], depth: ArrayLike) -> Array:
    """Return the part of the height that is lost along the depth (0 front, 1 back) [1].

    A monotone cubic through the three stations (Fritsch-Carlson slopes), straight beyond them.

    Examples
    --------
    >>> loss_curve((0.4, 0.2, 0.0), [0.15, 0.325, 0.85])
    array([0.4, 0.3, 0. ])
    """
    u = np.asarray(depth, dtype=float)
    knots, step = np.array(STATIONS), STATIONS[1] - STATIONS[0]
    front, back = losses[1] - losses[0], losses[2] - losses[1]
    same = front * back > 0
    middle = 2 * front * back / (front + back) if same else 0.0
    slopes = np.array([front if same else 0.0, middle, back if same else 0.0])
    i = (u > knots[1]).astype(int)
    t = np.clip((u - knots[i]) / step, 0.0, 1.0)
    y0, y1 = np.array(losses)[i], np.array(losses)[i + 1]
    d0, d1 = slopes[i], slopes[i + 1]
    inner = y0 + t * (d0 + t * (3 * (y1 - y0) - 2 * d0 - d1 + t * (d0 + d1 - 2 * (y1 - y0))))
    beyond = np.minimum(u - knots[0], 0) * slopes[0] + np.maximum(u - knots[2], 0) * slopes[2]
    return np.asarray(np.clip(inner + beyond / step, 0.0, max(losses)))


def endplates(s: VertebraShape, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the heights z of the superior and the inferior endplate over (x, y) [mm]."""
    u = np.clip((y - s.anterior) / s.sizes.depth, -0.2, 1.2)
    half = (s.sizes.anterior + (s.sizes.posterior - s.sizes.anterior) * u) / 2
    dish = np.maximum(1 - (x / s.half_width) ** 2 - ((y - 1.0) / (s.sizes.depth / 2)) ** 2, 0) ** 2
    top = half - SUPERIOR_DISH * s.mean_height * dish
    bottom = -half + INFERIOR_DISH * s.mean_height * dish
    c = s.collapse
    broken = loss_curve(c.losses, u) * (top - bottom)
    if c.depression_mm > 0:
        broken = broken + c.depression_mm * np.exp(-(x**2 + y**2) / (2 * DEPRESSION_SIGMA_MM**2))
    return (top - broken, bottom) if c.endplate == "superior" else (top, bottom + broken)


def outline(s: VertebraShape, x: Array, y: Array, t: Array) -> Array:
    """Return the distance to the side walls [mm]; ``t`` runs from -1 (inferior rim) to 1."""
    q = 1 - np.clip(t, -1, 1) ** 2
    hollow = s.concavity * np.exp(-((x / (0.45 * s.half_width)) ** 2))
    bulge = _bulge(s, x, t)
    centre = s.concavity / 2  # of the ellipse, so that the midline runs from -depth/2 to depth/2
    half_depth = (s.sizes.depth + s.concavity) / 2
    ramp = np.clip((y / half_depth + 0.7) / 1.3, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    yy = y - centre + ramp * (hollow + WAIST[2] * s.sizes.depth * q - bulge)
    b = half_depth * np.where(yy < 0, 1 - WAIST[1] * q, 1.0)
    a = s.half_width * (1 - WAIST[0] * q)
    return superellipse(x, yy, a, b)


def superellipse(x: Array, y: Array, a: Array | float, b: Array | float) -> Array:
    """Return the distance to ``|x/a|^2.5 + |y/b|^2.5 = 1``, exact near it."""
    xn, yn = np.abs(x) / a, np.abs(y) / b
    px, py = xn * np.sqrt(xn), yn * np.sqrt(yn)
    radius = (px * xn + py * yn) ** 0.4
    slope = np.sqrt((px / a) ** 2 + (py / b) ** 2) / np.maximum(radius, 1e-3) ** 1.5
    return np.asarray((radius - 1) / np.maximum(slope, 0.5 / np.maximum(a, b)))


def _bulge(s: VertebraShape, x: Array, t: Array) -> Array:
    """Return how far the posterior wall is pushed into the canal [mm]."""
    c = s.collapse
    if c.retropulsion_mm == 0:
        return np.zeros(())
    towards = t if c.endplate == "superior" else -t
    height = (towards - RETROPULSION_AT) * s.mean_height / 2
    side, up = RETROPULSION_SIGMA_MM
    return np.asarray(c.retropulsion_mm * np.exp(-((x / side) ** 2) - (height / up) ** 2))


def relative_height(z: Array, top: Array, bottom: Array) -> Array:
    """Return the height between the endplates: -1 at the inferior, 1 at the superior one."""
    return (2 * z - top - bottom) / np.maximum(top - bottom, 1.0)


def body(s: VertebraShape, x: Array, y: Array, z: Array) -> tuple[Array, Array]:
    """Return the distance to the body's surface [mm] and the thickness of the cortex there [mm].

    Osteophytes are not part of it.
    """
    top, bottom = endplates(s, x, y)
    side = outline(s, x, y, relative_height(z, top, bottom))
    cap = np.maximum(z - top, bottom - z)
    overlap = np.maximum(RIM_RADIUS_MM - np.abs(cap - side), 0)
    distance = np.maximum(cap, side) + overlap**2 / (4 * RIM_RADIUS_MM)
    cortex = np.where(cap > side, ENDPLATE_CORTEX_MM, WALL_CORTEX_MM)
    return distance, cortex


def osteophyte(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the anterior lips at both rims [mm]; inf if there are none.

    Where there is no lip, this solid stays inside the body: the waist is as narrow as ever.
    """
    if s.osteophyte_mm == 0:
        return np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), np.inf)
    size = s.osteophyte_mm
    top, bottom = endplates(s, x, y)
    wall = outline(s, x, y, relative_height(z, top, bottom))
    angle = np.arctan2(x, -(y - s.anterior * 0.2))
    window = np.exp(-((angle / 0.9) ** 4))  # the anterior hundred degrees
    length = LIP_LENGTH_MM + 0.4 * size
    beyond = np.minimum(z - bottom, top - z) + 0.45 * size * np.clip(wall / size, 0, 1)
    lip = size * window * np.exp(-(((beyond - 1.0) / length) ** 2) * 2) - 1.0
    return np.maximum(np.maximum(wall - lip, -beyond), -4.0 - wall) * 0.8


def cleft(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the gas-filled cleft [mm]; inf if there is none."""
    if s.collapse.cleft_ml == 0:
        return np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), np.inf)
    flat = (s.collapse.cleft_ml * 1000 * 3 / (4 * np.pi) / (2.2 * 1.2 * 0.45)) ** (1 / 3)
    radii = np.array([2.2, 1.2, 0.45]) * flat
    ahead = s.anterior * 0.40
    top, bottom = endplates(s, np.zeros(()), np.array(ahead))
    under = radii[2] + 2.5
    height = top - under if s.collapse.endplate == "superior" else bottom + under
    rel = (x / radii[0], (y - ahead) / radii[1], (z - height) / radii[2])
    return _ellipsoid(rel, radii)


def _ellipsoid(rel: tuple[Array, Array, Array], radii: Array) -> Array:
    radius = np.sqrt(rel[0] ** 2 + rel[1] ** 2 + rel[2] ** 2)
    slope = np.sqrt(sum((r / k) ** 2 for r, k in zip(rel, radii, strict=True)))
    return np.asarray(radius * (radius - 1) / np.maximum(slope, 1e-3))


def gap(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the slit through the anterior cortex [mm]; inf if there is none."""
    if s.collapse.gap_mm == 0:
        return np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), np.inf)
    top, bottom = endplates(s, x, y)
    third = (top - bottom) / 3
    middle = top - third if s.collapse.endplate == "superior" else bottom + third
    wall = outline(s, x, y, relative_height(z, top, bottom))
    sides = np.abs(x) - 0.55 * s.half_width
    slit = np.abs(z - middle) - s.collapse.gap_mm / 2
    return np.maximum(np.maximum(slit, sides), np.maximum(-2.0 - wall, y))
