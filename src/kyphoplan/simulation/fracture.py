"""Where broken bone is weak: a stated model, since CT shows the break but not its strength.

A compression fracture breaks the ring of cortex beside the endplate that went down. In this model
the shell of a band under (or over) that endplate, on the front and the sides, has kept only a
share of its stiffness and strength; so has the shell around each cortical gap. The posterior wall
is taken as whole unless a fragment stands back. A cleft is a hole already and needs no weakness.

The spongy bone of the band was crushed with it. On CT it looks denser, since its trabeculae were
driven into each other, but they are broken: it is not as strong as whole bone of that density. It
is taken to have kept, of what the bone that was not crushed has, the share that whole bodies keep
of their strength when they are crushed and pressed again; of stiffness they keep less. Crushed
bone fills about as much of the body as was lost, if it was pressed to half its height. Balloons
push against it with the share of strength for both: its stiffness hardly matters to them.

What is broken is rubble held by marrow: pressed together it bears, pulled apart it hardly does.
So broken shell and crushed bone keep of that strength only a small share in tension.

Whether the fracture is fresh (weak) or healed (whole) cannot be seen on CT, so the shares are
drawn from wide ranges; as far as the shell has healed, the spongy bone has, and both bear
tension again.

References
----------
Wegrzyn J et al., J Bone Miner Res 2011;26:739, PMC3179325: L3 bodies pressed to 75 % of their
height and pressed again bore 0.89 +- 0.19 (0.47 to 1.21) of the load, at 0.47 +- 0.18 (0.24 to
0.98) of the stiffness.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import GapSite, Vertebra, VertebraMeasures
from kyphoplan.geometry import Array
from kyphoplan.materials import MODULUS, STRENGTH, default
from kyphoplan.simulation.operative_field import Field
from kyphoplan.simulation.specimen import Tissue

SHELL_MM = 2.5  # [mm] of cortex and its blur
BAND_MM = (1.0, 6.0)  # [mm] distances from the endplate between which the ring is broken
POSTERIOR_SHARE = 0.2  # [1] of the body's depth that belongs to the posterior wall
RETROPULSION_MM = 2.0  # [mm] a fragment that stands back farther has broken the posterior wall
ENDPLATE_MM = 1.5  # [mm] of bone under a disc, with its blur
AROUND_GAP_MM = 2.0  # [mm] beyond a cortical gap that is weak too
SMALLEST_LOSS_PCT = 10.0  # [%] of height: less is no fracture to be lifted
MOST_CRUSHED_MM = 15.0  # [mm] of crushed bone under an endplate; assumed: half a lumbar body


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
    spongy_kept, spongy_stiffness : share of its strength and of its stiffness that freshly crushed
        spongy bone has kept [1].
    tension : share of the strength that is left which freshly broken bone bears in tension [1].
    """

    kept: float
    spongy_kept: float
    spongy_stiffness: float
    tension: float


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
    """Return the field with the broken shell and the crushed spongy bone weakened."""
    broken = broken_endplates(row)
    if broken is Broken.NONE or model.kept >= 1.0 or vertebra.body is None:
        return field
    shell, places = _shell(field), _places(field)
    depths = list(_depths(field, vertebra, broken, places))
    open_ = np.full(shell.shape, (row.retropulsion.value or 0.0) >= RETROPULSION_MM)
    open_ |= ~_posterior(field, vertebra)
    ring = shell & open_ & _any_within(depths, BAND_MM[1])
    crushed = (field.tissue == Tissue.BONE) & ~shell & ~_endplates(field) & open_
    crushed &= _any_within(depths, crushed_mm(row))
    ring |= _around_gaps(field, row, places) & shell
    weak = np.where(ring, model.kept, field.weak)
    whole = (field.tissue == Tissue.BONE) & ~shell & ~_posterior(field, vertebra) & ~crushed
    denser = _denser(field.density, crushed, whole)
    bears = _spongy(model, model.spongy_kept, denser ** -default(STRENGTH).exponent)
    gives = _spongy(model, model.spongy_stiffness, denser ** -default(MODULUS).exponent)
    return replace(
        field,
        weak=np.where(crushed, np.minimum(weak, bears), weak),
        tension=np.where(ring | crushed, _healed(model, model.tension), field.tension),
        slack=np.where(crushed, np.minimum(gives / bears, 1.0), field.slack),
    )


