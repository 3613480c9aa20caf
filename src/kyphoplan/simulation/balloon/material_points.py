"""Points that carry the bone: its mineral, its stress, its history, wherever it is pushed.

The grid stays still and forgets; the points move with the bone and remember. Each increment they
hand their mineral and stress to the voxels they lie in, as boxes that share their volume among the
voxels they overlap (so mineral is neither lost nor smeared), and take back what happened there.

References
----------
Bardenhagen & Kober 2004, CMES 5:477 (generalised interpolation material point method).
"""

# mypy: disable-error-code="no-untyped-def"
from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

PER_EDGE = 2  # [1] points along each edge of a voxel at the start
LEAST_BOX, MOST_BOX = 0.05, 2.0  # [cell] edge of a point's box, whatever its volume
LEAST_STRETCH, MOST_STRETCH = 0.5, 2.0  # [1] of a volume in one increment

MASS, VOLUME, SOFT, POISSON, WEAK, TENSION, BORN, STRESS = range(8)  # columns of the cells
COUNT = STRESS + 6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """All points of a block; arrays are changed in place as they move.

    Attributes
    ----------
    place : (N, 3) position in voxels from the block's corner [1].
    mass_mg : (N,) bone mineral [mg].
    volume : (N,) size [voxel].
    soft_mpa : (N,) Young's modulus of what is not bone; 0 for bone [MPa].
    poisson : (N,) Poisson's ratio [1].
    weak : (N,) share of its stiffness and strength that broken bone has kept [1].
    tension : share of that strength that it bears in tension [1].
    born : (N,) mineral density before anything moved [mg/cm3].
    stress_mpa : (N, 6) xx, yy, zz, yz, xz, xy, tension positive [MPa].
    plastic : (N,) crushing so far: equivalent plastic strain [1].
    still : (N,) points that are strained but stay: what holds the column is a spring, not a body.
    """

    place: Array
    mass_mg: Array
    volume: Array
    soft_mpa: Array
    poisson: Array
    weak: Array
    tension: Array
    born: Array
    stress_mpa: Array
    plastic: Array
    still: NDArray[np.bool_]

    def copy(self) -> "Points":
        """Return points that move by themselves."""
        return Points(**{name: getattr(self, name).copy() for name in self.__slots__})


def fill_with_points(
    solid: NDArray[np.bool_],
    density: Array,
    soft_mpa: Array,
    poisson: Array,
    weak: Array,
    edge_mm: float,
    tension: Array | None = None,
) -> Points:
    """Put ``PER_EDGE`` cubed points into each solid voxel.

    Parameters
    ----------
    density : (I, J, K) bone mineral [mg/cm3], as the voxel's mean.
    tension : (I, J, K) share of its strength that is borne in tension [1]; all by default.
    """
    cells = np.argwhere(solid)
    inner = (np.arange(PER_EDGE) + 0.5) / PER_EDGE
    offsets = np.stack(np.meshgrid(inner, inner, inner, indexing="ij"), axis=-1).reshape(-1, 3)
    each = len(offsets)
    place = (cells[:, None, :] + offsets).reshape(-1, 3)

    def spread(values: Array) -> Array:
        return np.repeat(np.asarray(values[solid], float), each)

    voxel_cm3 = edge_mm**3 / 1000.0
    return Points(
        place=place,
        mass_mg=spread(density) * voxel_cm3 / each,
        volume=np.full(len(place), 1.0 / each),
        soft_mpa=spread(soft_mpa),
        poisson=spread(poisson),
        weak=spread(weak),
        tension=spread(np.ones(solid.shape) if tension is None else tension),
        born=spread(density),
        stress_mpa=np.zeros((len(place), 6)),
        plastic=np.zeros(len(place)),
        still=np.zeros(len(place), bool),
    )


def gather(points: Points, shape: tuple[int, ...], parts: int = 1) -> Array:
    """Return what the points bring to each cell (parts I, parts J, parts K, COUNT).

    Mineral [mg] and volume [cell] are sums; the rest are means over the volume, 0 where there is
    no point.

    Parameters
    ----------
    shape : of the block in voxels (I, J, K).
    parts : cells along the edge of a voxel.
    """
    out = np.zeros((*(parts * n for n in shape), COUNT))
    _gather(
        points.place, points.mass_mg, points.volume, points.soft_mpa, points.poisson,
        points.weak, points.tension, points.born, points.stress_mpa, parts, out,
    )  # fmt: skip
    return out


