"""The endplate surfaces: columns of the body's mask, sharpened by the CT's own edge."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.anatomy.body import Outline
from kyphoplan.anatomy.cloud import Base, cloud
from kyphoplan.anatomy.ct_edges import edges_seen, label_anchors, near_places, nodes
from kyphoplan.anatomy.grid import Grid, Mask, crossing
from kyphoplan.anatomy.label_edges import crossed, hidden, labels_seen, rounded
from kyphoplan.anatomy.patch import Patch
from kyphoplan.anatomy.relief import Relief
from kyphoplan.anatomy.surface import Surface, join, trial_reach
from kyphoplan.case import Endplate, Volume
from kyphoplan.geometry import Array, Frame, unit

PLACE_SD_MM = 0.03  # [mm] of a height point's place on a curved endplate (phantoms)
STATIONS = (0.15, 0.50, 0.85)  # [1] depth of the height points; as TotalSegmentator's spine report
INNER = 0.70  # [1] part of the footprint that gives the endplate's plane
# [mm4] steps that lie along an endplate look as stiff as can be, whatever it is: with 1e3 too the
# intervals of labels along the slices held the truth in 87 %, so in 96 % (5 phantoms)
LABEL_STIFFNESS = (1e2, 1e1)
LABEL_TURNS = 2  # [1] the second around the surface of the first
DIVISIONS = 14  # [1] of the half-sizes of that part, to sample it
WALK = 8  # [1] steps from the body's middle to its surface along its axis: within 1e-6 mm
POINT_MM = 5.0  # [mm] columns this near tell the doubt of a height point
WALL_MM = 1.2  # [mm] columns nearer to the outline hold the cortical wall and the rounded rim
CLEAR_MM = 2.05  # [mm] from the outline: the blurred cortex of the wall does not reach there
HALF_PART = (0.2, 0.8)  # [1] of the half height in which the wall behind an endplate is read
SPUR_MM = 3.0  # [mm] a column that leaves the fitted plane outwards by more is an osteophyte
# [voxel] of a point of the label's surface that is not placed by the CT, beside the doubt of its
# fit (phantoms)
LABEL_POINT_SD = 0.08
# [voxel] of a point placed by the CT's edge, beside the doubt of its fit: phantoms with a shell of
# the model's thickness, blurred by 0.3 to 0.6 mm where the model takes 0.45 mm (0.51 and
# 0.52 mm in two real CTs of tests/validation)
EDGE_SD = 0.03
DISAGREEMENT_SHARE = (
    0.3  # [1] of the distance between label and CT edge that counts as doubt (ours)
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """One endplate as heights over the footprint.

    Attributes
    ----------
    left, posterior : (N,) place of each column [mm].
    height : (N,) position of the surface along the superior axis [mm].
    label : (N,) that of the label's own edge [mm].
    from_wall : (N,) distance inside the outline of the waist [mm].
    refined : (N,) True where the CT's edge placed it.
    sign : +1 superior, -1 inferior endplate.
    disagreement_mm : median distance between the label's edge and the CT's [mm]; 0 without CT.
    fitted : the smooth surface through them; None before it is laid.
    """

    left: Array
    posterior: Array
    height: Array
    label: Array
    from_wall: Array
    refined: NDArray[np.bool_]
    sign: int
    disagreement_mm: float = 0.0
    fitted: Surface | None = None


def columns(
    field: Array, grid: Grid, body: Mask, waist: Mask, found: Outline, sign: int
) -> Columns:
    """Walk from the body's middle plane to the surface in each column of the waist.

    Columns outside the waist's own outline are overhanging rim or osteophyte and left out; so
    are those behind the posterior wall of this half of the body, which end at a fragment.
    """
    k = int(np.argmin(np.abs(grid.superior - found.middle)))
    from_wall = ndimage.distance_transform_edt(waist, sampling=grid.step_mm)
    inner = (from_wall > WALL_MM) & (grid.posterior < _wall_of_half(found, grid, sign) - WALL_MM)[
        None, :
    ]
    i, j = np.nonzero(inner & body[:, :, k])
    rows = np.where(body[i, j], field[i, j], np.abs(field[i, j]) + 0.01)
    ahead = grid.superior[k:] if sign > 0 else -grid.superior[k::-1]
    values = rows[:, k:] if sign > 0 else rows[:, k::-1]
    height = sign * crossing(values, ahead, rising=True)
    ok = ~np.isnan(height)
    return Columns(
        left=grid.left[i][ok],
        posterior=grid.posterior[j][ok],
        height=height[ok],
        label=height[ok],
        from_wall=from_wall[i, j][ok],
        refined=np.zeros(int(ok.sum()), bool),
        sign=sign,
    )


def _wall_of_half(found: Outline, grid: Grid, sign: int) -> float:
    """Foremost position of the posterior wall between the middle and an endplate [mm]."""
    part = sign * (grid.superior - found.middle) / (0.5 * (found.top - found.bottom))
    wall = found.posterior_wall[(part >= HALF_PART[0]) & (part <= HALF_PART[1])]
    return np.inf if np.isnan(wall).all() else float(np.nanmin(wall))


def plane(surface: Columns) -> tuple[float, float, float]:
    """Fit height = a + b*left + c*posterior to the inner part; return (a, b, c)."""
    u, v, s = surface.left, surface.posterior, surface.height
    centre_u, centre_v = 0.5 * (u.min() + u.max()), 0.5 * (v.min() + v.max())
    reach_u, reach_v = 0.5 * np.ptp(u) + 0.5, 0.5 * np.ptp(v) + 0.5
    keep = ((u - centre_u) / reach_u) ** 2 + ((v - centre_v) / reach_v) ** 2 <= INNER**2
    a = np.stack([np.ones_like(u), u, v], axis=1)[keep]
    fit = np.linalg.lstsq(a, s[keep], rcond=None)[0]
    return float(fit[0]), float(fit[1]), float(fit[2])


def without_spurs(surface: Columns) -> Columns:
    """Leave out columns that run outwards past the endplate's own smooth surface."""
    u, v, s = surface.left, surface.posterior, surface.height
    a = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    keep = np.ones(u.size, bool)
    for _ in range(4):
        fit = np.linalg.lstsq(a[keep], s[keep], rcond=None)[0]
        away = surface.sign * (s - a @ fit)
        keep = away < max(2.5 * float(np.median(np.abs(away[keep]))) * 1.4826, SPUR_MM)
    return replace(
        surface,
        left=u[keep],
        posterior=v[keep],
        height=s[keep],
        label=surface.label[keep],
        from_wall=surface.from_wall[keep],
        refined=surface.refined[keep],
    )


