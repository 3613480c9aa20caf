"""The veins inside a vertebral body, as ways out for cement.

Wide channels lie in the middle of the body's height. Towards the back they join in one canal, the
basivertebral vein, which opens into the plexus in the spinal canal; towards the front and the
sides they leave through small holes into the segmental veins. Here the canal is straight and as
deep as measured, and four channels fan out from its end.

References
----------
Elsevier Complete Anatomy, basivertebral veins (through the body, out of it in front and behind).
Tzika M et al., Surg Radiol Anat 2021;43:889 (depth of the canal; one opening in 45 %, two in 37 %
of vertebrae: one is taken here).
"""

import numpy as np

from kyphoplan.case import Vertebra
from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.outlets import Outlet, vein
from kyphoplan.simulation.cement.surface import Surface
from kyphoplan.simulation.cement.ways import Ways

CHANNELS_DEG = (-67.5, -22.5, 22.5, 67.5)  # [deg] from the front to the left; assumed
REACH_MM = 50.0  # [mm] farther than any wall of a body
APART_DEG = 45.0  # [deg] between two channels


def veins(vertebra: Vertebra, surface: Surface, ways: Ways) -> tuple[Outlet, ...]:
    """Open the canal of the basivertebral vein, and each channel to the back and to the front."""
    body, frame = vertebra.body, vertebra.frame
    assert body is not None  # located
    assert frame is not None
    mouth = _mouth(vertebra)
    depth = ways.basivertebral_depth * body.depth_mm
    hub = mouth - depth * frame.posterior
    canal = surface.along(mouth, hub)
    found = [vein(Site.BASIVERTEBRAL, *canal, ways.basivertebral_mm, ways.vein_mm)]
    for degrees, radius in zip(CHANNELS_DEG, ways.segmental_mm, strict=True):
        narrower = radius / ways.basivertebral_mm
        beyond = (depth + ways.vein_mm) * narrower**4
        angle = np.deg2rad(degrees + 0.5 * APART_DEG * ways.vein_turn)
        way = np.sin(angle) * frame.left - np.cos(angle) * frame.posterior
        voxels, away = surface.along(hub, hub + REACH_MM * way)
        inner = _unbroken(away, surface.edge)
        voxels, away = voxels[inner], away[inner]
        if not len(voxels):
            continue
        found += [
            vein(
                Site.BASIVERTEBRAL, voxels, away, radius, beyond,
                within_mm=depth / narrower**2,
            ),
            vein(Site.SEGMENTAL, voxels, away.max() - away, radius, ways.vein_mm),
        ]  # fmt: skip
    return tuple(outlet for outlet in found if len(outlet.voxels))


def _mouth(vertebra: Vertebra) -> Array:
    """Return the middle of the posterior wall [mm, LPS]."""
    assert vertebra.body is not None
    assert vertebra.frame is not None
    wall = vertebra.body.posterior_wall_mm
    heights = (wall - vertebra.frame.origin_mm) @ vertebra.frame.superior
    middle = 0.5 * (heights.min() + heights.max())
    return np.asarray(wall[int(np.argmin(np.abs(heights - middle)))])


def _unbroken(away: Array, edge: float) -> Array:
    """Tell which voxels lie on the first unbroken stretch of a line."""
    order = np.argsort(away, kind="stable")
    gaps = np.diff(away[order], prepend=0.0) > 2.0 * edge
    inner = np.empty(away.size, bool)
    inner[order] = np.cumsum(gaps) == 0
    return inner
