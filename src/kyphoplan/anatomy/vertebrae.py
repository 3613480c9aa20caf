"""Label map (and CT) to spine: every vertebra found from its own shape and its neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kyphoplan.anatomy.canal import canal_curve, find_canal, ring_centre
from kyphoplan.anatomy.edges import Relief
from kyphoplan.anatomy.endplates import (
    LABEL_SD,
    Columns,
    build_endplate,
    columns,
    refine,
    without_spurs,
)
from kyphoplan.anatomy.frame import Fit, place, settle
from kyphoplan.anatomy.grid import Grid, grid_step, signed_distance
from kyphoplan.anatomy.orientation import CONE_DEG, Rough, cone, hemisphere, see_through
from kyphoplan.anatomy.pedicles import find_pedicle
from kyphoplan.case import (
    Body,
    Canal,
    Confidence,
    LabelMap,
    Level,
    Measure,
    Part,
    Side,
    Spine,
    Vertebra,
    Volume,
    follows,
)
from kyphoplan.geometry import Array, unit

DIRECTIONS = 250  # [1] trial directions over the half sphere, 9 degrees apart
POINTS = 6000  # [1] bone points that make the shadow
MARGIN = 3  # [voxel] background kept around a vertebra
SMALLEST_VOXELS = 200  # [voxel] fewer is a crumb of a vertebra
SLAB_MM = 6.0  # [mm] a label thinner than this along any axis shows no vertebra
SPUR_MM = 1.5  # [mm] bone beyond the endplate's surface by more is osteophyte
CANAL_REACH_MM = 30.0  # [mm] the axis is carried on so far beyond the outermost centres
CUT_SHARE = 0.01  # [1] of the body's surface on the border of the image that makes it cropped


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """One vertebra cut out of the label map.

    Attributes
    ----------
    points_mm : (N, 3) voxel centres [mm, LPS].
    field : signed distance to the label's surface [mm].
    border_mm : (M, 3) voxel centres that lie on the image's border [mm, LPS].
    """

    level: Level
    points_mm: Array
    field: Volume
    border_mm: Array


def locate(labels: LabelMap, ct: Volume | None = None) -> Spine:
    """Find the anatomy of every labelled vertebra.

    Parameters
    ----------
    labels : the vertebra label map, any orientation.
    ct : the CT [HU] in any grid of the same patient frame; sharpens the endplates if given.

    Returns
    -------
    The spine from head to tail. What could not be found is None with its reason; a vertebra cut
    by the field of view is marked ``cropped``.

    Examples
    --------
    >>> from kyphoplan.case import Level
    >>> from kyphoplan.phantom import Phantom, scan
    >>> image = scan(Phantom(levels=(Level.L1, Level.L2)), spacing_mm=(2.0, 2.0, 2.0))
    >>> [str(level) for level in locate(image.labels).levels]
    ['L1', 'L2']
    """
    volume = _stored_by_anatomy(labels)
    bones = {
        level: _cut_out(volume, value, level)
        for value, level in labels.levels.items()
        if level is not Level.S1  # no body between two discs, no height points
    }
    bones = {level: bone for level, bone in bones.items() if bone is not None}
    heads = _heads(bones)
    basis = _orthogonal(volume)
    roughs = {level: _rough(bone, heads.get(level), basis) for level, bone in bones.items()}
    roughs = _borrowed(roughs, bones)
    found = {
        level: settled
        for level, bone in bones.items()
        if (settled := _settled(bone, roughs[level], heads.get(level))) is not None
    }
    lines = _canal_lines(found)
    vertebrae = [
        _vertebra(bone, found[level], lines[level], ct) if level in found else _absent(bone)
        for level, bone in bones.items()
    ]
    return Spine(
        vertebrae=tuple(sorted(vertebrae, key=lambda v: v.level)),
        scheme=labels.scheme,
        basis=labels.basis,
        spacing_mm=np.sort(volume.spacing_mm),
    )


def _stored_by_anatomy(labels: LabelMap) -> Volume:
    """Return the map stored along the patient's own axes, however it came.

    The largest vertebra shows where its canal runs; from then on every result is the same for
    all 48 storage orders and every pose of the patient.
    """
    volume = labels.volume
    basis = _orthogonal(volume)
    counts = {v: int((volume.voxels == v).sum()) for v in labels.levels}
    for value in sorted(counts, key=lambda v: (-counts[v], v)):
        bone = _cut_out(volume, value, labels.levels[value])
        rough = None if bone is None else see_through(_thinned(bone), hemisphere(400) @ basis)
        if bone is None or rough is None:
            continue
        head = _line_of_centres(volume, labels)
        found = settle(bone.field, rough, head)
        if found is not None:
            return volume.reordered(found[0].axes)
    return volume


def _line_of_centres(volume: Volume, labels: LabelMap) -> Array | None:
    """Direction from the lowest to the highest labelled vertebra; None if there is only one."""
    centres = [
        volume.to_patient(np.argwhere(volume.voxels == value).mean(axis=0))
        for value in labels.levels
        if (volume.voxels == value).any()
    ]
    return unit(centres[0] - centres[-1]) if len(centres) > 1 else None


def _orthogonal(volume: Volume) -> Array:
    """Rows: the voxel axes made orthogonal (nearest rotation or reflection)."""
    u, _, vt = np.linalg.svd(volume.affine[:3, :3] / volume.spacing_mm)
    return np.asarray((u @ vt).T)


def _cut_out(volume: Volume, value: int, level: Level) -> Bone | None:
    """Cut one label out with a margin; None if hardly any voxel carries it."""
    index = np.argwhere(volume.voxels == value)
    if len(index) < SMALLEST_VOXELS:
        extent = np.ptp(index, axis=0) * volume.spacing_mm if len(index) else np.zeros(3)
        if len(index) == 0 or extent.min() < SLAB_MM:
            return None
    low, high = index.min(axis=0), index.max(axis=0)
    block = volume.cropped(low - MARGIN, high + MARGIN + 1)
    mask = Volume(np.asarray(block.voxels == value), block.affine)
    on_border = ((index == 0) | (index == np.array(volume.shape) - 1)).any(axis=1)
    return Bone(
        level=level,
        points_mm=volume.to_patient(index),
        field=signed_distance(mask),
        border_mm=volume.to_patient(index[on_border]),
    )


def _thinned(bone: Bone) -> Array:
    """Every n-th bone point, enough for a shadow."""
    return bone.points_mm[:: max(1, len(bone.points_mm) // POINTS)]


def _heads(bones: Mapping[Level, Bone]) -> dict[Level, Array]:
    """Direction to the head at each level from its neighbours' centres; empty for one level."""
    levels = sorted(bones)
    centres = [bones[level].points_mm.mean(axis=0) for level in levels]
    heads = {}
    for row, level in enumerate(levels):
        upper, lower = max(row - 1, 0), min(row + 1, len(levels) - 1)
        if upper != lower:
            heads[level] = unit(centres[upper] - centres[lower])
    return heads


