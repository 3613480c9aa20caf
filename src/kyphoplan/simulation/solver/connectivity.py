"""Which pieces of bone hang together, and which of them nothing holds.

Voxels that share a face move together. Pieces that share only an edge or a corner are hinged
there. A piece is held if supports and hinges to held pieces leave it none of its six rigid
motions; what is left after that is decided together, by the rank of all conditions.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

TOGETHER = 60  # [1] so many loose pieces are decided by one dense rank
RANK = 1e-9  # [1] of the largest eigenvalue of the conditions

Labels = NDArray[np.integer[Any]]
Supports = tuple[Labels, Array]  # bodies (n,) and conditions (n, 6)
Frame = tuple[Array, float]  # centre and half length, so that shifts and turns are of one size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """A piece of connected voxels that something lets move.

    Attributes
    ----------
    number : counted from 1 in the order of storage.
    voxels : how many.
    near : the first of its voxels.
    motions : (m, 6) free rigid motions: shift, then turn about node (0, 0, 0) [voxels].
    """

    number: int
    voxels: int
    near: tuple[int, int, int]
    motions: Array

    def __str__(self) -> str:
        """Name the body."""
        return f"body {self.number} ({self.voxels} voxels, near voxel {self.near})"


def unheld_bodies(solid: NDArray[np.bool_], held: NDArray[np.uint8]) -> tuple[Body, ...]:
    """Find the pieces that are not held.

    Parameters
    ----------
    solid : (I, J, K) voxels with material.
    held : (I + 1, J + 1, K + 1) nodes, bit c is set if component c has a given displacement.
    """
    frame = 0.5 * np.array(solid.shape), 0.5 * max(solid.shape)
    if in_one_piece(solid) and _is_held(_gram(solid, held, *frame)):
        return ()
    labels, count = ndimage.label(solid)
    if count == 0:
        return ()
    supports = _supports(labels, np.argwhere(held[..., None] >> np.arange(3) & 1), frame)
    joints = _joints(labels, frame) if count > 1 else ()
    motions = _motions(_held(count, supports, joints), supports, joints)
    if not motions:
        return ()
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    return tuple(_body(number, labels, sizes, motions[number], frame) for number in motions)


def _body(number: int, labels: Labels, sizes: Labels, motions: Array, frame: Frame) -> Body:
    near = np.unravel_index(int((labels == number).argmax()), labels.shape)
    turns = motions[:, 3:] / frame[1]
    shifts = motions[:, :3] - np.cross(turns, frame[0])
    return Body(
        number=number,
        voxels=int(sizes[number]),
        near=(int(near[0]), int(near[1]), int(near[2])),
        motions=np.hstack([shifts, turns]),
    )


def _rows(nodes: Labels, components: Labels, frame: Frame) -> Array:
    """Displacement (n, 6) of nodes along an axis per rigid motion of their body."""
    axes = np.eye(3)[components]
    return np.hstack([axes, np.cross((nodes - frame[0]) / frame[1], axes)])


def _supports(labels: Labels, nodes: Labels, frame: Frame) -> Supports:
    """Bodies (n,) and conditions (n, 6) of all prescribed components."""
    bodies, rows = [], []
    for corner in np.ndindex(2, 2, 2):
        voxel = nodes[:, :3] - corner
        inside = ((voxel >= 0) & (voxel < labels.shape)).all(axis=1)
        touched = labels[tuple(voxel[inside].T)]
        solid = touched > 0
        bodies.append(touched[solid])
        rows.append(_rows(nodes[inside][solid, :3], nodes[inside][solid, 3], frame))
    return np.concatenate(bodies), np.vstack(rows)


def _joints(labels: Labels, frame: Frame) -> tuple[tuple[int, int, Array], ...]:
    """Pairs of bodies that share nodes, and the conditions (3 n, 6) there."""
    padded = np.pad(labels, 1)
    size = [n + 1 for n in labels.shape]
    corners = [
        padded[a : a + size[0], b : b + size[1], c : c + size[2]]
        for a, b, c in np.ndindex(2, 2, 2)
    ]
    found = []
    for one, other in combinations(corners, 2):
        meet = (one != other) & (one > 0) & (other > 0)
        pairs = np.sort(np.stack([one[meet], other[meet]], axis=1), axis=1)
        found.append(np.hstack([pairs, np.argwhere(meet)]))
    shared = np.unique(np.vstack(found), axis=0)
    joints = []
    for one, other in np.unique(shared[:, :2], axis=0):
        nodes = shared[(shared[:, :2] == (one, other)).all(axis=1), 2:]
        rows = _rows(np.repeat(nodes, 3, axis=0), np.tile(np.arange(3), len(nodes)), frame)
        joints.append((int(one), int(other), rows))
    return tuple(joints)


def _held(
    count: int, supports: Supports, joints: tuple[tuple[int, int, Array], ...]
) -> NDArray[np.bool_]:
    """Mark bodies held by supports, then by hinges to held bodies, until nothing changes."""
    grams = np.zeros((count + 1, 6, 6))
    bodies, rows = supports
    order = np.argsort(bodies, kind="stable") if count > 1 else slice(None)
    bodies, rows = bodies[order], rows[order]
    for body in np.unique(bodies):
        part = rows[slice(*np.searchsorted(bodies, (body, body + 1)))]
        grams[body] = part.T @ part
    held = np.zeros(count + 1, bool)
    while True:
        new = ~held & _is_held(grams)
        if not new.any():
            return held
        held |= new
        for one, other, conditions in joints:
            for body, holder in ((one, other), (other, one)):
                if new[holder] and not held[body]:
                    grams[body] += conditions.T @ conditions


def _is_held(grams: Array) -> NDArray[np.bool_]:
    """Tell from the sum of its conditions' squares (..., 6, 6) whether a body is held."""
    values = np.linalg.eigvalsh(grams)
    return np.asarray(values[..., 0] > RANK * np.maximum(values[..., -1], RANK))


