"""Label map (and CT) to spine: every vertebra found from its own shape and its neighbours."""

from dataclasses import dataclass, replace

import numpy as np

from kyphoplan.anatomy.bones import (
    Bone,
    borrowed,
    cut_out,
    heads_of,
    rough_of,
)
from kyphoplan.anatomy.canal import canal_axis, find_canal, ring_centre
from kyphoplan.anatomy.frame import SEARCH_STEP_MM, Fit, place, settle
from kyphoplan.anatomy.grid import grid_step
from kyphoplan.anatomy.orientation import Rough
from kyphoplan.anatomy.parts import Built, build_body, build_parts
from kyphoplan.anatomy.pedicles import find_pedicle
from kyphoplan.anatomy.pose import at_home
from kyphoplan.anatomy.unfit import misshapen_levels, unfit_levels
from kyphoplan.case import (
    Body,
    Canal,
    LabelMap,
    Level,
    Side,
    Spine,
    Vertebra,
    Volume,
    moved,
)
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array

WALL_END_MM = 1.5  # [mm] of the posterior wall at each end: the rounded rim
CUT_SHARE = 0.01  # [1] of the body's surface on the border of the image that makes it cropped
CROPPED = "cropped: cut by the field of view"
NO_CANAL = "no canal: the label shows no body with a closed arch behind it"
SMALLEST_EXTENT_MM = 15.0  # [mm] the flattest crushed vertebra with its arch is thicker


def locate(labels: LabelMap, ct: Volume | None = None) -> Spine:
    """Find the anatomy of every labelled vertebra.

    Parameters
    ----------
    labels : the vertebra label map, any orientation.
    ct : the CT [HU] in any grid of the same patient frame; sharpens the endplates if given.

    Returns
    -------
    The spine from head to tail. What could not be found is None with its reason; a vertebra cut
    by the field of view is marked ``cropped``. The sacrum is left out.

    Raises
    ------
    CaseError
        If the map is too thin to hold a vertebra, or holds none of its named labels.

    Examples
    --------
    >>> from kyphoplan.case import Level
    >>> from kyphoplan.phantom import Phantom, scan
    >>> image = scan(Phantom(levels=(Level.L1, Level.L2)), spacing_mm=(2.0, 2.0, 2.0))
    >>> [str(level) for level in locate(image.labels).levels]
    ['L1', 'L2']
    """
    _check_extent(labels.volume)
    unfit, misshapen = unfit_levels(labels, ct), misshapen_levels(labels)
    kept = {value: level for value, level in labels.levels.items() if level not in misshapen}
    volume, ct, home = at_home(replace(labels, levels=kept), ct)
    bones: dict[Level, Bone] = {
        level: bone
        for value, level in kept.items()
        if level != Level.S1 and (bone := cut_out(volume, value, level)) is not None
    }
    if not bones and not misshapen:
        raise CaseError(
            "label map: none of its voxels belongs to a named vertebra: check the label scheme"
        )
    heads = heads_of(bones)
    seen: dict[Level, Rough | None] = {
        level: rough_of(bone, heads.get(level)) for level, bone in bones.items()
    }
    roughs = borrowed(seen, bones)
    found: dict[Level, Settled] = {
        level: settled
        for level, bone in bones.items()
        if (settled := _settled(bone, roughs[level], heads.get(level))) is not None
    }
    vertebrae = [
        _vertebra(bone, found[level], ct)
        if level in found and level not in unfit
        else _absent(level, unfit.get(level, ""), cut=len(bone.border_mm) > 0)
        for level, bone in bones.items()
    ]
    vertebrae += [_absent(level, why, cut=False) for level, why in misshapen.items()]
    spine = Spine(
        vertebrae=tuple(sorted(vertebrae, key=lambda v: v.level)),
        scheme=labels.scheme,
        basis=labels.basis,
        spacing_mm=np.sort(volume.spacing_mm),
    )
    return moved(spine, home)


