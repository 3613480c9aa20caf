"""What lies around the tip, and whether the entry can be reached from the skin."""

import numpy as np

from kyphoplan.case import Vertebra
from kyphoplan.geometry import Array
from kyphoplan.planning.limits import REACH_OUT_MM
from kyphoplan.planning.room import OUTSIDE_MM, Room, sampled

STEP_MM = 1.0  # [mm] along ways
FAN_DEG = np.array([-45.0, -22.5, 0.0, 22.5, 45.0])  # [deg] directions that count as anterior
TIP_REACH_MM = 40.0  # [mm] no wall of a body is farther from a point in it


def tip_distances(room: Room, tips: Array) -> tuple[Array, Array]:
    """Distance of tips (N, 3) to the anterior wall, and to both endplates (N, 2) [mm].

    0 where a tip is not in the body. Endplates: superior, inferior.
    """
    angle = np.deg2rad(FAN_DEG)
    fan = np.stack([np.sin(angle), -np.cos(angle), 0.0 * angle], axis=-1)
    rays = np.vstack([fan, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    t = np.arange(0.0, TIP_REACH_MM, 0.5)
    values = room.out_of_body(tips[:, None, None, :] + rays[:, None, :] * t[:, None])
    out = values >= 0
    first = np.argmax(out, axis=-1)
    b = np.take_along_axis(values, first[..., None], -1)[..., 0]
    a = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], -1)[..., 0]
    share = np.where(first > 0, a / np.where(first > 0, a - b, 1.0), 0.0)
    distance = np.where(first > 0, (first - 1 + share) * 0.5, 0.0)
    distance = np.where(out.any(axis=-1), distance, TIP_REACH_MM)
    return distance[:, : angle.size].min(axis=1), distance[:, angle.size :]


def in_the_way(
    room: Room, neighbours: tuple[Vertebra, ...], entry: Array, outward: Array, radius_mm: float
) -> str:
    """Name what a cannula of some radius would hit between the skin and the entry; empty if free.

    ``outward`` is the unit direction from the entry to the skin.
    """
    return obstacles(room, neighbours, entry[None], outward[None], radius_mm)[0]


def obstacles(
    room: Room, neighbours: tuple[Vertebra, ...], entries: Array, outward: Array, radius_mm: float
) -> list[str]:
    """Name for each of many ways (N, 3) what lies in it; empty where it is free."""
    t = np.arange(-2.0 * radius_mm, REACH_OUT_MM + STEP_MM, STEP_MM)
    places = room.to_patient(entries[:, None, :] + t[:, None] * outward[:, None, :])
    found = [""] * len(entries)
    for vertebra in neighbours:
        if vertebra.surface is None or vertebra.frame is None:
            continue
        local = vertebra.frame.to_local(places)
        away = -room.true_depth(sampled(vertebra.surface, vertebra.frame, local, OUTSIDE_MM))
        for k in np.flatnonzero((away < radius_mm).any(axis=1)):
            found[k] = found[k] or str(vertebra.level)
    return found
