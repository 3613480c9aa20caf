"""A VTU file holds the solid voxels, in the patient's place, readable back."""

import base64
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np

from kyphoplan.io.vtu import write_vtu


def test_a_block_is_read_back(tmp_path: Path) -> None:
    solid = np.zeros((3, 2, 2), bool)
    solid[0, 0, 0] = solid[2, 1, 1] = True
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (10.0, 20.0, 30.0)
    values = np.arange(12.0).reshape(3, 2, 2)
    moved = np.zeros((4, 3, 3, 3))
    moved[0, 0, 0] = (0.1, 0.2, 0.3)
    path = write_vtu(tmp_path / "block.vtu", solid, affine, {"value": values}, moved)
    arrays = {}
    kinds = {"Float32": "<f4", "Int64": "<i8", "UInt8": "u1"}
    for array in Xml.parse(path).getroot().iter("DataArray"):
        raw = base64.b64decode(array.text or "")
        assert int.from_bytes(raw[:8], "little") == len(raw) - 8
        arrays[array.get("Name")] = np.frombuffer(raw[8:], kinds[array.get("type") or ""])
    points = arrays["points"].reshape(-1, 3)
    assert points.min(axis=0).tolist() == [9.0, 19.0, 29.0]
    assert points.max(axis=0).tolist() == [15.0, 23.0, 33.0]
    assert arrays["value"].tolist() == [0.0, 11.0]
    assert arrays["types"].tolist() == [12, 12]
    first = points[arrays["connectivity"][:8]]
    assert np.allclose(first.mean(axis=0), affine[:3, 3])
    assert np.allclose(arrays["displacement_mm"].reshape(-1, 3)[0], (0.1, 0.2, 0.3))