def _rough(bone: Bone, head: Array | None, basis: Array) -> Rough | None:
    """Look along the canal: near the neighbours' line if there is one, else everywhere."""
    points = _thinned(bone)
    if head is not None:
        return see_through(points, cone(head, CONE_DEG, basis))
    first = see_through(points, hemisphere(DIRECTIONS) @ basis)
    return None if first is None else see_through(points, cone(first.along, 14.0, basis))


def _borrowed(
    roughs: Mapping[Level, Rough | None], bones: Mapping[Level, Bone]
) -> dict[Level, Rough | None]:
    """Fill a canal that could not be seen from the vertebrae above and below it."""
    levels = sorted(roughs)
    filled = dict(roughs)
    for row, level in enumerate(levels):
        if roughs[level] is not None or not 0 < row < len(levels) - 1:
            continue
        upper, lower = roughs[levels[row - 1]], roughs[levels[row + 1]]
        if upper is None or lower is None:
            continue
        centre = bones[level].points_mm.mean(axis=0)
        along = unit(upper.canal_mm - lower.canal_mm)
        canal = upper.canal_mm + ((centre - upper.canal_mm) @ along) * along
        offset = canal - centre
        filled[level] = Rough(
            canal_mm=canal,
            along=along,
            posterior=unit(offset - (offset @ along) * along),
            hole_mm2=0.0,
        )
    return filled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """A vertebra with its frame found.

    Attributes
    ----------
    fit : the mask on the grid of its frame.
    rough : the canal as first seen.
    centre_mm : (3,) centre of the canal where the arch closes around it [mm, LPS].
    """

    fit: Fit
    rough: Rough
    centre_mm: Array


def _settled(bone: Bone, rough: Rough | None, head: Array | None) -> Settled | None:
    """Find the frame and the canal's centre; None if there is no canal or no body."""
    if rough is None:
        return None
    found = settle(bone.field, rough, head)
    if found is None:
        return None
    frame, shift = found
    fit = place(bone.field, frame, rough, grid_step(bone.field.spacing_mm), shift)
    if fit is None:
        return None
    centre = ring_centre(bone.field, frame, rough, (fit.found.bottom, fit.found.top))
    return Settled(fit=fit, rough=rough, centre_mm=centre)