@nb.njit(cache=KEPT)
def _gather(place, mass, volume, soft, poisson, weak, tension, born, stress, parts, out):  # noqa: C901, PLR0912, PLR0913, PLR0917
    share = np.zeros((3, 3))
    for n in range(place.shape[0]):
        box = min(max(parts * volume[n] ** (1.0 / 3.0), LEAST_BOX), MOST_BOX)
        first = np.zeros(3, np.int64)
        for axis in range(3):
            low = parts * place[n, axis] - 0.5 * box
            first[axis] = int(np.floor(low))
            for near in range(3):
                left = max(low, float(first[axis] + near))
                right = min(low + box, float(first[axis] + near + 1))
                share[axis, near] = max(right - left, 0.0) / box
        for a in range(3):
            i = first[0] + a
            if share[0, a] == 0.0 or i < 0 or i >= out.shape[0]:
                continue
            for b in range(3):
                j = first[1] + b
                if share[1, b] == 0.0 or j < 0 or j >= out.shape[1]:
                    continue
                for c in range(3):
                    k = first[2] + c
                    if share[2, c] == 0.0 or k < 0 or k >= out.shape[2]:
                        continue
                    part = share[0, a] * share[1, b] * share[2, c]
                    bulk = part * volume[n] * parts**3
                    cell = out[i, j, k]
                    cell[MASS] += part * mass[n]
                    cell[VOLUME] += bulk
                    cell[SOFT] += bulk * soft[n]
                    cell[POISSON] += bulk * poisson[n]
                    cell[WEAK] += bulk * weak[n]
                    cell[TENSION] += bulk * tension[n]
                    cell[BORN] += bulk * born[n]
                    for s in range(6):
                        cell[STRESS + s] += bulk * stress[n, s]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                bulk = out[i, j, k, VOLUME]
                if bulk > 0.0:
                    for s in range(SOFT, COUNT):
                        out[i, j, k, s] /= bulk


def move(points: Points, half_way: Points, u_mm: Array, edge_mm: float, change: Array) -> None:
    """Move the points with what they lie in half-way, and give them what happened there.

    Parameters
    ----------
    half_way : the same points, half-way through the increment.
    u_mm : (I + 1, J + 1, K + 1, 3) displacement of the nodes in this increment [mm].
    change : (parts I, parts J, parts K, 8) per cell: logarithm of its volume over that before
        [1], six changes of stress [MPa], and crushing [1].
    """
    _move(
        points.place, half_way.place, points.volume, points.stress_mpa, points.plastic,
        points.still, u_mm, edge_mm, change,
    )  # fmt: skip


@nb.njit(cache=KEPT)
def _move(place, where, volume, stress, plastic, still, u, edge, change):  # noqa: PLR0913, PLR0917
    top = np.array([u.shape[0] - 1, u.shape[1] - 1, u.shape[2] - 1])
    parts = change.shape[0] // top[0]
    corner_of = np.zeros(3, np.int64)
    for n in range(place.shape[0]):
        for axis in range(3):
            corner_of[axis] = min(max(int(where[n, axis]), 0), top[axis] - 1)
        i, j, k = corner_of[0], corner_of[1], corner_of[2]
        a = min(max(int(parts * where[n, 0]), 0), parts * top[0] - 1)
        b = min(max(int(parts * where[n, 1]), 0), parts * top[1] - 1)
        c = min(max(int(parts * where[n, 2]), 0), parts * top[2] - 1)
        here = change[a, b, c]
        for s in range(6):
            stress[n, s] += here[1 + s]
        plastic[n] += here[7]
        if still[n]:
            continue
        volume[n] *= min(max(np.exp(here[0]), LEAST_STRETCH), MOST_STRETCH)
        x, y, z = where[n, 0] - i, where[n, 1] - j, where[n, 2] - k
        for component in range(3):
            total = 0.0
            for corner in range(8):
                a, b, c = corner >> 2 & 1, corner >> 1 & 1, corner & 1
                weight = (x if a else 1.0 - x) * (y if b else 1.0 - y) * (z if c else 1.0 - z)
                total += weight * u[i + a, j + b, k + c, component]
            place[n, component] += total / edge


def carried(places: Array, u_mm: Array, edge_mm: float, half_way: Array | None = None) -> Array:
    """Return places (N, 3) [voxel] moved with the nodes; outside the block they stay.

    Parameters
    ----------
    half_way : the places half-way, where the displacement is read; themselves by default.
    """
    moved, read = places.copy(), places if half_way is None else half_way
    shape = tuple(n - 1 for n in u_mm.shape[:3])
    inside = ((read >= 0.0) & (read <= np.array(shape))).all(axis=1)
    chosen, where = np.ascontiguousarray(moved[inside]), np.ascontiguousarray(read[inside])
    count = len(chosen)
    _move(
        chosen, where, np.zeros(count), np.zeros((count, 6)), np.zeros(count),
        np.zeros(count, bool), u_mm, edge_mm, np.zeros((*shape, 8)),
    )  # fmt: skip
    moved[inside] = chosen
    return moved
