"""The cracks of a compression fracture, as ways out for cement.

The same break as in `fracture`: the ring of cortex beside an endplate that went down is cracked,
on the front and the sides, and at the back too where a fragment stands back. The endplate itself
is broken through in most, and the other one in many; how often, MR shows. A plate that is bent
beyond its strength breaks through its deepest place, and one that was punched in around the dent
as well (as the yield lines of a plate do, which run through its middle and along its edge).
CT shows neither how wide nor how long a crack is open, so both are drawn. The dense shell, which
CT blurs over a millimetre or two, would seal it; so the crack splits those voxels, too. Where a
balloon raised the endplate, the break has opened all through the body.

References
----------
Wang XR et al., Chin Med J 2020;133:2696, PMC7647501: most fractures break the superior endplate,
deepest in its second fifth from the front, and the upper third of the anterior wall.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kyphoplan.case import Endplate, Vertebra, VertebraMeasures
from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.outlets import Outlet, Voxels, slit
from kyphoplan.simulation.cement.surface import LIFTED_MM, Surface
from kyphoplan.simulation.cement.ways import Ways
from kyphoplan.simulation.fracture import (
    BAND_MM,
    POSTERIOR_SHARE,
    RETROPULSION_MM,
    Broken,
    broken_endplates,
)

DEEPEST = 5.0  # [%] of an endplate's points that are its deepest place
WALL = 0.7  # [1] a wall faces less up or down than this (45 degrees); what faces more is endplate
PUNCHED_MM = (
    2.0  # [mm] an endplate deeper than this was punched in; intact ones are 1 to 2 mm deep
)


def cracks(
    vertebra: Vertebra, row: VertebraMeasures, surface: Surface, ways: Ways
) -> Iterator[Outlet]:
    """Open the cracks of a fractured body; none where no endplate went down."""
    body, broken = vertebra.body, broken_endplates(row)
    assert body is not None  # located
    if broken is Broken.NONE:
        return
    behind = (row.retropulsion.value or 0.0) >= RETROPULSION_MM
    for plate, kind, depth in (
        (body.superior, Broken.SUPERIOR, row.superior_depression.value),
        (body.inferior, Broken.INFERIOR, row.inferior_depression.value),
    ):
        down = broken in {kind, Broken.BOTH}
        if down:
            yield from _ring(vertebra, plate, surface, ways, behind=behind)
        if ways.endplate_open if down else ways.other_endplate_open:
            punched = down and (depth or 0.0) > PUNCHED_MM
            yield from _through(vertebra, plate, surface, ways, punched=punched)


def _ring(
    vertebra: Vertebra, plate: Endplate, surface: Surface, ways: Ways, *, behind: bool
) -> Iterator[Outlet]:
    """Open a part of the crack around the body."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None
    assert frame is not None
    places = surface.places(surface.skin)
    local = frame.to_local(places)
    under = (plate.middle_mm - places) @ plate.normal
    height = BAND_MM[0] + ways.crack_height * (BAND_MM[1] - BAND_MM[0])
    posterior = local[:, 1] > (0.5 - POSTERIOR_SHARE) * body.depth_mm
    wall = np.abs(surface.outwards(surface.skin) @ plate.normal) < WALL
    here = wall & (np.abs(under - height) <= 0.5 * surface.edge) & (behind | ~posterior)
    here[here] = _open_part(np.arctan2(local[here, 0], -local[here, 1]), ways)
    gap = ways.fracture_gap_mm + ways.lift_mm
    axis = plate.middle_mm - height * plate.normal
    for site, part in ((Site.FRACTURE, here & ~posterior), (Site.CANAL, here & posterior)):
        if part.any():
            width = float(part.sum()) * surface.edge
            inwards = axis - places[part]
            inwards /= np.linalg.norm(inwards, axis=1, keepdims=True)
            ring = slit(
                site, surface.skin[part], gap, width, ways.shell_mm,
                bored=surface.beneath(surface.skin[part], inwards),
            )  # fmt: skip
            lifted = ways.lift_mm > 0.0 and site is Site.FRACTURE
            yield _across_the_body(ring, axis, plate, surface, ways) if lifted else ring


def _across_the_body(
    ring: Outlet, axis: Array, plate: Endplate, surface: Surface, ways: Ways
) -> Outlet:
    """Let the crack run on through the bone, as wide as the endplate was raised off it."""
    off = np.abs((axis - surface.places(surface.body)) @ plate.normal)
    section = surface.body[off <= 0.5 * surface.edge]
    split = ways.lift_mm**3 / 12.0 * surface.edge
    return replace(
        ring,
        bored=np.concatenate([ring.bored, section]),
        bore_mm4=np.concatenate([ring.bore_mm4, np.full(len(section), split)]),
    )


def _through(
    vertebra: Vertebra, plate: Endplate, surface: Surface, ways: Ways, *, punched: bool
) -> Iterator[Outlet]:
    """Open a part of the crack through an endplate, into the disc: across, and around a dent."""
    frame = vertebra.frame
    assert frame is not None
    depth = (plate.middle_mm - plate.points_mm) @ plate.normal
    deepest = plate.points_mm[depth >= np.percentile(depth, 100.0 - DEEPEST)]
    line = float(frame.to_local(deepest)[:, 1].mean())
    local = frame.to_local(surface.places(surface.skin))
    off, nearest = cKDTree(plate.points_mm).query(surface.places(surface.skin))
    on = off <= LIFTED_MM
    across = on & (np.abs(local[:, 1] - line) <= 0.5 * surface.edge)
    around = on & ~across
    around[around] = _rim(surface.skin[around], depth[nearest[around]]) & punched
    order = np.where(across, local[:, 0], _turn(local, deepest=frame.to_local(deepest)))
    here = across | around
    here[here] = _open_part(order[here], ways)
    if here.any():
        width = float(here.sum()) * surface.edge
        yield slit(
            Site.DISC, surface.skin[here], ways.endplate_gap_mm, width, ways.shell_mm,
            resistance=ways.disc_resistance,
            bored=surface.beneath(surface.skin[here], -plate.normal),
        )  # fmt: skip


def _rim(voxels: Voxels, depth: Array) -> NDArray[np.bool_]:
    """Tell which voxels of an endplate lie at the rim of its dent: the half of its depth."""
    dent = depth > 0.5 * (np.percentile(depth, DEEPEST) + np.percentile(depth, 100.0 - DEEPEST))
    if dent.all() or not dent.any():
        return np.zeros(len(voxels), bool)
    away, _ = cKDTree(voxels[~dent]).query(voxels)
    return np.asarray(dent & (away <= NEXT))


NEXT = 1.5  # [1] voxels: a neighbour by face or edge


def _turn(local: Array, deepest: Array) -> Array:
    """Order voxels around the deepest place, after all those of the crack across."""
    off = local - deepest.mean(axis=0)
    return np.asarray(AFTER_MM + np.arctan2(off[:, 0], -off[:, 1]))


AFTER_MM = 1000.0  # [mm] to the left: farther than any endplate is wide


def _open_part(order: Array, ways: Ways) -> NDArray[np.bool_]:
    """Tell which voxels of a crack, in their order along it, lie in its open part."""
    rank = (np.argsort(np.argsort(order, kind="stable")) + 0.5) / max(order.size, 1)
    start = ways.crack_place * (1.0 - ways.crack_share)
    return np.asarray((rank >= start) & (rank <= start + ways.crack_share))
