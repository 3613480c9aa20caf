"""The tissues of a phantom and how they are painted: trunk, canal, discs, vertebrae."""

from functools import partial
from itertools import pairwise

import numpy as np
from scipy import ndimage

from kyphoplan.case import Level
from kyphoplan.geometry import Array
from kyphoplan.phantom.arch import ARCH_CORTEX_MM, UNION_MM, arch, canal, lowest
from kyphoplan.phantom.body import (
    WALL_CORTEX_MM,
    VertebraShape,
    body,
    cleft,
    endplates,
    gap,
    osteophyte,
    outline,
)
from kyphoplan.phantom.paint import Canvas, Sample
from kyphoplan.phantom.shape import Phantom
from kyphoplan.phantom.stack import Placed

AIR_HU, FAT_HU, SOFT_HU, DISC_HU, CANAL_HU = -1000.0, -100.0, 45.0, 80.0, 30.0  # [HU]
GAS_HU, BLOOD_HU, BEAD_HU = -900.0, 55.0, 2500.0  # [HU]
FACET_GAP_MM = 1.3  # [mm] cartilage between the processes of neighbours
CLEFT_WALL_MM = 1.0  # [mm] bone that is left around a cleft
SKIN_MM, FAT_MM = 16.0, 8.0  # [mm] skin behind the spinous tips; fat under the skin
TRUNK_MM = (160.0, 105.0)  # [mm] half-axes of the trunk
# [mm] lattice of the spongy bone's unevenness: 125 mm3 that rise and fall together. In the seven
# bodies of two real CTs in tests/validation (1.5 mm; 3 x 1 x 1 mm) its autocorrelation adds up to
# 125-290 mm3 within 8 mm
TEXTURE_MM = 5.0
TEXTURE_NODES = 24  # [1] along each edge: 120 mm
BEAD_MM, BEAD_BESIDE_MM = 2.5, 14.0  # [mm] radius of the left marker, distance from the body
VERSE = {level: value for value, level in enumerate(Level, start=1) if level < Level.T13} | {
    Level.T13: 28,
    **{level: level - Level.L1 + 20 for level in Level if Level.L1 <= level <= Level.L6},
}  # [1] VerSe labels: C1..T12 = 1..19, L1..L6 = 20..25, T13 = 28; doi:10.1016/j.media.2021.102166


def reach(item: Placed) -> Array:
    """Return the corners of a box around one vertebra, in the phantom [mm]."""
    s = item.shape
    k, half = s.scale, s.sizes.posterior / 2
    back = s.posterior + s.sizes.canal_depth + 36.0 * k
    front = s.anterior - 4.0 - 1.2 * s.osteophyte_mm
    low = min(-half - 30.0 * k - s.osteophyte_mm, lowest(s) - UNION_MM)
    high = half + 15.0 * k + s.osteophyte_mm
    sides = (-50.0 * k, 50.0 * k)
    corners = [(x, y, z) for x in sides for y in (front, back) for z in (low, high)]
    return item.frame.to_patient(corners)


def bone(item: Placed, points_mm: Array, above: Placed | None) -> tuple[Array, Array, Array]:
    """Return the distances to body, arch and osteophytes of a vertebra as it is in the spine.

    Its arch keeps a gap from the vertebra above and leaves the canal above free.
    """
    x, y, z = item.local(points_mm)
    own, rear, lips = (
        body(item.shape, x, y, z)[0],
        arch(item.shape, x, y, z),
        osteophyte(item.shape, x, y, z),
    )
    if above is not None:
        near = (rear < FACET_GAP_MM) & (z > -item.shape.sizes.posterior / 2)
        p = above.local(points_mm[near])
        upper = np.minimum(body(above.shape, *p)[0], arch(above.shape, *p))
        rear[near] = np.maximum(rear[near], FACET_GAP_MM - upper)
        rear[near] = np.maximum(rear[near], -_lumen(above.shape, *p))
    return own, rear, lips


def paint_vertebra(
    canvas: Canvas,
    phantom: Phantom,
    item: Placed,
    above: Placed | None,
    rng: np.random.Generator,
) -> None:
    """Paint and label one vertebra, then its cleft and its cortical gap."""

    def whole(points_mm: Array) -> Array:
        return np.minimum.reduce(bone(item, points_mm, above))

    def uncut(points_mm: Array) -> Array:
        return np.minimum.reduce(bone(item, points_mm, None))

    def gas(points_mm: Array) -> Array:
        p = item.local(points_mm)
        return np.maximum(cleft(item.shape, *p), body(item.shape, *p)[0] + CLEFT_WALL_MM)

    def slit(points_mm: Array) -> Array:
        p = item.local(points_mm)
        return np.maximum(gap(item.shape, *p), body(item.shape, *p)[0])

    sample = canvas.sample(reach(item), whole, uncut)
    solid, core = sample.fraction(), sample.fraction(_cortex(item, sample, above))
    hu = canvas.hu[sample.voxels] * (1 - solid) + phantom.cortical_hu * (solid - core)
    spongy: Array | float = trabecular_hu(phantom, item.level)
    if phantom.texture_hu > 0:
        spongy = spongy + phantom.texture_hu * _texture(item.local(sample.points_mm), rng)
    canvas.hu[sample.voxels] = hu + spongy * core
    canvas.mark(sample, VERSE[item.level])
    if item.shape.collapse.gap_mm > 0:
        canvas.fill(reach(item), slit, BLOOD_HU)
    if item.shape.collapse.cleft_ml > 0:
        canvas.fill(reach(item), gas, GAS_HU)


