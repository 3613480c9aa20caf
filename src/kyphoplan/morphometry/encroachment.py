"""The back of the body and the canal: retropulsion and canal compromise."""

import numpy as np

from kyphoplan.case import Confidence, Level, Measure, Spine, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.morphometry.norms import canal_trend

# [1] canal areas of one person's levels scatter by this about their usual course, once the voxels'
# part is taken off: eight whole levels of three real scans lie 6 % (rms) off what their two
# neighbours foretell, of which 4.5 % is the voxels' part
NARROW_SD = 0.035
WALL_SD_MM = 0.45  # [mm] a healthy posterior wall deviates so from its neighbours' shape
WALL_VOXEL_SD = 0.30  # [1/mm] growth with the square of the voxel size (phantoms)
INTACT_PART = (0.10, 0.40)  # [1] part of the wall that carries the reference, from the sound end
SEARCH_PART = (0.45, 0.90)  # [1] part of the wall in which a fragment is sought
NEIGHBOUR_MM = 1.5  # [mm] natural deviation of a wall from the line of its neighbours
NODES = 41  # [1] heights at which walls are compared


def canal_compromise(spine: Spine, level: Level, intact: tuple[Level, ...]) -> Measure:
    """Measure the loss of canal area [%] against the intact neighbours' interpolated area.

    100 * (1 - A0 / A), A interpolated over the levels between the nearest intact vertebra above
    and below (both needed), along the usual widening of the canal from T11 to L5.

    References
    ----------
    Canal compromise by areas as in doi:10.1371/journal.pone.0135735.
    """
    vertebra = spine[level]
    if vertebra.canal is None:
        return Measure.unknown("%", vertebra.reason or "open canal: no closed arch in the label")
    above, below = _around(spine, level, intact)
    if above is None or below is None:
        return Measure.unknown("%", "no reference: needs an intact vertebra above and below")
    a, b = spine[above].canal, spine[below].canal
    assert a is not None  # chosen so
    assert b is not None
    n_above, n_below = -(spine.steps(level, above) or 0), spine.steps(level, below) or 1
    share = n_above / (n_above + n_below)
    trend = [canal_trend(at) for at in (level, above, below)]
    canals = (vertebra.canal, a, b)
    values = [float(c.area.value or 0.0) / t for c, t in zip(canals, trend, strict=True)]
    sds = [c.area.sd / max(c.area.value or 0.0, 1e-6) for c in canals]
    reference = (1.0 - share) * values[1] + share * values[2]
    ratio = values[0] / reference
    own = np.hypot(sds, NARROW_SD)  # [1] each of the three levels has its own scatter
    sd = 100.0 * ratio * float(np.linalg.norm(own * [1.0, 1.0 - share, share]))
    return Measure.of(
        100.0 * (1.0 - ratio),
        sd,
        "%",
        f"narrowest area against {above} and {below}",
        confidence=Confidence.HIGH if sd < 5.0 else Confidence.MEDIUM,  # noqa: PLR2004 [%]
        lowest=0.0,
        highest=100.0,
    )


def _around(
    spine: Spine, level: Level, intact: tuple[Level, ...]
) -> tuple[Level | None, Level | None]:
    """Nearest intact level above and below with a canal, within two steps."""
    above: Level | None = None
    below: Level | None = None
    for other in intact:
        n = spine.steps(level, other)
        if n is None or spine[other].canal is None or not 0 < abs(n) <= 2:  # noqa: PLR2004
            continue
        if n < 0 and (above is None or n > (spine.steps(level, above) or 0)):
            above = other
        if n > 0 and (below is None or n < (spine.steps(level, below) or 0)):
            below = other
    return above, below


def retropulsion(spine: Spine, level: Level, intact: tuple[Level, ...]) -> Measure:
    """Measure how far the posterior wall stands back from where it should be [mm].

    Two readings, the smaller one counts: (1) the wall of the intact neighbours, averaged over
    relative height, is laid on this wall's sound end, the excess at the other end is read;
    (2) a parabola through the neighbours' walls is continued behind this body, the excess over it
    is read (a healthy wall stays within NEIGHBOUR_MM of it).
    """
    vertebra = spine[level]
    if vertebra.body is None:
        return Measure.unknown("mm", vertebra.reason)
    around = [other for other in _around(spine, level, intact) if other is not None]
    neighbours = [spine[other] for other in around if spine[other].body is not None]
    if len(neighbours) < 2:  # noqa: PLR2004 - above and below
        return Measure.unknown("mm", "no reference: needs an intact vertebra above and below")
    template = np.mean([_wall(v)[1] for v in neighbours], axis=0)
    heights, wall = _wall(vertebra)
    own = {end: _excess(heights, wall, template, end) for end in ("lower", "upper")}
    beyond = wall - _continued(vertebra, neighbours, heights)
    third = NODES // 3
    sound = "lower" if beyond[-third:].max() >= beyond[:third].max() else "upper"
    value = min(own[sound], float(beyond.max()) + NEIGHBOUR_MM)
    voxel = float(spine.spacing_mm[1])
    sd = float(np.hypot(WALL_SD_MM, WALL_VOXEL_SD * voxel**2))
    return Measure.of(
        value,
        sd,
        "mm",
        f"posterior wall against its sound end and the walls of {around[0]} and {around[1]}",
        confidence=Confidence.MEDIUM,
        lowest=0.0,
    )


def _continued(vertebra: Vertebra, neighbours: list[Vertebra], heights: Array) -> Array:
    """Posterior position (N,) of the neighbours' walls continued behind a body [mm]."""
    assert vertebra.frame is not None  # has a body
    places = np.vstack(
        [vertebra.frame.to_local(v.body.posterior_wall_mm) for v in neighbours if v.body]
    )
    return np.asarray(np.polyval(np.polyfit(places[:, 2], places[:, 1], 2), heights))


def _wall(vertebra: Vertebra) -> tuple[Array, Array]:
    """Heights (N,) and posterior position (N,) of the wall over its relative height [mm]."""
    assert vertebra.body is not None
    assert vertebra.frame is not None
    local = vertebra.frame.to_local(vertebra.body.posterior_wall_mm)
    body, frame = vertebra.body, vertebra.frame
    bottom = frame.to_local(body.inferior.posterior_mm)[2]
    top = frame.to_local(body.superior.posterior_mm)[2]
    heights = bottom + (top - bottom) * np.linspace(0.0, 1.0, NODES)
    return heights, np.interp(heights, local[:, 2], local[:, 1])


def _excess(heights: Array, wall: Array, template: Array, end: str) -> float:
    """Largest posterior excess when the template is laid on the lower or upper end [mm]."""
    part = np.linspace(0.0, 1.0, NODES)
    if end == "upper":
        part = 1.0 - part
    sound = (part >= INTACT_PART[0]) & (part <= INTACT_PART[1])
    searched = (part >= SEARCH_PART[0]) & (part <= SEARCH_PART[1])
    difference = wall - template
    line = np.polyfit(heights[sound], difference[sound], 1)
    rest = difference - np.polyval(line, heights)
    return float(max(rest[searched].max(), 0.0))
