"""Voxel results for ParaView and its kin: VTK XML unstructured grids, binary inline."""

import base64
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.io.output import replacing

HEXAHEDRON = 12  # VTK's number of the eight-node brick
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0))


def write_vtu(
    path: str | Path,
    solid: NDArray[np.bool_],
    affine: Array,
    cells: Mapping[str, Array],
    displacement_mm: Array,
) -> Path:
    """Write the solid voxels of a block with a value each, and the displacement of their nodes.

    Parameters
    ----------
    path : the file, ending in ``.vtu``.
    solid : (I, J, K) voxels to write.
    affine : 4x4, from voxel indices to the patient [mm, LPS].
    cells : name -> (I, J, K) values.
    displacement_mm : (I + 1, J + 1, K + 1, 3) along the voxel axes [mm].

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    voxels = np.argwhere(solid)
    shape = displacement_mm.shape[:3]
    number = np.arange(int(np.prod(shape))).reshape(shape)
    order = [(a, b, c) for c in (0, 1) for a, b, _ in CORNERS]
    corners = np.stack([number[tuple((voxels + corner).T)] for corner in order], axis=1)
    used, cell_nodes = np.unique(corners, return_inverse=True)
    index = np.stack(np.unravel_index(used, shape), axis=1) - 0.5  # nodes lie half a voxel off
    points = index @ affine[:3, :3].T + affine[:3, 3]
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    moved = displacement_mm.reshape(-1, 3)[used] @ axes.T
    count = len(voxels)
    blocks = [
        "<Points>" + _array("points", points.astype("<f4"), 3) + "</Points>",
        "<Cells>",
        _array("connectivity", cell_nodes.reshape(-1).astype("<i8")),
        _array("offsets", 8 * np.arange(1, count + 1, dtype="<i8")),
        _array("types", np.full(count, HEXAHEDRON, "u1")),
        "</Cells>",
        "<PointData>" + _array("displacement_mm", moved.astype("<f4"), 3) + "</PointData>",
        "<CellData>",
        *(_array(name, values[solid].astype("<f4")) for name, values in cells.items()),
        "</CellData>",
    ]
    head = (
        '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" '
        'byte_order="LittleEndian" header_type="UInt64"><UnstructuredGrid>'
        f'<Piece NumberOfPoints="{len(used)}" NumberOfCells="{count}">\n'
    )
    text = head + "\n".join(blocks) + "\n</Piece></UnstructuredGrid></VTKFile>\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="ascii")
    return Path(path)


def _array(name: str, values: NDArray[np.generic], components: int = 1) -> str:
    kinds = {"f4": "Float32", "i8": "Int64", "u1": "UInt8"}
    data = np.ascontiguousarray(values)
    header = np.array([data.nbytes], "<u8").tobytes()
    text = base64.b64encode(header + data.tobytes()).decode("ascii")
    kind = kinds[data.dtype.str[1:]]
    return (
        f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" '
        f'format="binary">{text}</DataArray>'
    )
