"""Where the broken shell is weak: a stated model, since CT shows the break but not its strength.

A compression fracture breaks the ring of cortex beside the endplate that went down. In this model
the shell of a band under (or over) that endplate, on the front and the sides, has kept only a
share of its stiffness and strength; so has the shell around each cortical gap. The posterior wall
is taken as whole unless a fragment stands back. A cleft is a hole already and needs no weakness.
Whether the fracture is fresh (weak) or healed (whole) cannot be seen on CT, so the share is drawn
from a wide range.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import ndimage

from kyphoplan.case import GapSite, Vertebra, VertebraMeasures
from kyphoplan.geometry import Array
from kyphoplan.simulation.operative_field import Field
from kyphoplan.simulation.specimen import Tissue

SHELL_MM = 2.5  # [mm] of cortex and its blur
BAND_MM = (1.0, 6.0)  # [mm] distances from the endplate between which the ring is broken
POSTERIOR_SHARE = 0.2  # [1] of the body's depth that belongs to the posterior wall
RETROPULSION_MM = 2.0  # [mm] a fragment that stands back farther has broken the posterior wall
AROUND_GAP_MM = 2.0  # [mm] beyond a cortical gap that is weak too
SMALLEST_LOSS_PCT = 10.0  # [%] of height: less is no fracture to be lifted


class Broken(StrEnum):
    """Which endplates went down."""

    SUPERIOR = "superior"
    INFERIOR = "inferior"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class FractureModel:
    """What is assumed of the break.

    Attributes
    ----------
    kept : share of stiffness and strength that the broken shell has kept [1]; 1 is healed.
    """

    kept: float


def broken_endplates(row: VertebraMeasures) -> Broken:
    """Tell which endplates went down, from the heights and the depressions of a body."""
    loss = row.height_loss.value
    if loss is None or loss < SMALLEST_LOSS_PCT:
        return Broken.NONE
    above, below = row.superior_depression.value or 0.0, row.inferior_depression.value or 0.0
    gaps = {gap.site for gap in row.cortical_gaps}
    if below > MUCH_DEEPER * max(above, 1.0) or (
        GapSite.INFERIOR in gaps and GapSite.SUPERIOR not in gaps
    ):
        return Broken.INFERIOR
    if min(above, below) > BICONCAVE_MM:
        return Broken.BOTH
    return Broken.SUPERIOR  # most compression fractures: the upper half gives way


MUCH_DEEPER = 2.0  # [1] times as deep is the one that went down
BICONCAVE_MM = 2.5  # [mm] both as deep as this went down; intact endplates are 1 to 2 mm deep


def weakened(
    field: Field, vertebra: Vertebra, row: VertebraMeasures, model: FractureModel
) -> Field:
    """Return the field with the broken shell weakened."""
    broken = broken_endplates(row)
    if broken is Broken.NONE or model.kept >= 1.0 or vertebra.body is None:
        return field
    weak = np.zeros(field.tissue.shape, bool)
    places = _places(field)
    sides = {
        Broken.SUPERIOR: (vertebra.body.superior,),
        Broken.INFERIOR: (vertebra.body.inferior,),
    }.get(broken, (vertebra.body.superior, vertebra.body.inferior))
    shell = _shell(field)
    for plate in sides:
        depth = _depth(
            field,
            plate.points_mm,
            places,
            1.0 if plate is sides[0] and broken is not Broken.INFERIOR else -1.0,
        )
        weak |= (depth > BAND_MM[0]) & (depth < BAND_MM[1]) & shell
    if (row.retropulsion.value or 0.0) < RETROPULSION_MM:
        weak &= ~_posterior(field, vertebra)
    for gap in row.cortical_gaps:
        radius = np.sqrt((gap.area.value or 0.0) / np.pi) + AROUND_GAP_MM
        centre = field.to_block(gap.centre_mm)
        near = np.linalg.norm(places - centre, axis=-1) * field.edge_mm < radius
        weak |= near & shell
    return replace(field, weak=np.where(weak, model.kept, field.weak))


def _places(field: Field) -> Array:
    """Centres of the voxels, in voxels from the corner (I, J, K, 3)."""
    axes = [np.arange(n) + 0.5 for n in field.tissue.shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _shell(field: Field) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Bone near the outside, the discs' side left out (the endplates themselves are whole)."""
    bone = field.tissue == Tissue.BONE
    closed = bone | (field.tissue > Tissue.BONE)
    depth = ndimage.distance_transform_edt(closed, sampling=field.edge_mm)
    return np.asarray(bone & (depth <= SHELL_MM))


def _depth(field: Field, points_mm: Array, places: Array, sign: float) -> Array:
    """Distance of each voxel below (above) an endplate's mean plane, along k [mm]."""
    points = field.to_block(points_mm)
    design = np.stack([points[:, 0], points[:, 1], np.ones(len(points))], axis=1)
    slope, *_ = np.linalg.lstsq(design, points[:, 2], rcond=None)
    height = places[..., 0] * slope[0] + places[..., 1] * slope[1] + slope[2]
    return np.asarray(sign * (height - places[..., 2]) * field.edge_mm)


def _posterior(
    field: Field, vertebra: Vertebra
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Voxels of the posterior wall and what lies behind it."""
    assert vertebra.body is not None
    wall = field.to_block(vertebra.body.posterior_wall_mm)[:, 1].min()
    depth = vertebra.body.depth_mm / field.edge_mm
    behind = np.arange(field.tissue.shape[1]) + 0.5 > wall - POSTERIOR_SHARE * depth
    return np.broadcast_to(behind[None, :, None], field.tissue.shape)
