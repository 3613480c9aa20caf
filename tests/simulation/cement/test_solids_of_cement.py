"""Voids and cement as closed surfaces, where they are in the patient."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kyphoplan.case.mesh import Mesh
from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.cement.solids_of_cement import cloud_solid, void_solid
from kyphoplan.simulation.filling import fill
from kyphoplan.simulation.operative_field import Field

from ..clouds import SHAPE, block

SHIFT = np.array([10.0, -20.0, 30.0])


def field() -> Field:
    """A block whose voxel centres lie at their indices, shifted in the patient."""
    affine = np.eye(4)
    affine[:3, 3] = SHIFT
    place: Any = SimpleNamespace(edge_mm=1.0, affine=affine)
    place.to_patient = lambda places: Field.to_patient(place, places)
    return place  # type: ignore[no-any-return]


def edges_meet_twice(mesh: Mesh) -> bool:
    edges = np.concatenate([mesh.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    forward = {tuple(edge) for edge in edges.tolist()}
    return len(forward) == len(edges) and all((b, a) in forward for a, b in forward)


def centre(mesh: Mesh) -> Array:
    return np.asarray(0.5 * (mesh.vertices_mm.min(axis=0) + mesh.vertices_mm.max(axis=0)))


def test_a_void_is_closed_and_holds_its_volume_at_its_place() -> None:
    skin = Skin.around(np.array([6.0, 7.0, 6.0]), np.array([10.0, 7.0, 6.0]), 3.0)
    mesh = void_solid("void", skin, field())
    assert edges_meet_twice(mesh)
    assert mesh.volume_mm3 == pytest.approx(skin.volume_mm3, rel=0.05)
    assert centre(mesh) == pytest.approx(np.array([8.0, 7.0, 6.0]) - 0.5 + SHIFT, abs=0.3)


def test_the_cloud_is_closed_and_lies_where_the_cement_is() -> None:
    filling = fill(block(volume_ml=0.4))
    (mesh,) = cloud_solid("cement", filling, field())
    assert edges_meet_twice(mesh)
    assert 0.7 * 400.0 < mesh.volume_mm3 < 1.4 * 400.0 / 0.88
    assert centre(mesh) == pytest.approx(np.array(SHAPE) // 2 + SHIFT, abs=0.3)


def test_no_cement_has_no_surface() -> None:
    assert cloud_solid("cement", None, field()) == ()
    filling = fill(block(volume_ml=0.1))
    assert cloud_solid("cement", replace(filling, cement=0.0 * filling.cement), field()) == ()