def _canal_lines(found: Mapping[Level, Settled]) -> dict[Level, tuple[Array, Array]]:
    """Points (N, 3) [mm] and cranial directions of the canal's axis around each level.

    One smooth curve through the canal's centres of adjacent levels; a straight line where a
    vertebra stands alone.
    """
    lines = {}
    for run in _runs(sorted(found)):
        centres = np.array([found[level].centre_mm for level in run])
        ends = tuple(_cranial(found[level]) for level in (run[0], run[-1]))
        if len(run) == 1:
            t = np.arange(-CANAL_REACH_MM, CANAL_REACH_MM + 1.0)[::-1]
            points, along = centres + t[:, None] * ends[0], np.tile(ends[0], (t.size, 1))
        else:
            curve = canal_curve(centres, (ends[0], ends[1]))
            t = np.arange(-CANAL_REACH_MM, curve.x[-1] + CANAL_REACH_MM)
            inside = np.clip(t, 0.0, curve.x[-1])
            along = -curve(inside, 1)
            along /= np.linalg.norm(along, axis=1, keepdims=True)
            points = curve(inside) - (t - inside)[:, None] * along
        lines |= dict.fromkeys(run, (points, along))
    return lines


def _runs(levels: list[Level]) -> list[list[Level]]:
    """Split levels into runs without a gap."""
    runs: list[list[Level]] = []
    for level in levels:
        if runs and follows(runs[-1][-1], level):
            runs[-1].append(level)
        else:
            runs.append([level])
    return runs


def _cranial(settled: Settled) -> Array:
    """Direction of the canal towards the head, as first seen."""
    along = settled.rough.along
    return along * np.sign(along @ settled.fit.grid.frame.superior)


def _absent(bone: Bone) -> Vertebra:
    """Make the noun of a labelled vertebra in which no body with a canal was found."""
    cut = len(bone.border_mm) > 0
    return Vertebra(
        level=bone.level,
        frame=None,
        parts=None,
        body=None,
        canal=None,
        left_pedicle=None,
        right_pedicle=None,
        cropped=cut,
        reason="cropped: cut by the field of view"
        if cut
        else "no canal: the label shows no body with a closed arch behind it",
    )


def _vertebra(
    bone: Bone, settled: Settled, line: tuple[Array, Array], ct: Volume | None
) -> Vertebra:
    """Find the anatomy of one vertebra."""
    fit, frame = settled.fit, settled.fit.grid.frame
    cropped = _is_cropped(bone, fit)
    body = None if cropped else _body(fit, bone, ct)
    wall = fit.grid.superior[~np.isnan(fit.found.posterior_wall)]
    canal = find_canal(bone.field, frame, line, (float(wall.min()), float(wall.max())))
    pedicles = {side: None if cropped else find_pedicle(fit, bone.field, side) for side in Side}
    return Vertebra(
        level=bone.level,
        frame=frame,
        parts=_parts(fit, body),
        body=body,
        canal=None if cropped else canal,
        left_pedicle=pedicles[Side.LEFT],
        right_pedicle=pedicles[Side.RIGHT],
        cropped=cropped,
        reason=_reason(cropped, body, canal),
    )


def _reason(cropped: bool, body: Body | None, canal: Canal | None) -> str:
    """Say what is missing and why; empty if nothing is."""
    if cropped:
        return "cropped: cut by the field of view"
    if body is None:
        return "no endplates: the body's surface could not be followed"
    return "" if canal is not None else "open canal: the label shows no closed arch"


def _is_cropped(bone: Bone, fit: Fit) -> bool:
    """Say whether the image's border cuts the body or the pedicles (not just a process)."""
    if len(bone.border_mm) == 0:
        return False
    local = fit.grid.frame.to_local(bone.border_mm)
    wall = float(np.nanmedian(fit.found.posterior_wall))
    half_width = 0.5 * float(np.ptp(fit.grid.left[fit.waist.any(axis=1)])) + 3.0
    essential = (local[:, 1] < wall + 8.0) & (np.abs(local[:, 0]) < half_width)
    return bool(essential.sum() > CUT_SHARE * max(fit.waist.sum(), 1))


def _surfaces(fit: Fit, ct: Volume | None) -> tuple[Columns, Columns] | None:
    """The columns of both endplates, sharpened by the CT if there is one."""
    found = []
    for sign in (1, -1):
        surface = columns(fit.field, fit.grid, fit.body, fit.waist, fit.found.middle, sign)
        if surface.left.size < 60:  # noqa: PLR2004 - hardly a surface
            return None
        surface = without_spurs(surface)
        if ct is not None:
            surface = refine(surface, fit.grid, ct)
        found.append(surface)
    return found[0], found[1]


