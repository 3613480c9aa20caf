"""Voids and cement as closed surfaces in the patient, for viewers and printers."""

import numpy as np

from kyphoplan.case.filling import Filling
from kyphoplan.case.mesh import Mesh
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.operative_field import Field

VOID = (0.95, 0.55, 0.10)  # [1] colours: red, green, blue
CEMENT = (0.80, 0.20, 0.45)
SHOWN = 0.4  # [1] of a voxel is cement: from there on it is drawn


def void_solid(name: str, skin: Skin, field: Field) -> Mesh:
    """Return the surface of a void."""
    rings, around = skin.height_mm.shape
    corners = np.concatenate([skin.corners_mm.reshape(-1, 3), np.stack(skin.poles_mm)])
    here = np.arange(around)
    after = (here + 1) % around
    faces = []
    for ring in range(rings - 1):
        low, high = ring * around, (ring + 1) * around
        faces.append(np.stack([low + here, low + after, high + here], axis=1))
        faces.append(np.stack([low + after, high + after, high + here], axis=1))
    first, last = rings * around, rings * around + 1
    faces.append(np.stack([np.full(around, first), after, here], axis=1))
    end = (rings - 1) * around
    faces.append(np.stack([np.full(around, last), end + here, end + after], axis=1))
    return _outwards(name, field.to_patient(corners / field.edge_mm), np.concatenate(faces), VOID)


def cloud_solid(name: str, filling: Filling | None, field: Field) -> tuple[Mesh, ...]:
    """Return the surface of the cement, or nothing if there is none."""
    from skimage.measure import marching_cubes  # noqa: PLC0415 - slow to load

    if filling is None or not (filling.cement > SHOWN).any():
        return ()
    corners, faces, _, _ = marching_cubes(np.pad(filling.cement, 1), level=SHOWN)
    places = field.to_patient(corners - 1.0 + 0.5)
    return (_outwards(name, places, faces, CEMENT),)


def _outwards(
    name: str, places: Array, faces: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    colour: tuple[float, float, float],
) -> Mesh:  # fmt: skip
    mesh = Mesh(name=name, vertices_mm=places, faces=faces.astype(np.int64), colour=colour)
    if mesh.volume_mm3 >= 0.0:
        return mesh
    return Mesh(name=name, vertices_mm=places, faces=mesh.faces[:, ::-1], colour=colour)