def smoothed(surface: Columns, grid: Grid, field: Volume) -> Columns:
    """Lay a smooth surface between the labelled voxels and the others.

    ``field`` is the signed distance to the label [mm] on the scan's own voxels: only their
    centres tell where the label's edge runs.
    """
    voxel = np.abs(grid.frame.superior @ field.affine[:3, :3])
    u, v = surface.left, surface.posterior
    patch = Patch.over(u, v)
    base: Base = Relief.through(u, v, surface.height, 1.0)
    for _ in range(LABEL_TURNS):
        labels = cloud(field, grid.frame, (u, v), base, surface.sign)
        assert labels is not None  # the columns stand in the field
        seen = labels_seen(labels, base, surface.sign, voxel)
        fitted = join(patch, seen, stiffnesses=LABEL_STIFFNESS)
        base = fitted
    return replace(surface, height=fitted.at(u, v), fitted=fitted)


def refine(surface: Columns, grid: Grid, ct: Volume) -> Columns:
    """Move the surface to the edge that the CT itself shows, where it shows one.

    Three times, each around the surface found before.
    """
    label = surface.fitted
    assert label is not None
    voxel = np.abs(grid.frame.superior @ ct.affine[:3, :3])
    u, v = surface.left, surface.posterior
    clear = surface.from_wall > CLEAR_MM
    (left, posterior), on = nodes(u[clear], v[clear])
    anchors = label_anchors(label, (left[~on], posterior[~on]), voxel)
    fitted, seen = label, None
    for _ in range(3):
        points = cloud(ct, grid.frame, (u[clear], v[clear]), fitted, surface.sign)
        if points is None:
            return surface
        around = fitted, label, surface.sign
        seen = edges_seen(points, (left[on], posterior[on]), voxel, around)
        if seen is None:
            return surface
        fitted = join(label.patch, seen, anchors)
    assert seen is not None
    known = near_places(seen, u, v)
    height = fitted.at(u, v)
    if np.abs(height - surface.height).max() > 2.0 * trial_reach(voxel):
        return surface  # no edge is sought so far from the label's
    return replace(
        surface,
        height=height,
        fitted=fitted,
        refined=known,
        disagreement_mm=abs(float(np.median(height - surface.height))),
    )


