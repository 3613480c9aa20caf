"""The ways out of one vertebra, from its anatomy and the gaps found in its shell."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import CorticalGap, GapSite, Part, Trajectory, Vertebra
from kyphoplan.case.filling import Site
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array, unit
from kyphoplan.materials import (
    BASIVERTEBRAL_DEPTH,
    BASIVERTEBRAL_MM,
    DISC_RESISTANCE,
    FRACTURE_GAP_MM,
    HIDDEN_GAPS,
    HIDDEN_MM2,
    SEGMENTAL_MM,
    SHELL_MM,
    SHELL_PERMEABILITY,
    TRACK_GAP_MM,
    VEIN_MM,
)
from kyphoplan.simulation.outlets import Outlet, Voxels, exposed_faces, shell_pores, slit, tube

FARTHEST_MM = 4.0  # [mm] from a gap's centre to bone: farther away the gap is not of this bone
TIP_MM = 3.0  # [mm] that a working cannula reaches into the body, beside which cement turns back
LEADS: dict[GapSite, Site] = {
    GapSite.ANTERIOR: Site.CORTICAL,
    GapSite.LEFT: Site.CORTICAL,
    GapSite.RIGHT: Site.CORTICAL,
    GapSite.POSTERIOR: Site.CANAL,
    GapSite.SUPERIOR: Site.DISC,
    GapSite.INFERIOR: Site.DISC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How wide the ways out are; a CT shows none of it, so it is drawn from wide ranges.

    Attributes
    ----------
    shell_permeability : of cortex and endplate to marrow [mm2].
    shell_mm : their thickness [mm].
    basivertebral_mm, segmental_mm, vein_mm : radii and length of veins [mm].
    basivertebral_depth : of the canal, over the depth of the body [1].
    track_gap_mm : beside the cannula [mm].
    disc_resistance : times that of the gap in the endplate [1].
    fracture_gap_mm : opening of a fracture line in the shell [mm].
    gap_factor : times the area of each gap found in the CT [1].
    hidden : gaps too small for the CT: each a place on the skin from 0 to 1, and an area [mm2].
        None by value; drawn in a Monte-Carlo, since not seen is not absent.
    """

    shell_permeability: float = SHELL_PERMEABILITY.value
    shell_mm: float = SHELL_MM.value
    basivertebral_mm: float = BASIVERTEBRAL_MM.value
    basivertebral_depth: float = BASIVERTEBRAL_DEPTH.value
    segmental_mm: float = SEGMENTAL_MM.value
    vein_mm: float = VEIN_MM.value
    track_gap_mm: float = TRACK_GAP_MM.value
    disc_resistance: float = DISC_RESISTANCE.value
    fracture_gap_mm: float = FRACTURE_GAP_MM.value
    gap_factor: float = 1.0
    hidden: tuple[tuple[float, float], ...] = ()

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Ways":
        """Draw all of them, independently."""
        numbers = {f.name: _RANGES[f.name].drawn(rng) for f in fields(cls) if f.name in _RANGES}
        factor = float(np.exp(rng.normal(0.0, GAP_SPREAD)))
        count = int(rng.poisson(HIDDEN_GAPS.drawn(rng)))
        hidden = tuple((float(rng.random()), HIDDEN_MM2.drawn(rng)) for _ in range(count))
        return cls(gap_factor=factor, hidden=hidden, **numbers)


_RANGES = {
    "shell_permeability": SHELL_PERMEABILITY,
    "shell_mm": SHELL_MM,
    "basivertebral_mm": BASIVERTEBRAL_MM,
    "basivertebral_depth": BASIVERTEBRAL_DEPTH,
    "segmental_mm": SEGMENTAL_MM,
    "vein_mm": VEIN_MM,
    "track_gap_mm": TRACK_GAP_MM,
    "disc_resistance": DISC_RESISTANCE,
    "fracture_gap_mm": FRACTURE_GAP_MM,
}
GAP_SPREAD = 0.3  # [1] relative standard deviation of a gap's area, as morphometry.cortex has it
USUAL_WAYS = Ways()


