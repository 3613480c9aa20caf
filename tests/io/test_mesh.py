"""A mesh comes back from each format, through a reader of other make, within 0.01 mm.

The readers are trimesh and, for what trimesh leaves out, the bytes as the formats define them.
"""

import json
import struct
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import trimesh

from kyphoplan.case.mesh import Mesh
from kyphoplan.errors import OutputError
from kyphoplan.geometry import Array
from kyphoplan.io.mesh import write_3mf, write_glb, write_stl
from kyphoplan.planning.solids import BALLOON, CANNULA, capsule

TOLERANCE_MM = 0.01
ENTRY, TARGET = np.array([30.0, -120.5, 900.25]), np.array([10.0, -150.0, 905.0])
FAR = np.array([-999.9, 1.0, 2.0])
MESHES = (
    capsule("L1 left cannula", ENTRY, TARGET, 2.1, CANNULA),
    capsule('L1 "left" <balloon>', FAR, FAR + 9.0, 6.0, BALLOON),
)


def corners(mesh: Mesh) -> Array:
    return mesh.vertices_mm[mesh.faces].reshape(-1, 3)


def same(mesh: Mesh, read: trimesh.Trimesh) -> None:
    assert len(read.faces) == len(mesh.faces)
    assert np.abs(read.vertices[read.faces].reshape(-1, 3) - corners(mesh)).max() < TOLERANCE_MM
    assert read.is_watertight
    assert read.volume == pytest.approx(mesh.volume_mm3, rel=1e-3)


def test_stl_comes_back(tmp_path: Path) -> None:
    path = write_stl(tmp_path / "a_LPS.stl", MESHES[0])
    same(MESHES[0], trimesh.load_mesh(path))
    assert b"SPACE=LPS" in path.read_bytes()[:80]


@pytest.mark.parametrize(("write", "name"), [(write_glb, "a.glb"), (write_3mf, "a.3mf")])
def test_named_meshes_come_back(write, name, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    scene = trimesh.load_scene(write(tmp_path / name, MESHES))
    for mesh in MESHES:
        node = next(n for n in scene.graph.nodes_geometry if n == mesh.name)
        transform, geometry = scene.graph[node]
        assert np.allclose(transform, np.eye(4))
        same(mesh, scene.geometry[geometry])


def test_a_glb_says_its_space_and_unit(tmp_path: Path) -> None:
    raw = write_glb(tmp_path / "a.glb", MESHES).read_bytes()
    magic, version, size, length, kind = struct.unpack("<4sIII4s", raw[:20])
    assert (magic, version, size, kind) == (b"glTF", 2, len(raw), b"JSON")
    data = json.loads(raw[20 : 20 + length])
    assert data["asset"]["extras"] == {"space": "LPS", "unit": "mm"}
    for mesh, accessor in zip(MESHES, data["accessors"][::2], strict=True):
        assert np.allclose(accessor["min"], mesh.vertices_mm.min(axis=0), atol=TOLERANCE_MM)


def test_a_3mf_says_its_space_and_unit(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_3mf(tmp_path / "a.3mf", MESHES)) as archive:
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    assert model.get("unit") == "millimeter"
    about = {node.get("name"): node.text for node in model if node.tag.endswith("metadata")}
    assert about["Description"] == "SPACE=LPS;UNIT=mm"


@pytest.mark.parametrize("write", [write_glb, write_3mf])
def test_the_same_meshes_give_the_same_bytes(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first, second = (write(tmp_path / name, MESHES).read_bytes() for name in ("a", "b"))
    assert first == second


def test_no_mesh_at_all_is_still_a_file(tmp_path: Path) -> None:
    assert write_glb(tmp_path / "a.glb", ()).read_bytes()[:4] == b"glTF"
    assert zipfile.is_zipfile(write_3mf(tmp_path / "a.3mf", ()))


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_stl(tmp_path / "none" / "a.stl", MESHES[0])
