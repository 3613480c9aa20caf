"""The endplate surfaces: columns of the body's mask, sharpened by the CT's own edge."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.anatomy.body import Outline
from kyphoplan.anatomy.edges import cloud, fit_edges, nodes, smooth_shift
from kyphoplan.anatomy.grid import Grid, Mask, crossing
from kyphoplan.anatomy.relief import Relief
from kyphoplan.case import Endplate, Volume
from kyphoplan.geometry import Array, unit

STATIONS = (0.15, 0.50, 0.85)  # [1] depth of the height points; as TotalSegmentator's spine report
INNER = 0.70  # [1] part of the footprint that gives the endplate's plane
WINDOW_MM = 5.0  # [mm] radius of the local fit at 1 mm voxels
WALL_MM = 1.2  # [mm] columns nearer to the outline hold the cortical wall and the rounded rim
CLEAR_MM = 2.05  # [mm] from the outline: the blurred cortex of the wall does not reach there
HALF_PART = (0.2, 0.8)  # [1] of the half height in which the wall behind an endplate is read
SPUR_MM = 3.0  # [mm] a column that leaves the fitted plane outwards by more is an osteophyte
LABEL_POINT_SD = 0.155  # [voxel] error of a point of the label's surface, calibrated on phantoms
EDGE_SD = 0.08  # [voxel] of a point placed by the CT's edge, beside the doubt of its fit (so too)
DISAGREEMENT_SHARE = (
    0.3  # [1] of the distance between label and CT edge that counts as doubt (ours)
)
LABEL_SD = 0.29  # [voxel] error of one labelled edge: uniform over a voxel, 1/sqrt(12)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """One endplate as heights over the footprint.

    Attributes
    ----------
    left, posterior : (N,) place of each column [mm].
    height : (N,) position of the surface along the superior axis [mm].
    from_wall : (N,) distance inside the outline of the waist [mm].
    refined : (N,) True where the CT's edge placed it.
    sd : (N,) standard uncertainty where the CT's edge placed it [mm].
    sign : +1 superior, -1 inferior endplate.
    disagreement_mm : median distance between the label's edge and the CT's [mm]; 0 without CT.
    """

    left: Array
    posterior: Array
    height: Array
    from_wall: Array
    refined: NDArray[np.bool_]
    sd: Array
    sign: int
    disagreement_mm: float = 0.0


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
        from_wall=from_wall[i, j][ok],
        refined=np.zeros(int(ok.sum()), bool),
        sd=np.zeros(int(ok.sum())),
        sign=sign,
    )


def _wall_of_half(found: Outline, grid: Grid, sign: int) -> float:
    """Foremost position of the posterior wall between the middle and an endplate [mm]."""
    part = sign * (grid.superior - found.middle) / (0.5 * (found.top - found.bottom))
    wall = found.posterior_wall[(part >= HALF_PART[0]) & (part <= HALF_PART[1])]
    return np.inf if np.isnan(wall).all() else float(np.nanmin(wall))


def plane(surface: Columns) -> tuple[float, float, float]:
    """Fit height = a + b*left + c*posterior to the inner part, robustly; return (a, b, c)."""
    u, v, s = surface.left, surface.posterior, surface.height
    centre_u, centre_v = 0.5 * (u.min() + u.max()), 0.5 * (v.min() + v.max())
    reach_u, reach_v = 0.5 * np.ptp(u) + 0.5, 0.5 * np.ptp(v) + 0.5
    keep = ((u - centre_u) / reach_u) ** 2 + ((v - centre_v) / reach_v) ** 2 <= INNER**2
    a = np.stack([np.ones_like(u), u, v], axis=1)
    for _ in range(3):
        fit = np.linalg.lstsq(a[keep], s[keep], rcond=None)[0]
        away = surface.sign * (s - a @ fit)
        near = keep & (away < SPUR_MM)
        if near.sum() < 10 or near.sum() == keep.sum():  # noqa: PLR2004 - three unknowns
            break
        keep = near
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
        from_wall=surface.from_wall[keep],
        refined=surface.refined[keep],
        sd=surface.sd[keep],
    )


def refine(surface: Columns, grid: Grid, ct: Volume) -> Columns:
    """Move the columns to the edge that the CT itself shows, where it shows one.

    Three times, each around the surface found before.
    """
    voxel = np.abs(grid.frame.superior @ ct.affine[:3, :3])
    clear = surface.from_wall > CLEAR_MM
    footprint = (surface.left[clear], surface.posterior[clear])
    height, known, sd = surface.height, surface.refined, surface.sd
    places = nodes(surface.left, surface.posterior)
    label = Relief.through(surface.left, surface.posterior, height, 1.0 + float(voxel.max()))
    for turn in range(3):
        base = label if turn == 0 else Relief.through(surface.left, surface.posterior, height, 1.0)
        points = cloud(ct, grid.frame, footprint, base, surface.sign)
        if points is None:
            return surface
        away = surface.sign * (label.at(*places) - base.at(*places))
        edge = fit_edges(points, places, voxel, away)
        shift, sd, known = smooth_shift(edge, surface.left, surface.posterior)
        smooth = base.at(surface.left, surface.posterior)
        height = np.where(known, smooth + surface.sign * shift, surface.height)
    return replace(
        surface,
        height=height,
        refined=known,
        sd=sd,
        disagreement_mm=abs(float(np.median(height - surface.height))),
    )


def curve(surface: Columns, posterior: Array, window_mm: float) -> Array:
    """Height of the mid-sagittal curve at posterior coordinates, by local quadratic fits [mm].

    References
    ----------
    Cleveland 1979, locally weighted regression, doi:10.1080/01621459.1979.10481038.
    """
    out = np.empty(posterior.size)
    for row, v0 in enumerate(posterior):
        du, dv = surface.left, surface.posterior - v0
        width = window_mm
        for _ in range(4):
            r = np.hypot(du, dv) / width
            weight = np.clip(1.0 - r**3, 0.0, None) ** 1.5
            if (weight > 0).sum() >= 30:  # noqa: PLR2004 - six unknowns
                break
            width *= 1.5
        a = np.stack([np.ones_like(du), dv, dv * dv, du, du * du], axis=1) * weight[:, None]
        out[row] = np.linalg.lstsq(a, surface.height * weight, rcond=None)[0][0]
    return out


def build_endplate(
    surface: Columns, grid: Grid, walls: tuple[float, float], spacing_along_mm: float
) -> Endplate:
    """Turn columns into the noun; walls = (anterior, posterior) waist walls on the mid-line."""
    anterior, posterior = walls
    window = WINDOW_MM + 0.5 * max(0.0, spacing_along_mm - 1.0)
    depth = posterior - anterior
    fractions = np.linspace(0.10, 0.90, 33)
    places = anterior + fractions * depth
    heights = curve(surface, places, window)
    stations = anterior + np.array(STATIONS) * depth
    points = np.stack([0.0 * stations, stations, np.interp(stations, places, heights)], axis=1)
    to_patient = grid.frame.to_patient
    _, b, c = plane(surface)
    normal = unit(surface.sign * np.array([-b, -c, 1.0])) @ grid.frame.axes
    samples = np.stack([surface.left, surface.posterior, surface.height], axis=1)
    share = float(surface.refined.mean())
    a_mm, m_mm, p_mm = to_patient(points)
    return Endplate(
        points_mm=to_patient(samples),
        normal=normal,
        anterior_mm=a_mm,
        middle_mm=m_mm,
        posterior_mm=p_mm,
        curve_mm=to_patient(np.stack([0.0 * places, places, heights], axis=1)),
        sd_mm=_point_sd(surface, stations, (window, spacing_along_mm)),
        refined_fraction=share,
    )


def _point_sd(surface: Columns, stations: Array, scale: tuple[float, float]) -> Array:
    """Return the standard uncertainty (3,) of the height points along the body's axis [mm].

    ``scale`` is the window of the local fit and the voxel size along the axis [mm].
    """
    window, voxel = scale
    by_edge = np.hypot(EDGE_SD * voxel, surface.sd)
    each = np.where(surface.refined, by_edge, LABEL_POINT_SD * voxel)
    distance = np.hypot(surface.left, surface.posterior - stations[:, None])
    weight = np.exp(-0.5 * (2.0 * distance / window) ** 2) + 1e-12
    mean = (weight @ each) / weight.sum(axis=1)
    return np.hypot(mean, DISAGREEMENT_SHARE * surface.disagreement_mm)
