"""The ways out of one vertebra, from its anatomy and the gaps found in its shell."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case import CorticalGap, GapSite, Trajectory, Vertebra, VertebraMeasures
from kyphoplan.case.filling import Site
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array, unit
from kyphoplan.simulation.cement.cracks import cracks
from kyphoplan.simulation.cement.outlets import Outlet, shell_pores, slit, tube
from kyphoplan.simulation.cement.surface import Surface
from kyphoplan.simulation.cement.veins import veins
from kyphoplan.simulation.cement.ways import USUAL_WAYS, Ways

TIP_MM = 3.0  # [mm] that a working cannula reaches into the body, beside which cement turns back
LEADS: dict[GapSite, Site] = {
    GapSite.ANTERIOR: Site.CORTICAL,
    GapSite.LEFT: Site.CORTICAL,
    GapSite.RIGHT: Site.CORTICAL,
    GapSite.POSTERIOR: Site.CANAL,
    GapSite.SUPERIOR: Site.DISC,
    GapSite.INFERIOR: Site.DISC,
}


def openings(
    vertebra: Vertebra,
    row: VertebraMeasures | None,
    inside: NDArray[np.bool_],
    affine: Array,
    *,
    trajectories: Iterable[Trajectory] = (),
    ways: Ways = USUAL_WAYS,
) -> tuple[Outlet, ...]:
    """Find the ways out: shell pores, veins, cracks, gaps and cannula tracks.

    Parameters
    ----------
    row : what was measured, with the gaps and the break; None if that is not known.
    inside : (I, J, K) voxels that fluid can enter.
    affine : 4x4, from voxel indices to the patient [mm, LPS].

    Raises
    ------
    CaseError
        If the vertebra was not located.
    """
    if vertebra.body is None or vertebra.frame is None or vertebra.parts is None:
        raise CaseError(f"{vertebra.level}: no ways out can be found: {vertebra.reason}")
    surface = Surface(inside, vertebra, affine)
    pores = shell_pores(
        inside,
        surface.edge,
        permeability_mm2=ways.shell_permeability,
        thickness_mm=ways.shell_mm,
    )
    broken = () if row is None else cracks(vertebra, row, surface, ways)
    holes = [
        *(_gap(gap, surface, ways) for gap in (() if row is None else row.cortical_gaps)),
        *(_hidden(vertebra, surface, ways, *hidden) for hidden in ways.hidden),
        *(_track(trajectory, surface, ways) for trajectory in trajectories),
    ]
    known = (outlet for outlet in holes if outlet is not None)
    return (pores, *veins(vertebra, surface, ways), *broken, *known)


def _gap(gap: CorticalGap, surface: Surface, ways: Ways) -> Outlet | None:
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
    vertebra: Vertebra, surface: Surface, ways: Ways, place: float, area_mm2: float
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
    under = surface.beneath(voxel, unit(frame.origin_mm - surface.places(voxel)[0]))
    return tube(site, voxel, radius, ways.shell_mm, resistance=resistance, bored=under)


def _track(trajectory: Trajectory, surface: Surface, ways: Ways) -> Outlet | None:
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
