"""The fragment holds the scene in RAS, flipped once, and nothing that a name could break."""

import base64
import gzip
import json
import re
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from kyphoplan import viewer
from kyphoplan.viewer import page

from ..planned import planned

FLIP = np.array([-1.0, -1.0, 1.0])  # LPS <-> RAS


@pytest.fixture(scope="module")
def scene() -> viewer.Scene:
    c = planned()
    return viewer.scene(c.spine, c.ct, c.plan)


@pytest.fixture
def data(scene: viewer.Scene, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(page, "bundle", lambda: "void 0")
    html = viewer.page_fragment(scene)
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)
    assert found is not None
    return dict(json.loads(found[1]))


def image(text: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def test_a_voxel_is_at_the_same_place_of_the_patient_in_ras(
    scene: viewer.Scene, data: dict[str, Any]
) -> None:
    read = image(data["ct"])
    assert nib.aff2axcodes(read.affine) == ("R", "A", "S")
    assert scene.ct is not None
    for index in [(0, 0, 0), (5, 40, 60), tuple(np.array(scene.ct.shape) - 1)]:
        ras = FLIP * scene.ct.to_patient(index)
        there = np.round(nib.affines.apply_affine(np.linalg.inv(read.affine), ras)).astype(int)
        assert read.dataobj[tuple(there)] == scene.ct.voxels[index]
        assert nib.affines.apply_affine(read.affine, there) == pytest.approx(ras, abs=1e-4)


def test_a_mesh_lies_in_its_own_level_of_the_label_image(data: dict[str, Any]) -> None:
    labels = image(data["labels"])
    number = 1 + [level["name"] for level in data["levels"]].index("L1")
    balloon = next(m for m in data["meshes"] if m["name"] == "L1 left balloon")
    points = np.frombuffer(base64.b64decode(balloon["points"]), "<f4").reshape(-1, 3)
    triangles = np.frombuffer(base64.b64decode(balloon["triangles"]), "<u4")
    at = nib.affines.apply_affine(np.linalg.inv(labels.affine), points.mean(axis=0))
    assert labels.dataobj[tuple(np.round(at).astype(int))] == number
    assert triangles.max() < len(points)


def test_the_patients_left_is_negative_in_ras(data: dict[str, Any]) -> None:
    places = {p["name"]: p["at"] for p in data["places"]}
    assert places["L1 left entry"][0] < places["L1 right entry"][0]


def test_no_text_in_the_data_can_close_its_script() -> None:
    assert "<" not in page._json({"name": "</script><b>"})


def test_without_its_bundle_the_fragment_is_one_plain_sentence(
    scene: viewer.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "bundle", lambda: None)
    html = viewer.page_fragment(scene)
    assert "without its interactive viewer" in html
    assert "<script" not in html


def test_the_policy_lets_nothing_be_fetched() -> None:
    assert viewer.CONTENT_POLICY.startswith("default-src 'none'")
    assert "http" not in viewer.CONTENT_POLICY
    assert "unsafe-eval" not in viewer.CONTENT_POLICY
