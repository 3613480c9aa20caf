"""The local frame of one vertebra, found from its own mask: canal first, then endplates."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.anatomy.body import Outline, canal_line, outline
from kyphoplan.anatomy.cut import divide
from kyphoplan.anatomy.endplates import columns, plane, without_spurs
from kyphoplan.anatomy.grid import Grid, Mask
from kyphoplan.anatomy.orientation import Rough
from kyphoplan.case import Volume
from kyphoplan.geometry import Array, Frame, unit

ROUNDS = 4  # [1] repetitions; the frame moves by less than 0.05 deg after the third
SEARCH_STEP_MM = 1.0  # [mm] grid spacing while the frame is sought


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A vertebra on the grid of its own frame.

    Attributes
    ----------
    field : (L, P, S) signed distance to the label's surface [mm], negative inside.
    found : walls and extent of the body.
    body : (L, P, S) True in the body.
    waist : (L, P) True in the outline of the body's middle third.
    canal : left and posterior coordinate (S,) of the canal's axis [mm].
    """

    grid: Grid
    field: Array
    found: Outline
    body: Mask
    waist: Mask
    canal: tuple[Array, Array]


def place(
    field: Volume,
    frame: Frame,
    rough: Rough,
    step_mm: float,
    shift_mm: float,
    *,
    lean: float | None = None,
) -> Fit | None:
    """Sample a vertebra on the grid of a frame and find its body there; None if there is none.

    ``lean`` is how the canal leans backwards per mm of height, once the frame is found.
    """
    grid = Grid.around(frame, step_mm, shift_mm)
    values = grid.sample(field, outside=5.0)
    canal = canal_line(grid, rough.canal_mm, rough.along)
    found = outline(values, grid, canal[1], lean=lean)
    if found is None:
        return None
    body, waist = divide(values, grid, found, canal)
    return Fit(grid=grid, field=values, found=found, body=body, waist=waist, canal=canal)


def pedicles_are_above(fit: Fit) -> bool:
    """Tell whether superior points to the head: the pedicles leave the upper half of the body."""
    grid, found = fit.grid, fit.found
    left, posterior = fit.canal
    k = int(np.argmin(np.abs(grid.superior - found.middle)))
    wall = float(np.median(found.wall_across[np.abs(grid.left) < 15.0]))  # noqa: PLR2004 [mm]
    strip = (grid.posterior > wall + 1.0) & (grid.posterior < posterior[k])
    beside = np.abs(grid.left - left[k]) > 6.0  # noqa: PLR2004 - [mm] beside the canal
    near = np.abs(grid.superior - found.middle) < (found.top - found.bottom)
    bone = fit.field[np.ix_(beside, strip, near)] < 0
    heights = grid.superior[near]
    total = bone.sum(axis=(0, 1))
    return bool((total * heights).sum() > found.middle * total.sum())


def better_frame(fit: Fit, rough: Rough) -> tuple[Frame, float] | None:
    """Improve the frame from the endplates (superior) and body to canal (posterior).

    Returns the frame at the body's centre and how far that lies in front of the canal [mm].
    """
    grid, found = fit.grid, fit.found
    k = int(np.argmin(np.abs(grid.superior - found.middle)))
    walls = found.anterior_wall[k], found.posterior_wall[k]
    waist = fit.waist
    if waist.sum() < 30 or np.isnan(walls).any():  # noqa: PLR2004 - not a body
        return None
    surfaces = [columns(fit.field, grid, fit.body, waist, found, sign) for sign in (1, -1)]
    if min(s.left.size for s in surfaces) < 30:  # noqa: PLR2004
        return None
    planes = [plane(without_spurs(s)) for s in surfaces]
    top, bottom = (unit([-b, -c, 1.0]) for _, b, c in planes)
    superior = unit(top + bottom) @ grid.frame.axes
    left = float((waist.sum(axis=1) * grid.left).sum() / waist.sum())
    centre_posterior = 0.5 * (walls[0] + walls[1])
    height = 0.5 * sum(a + b * left + c * centre_posterior for a, b, c in planes)
    centre = grid.frame.to_patient([left, centre_posterior, height])
    along = rough.along * np.sign(rough.along @ superior)
    t = ((centre - rough.canal_mm) @ superior) / (along @ superior)
    canal = rough.canal_mm + t * along
    frame = Frame.from_directions(centre, superior=superior, posterior=canal - centre)
    return frame, float((canal - centre) @ frame.posterior)


def settle(field: Volume, rough: Rough, head: Array | None) -> tuple[Frame, float] | None:
    """Find the frame of one vertebra.

    Parameters
    ----------
    field : signed distance of the vertebra's mask [mm].
    head : (3,) direction to the head if the neighbours tell it, else None.

    Returns
    -------
    The frame at the body's centre and its distance in front of the canal [mm]; None if no body
    could be found.
    """
    along = rough.along if head is None else rough.along * np.sign(rough.along @ head)
    frame = Frame.from_directions(rough.canal_mm, superior=along, posterior=rough.posterior)
    shift = 0.0
    for turn in range(ROUNDS):
        fit = place(field, frame, rough, SEARCH_STEP_MM, shift)
        if fit is None:
            return None
        if turn == 0 and head is None and not pedicles_are_above(fit):
            frame = Frame.from_directions(
                frame.origin_mm, superior=-frame.superior, posterior=frame.posterior
            )
            fit = place(field, frame, rough, SEARCH_STEP_MM, shift)
            if fit is None:
                return None
        better = better_frame(fit, rough)
        if better is None:
            return None
        frame, shift = better
    return frame, shift