def _texture(places: tuple[Array, Array, Array], rng: np.random.Generator) -> Array:
    """Return a random field (N,) of unit variance at places in a vertebra's own frame.

    White noise on a lattice, linear in between: that keeps (2/3)^3 of its variance.
    """
    lattice = rng.standard_normal((TEXTURE_NODES,) * 3, dtype=np.float32)
    index = np.stack(places) / TEXTURE_MM + TEXTURE_NODES / 2
    field = ndimage.map_coordinates(lattice, index, order=1, mode="grid-wrap")
    return np.asarray(field / (2.0 / 3.0) ** 1.5)


def _cortex(item: Placed, sample: Sample, above: Placed | None) -> Array:
    """Return the thickness of the cortex at the nearest surface [mm]."""
    thickness = np.full(sample.distance.shape, ARCH_CORTEX_MM)
    shell = np.abs(sample.distance) < 2 * ARCH_CORTEX_MM + sample.width
    points = sample.points_mm[shell]
    own, rear, lips = bone(item, points, above)
    walls = body(item.shape, *item.local(points))[1]
    near = np.where(own <= rear, walls, ARCH_CORTEX_MM)
    thickness[shell] = np.where(lips < own, WALL_CORTEX_MM, near)
    return thickness


def trabecular_hu(phantom: Phantom, level: Level) -> float:
    """Return the spongy bone's density of a level [HU]."""
    return phantom.trabecular_hu + phantom.trabecular_step_hu * phantom.levels.index(level)


def paint_soft_tissue(canvas: Canvas, placed: tuple[Placed, ...]) -> None:
    """Paint trunk, canal and discs."""
    back = max(float(reach(item)[:, 1].max()) for item in placed) + SKIN_MM - 8.0
    canvas.wash(lambda x, y: _trunk(x, y, back, 0.0), FAT_HU)
    canvas.wash(lambda x, y: _trunk(x, y, back, FAT_MM), SOFT_HU)
    for item in placed:
        canvas.fill(reach(item), partial(_canal_of, item), CANAL_HU)
    for upper, lower in pairwise(placed):
        canvas.fill(reach(lower), partial(disc, upper, lower), DISC_HU)


def _trunk(x: Array, y: Array, back: float, inset: float) -> Array:
    a, b = TRUNK_MM[0] - inset, TRUNK_MM[1] - inset
    xn, yn = x / a, (y - back + TRUNK_MM[1]) / b
    radius = np.sqrt(xn**2 + yn**2)
    slope = np.sqrt((xn / a) ** 2 + (yn / b) ** 2)
    return np.asarray(radius * (radius - 1) / np.maximum(slope, 1e-3))


def _lumen(s: VertebraShape, x: Array, y: Array, z: Array) -> Array:
    """Return the distance to the canal's lumen from half-disc above to half-disc below [mm]."""
    return np.maximum(canal(s, x, y), np.abs(z) - (s.sizes.posterior + s.sizes.disc) / 2 - 2.0)


def _canal_of(item: Placed, points_mm: Array) -> Array:
    return _lumen(item.shape, *item.local(points_mm))


def disc(upper: Placed, lower: Placed, points_mm: Array) -> Array:
    """Return the distance to the disc between two vertebrae [mm]; it reaches 1 mm into both."""
    xu, yu, zu = upper.local(points_mm)
    xl, yl, zl = lower.local(points_mm)
    floor = endplates(lower.shape, xl, yl)[0] - 1.0 - zl
    roof = zu - endplates(upper.shape, xu, yu)[1] - 1.0
    side = outline(upper.shape, xu, yu, -np.ones(())) + outline(lower.shape, xl, yl, np.ones(()))
    return np.maximum(np.maximum(floor, roof), side / 2)


def paint_bead(canvas: Canvas, item: Placed) -> None:
    """Paint a dense bead in the soft tissue on the patient's left of one vertebra."""
    s = item.shape
    centre = np.array([s.half_width + BEAD_BESIDE_MM, 0.0, 0.0])

    def ball(points_mm: Array) -> Array:
        return np.asarray(
            np.linalg.norm(item.frame.to_local(points_mm) - centre, axis=-1) - BEAD_MM
        )

    canvas.fill(reach(item), ball, BEAD_HU)
