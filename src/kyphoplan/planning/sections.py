"""Cross-sections along a straight way: how far the walls are on every side of its axis."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.measure import Z95
from kyphoplan.geometry import Array, unit
from kyphoplan.planning.room import Room

RAYS = 32  # [1] directions around the axis
ANGLES = np.arange(RAYS) * (2.0 * np.pi / RAYS)  # [rad] 0 lateral, then cranial, medial, caudal
REACH_MM = 14.0  # [mm] walls farther away do not matter
STEP_MM = 0.5  # [mm] along rays
NEAR_MM = 1.0  # [mm] beside an axis outside, where it is seen on which side it has left
SPACING_MM = 1.0  # [mm] between sections
QUARTERS = {"lateral": 0, "superior": 1, "medial": 2, "inferior": 3}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sections:
    """The walls around an axis.

    Attributes
    ----------
    depth_mm : (S,) distance from the entry [mm].
    radius_mm : (S, R) distance of the wall along each ray [mm]; 0 where the axis is outside.
    past_mm : (S,) how far the axis is outside [mm], 0 inside.
    quarter : (S,) for an axis outside, the quarter on which it has left.
    in_pedicle : (S,) True between the back of the canal and the back wall of the body.
    """

    depth_mm: Array
    radius_mm: Array
    past_mm: Array
    quarter: NDArray[np.intp]
    in_pedicle: NDArray[np.bool_]

    def clearance(self, quarter: int, radius_mm: float) -> float:
        """Smallest signed distance [mm] of a cannula to the pedicle's wall on one quarter."""
        if not self.in_pedicle.any():
            return float("nan")
        turn = RAYS // 4
        rays = (np.arange(-turn // 2, turn // 2 + 1) + quarter * turn) % RAYS
        wall = self.radius_mm[:, rays].min(axis=1)
        outside = self.past_mm > 0
        away = np.where(self.quarter == quarter, -self.past_mm, np.inf)
        return float(np.where(outside, away, wall)[self.in_pedicle].min()) - radius_mm

    def outlines(self) -> Array:
        """Corners (S, R, 2) of the sections: lateral, cranial from the axis [mm]."""
        return outlines(self.radius_mm)


def outlines(radius: Array) -> Array:
    """Corners (..., R, 2) of star-shaped sections with radii (..., R)."""
    return np.asarray(radius[..., None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1))


def across(direction: Array) -> tuple[Array, Array]:
    """Two unit vectors across a direction: lateral and cranial."""
    lateral = np.array([1.0, 0.0, 0.0])
    first = unit(lateral - (lateral @ direction) * direction)
    second = np.cross(first, direction)
    return first, second * np.sign(second[2])


def first_depth(room: Room, entry: Array, outward: Array, diameter_mm: float) -> float:
    """Depth from which a way is judged [mm].

    One diameter behind the entry, where the cannula has broken through; beside a pedicle already
    from the back of the canal on, although it may lie before the bone.
    """
    if room.corridor is None:
        return diameter_mm
    return min(diameter_mm, float((entry[1] - room.behind_mm) / outward[1]))


def surely_inside_mm(diameter_mm: float, sd_mm: float) -> float:
    """Depth at which a cannula must be in bone all around, to surely be so at one diameter [mm].

    Where the surface slopes, its uncertainty ``sd_mm`` [mm] shifts the place at which the last
    side enters: by sqrt(2) times as much at 45 deg, which is as steep as can be entered by then.
    """
    return diameter_mm - Z95 * np.sqrt(2.0) * sd_mm


def cut(room: Room, entry: Array, target: Array, diameter_mm: float) -> Sections:
    """Cut sections along a way from where it is judged to its tip."""
    length = float(np.linalg.norm(target - entry))
    direction = (target - entry) / length
    start = min(first_depth(room, entry, -direction, diameter_mm), length)
    count = max(int(np.ceil((length - start) / SPACING_MM)), 1)
    depth = np.linspace(start, length, count + 1)
    centres = entry + depth[:, None] * direction
    first, second = across(direction)
    rays = np.cos(ANGLES)[:, None] * first + np.sin(ANGLES)[:, None] * second
    past = np.maximum(-room.true_depth(room.outside(centres)), 0.0)
    near = room.outside(centres[:, None, :] + NEAR_MM * rays[:: RAYS // 4])
    behind = centres[:, 1]
    return Sections(
        depth_mm=depth,
        radius_mm=to_walls(room.outside, centres, rays, REACH_MM),
        past_mm=past,
        quarter=np.argmax(near, axis=1),
        in_pedicle=(behind >= room.back_wall_mm) & (behind <= room.behind_mm),
    )


def wall_at(room: Room, entry: Array, target: Array, depth_mm: float) -> float:
    """Distance from a way's axis to the nearest wall at one depth [mm]."""
    direction = unit(target - entry)
    first, second = across(direction)
    rays = np.cos(ANGLES)[:, None] * first + np.sin(ANGLES)[:, None] * second
    return float(to_walls(room.outside, entry + depth_mm * direction, rays, REACH_MM).min())


def to_walls(
    outside: Callable[[Array], Array],
    centres: Array,
    rays: Array,
    reach_mm: float,
    step_mm: float = STEP_MM,
) -> Array:
    """Distance (..., R) from centres (..., 3) along rays (R, 3) to the walls [mm].

    ``outside`` is negative at points (..., 3) within the walls. The distance is 0 where the centre
    is outside, and the reach where there is no wall within it.
    """
    t = np.arange(0.0, reach_mm + step_mm, step_mm)
    values = outside(centres[..., None, None, :] + rays[:, None, :] * t[:, None])
    out = values >= 0
    first = np.argmax(out, axis=-1)
    b = np.take_along_axis(values, first[..., None], -1)[..., 0]
    a = np.take_along_axis(values, np.maximum(first - 1, 0)[..., None], -1)[..., 0]
    share = np.where(first > 0, a / np.where(first > 0, a - b, 1.0), 0.0)
    distance = np.where(first > 0, (first - 1 + share) * step_mm, 0.0)
    return np.where(out.any(axis=-1), distance, reach_mm)
