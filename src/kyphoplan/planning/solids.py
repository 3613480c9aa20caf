"""Bones, cannulas and balloons as closed surfaces, for viewers, printers and navigation."""

from dataclasses import replace

import numpy as np

from kyphoplan.case import Inflation, Level, LevelPlan, Plan, Spine, Trajectory, Vertebra
from kyphoplan.case.mesh import Mesh
from kyphoplan.geometry import Array, unit

BONE = (0.89, 0.85, 0.76)  # [1] colours: red, green, blue
CANNULA = (0.10, 0.45, 0.85)
BALLOON = (0.95, 0.55, 0.10)
ROUND = 32  # [1] corners around a capsule
RINGS = 8  # [1] rings on each of its round ends


def solids(spine: Spine, plan: Plan) -> tuple[Mesh, ...]:
    """Return the surfaces of all planned levels: bone, cannulas, balloons."""
    return tuple(mesh for level in plan.levels for mesh in level_solids(spine, level))


def level_solids(spine: Spine, level: LevelPlan) -> tuple[Mesh, ...]:
    """Return the surfaces of one planned level: bone, cannulas, balloons."""
    bone = bone_solid(spine[level.level])
    cannulas = (cannula_solid(level.level, t) for t in level.trajectories)
    balloons = (balloon_solid(level.level, i) for i in level.inflations if i.accepted)
    return (*(() if bone is None else (bone,)), *cannulas, *balloons)


def bone_solid(vertebra: Vertebra) -> Mesh | None:
    """Return the surface of a vertebra; None if it was not located."""
    from skimage.measure import marching_cubes  # noqa: PLC0415 - slow to load

    if vertebra.surface is None:
        return None
    field = np.asarray(vertebra.surface.voxels, float)
    if not field.min() < 0.0 < field.max():
        return None
    closed = np.pad(field, 1, constant_values=field.max())  # a cut bone ends in a flat face
    corners, faces, _, _ = marching_cubes(closed, level=0.0)
    mesh = Mesh(
        name=str(vertebra.level),
        vertices_mm=vertebra.surface.to_patient(corners - 1.0),
        faces=faces.astype(np.int64),
        colour=BONE,
    )
    return _outwards(mesh)


def cannula_solid(level: Level, trajectory: Trajectory) -> Mesh:
    """Return the cannula inside the bone: a capsule whose round ends pass entry and target."""
    return capsule(
        f"{level} {trajectory.side} cannula",
        trajectory.entry_mm,
        trajectory.target_mm,
        trajectory.outer_diameter_mm / 2.0,
        CANNULA,
    )


def balloon_solid(level: Level, inflation: Inflation) -> Mesh:
    """Return the balloon at its planned size."""
    half = (inflation.length_mm - inflation.diameter_mm) / 2.0 * inflation.axis
    return capsule(
        f"{level} {inflation.side} balloon",
        inflation.centre_mm - half,
        inflation.centre_mm + half,
        inflation.diameter_mm / 2.0,
        BALLOON,
    )


def capsule(
    name: str, start_mm: Array, end_mm: Array, radius_mm: float, colour: tuple[float, float, float]
) -> Mesh:
    """Return the surface at a distance [mm] around a straight line.

    Examples
    --------
    >>> ball = capsule("ball", np.zeros(3), np.array([0.0, 0.0, 1e-6]), 3.0, BALLOON)
    >>> round(ball.volume_mm3 / (4 / 3 * np.pi * 27), 2)
    0.98
    """
    axis = unit(end_mm - start_mm)
    side = unit(np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))]))
    around = np.linspace(0.0, 2.0 * np.pi, ROUND, endpoint=False)
    spokes = np.cos(around)[:, None] * side + np.sin(around)[:, None] * np.cross(axis, side)
    up = np.linspace(-np.pi / 2.0, 0.0, RINGS + 1)[1:]
    rings = [start_mm + radius_mm * (np.sin(a) * axis + np.cos(a) * spokes) for a in up]
    rings += [end_mm + radius_mm * (np.sin(a) * axis + np.cos(a) * spokes) for a in -up[::-1]]
    poles = np.stack([start_mm - radius_mm * axis, end_mm + radius_mm * axis])
    vertices = np.concatenate([*rings, poles])
    return _outwards(
        Mesh(name=name, vertices_mm=vertices, faces=_ring_faces(len(rings)), colour=colour)
    )


def _ring_faces(rings: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Join rings of ROUND corners to a closed skin; the two poles come last."""
    here = np.arange(ROUND)
    after = (here + 1) % ROUND
    faces = []
    for ring in range(rings - 1):
        low, high = ring * ROUND, (ring + 1) * ROUND
        faces.append(np.stack([low + here, low + after, high + here], axis=1))
        faces.append(np.stack([low + after, high + after, high + here], axis=1))
    bottom, top = rings * ROUND, rings * ROUND + 1
    last = (rings - 1) * ROUND
    faces.append(np.stack([np.full(ROUND, bottom), after, here], axis=1))
    faces.append(np.stack([np.full(ROUND, top), last + here, last + after], axis=1))
    return np.concatenate(faces).astype(np.int64)


def _outwards(mesh: Mesh) -> Mesh:
    return mesh if mesh.volume_mm3 >= 0.0 else replace(mesh, faces=mesh.faces[:, ::-1])
