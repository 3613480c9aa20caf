"""Where a cannula may be: bone of one vertebra, outside its canal, seen from one side.

A room's own coordinates are lateral (towards the operated side), posterior, superior from the
body's centre [mm]: left and right are the same to all that is planned in it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from kyphoplan.case import Body, Part, Pedicle, Side, Vertebra, Volume
from kyphoplan.geometry import Array, Frame
from kyphoplan.planning.tube import Tube, canal_tube

ENTRY_BEHIND_MM = 6.0  # [mm] behind the isthmus; before it a way enters through the pedicle's side
OUTSIDE_MM = 5.0  # [mm] signed distance beyond the grid of a vertebra
CORRIDOR_AHEAD_MM = 8.0  # [mm] an extrapedicular way enters the body so far before its back wall
CORRIDOR_BESIDE_MM = 8.0  # [mm] and lies no farther beside the pedicle's axis than this and half


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """Beside a narrow pedicle, between it and the rib's head: open to an extrapedicular way.

    Attributes
    ----------
    lateral_mm, front_mm : farthest from the mid-line, and foremost.
    low_mm, high_mm : the pedicle's lower and upper border, above and below which nerves leave.
    """

    lateral_mm: float
    front_mm: float
    low_mm: float
    high_mm: float

    def outside(self, points: Array) -> Array:
        """Signed distance (...) of points (..., 3) [mm] to the corridor, negative inside."""
        x, y, z = (points[..., axis] for axis in range(3))
        sides = (x - self.lateral_mm, self.front_mm - y, self.low_mm - z, z - self.high_mm)
        return np.asarray(np.maximum.reduce(sides))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Room:
    """One side of one vertebra, ready to be searched.

    Attributes
    ----------
    surface, body_share : signed distance to the bone [mm] and share of body, on the same grid.
    back_wall_mm, front_wall_mm : posterior coordinate of the body's walls on the mid-line [mm].
    behind_mm : posterior coordinate of the canal's posterior border [mm].
    corridor : None for a transpedicular way.
    voxel_mm : mean voxel edge of the label map [mm].
    """

    frame: Frame
    sign: float
    surface: Volume
    body_share: Volume
    tube: Tube
    body: Body
    back_wall_mm: float
    front_wall_mm: float
    behind_mm: float
    pedicle: Pedicle
    corridor: Corridor | None
    voxel_mm: float

    @property
    def isthmus_mm(self) -> Array:
        """Centre (3,) of the pedicle's narrowest section, own [mm]."""
        return self.to_own(self.pedicle.isthmus_mm)

    @property
    def foremost_entry_mm(self) -> float:
        """Posterior coordinate behind which a transpedicular entry lies [mm]."""
        return float(self.isthmus_mm[1]) + ENTRY_BEHIND_MM

    def _mirrored(self, points: Array) -> Array:
        return np.asarray(points * [self.sign, 1.0, 1.0])

    def to_patient(self, points: Array) -> Array:
        """Own points (..., 3) [mm] as patient positions [mm, LPS]."""
        return self.frame.to_patient(self._mirrored(points))

    def to_own(self, positions_mm: Array) -> Array:
        """Patient positions (..., 3) [mm, LPS] as own points [mm]."""
        return self._mirrored(self.frame.to_local(positions_mm))

    def bone(self, points: Array) -> Array:
        """Signed distance (...) of own points to the bone's surface [mm], negative inside."""
        return sampled(self.surface, self.frame, points, OUTSIDE_MM, self.sign)

    def canal(self, points: Array) -> Array:
        """Signed distance (...) of own points to the canal [mm], negative inside."""
        return self.tube.distance(self._mirrored(points))

    def outside(self, points: Array) -> Array:
        """Implicit function (...) of where the cannula's axis may be: negative if it may."""
        return np.maximum(self.out_of_bone(points), -self.canal(points))

    def out_of_bone(self, points: Array) -> Array:
        """Implicit function (...) of the bone, and of the corridor if it is open."""
        bone = self.bone(points)
        return bone if self.corridor is None else np.minimum(bone, self.corridor.outside(points))

    def out_of_body(self, points: Array) -> Array:
        """Implicit function (...) of the body without spurs: negative inside."""
        share = sampled(self.body_share, self.frame, points, 0.0, self.sign)
        return np.maximum(self.bone(points), 0.5 - share)

    def true_depth(self, value: Array) -> Array:
        """Depth under the surface [mm] from a signed distance between centres."""
        return true_depth(value, self.voxel_mm)


