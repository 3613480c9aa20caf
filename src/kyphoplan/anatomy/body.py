"""The vertebral body seen in front of the canal: its walls, its extent, the wall across."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from kyphoplan.anatomy.grid import Grid, Mask, crossing
from kyphoplan.geometry import Array

# Distances that are compared with the grid's nodes lie off its lattice: no rounding decides.
MIDLINE_MM = 2.53  # [mm] half width of the band that stands for the mid-sagittal plane
LONGEST_GAP_MM = 28.0  # [mm] canal centre to posterior wall; widest lumbar canals are 2 x 13 mm
INNER_CANAL_MM = (4.03, 9.03)  # [mm] lateral band that lies within every canal (width >= 19 mm)
THROUGH_SHARE = 0.8  # [1] of the greatest depth: a level at which the body runs from wall to wall
CORNER_MM = 1.0  # [mm] the back corners of a body may stand out more than its front ones (ours)
# [1] a wall leans no farther from the canal: twice the rms of 19 whole vertebrae of the real scans
# in tests/validation (0.02 +- 0.05); a fragment leans by 0.1 to 0.5 and tells nothing of the wall
# beside it, which is then taken to lean as the canal does
WALL_LEAN = 0.10
BEHIND_MM = 4.0  # [mm] in front of the posterior wall, where the body's back is seen
HALF = 0.5  # [1] of the height on each side of the middle: the whole body
PEDICLE_ROOT_MM = 8.0  # [mm] in front of the posterior wall, where pedicles join the sides
LOWER_HALF = (-0.42, -0.08)  # [1] part of the body's height that lies below the pedicles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """The body's extent on a grid, along its own axes.

    Attributes
    ----------
    posterior_wall, anterior_wall : (S,) mid-sagittal wall position at each height [mm]; NaN
        outside the body.
    bottom, top : craniocaudal extent of the body half way between its walls [mm].
    back : its extent just in front of the posterior wall [mm].
    wall_slope : posterior shift of the posterior wall per mm of height [1], a fragment left out.
    wall_across : (L,) posterior wall at each lateral position, at height 0 [mm].
    """

    posterior_wall: Array
    anterior_wall: Array
    bottom: float
    top: float
    back: tuple[float, float]
    wall_slope: float
    wall_across: Array

    @property
    def middle(self) -> float:
        """Height halfway between bottom and top [mm]."""
        return 0.5 * (self.bottom + self.top)

    @property
    def height(self) -> float:
        """Height half way between the walls [mm]."""
        return self.top - self.bottom


def canal_line(grid: Grid, canal_mm: Array, along: Array) -> tuple[Array, Array]:
    """Return left and posterior coordinate (S,) of the canal's axis at each height [mm]."""
    point = grid.frame.to_local(canal_mm)
    direction = grid.frame.axes @ along
    t = (grid.superior - point[2]) / direction[2]
    return point[0] + t * direction[0], point[1] + t * direction[1]


def outline(
    field: Array, grid: Grid, canal_posterior: Array, *, lean: float | None = None
) -> Outline | None:
    """Find the body in front of the canal.

    Parameters
    ----------
    field : (L, P, S) signed distance on the grid [mm].
    canal_posterior : (S,) posterior coordinate of the canal's axis [mm].
    lean : how the canal leans backwards [1]; None while the frame is sought.

    Returns
    -------
    None if no bone lies in front of the canal.
    """
    middle = np.abs(grid.left) <= MIDLINE_MM
    profile = field[middle].mean(axis=0)  # (P, S)
    posterior, anterior = _walls(profile, grid, canal_posterior)
    inside = ~np.isnan(posterior)
    if inside.sum() * grid.step_mm < 5.0:  # noqa: PLR2004 - [mm] less than half a crushed body
        return None
    depth = posterior - anterior
    through = inside & (np.nan_to_num(depth) >= THROUGH_SHARE * np.nanmax(depth))
    v_mid = float(np.median(0.5 * (posterior + anterior)[through]))
    start = float(np.median(grid.superior[through]))
    extent = _column(profile, grid, v_mid, start)
    v_back = float(np.median(posterior[through])) - BEHIND_MM
    back = _column(profile, grid, v_back, start)
    if extent is None or back is None:
        return None
    bottom, top = extent
    height = top - bottom
    core = inside & (np.abs(grid.superior - 0.5 * (bottom + top)) < 0.4 * height)
    if core.sum() < 3:  # noqa: PLR2004 - a line needs points
        return None
    slope = _wall_slope(grid.superior[core], posterior[core], lean)
    across = _wall_across(field, grid, canal_posterior, (bottom, top), slope)
    if across is None:
        return None
    beyond = (grid.superior < min(bottom, back[0]) - 3.0) | (
        grid.superior > max(top, back[1]) + 3.0
    )
    posterior[beyond], anterior[beyond] = np.nan, np.nan
    return Outline(
        posterior_wall=posterior,
        anterior_wall=anterior,
        bottom=bottom,
        top=top,
        back=back,
        wall_slope=slope,
        wall_across=across,
    )


