"""The cracks of a compression fracture, as ways out for cement.

The same break as in `fracture`: the ring of cortex beside an endplate that went down is cracked,
on the front and the sides, and at the back too where a fragment stands back; the endplate itself
is cracked from side to side through its deepest place. CT shows neither how wide nor how long the
crack is open, so both are drawn.

References
----------
Wang XR et al., Chin Med J 2020;133:2696, PMC7647501: most fractures break the superior endplate,
deepest in its second fifth from the front, and the upper third of the anterior wall.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from kyphoplan.case import Endplate, Vertebra, VertebraMeasures
from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.outlets import Outlet, slit
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


def cracks(
    vertebra: Vertebra, row: VertebraMeasures, surface: Surface, ways: Ways
) -> Iterator[Outlet]:
    """Open the cracks of a fractured body; none where no endplate went down."""
    body, broken = vertebra.body, broken_endplates(row)
    assert body is not None  # located
    behind = (row.retropulsion.value or 0.0) >= RETROPULSION_MM
    for plate, kind in ((body.superior, Broken.SUPERIOR), (body.inferior, Broken.INFERIOR)):
        if broken in {kind, Broken.BOTH}:
            yield from _ring(vertebra, plate, surface, ways, behind=behind)
            yield from _across(vertebra, plate, surface, ways)


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
    here = (np.abs(under - height) <= 0.5 * surface.edge) & (behind | ~posterior)
    here[here] = _open_part(np.arctan2(local[here, 0], -local[here, 1]), ways)
    for site, part in ((Site.FRACTURE, here & ~posterior), (Site.CANAL, here & posterior)):
        if part.any():
            width = float(part.sum()) * surface.edge
            yield slit(site, surface.skin[part], ways.fracture_gap_mm, width, ways.shell_mm)


def _across(vertebra: Vertebra, plate: Endplate, surface: Surface, ways: Ways) -> Iterator[Outlet]:
    """Open a part of the crack across an endplate, into the disc."""
    frame = vertebra.frame
    assert frame is not None
    depth = (plate.middle_mm - plate.points_mm) @ plate.normal
    deepest = plate.points_mm[depth >= np.percentile(depth, 100.0 - DEEPEST)]
    line = float(frame.to_local(deepest)[:, 1].mean())
    places = surface.places(surface.skin)
    local = frame.to_local(places)
    off, _ = cKDTree(plate.points_mm).query(places)
    here = (off <= LIFTED_MM) & (np.abs(local[:, 1] - line) <= 0.5 * surface.edge)
    here[here] = _open_part(local[here, 0], ways)
    if here.any():
        width = float(here.sum()) * surface.edge
        yield slit(
            Site.DISC, surface.skin[here], ways.fracture_gap_mm, width, ways.shell_mm,
            resistance=ways.disc_resistance,
        )  # fmt: skip


def _open_part(order: Array, ways: Ways) -> NDArray[np.bool_]:
    """Tell which voxels of a crack, in their order along it, lie in its open part."""
    rank = (np.argsort(np.argsort(order, kind="stable")) + 0.5) / max(order.size, 1)
    start = ways.crack_place * (1.0 - ways.crack_share)
    return np.asarray((rank >= start) & (rank <= start + ways.crack_share))