def true_depth(value: Array, voxel_mm: float) -> Array:
    """Return the depth under a surface [mm] from a signed distance between voxel centres [mm].

    The distance of a voxel's centre to the nearest centre beyond the surface is half a voxel
    longer than that to the surface itself.

    Examples
    --------
    >>> true_depth(np.array([-4.0, -0.5, 3.0]), 1.0)
    array([ 3.5 ,  0.25, -2.5 ])
    """
    deep = np.abs(value) - 0.5 * voxel_mm
    return np.asarray(-np.sign(value) * np.maximum(deep, 0.5 * np.abs(value)))


def sampled(
    volume: Volume, frame: Frame, local_mm: Array, beyond: float, sign: float = 1.0
) -> Array:
    """Interpolate (...) a volume at a vertebra's local points (..., 3) [mm].

    The volume's own axes may be turned against the frame's. With ``sign`` -1 the points are seen
    from the right side: their first coordinate runs to the right.
    """
    to_index = np.linalg.inv(volume.affine[:3, :3])
    turned = to_index @ (frame.axes.T * [sign, 1.0, 1.0])
    index = turned @ local_mm.reshape(-1, 3).T  # one row an axis: twice as fast as (..., 3)
    index += (to_index @ (frame.origin_mm - volume.affine[:3, 3]))[:, None]
    values = ndimage.map_coordinates(
        volume.voxels, index, order=1, mode="constant", cval=beyond, output=np.float32
    )
    return np.asarray(values, dtype=float).reshape(local_mm.shape[:-1])


def rooms(vertebra: Vertebra, voxel_mm: float) -> dict[Side, Room | str]:
    """Prepare both sides of a vertebra; a side that cannot be planned is its reason instead.

    ``voxel_mm`` is the mean voxel edge of the label map [mm].
    """
    frame, body, canal, surface = vertebra.frame, vertebra.body, vertebra.canal, vertebra.surface
    parts = vertebra.parts
    if vertebra.cropped or None in (frame, body, canal, surface, parts):
        return dict.fromkeys(Side, vertebra.reason or "not located: no body, canal or surface")
    assert frame is not None and body is not None and canal is not None  # noqa: PT018 - as tested
    assert surface is not None and parts is not None  # noqa: PT018 - as tested
    tube = canal_tube(canal, frame, lambda points: sampled(surface, frame, points, OUTSIDE_MM))
    if tube is None:
        return dict.fromkeys(Side, "open canal: too little bone around it to keep away from")
    share = Volume((parts.voxels == Part.BODY).astype(np.float32), parts.affine)
    back, front = (
        float(np.median(frame.to_local(wall)[:, 1]))
        for wall in (body.posterior_wall_mm, body.anterior_wall_mm)
    )
    middle = np.interp(0.0, tube.line_mm[:, 2], tube.line_mm[:, 1])
    found: dict[Side, Room | str] = {}
    for side, pedicle in zip(Side, (vertebra.left_pedicle, vertebra.right_pedicle), strict=True):
        if pedicle is None:
            found[side] = "no pedicle: no bridge of bone from the body to the arch was found"
        elif pedicle.width.value is None:
            found[side] = f"no pedicle width: {pedicle.width.reason}"
        else:
            found[side] = Room(
                frame=frame,
                sign=1.0 if side is Side.LEFT else -1.0,
                surface=surface,
                body_share=share,
                tube=tube,
                body=body,
                back_wall_mm=back,
                front_wall_mm=front,
                behind_mm=float(middle + tube.ring_mm[:, 1].max()),
                pedicle=pedicle,
                corridor=None,
                voxel_mm=voxel_mm,
            )
    return found


def beside_pedicle(room: Room) -> Room:
    """Open a room's corridor lateral to the pedicle, for an extrapedicular way."""
    outline = room.to_own(room.pedicle.outline_mm)
    corridor = Corridor(
        lateral_mm=float(outline[:, 0].max()) + CORRIDOR_BESIDE_MM,
        front_mm=room.back_wall_mm - CORRIDOR_AHEAD_MM,
        low_mm=float(outline[:, 2].min()),
        high_mm=float(outline[:, 2].max()),
    )
    return replace(room, corridor=corridor)
