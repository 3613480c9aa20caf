"""What is known of a phantom, from its analytic surfaces and not from voxels.

The definitions are written out in `docs/reference/phantom.md`; `anatomy` and `morphometry`
measure by the same ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from kyphoplan.geometry import Array, reject, unit
from kyphoplan.phantom.arch import ARCH_CORTEX_MM, pedicle_axes, pedicle_centre, pedicle_width
from kyphoplan.phantom.body import (
    ENDPLATE_CORTEX_MM,
    STATIONS,
    WALL_CORTEX_MM,
    VertebraShape,
    body,
    cleft,
    endplates,
    outline,
)
from kyphoplan.phantom.figures import CobbTruth, LevelTruth, Truth
from kyphoplan.phantom.lumen import narrowest
from kyphoplan.phantom.shape import Collapse, Phantom
from kyphoplan.phantom.stack import Placed, stack
from kyphoplan.phantom.tissue import CLEFT_WALL_MM, trabecular_hu

INNER = 0.70  # [1] of the footprint's half-sizes, from which the endplate planes are fitted
GENANT_CUTS_PCT = (20.0, 25.0, 40.0)  # [%] Genant 1993 doi:10.1002/jbmr.5650080915
GRID_MM = 0.7  # [mm] sampling of volumes
BISECTIONS = 34  # [1] of 60 mm: 4e-9 mm
CENTRINGS = 8  # [1] rounds of halving depth and height; each shrinks the error tenfold


@lru_cache(maxsize=64)
def truth(phantom: Phantom) -> Truth:
    """Return the figures of an unrotated phantom.

    Examples
    --------
    >>> from kyphoplan.case import Level
    >>> wedge = Collapse(level=Level.L1, anterior_loss=0.45, middle_loss=0.2)
    >>> figures = truth(Phantom(levels=(Level.L1,), collapses=(wedge,)))[Level.L1]
    >>> figures.genant_grade, round(figures.height_loss_pct)
    (3, 45)
    """
    placed = stack(phantom)
    pairs = [*pairwise(placed), *zip(placed, placed[2:], strict=False)]
    return Truth(
        levels=tuple(_level_truth(phantom, item) for item in placed),
        kyphosis=tuple(
            CobbTruth(upper=a.level, lower=b.level, cobb_deg=_cobb(a, b)) for a, b in pairs
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Section:
    """The mid-sagittal plane of a body in its shape's frame: points as rows (y, z) [mm]."""

    centre: Array
    posterior: Array
    superior: Array
    walls: Array  # anterior, posterior
    tops: Array  # at the three stations
    bottoms: Array

    @property
    def heights(self) -> Array:
        return (self.tops - self.bottoms) @ self.superior


def _three(points: Array) -> Array:
    """Turn (y, z) of the mid-sagittal plane into (x, y, z)."""
    return np.concatenate([np.zeros((*points.shape[:-1], 1)), points], axis=-1)


def _walk(function: Callable[[Array], Array], start: Array, way: Array, far: float) -> Array:
    """Return where rays first leave a solid: bisection between start (inside) and far."""
    low, high = np.zeros(len(start)), np.full(len(start), far)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        inside = function(start + middle[:, None] * way) < 0
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return np.asarray(start + low[:, None] * way)


@lru_cache(maxsize=256)
def _section(s: VertebraShape) -> _Section:
    """Find the body's own frame and its six height points."""
    superior = _superior_axis(s)
    posterior = np.array([superior[1], -superior[0]])

    def top(p: Array) -> Array:
        return p[:, 1] - endplates(s, np.zeros(len(p)), p[:, 0])[0]

    def bottom(p: Array) -> Array:
        return endplates(s, np.zeros(len(p)), p[:, 0])[1] - p[:, 1]

    def solid(p: Array) -> Array:
        return body(s, np.zeros(len(p)), p[:, 0], p[:, 1])[0]

    upper, lower = endplates(s, np.zeros(1), np.zeros(1))
    centre = np.array([[0.0, (upper[0] + lower[0]) / 2]])
    for _ in range(CENTRINGS):
        both = np.stack([-posterior, posterior])
        walls = _walk(solid, np.repeat(centre, 2, axis=0), both, 60.0)
        centre = walls.mean(axis=0, keepdims=True)
        ends = [_walk(top, centre, superior, 60.0), _walk(bottom, centre, -superior, 60.0)]
        centre = np.mean(ends, axis=0)
    middle = walls[0] + np.array(STATIONS)[:, None] * (walls[1] - walls[0])
    return _Section(
        centre=centre[0],
        posterior=posterior,
        superior=superior,
        walls=walls,
        tops=_walk(top, middle, superior, 60.0),
        bottoms=_walk(bottom, middle, -superior, 60.0),
    )