def _extent(volume: Volume, direction: Array) -> float:
    """Size of a voxel along a direction [mm]: root sum of squares of its edges' projections."""
    return float(np.linalg.norm(direction @ volume.affine[:3, :3]))


def _body(fit: Fit, bone: Bone, ct: Volume | None) -> Body | None:
    """Build the body from its surfaces and walls."""
    surfaces = _surfaces(fit, ct)
    grid, found = fit.grid, fit.found
    walls = _waist_walls(fit)
    if surfaces is None or walls is None:
        return None
    along = _extent(bone.field, grid.frame.superior)
    superior, inferior = (build_endplate(s, grid, walls, along) for s in surfaces)
    known = ~np.isnan(found.posterior_wall)
    heights = grid.superior[known]
    curves = [
        grid.frame.to_patient(np.stack([0.0 * heights, wall[known], heights], axis=1))
        for wall in (found.anterior_wall, found.posterior_wall)
    ]
    return Body(
        superior=superior,
        inferior=inferior,
        anterior_wall_mm=curves[0],
        posterior_wall_mm=curves[1],
        depth_mm=walls[1] - walls[0],
        width_mm=float(np.ptp(grid.left[fit.waist.any(axis=1)])) + grid.step_mm,
        volume=_volume(fit, bone, _osteophytes(fit, surfaces)),
    )


def _waist_walls(fit: Fit) -> tuple[float, float] | None:
    """Anterior and posterior wall on the mid-line at the body's waist [mm]."""
    near = np.abs(fit.grid.superior - fit.found.middle) <= 2.0  # noqa: PLR2004 [mm]
    anterior, posterior = fit.found.anterior_wall[near], fit.found.posterior_wall[near]
    if np.isnan(anterior).all() or np.isnan(posterior).all():
        return None
    return float(np.nanmedian(anterior)), float(np.nanmedian(posterior))


def _continued(surface: Columns, grid: Grid) -> Array:
    """Smooth continuation of an endplate over the whole grid (L, P) [mm]."""
    base = Relief.through(surface.left, surface.posterior, surface.height, np.inf)
    return base.at(*np.meshgrid(grid.left, grid.posterior, indexing="ij"))


def _osteophytes(fit: Fit, surfaces: tuple[Columns, Columns]) -> Array:
    """Bone (L, P, S) that stands out of the body's own outline: spurs and bridges."""
    grid = fit.grid
    top = _continued(surfaces[0], grid)
    bottom = _continued(surfaces[1], grid)
    s = grid.superior[None, None, :]
    past = (s > top[:, :, None] + SPUR_MM) | (s < bottom[:, :, None] - SPUR_MM)
    ahead = grid.posterior[None, :, None] < np.nanmedian(fit.found.posterior_wall)
    bone = (fit.field < 0) & ahead & ~fit.body
    reach = np.abs(grid.left)[:, None, None] < 30.0  # noqa: PLR2004 [mm] not the processes' tips
    outer = ~fit.waist[:, :, None]
    return np.asarray((fit.body & past & outer) | (bone & reach & ahead))


def _volume(fit: Fit, bone: Bone, osteophytes: Array) -> Measure:
    """Volume of the body [ml] with partial voxels at its surface."""
    grid = fit.grid
    share = np.clip(0.5 - fit.field / grid.step_mm, 0.0, 1.0)
    near = fit.body & ~osteophytes
    inside = near | (_grown(near) & (fit.field >= 0))
    cell = grid.step_mm**3 / 1000.0
    value = float(share[inside].sum()) * cell
    surface = 6.0 * (value * 1000.0) ** (2.0 / 3.0)  # [mm2] of a cube of that volume
    voxel = float(np.cbrt(bone.field.voxel_mm3))
    sd = surface * LABEL_SD * voxel * 0.15 / 1000.0
    return Measure.of(
        value,
        sd,
        "ml",
        f"label edge at {voxel:.1f} mm voxels; cut behind the pedicles",
        confidence=Confidence.HIGH if sd < 0.03 * value else Confidence.MEDIUM,
        lowest=0.0,
    )


def _grown(mask: Array) -> Array:
    """The mask and its six neighbours."""
    grown = mask.copy()
    for axis in range(3):
        grown |= np.roll(mask, 1, axis) | np.roll(mask, -1, axis)
    return grown


def _parts(fit: Fit, body: Body | None) -> Volume:
    """Mark each node of the grid as outside, body, arch or osteophyte."""
    parts = np.where(fit.field < 0, Part.ARCH, Part.OUTSIDE).astype(np.uint8)
    parts[fit.body] = Part.BODY
    return Volume(parts, fit.grid.affine)