def _check_extent(volume: Volume) -> None:
    """Refuse a map that is too thin along one of its axes."""
    extent = np.array(volume.shape) * volume.spacing_mm
    axis = int(np.argmin(extent))
    if extent[axis] < SMALLEST_EXTENT_MM:
        raise CaseError(
            f"label map: too few slices: {volume.shape[axis]} of {volume.spacing_mm[axis]:.2f} mm "
            "hold no whole vertebra: give the whole scan"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """A vertebra with its frame found.

    Attributes
    ----------
    fit : the mask on the grid of its frame.
    extent : bottom and top of the posterior wall along the frame's superior axis [mm].
    centre_mm : (3,) centre of the canal where the arch closes around it [mm, LPS].
    along : (3,) unit vector along the canal towards the head.
    """

    fit: Fit
    extent: tuple[float, float]
    centre_mm: Array
    along: Array


def _settled(bone: Bone, rough: Rough | None, head: Array | None) -> Settled | None:
    """Find the frame and the canal's centre; None if there is no canal or no body."""
    if rough is None:
        return None
    found = settle(bone.field, rough, head)
    if found is None:
        return None
    frame, shift = found
    first = place(bone.field, frame, rough, SEARCH_STEP_MM, shift)
    if first is None:
        return None
    centre = ring_centre(bone.field, frame, rough, (first.found.bottom, first.found.top))
    cranial = rough.along * np.sign(rough.along @ frame.superior)
    along = canal_axis(bone.field, frame, centre, cranial, _wall_extent(first))
    lean = float(along @ frame.posterior) / float(along @ frame.superior)
    fit = place(bone.field, frame, rough, grid_step(bone.field.spacing_mm), shift, lean=lean)
    if fit is None:
        return None
    return Settled(fit=fit, extent=_wall_extent(fit), centre_mm=centre, along=along)


def _wall_extent(fit: Fit) -> tuple[float, float]:
    """Bottom and top of the posterior wall along the frame's superior axis [mm]."""
    wall = fit.grid.superior[~np.isnan(fit.found.posterior_wall)]
    return float(wall.min()) + WALL_END_MM, float(wall.max()) - WALL_END_MM


def _absent(level: Level, unfit: str, *, cut: bool) -> Vertebra:
    """Make the noun of a labelled vertebra that is unfit, or has no body with a canal."""
    cut = cut and not unfit
    return Vertebra(
        level=level,
        frame=None,
        parts=None,
        surface=None,
        body=None,
        canal=None,
        left_pedicle=None,
        right_pedicle=None,
        cropped=cut,
        reason=unfit or (CROPPED if cut else NO_CANAL),
    )


def _vertebra(bone: Bone, settled: Settled, ct: Volume | None) -> Vertebra:
    """Find the anatomy of one vertebra."""
    fit, frame = settled.fit, settled.fit.grid.frame
    cropped = _is_cropped(bone, fit)
    built = Built(body=None, frame=frame, spurs=None) if cropped else build_body(fit, bone, ct)
    line = (settled.centre_mm, settled.along)
    canal = find_canal(bone.field, frame, line, settled.extent)
    pedicles = {side: None if cropped else find_pedicle(fit, bone.field, side) for side in Side}
    return Vertebra(
        level=bone.level,
        frame=built.frame,
        parts=build_parts(fit, built.spurs),
        surface=Volume(fit.field, fit.grid.affine),
        body=built.body,
        canal=None if cropped else canal,
        left_pedicle=pedicles[Side.LEFT],
        right_pedicle=pedicles[Side.RIGHT],
        cropped=cropped,
        reason=_reason(cropped, built.body, canal),
    )


def _reason(cropped: bool, body: Body | None, canal: Canal | None) -> str:
    """Say what is missing and why; empty if nothing is."""
    if cropped:
        return CROPPED
    if body is None:
        return "no endplates: the body's surface could not be followed"
    return "" if canal is not None else "open canal: the label shows no closed arch"


def _is_cropped(bone: Bone, fit: Fit) -> bool:
    """Say whether the image's border cuts the body or the pedicles (not just a process)."""
    if len(bone.border_mm) == 0:
        return False
    local = fit.grid.frame.to_local(bone.border_mm)
    wall = float(np.nanmedian(fit.found.posterior_wall))
    half_width = 0.5 * float(np.ptp(fit.grid.left[fit.waist.any(axis=1)])) + 3.0
    essential = (local[:, 1] < wall + 8.0) & (np.abs(local[:, 0]) < half_width)
    return bool(essential.sum() > CUT_SHARE * max(fit.waist.sum(), 1))