def _superior_axis(s: VertebraShape) -> Array:
    """Return the body's axis (y, z) from the least-squares planes of both endplates."""
    step = np.linspace(-1, 1, 61)
    x, y = np.meshgrid(step * s.half_width, step * s.sizes.depth / 2, indexing="ij")
    inner = outline(s, x / INNER, y / INNER, np.ones(())) <= 0
    design = np.stack([x[inner], y[inner], np.ones(inner.sum())], axis=1)
    normals = []
    for z in endplates(s, x[inner], y[inner]):
        slope = np.linalg.lstsq(design, z, rcond=None)[0]
        normals.append(unit([-slope[0], -slope[1], 1.0]))
    return unit((normals[0] + normals[1])[1:])


def _tilt(points: Array, posterior: Array, superior: Array) -> float:
    """Return the slope angle of an endplate line against a frame [deg]."""
    line = points[2] - points[0]
    return float(np.rad2deg(np.arctan2(line @ superior, line @ posterior)))


def _depression(s: VertebraShape, section: _Section, which: str) -> float:
    """Return the greatest depth of the endplate's curve under its endplate line [mm]."""
    ends = section.tops if which == "superior" else section.bottoms
    sign = 1.0 if which == "superior" else -1.0
    y = np.linspace(ends[0, 0], ends[2, 0], 400)
    z = endplates(s, np.zeros_like(y), y)[0 if which == "superior" else 1]
    line = np.interp(y, ends[[0, 2], 0], ends[[0, 2], 1])
    # the gap measured vertically, turned into the gap along the body's axis
    slope = (ends[2, 1] - ends[0, 1]) / (ends[2, 0] - ends[0, 0])
    along = 1.0 / (section.superior[1] - slope * section.superior[0])
    return float(max(0.0, np.max(sign * (line - z)) * along))


def _axes(low: Array, high: Array, step: float) -> list[Array]:
    return [np.arange(a + step / 2, b, step) for a, b in zip(low, high, strict=True)]


@lru_cache(maxsize=256)
def _volumes(s: VertebraShape) -> tuple[float, float]:
    """Return the volumes of the body and of its cleft [ml]."""
    w, h = s.half_width + 1, s.mean_height / 2 + 4
    low, high = np.array([-w, s.anterior - 1, -h]), np.array([w, s.posterior + 12, h])
    x, y, z = np.meshgrid(*_axes(low, high, GRID_MM), indexing="ij", sparse=True)
    distance = np.broadcast_to(body(s, x, y, z)[0], np.broadcast_shapes(x.shape, y.shape, z.shape))
    gas = np.maximum(cleft(s, x, y, z), distance + CLEFT_WALL_MM)
    parts = [np.clip(0.5 - d / GRID_MM, 0, 1).sum() for d in (distance, gas)]
    return tuple(float(part) * GRID_MM**3 / 1000 for part in parts)  # type: ignore[return-value]


def _canal_area(s: VertebraShape) -> tuple[float, float]:
    """Return the smallest area of the canal [mm2] and the height z where it lies [mm]."""
    section = _section(s)
    return narrowest(s, (float(section.bottoms[2, 1]), float(section.tops[2, 1])))


def _grade(loss_pct: float) -> int:
    return sum(loss_pct >= cut for cut in GENANT_CUTS_PCT)


