"""Solids are closed, look outwards, and hold what the plan says."""

import numpy as np
import pytest

from kyphoplan.case.mesh import Mesh
from kyphoplan.planning.solids import solids

from .plans import case, drawn_plan


def meshes() -> dict[str, Mesh]:
    return {mesh.name: mesh for mesh in solids(case().spine, drawn_plan())}


def test_each_level_has_its_bone_cannulas_and_balloons() -> None:
    assert set(meshes()) == {
        "L1",
        "L1 left cannula",
        "L1 right cannula",
        "L1 left balloon",
        "L1 right balloon",
    }


def test_every_solid_is_closed_and_looks_outwards() -> None:
    for mesh in meshes().values():
        edges = np.concatenate(
            [mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]
        )
        forth = {(int(a), int(b)) for a, b in edges}
        assert len(forth) == len(edges), mesh.name
        assert forth == {(b, a) for a, b in forth}, mesh.name
        assert mesh.volume_mm3 > 0.0


def test_a_balloon_holds_its_volume() -> None:
    for inflation in drawn_plan().levels[0].inflations:
        mesh = meshes()[f"L1 {inflation.side} balloon"]
        assert mesh.volume_mm3 / 1000.0 == pytest.approx(inflation.volume_ml, rel=0.03)


def test_the_bone_lies_where_the_labels_lie() -> None:
    labels = case().labels
    inside = np.asarray(labels.volume.voxels) == labels.value_of(
        next(iter(labels.levels.values()))
    )
    assert inside.any()
    bone = meshes()["L1"]
    value = next(v for v, level in labels.levels.items() if str(level) == "L1")
    places = labels.volume.to_patient(np.argwhere(np.asarray(labels.volume.voxels) == value))
    assert np.allclose(bone.vertices_mm.min(axis=0), places.min(axis=0), atol=1.5)
    assert np.allclose(bone.vertices_mm.max(axis=0), places.max(axis=0), atol=1.5)
