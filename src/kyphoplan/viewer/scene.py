"""What the viewer shows of a plan: a block of CT, the levels in it, bones, cannulas, balloons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.ndimage import map_coordinates

from kyphoplan.case import Level, LevelPlan, Part, Plan, Side, Spine, Trajectory, Vertebra, Volume
from kyphoplan.case.mesh import Mesh as Surface
from kyphoplan.errors import NotFoundError
from kyphoplan.geometry import Array, unit
from kyphoplan.viewer import solids

# Okabe and Ito, Color Universal Design (2008): told apart with any colour vision.
SIDE_COLOUR = {Side.LEFT: "#E69F00", Side.RIGHT: "#56B4E9"}
REFUSED_COLOUR = "#D55E00"
BONE_COLOUR = "#E8DCC8"

MARGIN_MM = 12.0  # [mm] shown around the treated levels
VOXEL_MM = 1.0  # [mm] of the block of CT, so that a page stays small
MOST_VOXELS = 5_000_000  # [1] a longer block gets larger voxels: about 10 MB of page
AIR_HU = -1024  # [HU] outside the scan
OUTSIDE_MM = 50.0  # [mm] of cannula shown behind its entry into the bone
SHAFT_SHARE = 0.6  # [1] drawn thinner there, so that the entry is seen
OPACITY_TREATED, OPACITY_NEIGHBOUR = 0.5, 0.25  # [1]
OPACITY_BALLOON = 0.55  # [1]


class Kind(StrEnum):
    """What a mesh stands for."""

    VERTEBRA = "vertebra"
    CANNULA = "cannula"
    SHAFT = "shaft"
    BALLOON = "balloon"
    REHEARSED = "rehearsed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """A named surface.

    Attributes
    ----------
    points_mm : (N, 3) corners [mm, LPS].
    triangles : (M, 3) numbers of the corners, facing outward.
    colour : ``#rrggbb``.
    opacity : 0 to 1 [1].
    """

    name: str
    kind: Kind
    points_mm: Array
    triangles: solids.Triangles
    colour: str
    opacity: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A named point worth going to [mm, LPS]."""

    name: str
    at_mm: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """All that the viewer shows, in the patient's frame.

    Attributes
    ----------
    ct : int16 [HU] around the treated levels, None without a CT.
    labels : uint8 on the same grid: k is the k-th of ``levels``, counted from 1.
    levels, treated : the vertebrae shown, and those among them that the plan treats.
    """

    ct: Volume | None
    labels: Volume
    levels: tuple[Level, ...]
    treated: tuple[Level, ...]
    meshes: tuple[Mesh, ...]
    places: tuple[Place, ...]


def scene(spine: Spine, ct: Volume | None, plan: Plan, rehearsed: Sequence[Surface] = ()) -> Scene:
    """Gather what is to be shown of a plan: its levels and their direct neighbours.

    ``rehearsed`` are voids and cement of its rehearsal.

    Raises
    ------
    NotFoundError
        If the plan has no level that was located.
    """
    treated = tuple(p.level for p in plan.levels if spine[p.level].parts is not None)
    if not treated:
        raise NotFoundError("plan: no located level in it: there is nothing to show in 3D")
    shown = tuple(v for v in _with_neighbours(spine, treated) if v.parts is not None)
    grid = _grid([v for v in shown if v.level in treated], plan)
    bones = (_bone(v, treated=v.level in treated) for v in shown)
    devices = [mesh for level in plan.levels for mesh in _devices(level)]
    devices += [_rehearsed(surface) for surface in rehearsed]
    return Scene(
        ct=None if ct is None else _block(ct, grid),
        labels=_labels(shown, grid),
        levels=tuple(v.level for v in shown),
        treated=treated,
        # From the inside out: a see-through surface hides what is drawn after it.
        meshes=(*devices, *(bone for bone in bones if bone is not None)),
        places=tuple(place for level in plan.levels for place in _places(level)),
    )


def colour_of(trajectory: Trajectory) -> str:
    """Return the colour of a cannula: by its side, or the warning colour if it was refused."""
    return SIDE_COLOUR[trajectory.side] if trajectory.accepted else REFUSED_COLOUR


def _with_neighbours(spine: Spine, treated: tuple[Level, ...]) -> tuple[Vertebra, ...]:
    numbers = [spine.levels.index(level) for level in treated]
    return tuple(v for i, v in enumerate(spine.vertebrae) if any(abs(i - n) <= 1 for n in numbers))