def _cobb(upper: Placed, lower: Placed) -> float:
    """Return the sagittal angle from the upper level's top to the lower level's bottom [deg]."""
    normal = unit(upper.frame.left + lower.frame.left)
    lines = []
    for item, which in ((upper, "tops"), (lower, "bottoms")):
        points = getattr(_section(item.shape), which)
        lines.append(unit(reject(_three(points[2] - points[0]) @ item.frame.axes, normal)))
    return float(
        np.rad2deg(np.arctan2(np.cross(lines[1], lines[0]) @ normal, lines[0] @ lines[1]))
    )


def _level_truth(phantom: Phantom, item: Placed) -> LevelTruth:
    """Gather the figures of one vertebra."""
    s, frame = item.shape, item.frame
    whole = replace(s, collapse=Collapse(level=s.level))
    section, before = _section(s), _section(whole)
    heights, unbroken = section.heights, before.heights
    loss = 100 * float(max(0.0, np.max(1 - heights / unbroken)))
    tilts = [
        _tilt(p, section.posterior, section.superior) for p in (section.tops, section.bottoms)
    ]
    area, z = _canal_area(s)
    volume, gas = _volumes(s)
    canal_middle = np.array([0.0, s.posterior + s.sizes.canal_depth / 2, z])
    return LevelTruth(
        level=s.level,
        centre_mm=frame.to_patient(_three(section.centre)),
        left=frame.left,
        posterior=_three(section.posterior) @ frame.axes,
        superior=_three(section.superior) @ frame.axes,
        superior_points_mm=frame.to_patient(_three(section.tops)),
        inferior_points_mm=frame.to_patient(_three(section.bottoms)),
        anterior_wall_mm=frame.to_patient(_three(section.walls[0])),
        posterior_wall_mm=frame.to_patient(_three(section.walls[1])),
        **_triple("{}_height_mm", heights),
        **_triple("unbroken_{}_height_mm", unbroken),
        height_loss_pct=loss,
        genant_grade=_grade(loss),
        wedge_angle_deg=tilts[0] - tilts[1],
        superior_depression_mm=_depression(s, section, "superior"),
        inferior_depression_mm=_depression(s, section, "inferior"),
        depth_mm=float(np.linalg.norm(section.walls[1] - section.walls[0])),
        body_volume_ml=volume,
        canal_area_mm2=area,
        canal_compromise_pct=max(0.0, 100 * (1 - area / _canal_area(whole)[0])),
        canal_centre_mm=frame.to_patient(canal_middle),
        canal_axis=frame.superior,
        retropulsion_mm=s.collapse.retropulsion_mm,
        gap_mm=s.collapse.gap_mm,
        cleft_ml=gas,
        trabecular_hu=trabecular_hu(phantom, s.level),
        endplate_cortex_mm=ENDPLATE_CORTEX_MM,
        wall_cortex_mm=WALL_CORTEX_MM,
        arch_cortex_mm=ARCH_CORTEX_MM,
        osteophyte_mm=s.osteophyte_mm,
        fractured_endplate=s.collapse.endplate if loss > 0 else "none",
        **_pedicles(item),
    )


def _triple(name: str, values: Array) -> dict[str, Any]:
    places = ("anterior", "middle", "posterior")
    return {name.format(p): float(v) for p, v in zip(places, values, strict=True)}


def _pedicles(item: Placed) -> dict[str, Any]:
    """Return the figures of both pedicles."""
    forward = pedicle_axes(item.shape)[0]
    found: dict[str, Any] = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        left = side == "left"
        found[f"{side}_pedicle_width_mm"] = pedicle_width(item.shape, left=left)
        found[f"{side}_pedicle_height_mm"] = item.shape.sizes.pedicle_height
        centre = pedicle_centre(item.shape, left=left)
        found[f"{side}_isthmus_mm"] = item.frame.to_patient(centre)
        found[f"{side}_pedicle_axis"] = (forward * [sign, 1.0, 1.0]) @ item.frame.axes
    return found
