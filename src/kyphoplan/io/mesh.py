"""Meshes for other programs: STL, GLB and 3MF, in LPS millimetres, with the space named inside.

Coordinates are written as they are, in the patient's frame. The space stands in the STL header
(as 3D Slicer reads it), in the GLB's ``asset.extras`` and in the 3MF's metadata, and in the file
name by the caller's choice. glTF itself knows metres only: its extras say that these are not.
"""

import json
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from kyphoplan.case.mesh import Mesh
from kyphoplan.io.output import replacing

SPACE = "SPACE=LPS;UNIT=mm"  # 3D Slicer looks for SPACE= in an STL header
STL_HEADER = 80  # [byte]
FLOAT, INDEX = 5126, 5125  # glTF component types: 32-bit float, unsigned 32-bit integer
VERTICES, FACES = 34962, 34963  # glTF buffer targets
ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same mesh gives the same bytes
CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="model" '
    'ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Target="/3D/3dmodel.model" Id="rel0" '
    'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
)


def write_stl(path: str | Path, mesh: Mesh) -> Path:
    """Write one surface as binary STL.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    corners = mesh.vertices_mm[mesh.faces].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    rows = np.zeros(len(corners), np.dtype([("v", "<f4", (4, 3)), ("pad", "<u2")]))
    rows["v"][:, 0], rows["v"][:, 1:] = normals, corners
    header = f"kyphoplan {SPACE}".encode("ascii").ljust(STL_HEADER)
    return _write(path, header + struct.pack("<I", len(rows)) + rows.tobytes())


def write_glb(path: str | Path, meshes: Sequence[Mesh]) -> Path:
    """Write named surfaces as one binary glTF 2.0 file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    arrays = [a for m in meshes for a in (m.vertices_mm.astype("<f4"), m.faces.astype("<u4"))]
    blob = b"".join(array.tobytes() for array in arrays)  # all are multiples of 4 bytes
    text = json.dumps(_gltf(meshes, arrays), separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 4)
    chunks = b"".join(
        struct.pack("<I4s", len(chunk), kind) + chunk
        for kind, chunk in ((b"JSON", text), (b"BIN\0", blob))
        if chunk
    )
    return _write(path, struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def write_3mf(path: str | Path, meshes: Sequence[Mesh]) -> Path:
    """Write named surfaces as one 3MF file, for printing.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    objects = "".join(_3mf_object(number, mesh) for number, mesh in enumerate(meshes, 1))
    items = "".join(f'<item objectid="{n}"/>' for n in range(1, len(meshes) + 1))
    model = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<model unit="millimeter" xml:lang="en-US" xmlns="{CORE}">'
        f'<metadata name="Application">kyphoplan</metadata>'
        f'<metadata name="Description">{SPACE}</metadata>'
        f"<resources>{objects}</resources><build>{items}</build></model>"
    )
    parts = (
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELATIONS),
        ("3D/3dmodel.model", model),
    )
    path = Path(path)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in parts:
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 6)
    return path


def _write(path: str | Path, content: bytes) -> Path:
    path = Path(path)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path


def _gltf(meshes: Sequence[Mesh], arrays: Sequence[Any]) -> dict[str, Any]:
    """Describe the buffer: for each mesh its vertices, then its faces."""
    starts = np.cumsum([0, *(array.nbytes for array in arrays)]).tolist()
    numbers = range(len(meshes))
    return {
        "asset": {
            "version": "2.0",
            "generator": "kyphoplan",
            "extras": {"space": "LPS", "unit": "mm"},
        },
        "scene": 0,
        "scenes": [{"nodes": list(numbers)}],
        "nodes": [{"name": mesh.name, "mesh": n} for n, mesh in enumerate(meshes)],
        "meshes": [
            {
                "name": mesh.name,
                "primitives": [
                    {"attributes": {"POSITION": 2 * n}, "indices": 2 * n + 1, "material": n}
                ],
            }
            for n, mesh in enumerate(meshes)
        ],
        "materials": [
            {"name": m.name, "pbrMetallicRoughness": {"baseColorFactor": [*m.colour, 1.0]}}
            for m in meshes
        ],
        "accessors": [_accessor(n, array) for n, array in enumerate(arrays)],
        "bufferViews": [
            {
                "buffer": 0,
                "byteOffset": starts[n],
                "byteLength": array.nbytes,
                "target": FACES if n % 2 else VERTICES,
            }
            for n, array in enumerate(arrays)
        ],
        "buffers": [{"byteLength": starts[-1]}],
    }


def _accessor(number: int, array: Any) -> dict[str, Any]:
    about = {"bufferView": number, "byteOffset": 0}
    if number % 2:
        return {**about, "componentType": INDEX, "count": array.size, "type": "SCALAR"}
    limits = {"min": array.min(axis=0).tolist(), "max": array.max(axis=0).tolist()}
    return {**about, "componentType": FLOAT, "count": len(array), "type": "VEC3", **limits}


def _3mf_object(number: int, mesh: Mesh) -> str:
    vertices = "".join(
        f'<vertex x="{x:.5f}" y="{y:.5f}" z="{z:.5f}"/>' for x, y, z in mesh.vertices_mm.tolist()
    )
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in mesh.faces.tolist())
    return (
        f'<object id="{number}" type="model" name={quoteattr(mesh.name)}><mesh>'
        f"<vertices>{vertices}</vertices><triangles>{faces}</triangles></mesh></object>"
    )
