"""Where a balloon or a cannula is, no bone is: points are taken out, made metal, put back."""

import numpy as np
from numpy.typing import NDArray

from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balloon_shape import Skin

TOOL_MPA = 500.0  # [MPa] of a cannula in its track: far stiffer than the bone around it
NEARLY = 1e-6


def placed_points(
    points: mp.Points, skins: tuple[Skin, ...], tools: NDArray[np.bool_], edge_mm: float
) -> mp.Points:
    """Take out what the folded balloons have replaced, and make metal of what the cannulas have.

    Parameters
    ----------
    points : of the bone as it was.
    tools : (N,) points inside a cannula's track.
    """
    inside = np.zeros(len(points.place), bool)
    for skin in skins:
        inside |= skin.above(points.place * edge_mm) < 0.0
    kept = {name: getattr(points, name)[~inside].copy() for name in points.__slots__}
    metal = tools[~inside]
    kept["mass_mg"][metal], kept["soft_mpa"][metal], kept["weak"][metal] = 0.0, TOOL_MPA, 1.0
    return mp.Points(**kept)


def keep_out(points: mp.Points, skins: tuple[Skin, ...], edge_mm: float) -> None:
    """Put points that rounding has left inside a balloon back on its skin."""
    for skin in skins:
        reach = float(skin.height_mm.max()) + 1.0
        low = np.minimum(skin.start_mm, skin.end_mm) - reach
        high = np.maximum(skin.start_mm, skin.end_mm) + reach
        place = points.place * edge_mm
        near = np.flatnonzero(((place > low) & (place < high)).all(axis=1))
        above = skin.above(place[near])
        inside = near[above < 0.0]
        if inside.size:
            out = skin.directions_to(place[inside])
            lost = np.linalg.norm(out, axis=1) < 1.0 - NEARLY  # on the core itself
            out[lost] = skin.axes[1]
            points.place[inside] -= above[above < 0.0][:, None] * out / edge_mm
