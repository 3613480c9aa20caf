"""The nouns of one vertebra's bone: body with endplates and walls, arch, osteophytes."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.bones import Bone
from kyphoplan.anatomy.endplates import (
    LABEL_POINT_SD,
    Columns,
    build_endplate,
    columns,
    facing,
    refine,
    smoothed,
    without_spurs,
)
from kyphoplan.anatomy.frame import Fit
from kyphoplan.anatomy.grid import Grid, Mask
from kyphoplan.anatomy.osteophytes import osteophytes
from kyphoplan.case import Body, Confidence, Measure, Part, Volume
from kyphoplan.geometry import Array, Frame

CUT_SD_MM = 0.4  # [mm] how well the wall is known where pedicles hide it (phantoms; 0.05 of lean)
COUNTED_SD = 0.29  # [voxel] of one voxel at the surface: uniform, 1/sqrt(12)
SURFACE = 5.5  # [1] of a body over the two-thirds power of its volume; 4.8 of a ball, 6 of a cube


def _surfaces(fit: Fit, field: Volume, ct: Volume | None) -> tuple[Columns, Columns] | None:
    """Find the columns of both endplates, sharpened by the CT if there is one."""
    found = []
    for sign in (1, -1):
        surface = columns(fit.field, fit.grid, fit.body, fit.waist, fit.found, sign)
        if surface.left.size < 60:  # noqa: PLR2004 - hardly a surface
            return None
        surface = smoothed(without_spurs(surface), fit.grid, field)
        if ct is not None:
            surface = refine(surface, fit.grid, ct)
        found.append(surface)
    return found[0], found[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Built:
    """A body from its surfaces and walls.

    Attributes
    ----------
    body : None if its surfaces cannot be followed.
    frame : the vertebra's frame, upright between the endplates if they are known.
    spurs : its osteophytes (L, P, S); None without a body.
    """

    body: Body | None
    frame: Frame
    spurs: Mask | None


def build_body(fit: Fit, bone: Bone, ct: Volume | None) -> Built:
    """Build the body from its surfaces and walls, and find its osteophytes."""
    grid, found, frame = fit.grid, fit.found, fit.grid.frame
    surfaces, walls = _surfaces(fit, bone.field, ct), _waist_walls(fit)
    if surfaces is None or walls is None:
        return Built(body=None, frame=frame, spurs=None)
    width = float(np.ptp(grid.left[fit.waist.any(axis=1)])) + grid.step_mm
    own = facing(surfaces, frame, walls, width)
    line = _depth_line(surfaces, walls, frame.axes @ own.posterior)
    superior, inferior = (
        build_endplate(
            s, (frame, own), line, ct if ct is not None and s.refined.any() else bone.field
        )
        for s in surfaces
    )
    known = ~np.isnan(found.posterior_wall)
    heights = grid.superior[known]
    anterior, posterior = (
        frame.to_patient(np.stack([0.0 * heights, wall[known], heights], axis=1))
        for wall in (found.anterior_wall, found.posterior_wall)
    )
    spurs = osteophytes(fit, surfaces, bone.field.affine[:3, :3])
    body = Body(
        superior=superior,
        inferior=inferior,
        anterior_wall_mm=anterior,
        posterior_wall_mm=posterior,
        depth_mm=walls[1] - walls[0],
        width_mm=width,
        volume=_volume(fit, bone, spurs, surfaces),
    )
    return Built(body=body, frame=own, spurs=spurs)


def _depth_line(
    surfaces: tuple[Columns, Columns], walls: tuple[float, float], backwards: Array
) -> Array:
    """Return the ends (2, 3) of the depth on the mid-line, half way between the endplates [mm].

    ``backwards`` is the body's own posterior direction in the columns' frame.
    """
    middle = 0.5 * (walls[0] + walls[1])
    heights = [
        float(s.fitted.at(np.zeros(1), np.array([middle]))[0]) for s in surfaces if s.fitted
    ]
    half = 0.5 * (walls[1] - walls[0]) * backwards
    centre = np.array([0.0, middle, float(np.mean(heights))])
    return np.stack([centre - half, centre + half])


def _waist_walls(fit: Fit) -> tuple[float, float] | None:
    """Anterior and posterior wall on the mid-line at the body's waist [mm]."""
    near = np.abs(fit.grid.superior - fit.found.middle) <= 2.0  # noqa: PLR2004 [mm]
    anterior, posterior = fit.found.anterior_wall[near], fit.found.posterior_wall[near]
    if np.isnan(anterior).all() or np.isnan(posterior).all():
        return None
    return float(np.nanmedian(anterior)), float(np.nanmedian(posterior))


