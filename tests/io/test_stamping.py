"""A stamped file is still what it was, and says what made it."""

import json

import nibabel as nib
import numpy as np
from lxml import etree

import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.io.stamping import Stamp, stamp
from kyphoplan.io.vtu import write_vtu

MARK = Stamp(
    made_by="kyphoplan 0.1.0",
    date_utc="2026-01-02T03:04:05Z",
    inputs={"ct": ("<b>--ct.nii.gz", "ab" * 32)},
    level_names="stated by user",
    sides="",
)
VOXELS = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)


def test_a_nifti_file_keeps_its_voxels_and_place(tmp_path):
    volume = Volume(VOXELS, np.diag([1.0, 2.0, 3.0, 1.0]))
    path = kio.write_volume(volume, tmp_path / "a.nii.gz")
    stamp(path, MARK)
    back = kio.read_volume(path)
    assert np.array_equal(back.voxels, VOXELS)
    assert np.array_equal(back.affine, volume.affine)
    text = nib.load(path).header["descrip"].item().decode()
    assert text.startswith("kyphoplan 0.1.0 2026-01-02T03:04:05Z research only ")


def test_an_nrrd_file_keeps_its_voxels_and_place(tmp_path):
    volume = Volume(VOXELS, np.diag([1.0, 2.0, 3.0, 1.0]))
    path = kio.write_volume(volume, tmp_path / "a.nrrd")
    stamp(path, MARK)
    back = kio.read_volume(path)
    assert np.array_equal(back.voxels, VOXELS)
    assert np.array_equal(back.affine, volume.affine)


def test_an_xml_file_stays_well_formed_whatever_the_inputs_are_called(tmp_path):
    solid = np.ones((2, 2, 2), bool)
    cells = {"stress": np.ones((2, 2, 2))}
    path = write_vtu(tmp_path / "a.vtu", solid, np.eye(4), cells, np.zeros((3, 3, 3, 3)))
    stamp(path, MARK)
    root = etree.parse(path)
    (comment,) = root.xpath("/comment()")
    assert "ab" * 32 in comment.text
    assert "not for diagnosis" in comment.text


def test_a_page_shows_the_stamp_as_text_and_not_as_markup(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("<html><body><p>x</p></body></html>", encoding="utf-8")
    stamp(path, MARK)
    page = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;--ct.nii.gz" in page
    assert "<b>" not in page


def test_a_list_in_json_and_an_unknown_kind_stay_as_they_are(tmp_path):
    for name, text in (("a.json", "[1]"), ("a.txt", "hello")):
        path = tmp_path / name
        path.write_text(text)
        stamp(path, MARK)
        assert path.read_text() == text


def test_a_stated_orientation_stands_in_the_stamp():
    warning = {"code": "orientation_stated", "text": "orientation stated by user: LPS"}
    line = Stamp.of({"warnings": [warning]}).line
    assert "orientation stated by user: LPS" in line
    assert json.dumps(Stamp.of({}).data)