def _spongy(model: FractureModel, kept: float, before: float) -> float:
    """Share of what CT density says [1]: as far as it is not healed, kept of what was before."""
    return _healed(model, kept * before)


def _healed(model: FractureModel, fresh: float) -> float:
    """Share of what whole bone has [1], where freshly broken bone has less."""
    return model.kept + (1.0 - model.kept) * fresh


def _denser(density: Array, crushed: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    """Return how much denser crushed bone is than that which was not crushed [1]; 1 at least."""
    if not (crushed.any() and whole.any()):
        return 1.0
    before = max(float(np.median(density[whole])), LEAST_DENSITY)
    return max(float(np.median(density[crushed])) / before, 1.0)


LEAST_DENSITY = 1.0  # [mg/cm3] against division by zero


def crushed_mm(row: VertebraMeasures) -> float:
    """Return how far from the endplate the bone is crushed [mm]: as much as was lost, or more."""
    loss = min((row.height_loss.value or 0.0) / 100.0, 0.8)
    lost = loss / (1.0 - loss) * (row.anterior_height.value or 0.0)
    return float(np.clip(lost, BAND_MM[1], MOST_CRUSHED_MM))


def _depths(field: Field, vertebra: Vertebra, broken: Broken, places: Array) -> Iterator[Array]:
    """Yield the distance of each voxel from each endplate that went down, into the body [mm]."""
    body = vertebra.body
    assert body is not None
    if broken in {Broken.SUPERIOR, Broken.BOTH}:
        yield _depth(field, body.superior.points_mm, places, 1.0)
    if broken in {Broken.INFERIOR, Broken.BOTH}:
        yield _depth(field, body.inferior.points_mm, places, -1.0)


def _any_within(depths: list[Array], reach_mm: float) -> NDArray[np.bool_]:
    return np.any([(d > BAND_MM[0]) & (d < reach_mm) for d in depths], axis=0)


def _around_gaps(field: Field, row: VertebraMeasures, places: Array) -> NDArray[np.bool_]:
    """Tell which voxels lie around a gap of the shell."""
    near = np.zeros(field.tissue.shape, bool)
    for gap in row.cortical_gaps:
        radius = np.sqrt((gap.area.value or 0.0) / np.pi) + AROUND_GAP_MM
        away = np.linalg.norm(places - field.to_block(gap.centre_mm), axis=-1)
        near |= away * field.edge_mm < radius
    return near


def _places(field: Field) -> Array:
    """Centres of the voxels, in voxels from the corner (I, J, K, 3)."""
    axes = [np.arange(n) + 0.5 for n in field.tissue.shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _shell(field: Field) -> NDArray[np.bool_]:
    """Bone near the outside, the discs' side left out (the endplates themselves are whole)."""
    bone = field.tissue == Tissue.BONE
    closed = bone | (field.tissue > Tissue.BONE)
    depth = ndimage.distance_transform_edt(closed, sampling=field.edge_mm)
    return np.asarray(bone & (depth <= SHELL_MM))


def _endplates(field: Field) -> NDArray[np.bool_]:
    """Bone beside a disc: the endplates went down, but were not crushed."""
    disc = np.isin(field.tissue, (Tissue.ANNULUS, Tissue.NUCLEUS))
    away = ndimage.distance_transform_edt(~disc, sampling=field.edge_mm)
    return np.asarray(away <= max(ENDPLATE_MM, field.edge_mm))


def _depth(field: Field, points_mm: Array, places: Array, sign: float) -> Array:
    """Distance of each voxel below (above) an endplate's mean plane, along k [mm]."""
    points = field.to_block(points_mm)
    design = np.stack([points[:, 0], points[:, 1], np.ones(len(points))], axis=1)
    slope, *_ = np.linalg.lstsq(design, points[:, 2], rcond=None)
    height = places[..., 0] * slope[0] + places[..., 1] * slope[1] + slope[2]
    return np.asarray(sign * (height - places[..., 2]) * field.edge_mm)


def _posterior(field: Field, vertebra: Vertebra) -> NDArray[np.bool_]:
    """Voxels of the posterior wall and what lies behind it."""
    assert vertebra.body is not None
    wall = field.to_block(vertebra.body.posterior_wall_mm)[:, 1].min()
    depth = vertebra.body.depth_mm / field.edge_mm
    behind = np.arange(field.tissue.shape[1]) + 0.5 > wall - POSTERIOR_SHARE * depth
    return np.broadcast_to(behind[None, :, None], field.tissue.shape)