def openings(
    vertebra: Vertebra,
    gaps: Iterable[CorticalGap],
    inside: NDArray[np.bool_],
    affine: Array,
    *,
    trajectories: Iterable[Trajectory] = (),
    ways: Ways = USUAL_WAYS,
) -> tuple[Outlet, ...]:
    """Find the ways out: shell pores, veins, gaps and cannula tracks.

    Parameters
    ----------
    gaps : of the shell, as `kyphoplan.morphometry.cortex` finds them.
    inside : (I, J, K) voxels that fluid can enter.
    affine : 4x4, from voxel indices to the patient [mm, LPS].

    Raises
    ------
    CaseError
        If the vertebra was not located.
    """
    if vertebra.body is None or vertebra.frame is None or vertebra.parts is None:
        raise CaseError(f"{vertebra.level}: no ways out can be found: {vertebra.reason}")
    edge = float(np.linalg.norm(affine[:3, 0]))
    surface = _Surface(inside, body_of(vertebra, affine, inside), affine)
    found = [
        shell_pores(
            inside,
            edge,
            permeability_mm2=ways.shell_permeability,
            thickness_mm=ways.shell_mm,
        ),
        _basivertebral(vertebra, surface, ways),
        *(_segmental(vertebra, surface, ways, side) for side in (1.0, -1.0)),
        *(_gap(gap, surface, ways) for gap in gaps),
        *(_hidden(vertebra, surface, ways, *hidden) for hidden in ways.hidden),
        *(_track(trajectory, surface, ways) for trajectory in trajectories),
    ]
    return tuple(outlet for outlet in found if outlet is not None)


def fracture_line(
    fractured: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    edge_mm: float,
    ways: Ways = USUAL_WAYS,
) -> Outlet | None:
    """Open a fracture where it meets the surface; None if it does not.

    Parameters
    ----------
    fractured : (I, J, K) voxels of the fracture.
    inside : (I, J, K) voxels that fluid can enter.
    """
    voxels = np.argwhere(fractured & inside & (exposed_faces(inside) > 0))
    if not voxels.size:
        return None
    width = float(len(voxels)) * edge_mm
    return slit(Site.FRACTURE, voxels, ways.fracture_gap_mm, width, ways.shell_mm)