def facing(
    surfaces: tuple[Columns, Columns], frame: Frame, walls: tuple[float, float], width_mm: float
) -> Frame:
    """Turn a frame upright between the endplates: superior halves the angle of their normals.

    The planes are those of the inner part of the waist's outline, whole even where a fragment
    hides a part of the columns. ``walls`` are anterior and posterior waist walls [mm].
    """
    steps = np.arange(-DIVISIONS, DIVISIONS + 1)  # whole numbers: left and right are the same
    x, y = np.meshgrid(steps, steps)
    within = x * x + y * y <= DIVISIONS**2
    scale, depth = INNER / DIVISIONS, walls[1] - walls[0]
    u: Array = 0.5 * width_mm * scale * x[within].astype(np.float64)
    v: Array = 0.5 * (walls[0] + walls[1]) + 0.5 * depth * scale * y[within].astype(np.float64)
    design = np.stack([np.ones_like(u), u, v], axis=1)
    normals = np.zeros(3)
    for surface in surfaces:
        assert surface.fitted is not None
        _, b, c = np.linalg.lstsq(design, surface.fitted.at(u, v), rcond=None)[0]
        normals += unit([-b, -c, 1.0])
    return Frame.from_directions(
        frame.origin_mm, superior=normals @ frame.axes, posterior=frame.posterior
    )


def build_endplate(
    surface: Columns, frames: tuple[Frame, Frame], line: Array, image: Volume
) -> Endplate:
    """Turn columns into the noun.

    Parameters
    ----------
    frames : that of the columns, and the body's own, along which the points are sought.
    line : (2, 3) middle of the anterior and posterior waist wall, in the columns' frame [mm].
    image : the scan that placed the surface; only its lattice is used.
    """
    frame, own = frames
    assert surface.fitted is not None
    up = frame.axes @ own.superior
    fractions = np.concatenate([STATIONS, np.linspace(0.10, 0.90, 33)])
    points = line[0] + fractions[:, None] * (line[1] - line[0])
    for _ in range(WALK):
        short = surface.fitted.at(points[:, 0], points[:, 1]) - points[:, 2]
        points = points + short[:, None] * up
    _, b, c = plane(surface)
    samples = np.stack([surface.left, surface.posterior, surface.height], axis=1)
    placed = frame.to_patient(points)
    sd, rise_sd = _uncertainty(surface, points[:3], frame, image)
    return Endplate(
        points_mm=frame.to_patient(samples),
        normal=unit(surface.sign * np.array([-b, -c, 1.0])) @ frame.axes,
        anterior_mm=placed[0],
        middle_mm=placed[1],
        posterior_mm=placed[2],
        curve_mm=placed[3:],
        sd_mm=sd,
        rise_sd_mm=rise_sd,
        refined_fraction=float(surface.refined.mean()),
    )


def _uncertainty(
    surface: Columns, points: Array, frame: Frame, image: Volume
) -> tuple[Array, float]:
    """Tell how well height points (3, 3) are known along the body's axis.

    Returns
    -------
    Their standard uncertainty (3,) and that of the first against the last [mm]. What the fit does
    not know the points share as far as the smooth surface makes them; what the models lack and
    what label and CT disagree about each has for itself. From labels alone what a slice hides
    errs at both ends against each other: what is least known of it is its tilt. What a CT's edge
    may err beside its fit, a label's may as well.
    """
    voxel = float(np.linalg.norm(frame.superior @ image.affine[:3, :3]))  # [mm] along the axis
    assert surface.fitted is not None
    left, posterior = points[:, 0], points[:, 1]
    distance = np.hypot(surface.left - left[:, None], surface.posterior - posterior[:, None])
    weight = np.exp(-0.5 * (2.0 * distance / POINT_MM) ** 2) + 1e-12
    weight /= weight.sum(axis=1, keepdims=True)
    each = np.where(surface.refined, EDGE_SD, LABEL_POINT_SD)
    model = voxel * (weight @ each)
    own = model**2 + (DISAGREEMENT_SHARE * surface.disagreement_mm) ** 2
    total = surface.fitted.covariance(left, posterior) + np.diag(own)
    if surface.refined.any():
        rise = np.array([1.0, 0.0, -1.0])
        return np.sqrt(np.diag(total)), float(np.sqrt(rise @ total @ rise))
    _, b, c = plane(surface)
    steps = crossed(unit(np.array([-b, -c, 1.0])) @ frame.axes, image.affine)
    unseen = hidden(steps) * np.sqrt(np.diag(total))
    shown = float(np.linalg.norm([rounded(steps) * voxel, EDGE_SD * voxel, PLACE_SD_MM]))
    against = float(unseen[0] + unseen[2])
    return np.hypot(unseen, shown), float(np.hypot(against, np.sqrt(2.0) * shown))