def _walls(profile: Array, grid: Grid, canal_posterior: Array) -> tuple[Array, Array]:
    """Walk forward from the canal at each height: first into bone, then out of it."""
    forward = profile[::-1].T.copy()  # (S, P), from posterior to anterior
    places = grid.posterior[::-1]
    behind = places[None, :] > canal_posterior[:, None]
    posterior = _forward(np.where(behind, 5.0, forward), places, rising=False)
    not_yet = behind | (places[None, :] >= np.where(np.isnan(posterior), -1e3, posterior)[:, None])
    anterior = _forward(np.where(not_yet, -5.0, forward), places, rising=True)
    far = canal_posterior - posterior > LONGEST_GAP_MM
    posterior[far | np.isnan(anterior)] = np.nan
    anterior[np.isnan(posterior)] = np.nan
    return posterior, anterior


def _forward(values: Array, places: Array, *, rising: bool) -> Array:
    """`crossing` along decreasing coordinates."""
    return -crossing(values, -places, rising=rising)


def _column(profile: Array, grid: Grid, v: float, start: float) -> tuple[float, float] | None:
    """Walk up and down inside the bone from a starting height; None if it starts outside."""
    column = profile[int(np.argmin(np.abs(grid.posterior - v)))]
    up = grid.superior >= start
    top = crossing(column[up][None], grid.superior[up], rising=True)[0]
    down = grid.superior <= start
    bottom = -crossing(column[down][::-1][None], -grid.superior[down][::-1], rising=True)[0]
    if np.isnan(top) or np.isnan(bottom) or column[up][0] >= 0:
        return None
    return float(bottom), float(top)


def _wall_slope(x: Array, y: Array, lean: float | None) -> float:
    """Slope of a wall y over heights x: median of the pairwise slopes (Theil-Sen).

    Where it differs from the canal's lean by more than WALL_LEAN, it is a fragment's: the lean.
    """
    i, j = np.triu_indices(x.size, 1)
    slope = float(np.median((y[j] - y[i]) / (x[j] - x[i])))
    return slope if lean is None or abs(slope - lean) <= WALL_LEAN else lean


def _wall_across(
    field: Array, grid: Grid, canal_posterior: Array, extent: tuple[float, float], slope: float
) -> Array | None:
    """Posterior wall at each lateral position, seen below the pedicles where nothing hides it.

    Beyond the last position seen, the wall keeps the last value, but bends forward as the front
    of the body bends back: in a crushed body the pedicles hide its corners at every height. None
    if the wall is seen nowhere.
    """
    bottom, top = extent
    part = (grid.superior - 0.5 * (bottom + top)) / (top - bottom)
    rows = np.flatnonzero((part > LOWER_HALF[0]) & (part < LOWER_HALF[1]))
    places = grid.posterior[::-1]
    seen = np.full((grid.left.size, rows.size), np.nan)
    for column, k in enumerate(rows):
        forward = field[:, ::-1, k].copy()
        forward[:, places > canal_posterior[k]] = 5.0
        start = int(np.argmax(places <= canal_posterior[k]))
        hit = _forward(forward, places, rising=False) - slope * grid.superior[k]
        hit[field[:, ::-1, k][:, start] < 0] = np.nan  # the ray starts in bone: a pedicle
        hit[canal_posterior[k] - hit > LONGEST_GAP_MM] = np.nan
        seen[:, column] = hit
    enough = (~np.isnan(seen)).sum(axis=1) > 0.5 * max(rows.size, 1)
    if not enough.any():
        return None
    known = np.flatnonzero(enough)
    wall = np.interp(grid.left, grid.left[known], np.nanmedian(seen[known], axis=1))
    wall = _not_into_pedicles(wall, grid.left)
    shadow = field[:, :, np.abs(part) < HALF].min(axis=2)
    corner = _mirrored_front(shadow, grid, float(np.median(wall[np.abs(grid.left) < MIDLINE_MM])))
    return np.where(enough, wall, np.minimum(wall, corner + CORNER_MM))


def _mirrored_front(shadow: Array, grid: Grid, wall: float) -> Array:
    """Reflect the body's front, seen from above (L, P), half way to its wall: (L,) [mm].

    Infinite where no front is seen.
    """
    ahead = grid.posterior < wall - PEDICLE_ROOT_MM
    places = grid.posterior[ahead][::-1]
    front = _forward(shadow[:, ahead][:, ::-1], places, rising=True)
    central = front[np.abs(grid.left) < MIDLINE_MM]
    if np.isnan(central).all():
        return np.full(front.size, np.inf)
    middle = float(np.nanmedian(central))
    half = 0.5 * (wall + middle)
    return np.fmax(wall - (front - middle), half)


def _not_into_pedicles(wall: Array, left: Array) -> Array:
    """Keep the wall beside the canal from following the pedicles backwards.

    A low pedicle (L5) hides the wall even below the body's middle; the wall beside the canal is
    then taken no further back than within the canal's width.
    """
    limit = wall.copy()
    for side in (-1.0, 1.0):
        within = (side * left >= INNER_CANAL_MM[0]) & (side * left <= INNER_CANAL_MM[1])
        beyond = side * left > INNER_CANAL_MM[1]
        limit[beyond] = float(np.median(wall[within])) + 1.0
    return np.minimum(wall, limit)


def wall_position(found: Outline, grid: Grid) -> float:
    """Posterior position of the wall behind which the canal lies [mm]."""
    return float(np.median(found.wall_across[np.abs(grid.left) <= INNER_CANAL_MM[1]]))


def largest(mask: Mask) -> Mask:
    """Return the largest connected component of a mask (empty if the mask is)."""
    labels, count = ndimage.label(mask)
    if count <= 1:
        return np.asarray(mask, bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(np.argmax(sizes)))