def body_of(vertebra: Vertebra, affine: Array, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the voxels (I, J, K) of the vertebral body among those inside."""
    assert vertebra.parts is not None  # located
    where = np.argwhere(inside)
    places = where @ affine[:3, :3].T + affine[:3, 3]
    node = np.rint(vertebra.parts.to_indices(places)).astype(int)
    node = np.clip(node, 0, np.array(vertebra.parts.shape) - 1)
    body = np.zeros(inside.shape, bool)
    body[tuple(where.T)] = vertebra.parts.voxels[tuple(node.T)] == Part.BODY
    return body


class _Surface:
    """The bone's voxels with their places [mm], to find those near a point."""

    def __init__(self, inside: NDArray[np.bool_], body: NDArray[np.bool_], affine: Array) -> None:
        self.affine = affine
        self.edge = float(np.linalg.norm(affine[:3, 0]))
        self.all = np.argwhere(inside)
        self.body = np.argwhere(body)
        self.skin = np.argwhere(body & (exposed_faces(inside) > 0))

    def places(self, voxels: Voxels) -> Array:
        return np.asarray(voxels @ self.affine[:3, :3].T + self.affine[:3, 3])

    def near(self, voxels: Voxels, point_mm: Array, radius_mm: float) -> Voxels | None:
        """Voxels within a radius of a point; else the nearest; None if it is far."""
        distance = np.linalg.norm(self.places(voxels) - point_mm, axis=1)
        if distance.min() > FARTHEST_MM:
            return None
        here = distance <= max(radius_mm, float(distance.min()))
        return np.asarray(voxels[here])


def _basivertebral(vertebra: Vertebra, surface: _Surface, ways: Ways) -> Outlet | None:
    """Open the vein of the posterior wall's middle, as deep as its canal reaches."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None
    assert frame is not None
    wall = body.posterior_wall_mm
    heights = (wall - frame.origin_mm) @ frame.superior
    mouth = wall[int(np.argmin(np.abs(heights - 0.5 * (heights.min() + heights.max()))))]
    depth = ways.basivertebral_depth * body.depth_mm
    line = mouth - np.arange(0.0, depth, 0.5 * surface.edge)[:, None] * frame.posterior
    found = [surface.near(surface.all, point, 0.0) for point in line]
    known = [voxels for voxels in found if voxels is not None]
    if not known:
        return None
    voxels = np.unique(np.concatenate(known), axis=0)
    return tube(Site.BASIVERTEBRAL, voxels, ways.basivertebral_mm, ways.vein_mm)


def _segmental(vertebra: Vertebra, surface: _Surface, ways: Ways, side: float) -> Outlet | None:
    """Open the veins of the waist on one side; ``side`` is 1 on the left, -1 on the right."""
    frame = vertebra.frame
    assert frame is not None
    local = frame.to_local(surface.places(surface.skin))
    level = np.abs(local[:, 2]) <= 1.5 * surface.edge
    out = np.where(level, side * local[:, 0] - np.abs(local[:, 1]), -np.inf)
    if not np.isfinite(out).any():
        return None
    point = surface.places(surface.skin[[int(np.argmax(out))]])[0]
    voxels = surface.near(surface.skin, point, ways.segmental_mm)
    assert voxels is not None  # the point is one of them
    return tube(Site.SEGMENTAL, voxels, ways.segmental_mm, ways.vein_mm)


def _gap(gap: CorticalGap, surface: _Surface, ways: Ways) -> Outlet | None:
    """Open a gap of the shell; None if it is not at this bone."""
    if gap.area.value is None or not surface.skin.size:
        return None
    radius = float(np.sqrt(ways.gap_factor * gap.area.value / np.pi))
    voxels = surface.near(surface.skin, gap.centre_mm, radius)
    if voxels is None:
        return None
    site = LEADS[gap.site]
    resistance = ways.disc_resistance if site is Site.DISC else 1.0
    return tube(site, voxels, radius, ways.shell_mm, resistance=resistance)


def _hidden(
    vertebra: Vertebra, surface: _Surface, ways: Ways, place: float, area_mm2: float
) -> Outlet | None:
    """Open a gap that the CT could not show, somewhere on the body's skin."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None
    assert frame is not None
    if not surface.skin.size:
        return None
    voxel = surface.skin[[int(place * len(surface.skin))]]
    left, back, up = frame.to_local(surface.places(voxel))[0]
    height = 0.5 * float((body.superior.middle_mm - body.inferior.middle_mm) @ frame.superior)
    parts = {
        Site.DISC: abs(up) / height,
        Site.CANAL: back / (0.5 * body.depth_mm),
        Site.CORTICAL: max(abs(left) / (0.5 * body.width_mm), -back / (0.5 * body.depth_mm)),
    }
    site = max(parts, key=lambda each: parts[each])
    resistance = ways.disc_resistance if site is Site.DISC else 1.0
    radius = float(np.sqrt(area_mm2 / np.pi))
    return tube(site, voxel, radius, ways.shell_mm, resistance=resistance)


def _track(trajectory: Trajectory, surface: _Surface, ways: Ways) -> Outlet | None:
    """Let cement turn back beside a cannula, whose tip rests just inside the body."""
    axis = unit(trajectory.target_mm - trajectory.entry_mm)
    length = float(np.linalg.norm(trajectory.target_mm - trajectory.entry_mm))
    offset = surface.places(surface.body) - trajectory.entry_mm
    along = offset @ axis
    beside = np.linalg.norm(offset - along[:, None] * axis, axis=1)
    radius = 0.5 * trajectory.outer_diameter_mm
    near = (beside <= radius + surface.edge) & (along >= 0.0) & (along <= length)
    if not near.any():
        return None
    tip = float(along[near].min()) + TIP_MM
    here = near & (along <= tip)
    width = np.pi * trajectory.outer_diameter_mm
    return slit(Site.TRACK, surface.body[here], ways.track_gap_mm, width, tip)


def ball(
    inside: NDArray[np.bool_], affine: Array, centre_mm: Array, radius_mm: float
) -> Voxels | None:
    """Return the voxels (N, 3) of a small ball, for a port; None if it lies outside the bone."""
    where = np.argwhere(inside)
    distance = np.linalg.norm(where @ affine[:3, :3].T + affine[:3, 3] - centre_mm, axis=1)
    if distance.min() > FARTHEST_MM:
        return None
    return np.asarray(where[distance <= max(radius_mm, float(distance.min()))])