def _volume(fit: Fit, bone: Bone, osteophytes: Mask, surfaces: tuple[Columns, Columns]) -> Measure:
    """Volume of the body [ml] with partial voxels at its surface, up to its fitted endplates."""
    grid = fit.grid
    near = fit.body & ~osteophytes
    value = _count(bone, grid, near, fit.field < 0) * bone.field.voxel_mm3 / 1000.0
    ground = float(fit.waist.sum()) * grid.step_mm**2 / 1000.0
    value += ground * sum(float(s.sign * (s.height - s.label).mean()) for s in surfaces)
    voxel = float(np.cbrt(bone.field.voxel_mm3))
    sd = _volume_sd(fit, bone, surfaces, value)
    return Measure.of(
        value,
        sd,
        "ml",
        f"label edge at {voxel:.1f} mm voxels; cut behind the pedicles",
        confidence=Confidence.HIGH if sd < 0.03 * value else Confidence.MEDIUM,
        lowest=0.0,
    )


def _volume_sd(fit: Fit, bone: Bone, surfaces: tuple[Columns, Columns], value_ml: float) -> float:
    """Uncertainty of the volume [ml]: the hidden cut, the endplates, the counted voxels."""
    step_mm2 = fit.grid.step_mm**2
    arch = (fit.field < 0) & ~fit.body
    cut_mm3 = CUT_SD_MM * step_mm2 * float((fit.body[:, :-1] & arch[:, 1:]).sum())
    edge = float(np.linalg.norm(fit.grid.frame.superior @ bone.field.affine[:3, :3]))
    plates_mm3 = (
        step_mm2 * fit.waist.sum() * np.hypot(_mean_sd(surfaces[0]), _mean_sd(surfaces[1]))
    )
    models_mm3 = step_mm2 * fit.waist.sum() * np.sqrt(2.0) * LABEL_POINT_SD * edge
    voxel = float(np.cbrt(bone.field.voxel_mm3))
    counted_mm3 = COUNTED_SD * voxel**2 * np.sqrt(SURFACE) * np.cbrt(1000.0 * value_ml)
    return float(np.linalg.norm([cut_mm3, plates_mm3, models_mm3, counted_mm3])) / 1000.0


def _mean_sd(surface: Columns) -> float:
    """Uncertainty of an endplate's mean height [mm]."""
    assert surface.fitted is not None
    return surface.fitted.mean_sd(surface.left, surface.posterior)


def _count(bone: Bone, grid: Grid, part: Mask, whole: Mask) -> float:
    """Count the label's voxels [1] that lie in a part (L, P, S) of the whole bone on a grid.

    A voxel between nodes counts by the share of the part among the nodes of bone around it.
    Unlike the surface between thick slices, the voxels themselves have no bias.
    """
    corner = np.array([grid.left[0], grid.posterior[0], grid.superior[0]])
    index = ((grid.frame.to_local(bone.points_mm) - corner) / grid.step_mm).T
    inside, around = (
        ndimage.map_coordinates(mask.astype(np.float32), index, order=1, cval=0.0)
        for mask in (part, whole)
    )
    return float((inside / np.maximum(around, 1e-6)).sum())


def build_parts(fit: Fit, spurs: Mask | None) -> Volume:
    """Mark each node of the grid as outside, body, arch or osteophyte."""
    parts = np.where(fit.field < 0, Part.ARCH, Part.OUTSIDE).astype(np.uint8)
    parts[fit.body] = Part.BODY
    if spurs is not None:
        parts[spurs] = Part.OSTEOPHYTE
    return Volume(parts, fit.grid.affine)
