"""The skin of a balloon bridges what is narrow: it is drawn back where it leaves its own mean.

A balloon at 20 bar is a stretched sheet of polyurethane. It follows the bone over its own length,
and does not bulge into each pore: over a hole it sags, and hands the rest of its load to the rim.
Here each part of the skin is drawn towards the mean height of the skin around it, in proportion to
how far it stands out; and a part that slides is held by the sheet around it as much. An even skin
feels nothing of it and no pressure is lost; without it the weakest voxel at the wall takes the
whole volume, or a node in marrow runs along the skin. At the largest radius of its device the
sheet is taut: what is left of the pressure there it bears itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.balloon_shape import Skin

SPAN_MM = 2.0  # [mm] standard deviation of the mean: what is much wider is followed; assumed
# [MPa/mm] by which a part that stands out is drawn back; assumed: a sheet of 0.1 to 0.3 mm of
# polyurethane (10 to 50 MPa) over a hole of 4 mm sags by 1/2 to 1 mm under 2 MPa
HOLD_MPA_PER_MM = 4.0
# [MPa/mm] the same beyond the largest radius; assumed: 20 bar take it 0.2 mm further
TAUT_MPA_PER_MM = 10.0
DEPTH = 4.0  # [1] by which a distance across the skin counts more than one along it
LEAST_AREA = 1e-9  # [mm2] of a node that bears a skin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Membrane:
    """A skin as a sheet that is borne by the nodes of a block, linear up to its largest radius.

    Attributes
    ----------
    nodes : (M,) flat places of the nodes that bear it.
    areas : (M,) that each bears [mm2].
    slopes : (M, 3) rise of the skin there when the node moves [1].
    stiffness : (M, M) force on a node by the rise of another [N/mm].
    height_mm : (M,) of the skin at each, before the increment [mm].
    hold : by how much a part that stands out is drawn back, or one that slides held [MPa/mm].
    largest_mm : height beyond which the sheet is taut [mm].
    tight : by how much it is drawn back there [MPa/mm].
    apart : (M, M) turns what is moved into how far each differs from those around it [1].
    across : (M, 3, 3) leaves of a displacement what lies in the sheet [1].
    """

    nodes: NDArray[np.intp]
    areas: Array
    slopes: Array
    stiffness: Array
    height_mm: Array
    hold: float
    largest_mm: float
    tight: float
    apart: Array
    across: Array

    @classmethod
    def of(
        cls,
        skin: Skin,
        push: Array,
        edge_mm: float,
        part: float = 1.0,
        largest_mm: float = np.inf,
    ) -> "Membrane":
        """Return the sheet of a skin.

        Parameters
        ----------
        push : (I + 1, J + 1, K + 1, 3) nodal forces of 1 MPa in the balloon [N].
        part : of the pressure that stretched it, which it still has [1].
        largest_mm : how far the sheet can lie from its core [mm].
        """
        forces = push.reshape(-1, 3)
        areas = np.linalg.norm(forces, axis=1)
        nodes = np.flatnonzero(areas > LEAST_AREA)
        areas = areas[nodes]
        places = edge_mm * np.stack(np.unravel_index(nodes, push.shape[:3]), axis=1).astype(float)
        slopes = skin.slopes_towards(places)
        apart = _apart(places, skin.above(places), areas)
        out = _standing_out(apart, skin.above(places), slopes, areas)
        facing = slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), LEAST_AREA)
        return cls(
            nodes=nodes,
            areas=areas,
            slopes=slopes,
            stiffness=part * HOLD_MPA_PER_MM * (out.T * areas) @ out,
            height_mm=skin.height_towards(places),
            hold=part * HOLD_MPA_PER_MM,
            largest_mm=largest_mm,
            tight=part * TAUT_MPA_PER_MM,
            apart=apart,
            across=np.eye(3) - facing[:, :, None] * facing[:, None, :],
        )

    def _heights(self, u_mm: Array) -> Array:
        rise = (u_mm.reshape(-1, 3)[self.nodes] * self.slopes).sum(axis=1)
        return np.asarray(self.height_mm + rise)

    def _beyond(self, height_mm: Array) -> Array:
        return np.maximum(height_mm - self.largest_mm, 0.0)

    def taut(self, u_mm: Array) -> NDArray[np.intp]:
        """Return the flat places of the nodes at which it is taut after a displacement."""
        return self.nodes[self._beyond(self._heights(u_mm)) > 0.0]

    def draw_back(self, u_mm: Array, force: Array) -> None:
        """Add its forces after a displacement to nodal forces (..., 3) [N]."""
        height = self._heights(u_mm)
        drawn = self.stiffness @ height + self.tight * self.areas * self._beyond(height)
        held = self.hold * self.apart.T @ (self.areas[:, None] * self._slid(u_mm))
        force.reshape(-1, 3)[self.nodes] -= drawn[:, None] * self.slopes + held

    def energy(self, u_mm: Array) -> float:
        """Energy after a displacement [mJ]."""
        height = self._heights(u_mm)
        taut = self.tight * self.areas @ self._beyond(height) ** 2
        slid = self.hold * self.areas @ (self._slid(u_mm) ** 2).sum(axis=1)
        return float(0.5 * (height @ (self.stiffness @ height) + taut + slid))

    def _slid(self, u_mm: Array) -> Array:
        """How far each node has slid in the sheet from those around it (M, 3) [mm]."""
        moved = self.apart @ u_mm.reshape(-1, 3)[self.nodes]
        return np.asarray((self.across @ moved[..., None])[..., 0])


def _apart(places: Array, above: Array, areas: Array) -> Array:
    """Return the matrix that turns values into how far each differs from the mean around it.

    Nodes are compared with those that lie as deep, since squeezed bone moves less farther out.
    """
    where = np.column_stack([places, DEPTH * above])
    squares = (where**2).sum(axis=1)
    apart = squares[:, None] + squares - 2.0 * where @ where.T
    weights = np.exp(-0.5 * apart / SPAN_MM**2) * areas
    return np.asarray(np.eye(areas.size) - weights / weights.sum(axis=1, keepdims=True))


def _standing_out(apart: Array, above: Array, slopes: Array, areas: Array) -> Array:
    """Return the matrix that turns rises into how far each stands out from those around it.

    An even rise stands out nowhere, nor does a shift of the whole balloon.
    """
    free = apart @ np.column_stack([above, slopes])
    borne = free.T * areas
    parts = np.linalg.lstsq(borne @ free, borne @ apart, rcond=None)[0]
    return np.asarray(apart - free @ parts)