def _grid(treated: list[Vertebra], plan: Plan) -> Volume:
    """Return an empty block, aligned with the patient, around the treated bones and devices."""
    reach = [_bone_voxels_mm(v) for v in treated]
    reach += [np.stack([t.entry_mm, t.target_mm]) for p in plan.levels for t in p.trajectories]
    points = np.concatenate(reach)
    low, high = points.min(axis=0) - MARGIN_MM, points.max(axis=0) + MARGIN_MM
    step = max(VOXEL_MM, float(np.prod(high - low) / MOST_VOXELS) ** (1 / 3))
    shape = np.ceil((high - low) / step).astype(int) + 1
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low
    return Volume(np.zeros(shape, np.uint8), affine)


def _bone_voxels_mm(vertebra: Vertebra) -> Array:
    parts = vertebra.parts
    if parts is None:  # the caller has left these out
        return np.empty((0, 3))
    return parts.to_patient(np.argwhere(parts.voxels != Part.OUTSIDE))


def _block(ct: Volume, grid: Volume) -> Volume:
    """Return the CT on the grid, rounded to whole HU, air outside the scan."""
    values = _sampled(ct, grid, order=1, outside=AIR_HU)
    limits = np.iinfo(np.int16)
    return Volume(np.clip(np.round(values), limits.min, limits.max).astype(np.int16), grid.affine)


def _labels(shown: tuple[Vertebra, ...], grid: Volume) -> Volume:
    labels = np.zeros(grid.shape, np.uint8)
    for number, vertebra in enumerate(shown, start=1):
        if vertebra.parts is not None:
            found = _sampled(vertebra.parts, grid, order=0, outside=int(Part.OUTSIDE))
            labels[found != Part.OUTSIDE] = number
    return Volume(labels, grid.affine)


def _sampled(volume: Volume, grid: Volume, *, order: int, outside: int) -> Array:
    """Return a volume's values at the voxels of a grid."""
    to_index = np.linalg.inv(volume.affine) @ grid.affine
    corners = np.indices(grid.shape, dtype=np.float32).reshape(3, -1)
    indices = to_index[:3, :3].astype(np.float32) @ corners + to_index[:3, 3:]
    values = map_coordinates(
        volume.voxels, indices, order=order, mode="constant", cval=outside, output=np.float32
    )
    return np.asarray(values).reshape(grid.shape)


def _bone(vertebra: Vertebra, *, treated: bool) -> Mesh | None:
    surface = None if vertebra.surface is None else solids.bone(vertebra.surface)
    if surface is None:
        return None
    return Mesh(
        name=str(vertebra.level),
        kind=Kind.VERTEBRA,
        points_mm=surface[0],
        triangles=surface[1],
        colour=BONE_COLOUR,
        opacity=OPACITY_TREATED if treated else OPACITY_NEIGHBOUR,
    )


def _devices(plan: LevelPlan) -> Iterator[Mesh]:
    """Yield the meshes of a level's cannulas, in the bone and outside it, and its balloons."""
    for t in plan.trajectories:
        behind = t.entry_mm - OUTSIDE_MM * unit(t.target_mm - t.entry_mm)
        shaft = solids.capsule(behind, t.entry_mm, SHAFT_SHARE * t.outer_diameter_mm)
        pieces = ((Kind.CANNULA, solids.cannula(t)), (Kind.SHAFT, shaft))
        for kind, (points, triangles) in pieces:
            yield Mesh(
                name=f"{plan.level} {t.side} {kind}",
                kind=kind,
                points_mm=points,
                triangles=triangles,
                colour=colour_of(t),
                opacity=1.0,
            )
    for b in (b for b in plan.inflations if b.diameter_mm > 0.0):
        points, triangles = solids.balloon(b)
        yield Mesh(
            name=f"{plan.level} {b.side} balloon",
            kind=Kind.BALLOON,
            points_mm=points,
            triangles=triangles,
            colour=SIDE_COLOUR[b.side] if b.accepted else REFUSED_COLOUR,
            opacity=OPACITY_BALLOON,
        )


def _rehearsed(surface: Surface) -> Mesh:
    """Show a void or the cement of a rehearsal."""
    return Mesh(
        name=surface.name,
        kind=Kind.REHEARSED,
        points_mm=surface.vertices_mm,
        triangles=surface.faces.astype(np.uint32),
        colour="#" + "".join(f"{round(255 * part):02x}" for part in surface.colour),
        opacity=OPACITY_BALLOON,
    )


def _places(plan: LevelPlan) -> Iterator[Place]:
    for t in plan.trajectories:
        yield Place(name=f"{plan.level} {t.side} entry", at_mm=t.entry_mm)
        yield Place(name=f"{plan.level} {t.side} tip", at_mm=t.target_mm)