@nb.njit(cache=KEPT, nogil=True)
def _root(parents, run):  # type: ignore[no-untyped-def]
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


@nb.njit(cache=KEPT, nogil=True)
def _runs(row, begins, ends, count):  # type: ignore[no-untyped-def]
    """Append where voxels of a row begin and end to be solid; return the new count."""
    before = False
    for k in range(row.size):
        if row[k] and not before:
            begins[count] = k
        if before and not row[k]:
            ends[count] = k
            count += 1
        before = row[k]
    if before:
        ends[count] = row.size
        count += 1
    return count


@nb.njit(cache=KEPT, nogil=True)
def in_one_piece(solid):  # type: ignore[no-untyped-def]
    """Tell whether all solid voxels hang together: runs along k are joined row by row."""
    planes, rows, voxels = solid.shape
    most = planes * rows * ((voxels + 1) // 2)
    begins, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    parents = np.empty(most, np.int32)
    firsts = np.zeros(planes * rows + 1, np.int64)
    pieces = 0
    for here in range(planes * rows):
        i, j = here // rows, here % rows
        first = firsts[here]
        firsts[here + 1] = _runs(solid[i, j], begins, ends, first)
        for run in range(first, firsts[here + 1]):
            parents[run] = run
        pieces += firsts[here + 1] - first
        for behind, there in ((1, j > 0), (rows, i > 0)):
            run, other = first, firsts[here - behind] if there else 0
            last = firsts[here - behind + 1] if there else 0
            while run < firsts[here + 1] and other < last:
                if begins[run] < ends[other] and begins[other] < ends[run]:
                    one, two = _root(parents, run), _root(parents, other)
                    parents[one] = two
                    pieces -= one != two
                if ends[run] < ends[other]:
                    run += 1
                else:
                    other += 1
    return pieces == 1


@nb.njit(cache=KEPT, nogil=True)
def _touched(solid, i, j, k):  # type: ignore[no-untyped-def]
    for a in range(max(i - 1, 0), min(i + 1, solid.shape[0])):
        for b in range(max(j - 1, 0), min(j + 1, solid.shape[1])):
            for c in range(max(k - 1, 0), min(k + 1, solid.shape[2])):
                if solid[a, b, c]:
                    return True
    return False


@nb.njit(cache=KEPT, nogil=True)
def _gram(solid, held, centre, half):  # type: ignore[no-untyped-def]
    """Sum the squares of all conditions, for bone in one piece; see `_rows`."""
    gram, row, turn = np.zeros((6, 6)), np.zeros(6), np.zeros(3)
    for i in range(held.shape[0]):
        for j in range(held.shape[1]):
            for k in range(held.shape[2]):
                if held[i, j, k] == 0 or not _touched(solid, i, j, k):
                    continue
                for axis, node in enumerate((i, j, k)):
                    turn[axis] = (node - centre[axis]) / half
                for c in range(3):
                    if held[i, j, k] >> c & 1:
                        row[:] = 0.0
                        row[c] = 1.0
                        row[3 + (c + 1) % 3] = turn[(c + 2) % 3]
                        row[3 + (c + 2) % 3] = -turn[(c + 1) % 3]
                        for a in range(6):
                            for b in range(6):
                                gram[a, b] += row[a] * row[b]
    return gram


def _motions(
    held: NDArray[np.bool_],
    supports: Supports,
    joints: tuple[tuple[int, int, Array], ...],
) -> dict[int, Array]:
    """Find the free motions (m, 6) of the loose bodies, all bodies together if they are few."""
    loose = np.flatnonzero(~held[1:]) + 1
    if loose.size > TOGETHER:  # told as loose, though a chain of hinges might hold them
        return {int(body): np.eye(6) for body in loose}
    place = {int(body): slice(6 * n, 6 * n + 6) for n, body in enumerate(loose)}
    gram = np.zeros((6 * loose.size,) * 2)
    for body, here in place.items():
        rows = supports[1][supports[0] == body]
        gram[here, here] += rows.T @ rows
    for one, other, conditions in joints:
        both = np.zeros((len(conditions), 6 * loose.size))
        for body, sign in ((one, 1.0), (other, -1.0)):
            if body in place:
                both[:, place[body]] = sign * conditions
        gram += both.T @ both
    values, vectors = np.linalg.eigh(gram)
    free = vectors[:, values <= RANK * np.max(values, initial=RANK)].T
    parts = {body: free[:, here] for body, here in place.items()}
    moving = {body: part[np.linalg.norm(part, axis=1) > RANK] for body, part in parts.items()}
    return {body: part for body, part in moving.items() if part.size}
