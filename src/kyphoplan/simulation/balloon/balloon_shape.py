"""The skin of a balloon: its distance from the core it was folded around, in each direction.

A point near the balloon has a foot on the core (a straight line) and a distance to it; the balloon
is where that distance is below the height of the skin there. So the skin is the zero level of
``distance to the core - height``, whatever shape the bone gives it, and never folds over itself.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from kyphoplan.geometry import Array, unit

AROUND = 36  # [1] directions around the core
CAP_RINGS = 9  # [1] rings from a core's end to its pole
ALONG_MM = 1.0  # [mm] between rings along the core
FINE = 4  # [1] samples along a voxel's edge that tell how much of it lies inside
NEWTON = 30  # [1] steps to an exact volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skin:
    """A balloon in the block's own coordinates (left, posterior, superior from its corner) [mm].

    Attributes
    ----------
    start_mm, end_mm : (3,) ends of the core, the tip last.
    height_mm : (R, AROUND) distance of the skin from its foot, from behind to the tip.
    """

    start_mm: Array
    end_mm: Array
    height_mm: Array

    @classmethod
    def around(cls, start_mm: Array, end_mm: Array, radius_mm: float) -> "Skin":
        """Return a capsule.

        Examples
        --------
        >>> ball = Skin.around(np.zeros(3), np.array([0.0, 1e-6, 0.0]), 3.0)
        >>> round(ball.volume_mm3 / (4 / 3 * np.pi * 27), 2)
        1.0
        """
        length = float(np.linalg.norm(end_mm - start_mm))
        rings = 2 * CAP_RINGS + max(round(length / ALONG_MM), 1) + 1
        height = np.full((rings, AROUND), float(radius_mm))
        return cls(
            start_mm=np.asarray(start_mm, float),
            end_mm=np.asarray(end_mm, float),
            height_mm=height,
        )

    @property
    def length_mm(self) -> float:
        """Length of the core [mm]."""
        return float(np.linalg.norm(self.end_mm - self.start_mm))

    @property
    def axes(self) -> Array:
        """Rows: along the core, and two directions across it."""
        along = unit(self.end_mm - self.start_mm)
        across = unit(np.cross(along, np.eye(3)[np.argmin(np.abs(along))]))
        return np.stack([along, across, np.cross(along, across)])

    def feet_and_directions(self) -> tuple[Array, Array]:
        """Return the foot and the unit direction of each corner of the skin (R, AROUND, 3)."""
        middle = len(self.height_mm) - 2 * CAP_RINGS
        polar = (np.arange(CAP_RINGS) + 0.5) / CAP_RINGS * np.pi / 2.0 - np.pi / 2.0
        lift = np.concatenate([polar, np.zeros(middle), -polar[::-1]])
        share = np.concatenate(
            [np.zeros(CAP_RINGS), np.linspace(0.0, 1.0, middle), np.ones(CAP_RINGS)]
        )
        turn = 2.0 * np.pi * np.arange(AROUND) / AROUND
        along, across, third = self.axes
        feet = self.start_mm + share[:, None, None] * (self.end_mm - self.start_mm)
        spoke = np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * third
        directions = np.sin(lift)[:, None, None] * along + np.cos(lift)[:, None, None] * spoke
        return np.broadcast_to(feet, directions.shape), directions

    @property
    def corners_mm(self) -> Array:
        """Corners of the skin (R, AROUND, 3) [mm]."""
        feet, directions = self.feet_and_directions()
        return np.asarray(feet + self.height_mm[..., None] * directions)

    @property
    def poles_mm(self) -> tuple[Array, Array]:
        """The two ends on the axis [mm]."""
        along = self.axes[0]
        return (
            self.start_mm - self.height_mm[0].mean() * along,
            self.end_mm + self.height_mm[-1].mean() * along,
        )

    @property
    def volume_mm3(self) -> float:
        """Volume inside the skin [mm3]: cones over its caps, sectors between them.

        Examples
        --------
        >>> pill = Skin.around(np.zeros(3), np.array([9.0, 0.0, 0.0]), 2.0)
        >>> bool(np.isclose(pill.volume_mm3, np.pi * (4.0 * 9.0 + 4.0 / 3.0 * 8.0)))
        True
        """
        edges = np.sin(np.arange(CAP_RINGS + 1) / CAP_RINGS * np.pi / 2.0)
        solid = 2.0 * np.pi / AROUND * np.diff(edges)[:, None]  # angle of a corner, from the core
        behind, before = self.height_mm[:CAP_RINGS][::-1], self.height_mm[-CAP_RINGS:]
        caps = (solid * (behind**3 + before**3) / 3.0).sum()
        slices = np.pi / AROUND * (self.height_mm[CAP_RINGS:-CAP_RINGS] ** 2).sum(axis=1)
        along = self.length_mm / (len(slices) - 1) * 0.5 * (slices[:-1] + slices[1:]).sum()
        return float(caps + along)

    def normals(self) -> Array:
        """Outward unit normals of the corners (R, AROUND, 3)."""
        normal = self._quarters()
        _, directions = self.feet_and_directions()
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        return np.where(length > 1e-9, normal / np.maximum(length, 1e-9), directions)  # noqa: PLR2004

    def _quarters(self) -> Array:
        """Outward normals of the corners, as long as four times their part of the skin."""
        corners = self.corners_mm
        low, high = self.poles_mm
        whole = np.concatenate(
            [np.broadcast_to(low, (1, AROUND, 3)), corners, np.broadcast_to(high, (1, AROUND, 3))]
        )
        along = whole[2:] - whole[:-2]
        around = np.roll(corners, -1, axis=1) - np.roll(corners, 1, axis=1)
        normal = np.cross(around, along)
        _, directions = self.feet_and_directions()
        return np.asarray(normal * np.sign((normal * directions).sum(axis=-1, keepdims=True)))

    def above(self, places_mm: Array) -> Array:
        """Return how far places (..., 3) lie outside the skin, along their own direction [mm]."""
        distance, rings, turns = self._sought(places_mm)
        return np.asarray(distance - _read(self.height_mm, rings, turns))

    def height_towards(self, places_mm: Array) -> Array:
        """Return the height of the skin in the direction of places (..., 3) [mm]."""
        _, rings, turns = self._sought(places_mm)
        return _read(self.height_mm, rings, turns)

    def slopes_towards(self, places_mm: Array) -> Array:
        """Return `slopes` in the direction of places (..., 3) [1]."""
        _, rings, turns = self._sought(places_mm)
        table = self.slopes()
        return np.stack([_read(table[..., n], rings, turns) for n in range(3)], axis=-1)

    def directions_to(self, places_mm: Array) -> Array:
        """Return the unit direction of places (N, 3), away from their feet."""
        foot = np.clip((places_mm - self.start_mm) @ self.axes[0], 0.0, self.length_mm)
        off = places_mm - self.start_mm - foot[:, None] * self.axes[0]
        return np.asarray(off / np.maximum(np.linalg.norm(off, axis=1, keepdims=True), 1e-9))

    def _sought(self, places_mm: Array) -> tuple[Array, Array, Array]:
        """Return distance to the core, and where on the skin's table the direction lies."""
        along, across, third = self.axes
        offset = np.asarray(places_mm, float) - self.start_mm
        s = offset @ along
        foot = np.clip(s, 0.0, self.length_mm)
        rest = s - foot
        x, y = offset @ across, offset @ third
        radius = np.hypot(x, y)
        middle = len(self.height_mm) - 2 * CAP_RINGS
        lift = np.arctan2(np.abs(rest), radius) / (np.pi / 2.0) * CAP_RINGS
        inner = CAP_RINGS + foot / self.length_mm * (middle - 1)
        behind = CAP_RINGS - 0.5 - lift  # half a ring from the core's end to the first of its cap
        before = CAP_RINGS + middle - 0.5 + lift
        near = lift < 0.5  # noqa: PLR2004
        behind = np.where(near, CAP_RINGS - 2.0 * lift, behind)
        before = np.where(near, CAP_RINGS + middle - 1 + 2.0 * lift, before)
        rings = np.where(rest < 0.0, behind, np.where(rest > 0.0, before, inner))
        turns = (np.arctan2(y, x) / (2.0 * np.pi) % 1.0) * AROUND
        return np.hypot(radius, rest), rings, turns

    def share(self, shape: tuple[int, ...], edge_mm: float, fine: int = FINE) -> Array:
        """Return the part of each voxel (I, J, K) that lies inside [1]."""
        result = np.zeros(shape)
        corners = self.corners_mm.reshape(-1, 3)
        low = np.maximum(np.floor(corners.min(axis=0) / edge_mm).astype(int) - 1, 0)
        high = np.minimum(np.ceil(corners.max(axis=0) / edge_mm).astype(int) + 1, shape)
        axes = [
            (np.arange(a * fine, b * fine) + 0.5) / fine * edge_mm
            for a, b in zip(low, high, strict=True)
        ]
        places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        # a sample within half its own size of the skin counts in part
        inside = np.clip(0.5 - self.above(places) / (edge_mm / fine), 0.0, 1.0)
        i, j, k = (n // fine for n in inside.shape)
        result[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = inside.reshape(
            i, fine, j, fine, k, fine
        ).mean(axis=(1, 3, 5))
        return result

    def carried(self, u_mm: Array, edge_mm: float, half_way: "Skin | None" = None) -> "Skin":
        """Move the skin with the nodes of a block (I + 1, J + 1, K + 1, 3) [mm].

        Parameters
        ----------
        half_way : the skin half-way, where the displacement is read; itself by default.
        """
        read = half_way or self
        places = np.moveaxis(read.corners_mm, -1, 0).reshape(3, -1) / edge_mm
        u = np.stack(
            [
                ndimage.map_coordinates(u_mm[..., n], places, order=1, mode="nearest")
                for n in range(3)
            ],
            axis=-1,
        ).reshape(*self.height_mm.shape, 3)
        rise = (u * read.slopes()).sum(axis=-1)
        return replace(self, height_mm=np.maximum(self.height_mm + rise, 0.0))

    def slopes(self) -> Array:
        """Rise of the skin at its corners when they move along each axis (R, AROUND, 3) [1]."""
        normal = self.normals()
        _, directions = self.feet_and_directions()
        facing = np.maximum((normal * directions).sum(axis=-1, keepdims=True), STEEPEST)
        return np.asarray(normal / facing)

    def holding(self, volume_mm3: float) -> "Skin":
        """Shift the skin evenly until it holds a volume."""
        skin, low, high = self, -float(self.height_mm.max()), 2.0 * volume_mm3 ** (1.0 / 3.0)
        for _ in range(NEWTON):
            middle = 0.5 * (low + high)
            skin = replace(self, height_mm=np.maximum(self.height_mm + middle, 0.0))
            low, high = (middle, high) if skin.volume_mm3 < volume_mm3 else (low, middle)
        return skin


STEEPEST = 0.3  # [1] cosine between a skin's normal and its direction that is still followed


def _read(table: Array, rings: Array, turns: Array) -> Array:
    """Look up values in a table of the skin (R, AROUND)."""
    padded = np.concatenate([table, table[:, :1]], axis=1)
    found = ndimage.map_coordinates(
        padded, [rings.ravel(), turns.ravel()], order=1, mode="nearest"
    )
    return np.asarray(found.reshape(rings.shape))
