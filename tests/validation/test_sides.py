"""A marker on the patient's right stays there, from 48 storage orders to every export."""

import base64
import gzip
import itertools
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import trimesh

import kyphoplan as kp
import kyphoplan.io as kio
from kyphoplan.case import LabelMap, Volume
from kyphoplan.geometry import Array
from kyphoplan.io.gate import examine
from kyphoplan.io.stated import axes_of, letters_of
from kyphoplan.report.exports import write_exports
from kyphoplan.report.sections import draw_canal
from kyphoplan.viewer.page import nifti
from kyphoplan.viewer.scene import scene

from ..planned import planned
from ..report.conftest import Case, build
from ..report.drawn import side_words

CODES = [
    "".join(letters)
    for axes in itertools.permutations(("LR", "AP", "SI"))
    for letters in itertools.product(*axes)
]
FORMATS = ("NIfTI", "DICOM")
THINNED = CODES[::17]  # one of each storage plane and handedness
MARKER_HU, SIZE_MM, ASIDE_MM, STRIDE = 2900, 6.0, 22.0, 3
EXACT_MM = 0.01


@dataclass(frozen=True)
class Marked:
    """The hand-built case, and its CT with a bright cube on the patient's right of L1's canal."""

    case: Case
    ct: Volume
    centre_mm: Array


@cache
def marked() -> Marked:
    case = build()
    canal = case.spine[kp.Level.L1].canal
    assert canal is not None
    centre = canal.centre_mm + np.array([-ASIDE_MM, -5.0, 0.0])
    voxels = case.ct.voxels[::STRIDE, ::STRIDE, ::STRIDE].copy()
    coarse = Volume(voxels, case.ct.affine @ np.diag([STRIDE, STRIDE, STRIDE, 1.0]))
    places = coarse.to_patient(np.argwhere(np.ones(coarse.shape, bool)))
    near = (np.abs(places - centre) <= SIZE_MM).all(axis=1)
    voxels.reshape(-1)[near] = MARKER_HU
    return Marked(case, Volume(voxels, coarse.affine), places[near].mean(axis=0))


def stored(volume: Volume, code: str, kind: str, folder: Path) -> Path:
    """Write a volume with its axes along the letters."""
    turned = volume.reordered(axes_of(code).T)
    folder.mkdir(exist_ok=True)
    if kind == "DICOM":
        return kio.write_dicom_series(turned, folder / code)
    return kio.write_volume(turned, folder / f"{code}.nii")


def centre_of_marker(volume: Volume) -> Array:
    return volume.to_patient(np.argwhere(volume.voxels > MARKER_HU - 500)).mean(axis=0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [*((code, "NIfTI") for code in CODES), *((code, "DICOM") for code in CODES[::4])],
)
def test_the_marker_is_read_where_it_is(code: str, kind: str, tmp_path: Path) -> None:
    path = stored(marked().ct, code, kind, tmp_path)
    volume = kio.read_volume(path)
    assert np.abs(centre_of_marker(volume) - marked().centre_mm).max() < EXACT_MM
    told = letters_of(volume.affine)
    assert told[:2] == code[:2]  # DICOM slices are put in the order of their normal
    assert told == code or kind == "DICOM"


def check_pictures(code: str, kind: str, folder: Path) -> None:
    """Check picture, page and label export of one storage order."""
    case = marked().case
    ct = kio.read_volume(stored(marked().ct, code, kind, folder))
    figure = draw_canal(case.spine, case.measurements, kp.Level.L1, ct)
    axes = figure.axes[0]
    assert side_words(axes)["left"] == "Right"
    grey = np.asarray(axes.images[0].get_array())
    left, right, *_ = axes.images[0].get_extent()
    columns = np.argwhere(grey >= 0.98 * grey.max())[:, 1]
    x = left + (columns.mean() + 0.5) / grey.shape[1] * (right - left)
    limits = axes.get_xlim()
    assert (x - limits[0]) / (limits[1] - limits[0]) < 0.45
    _check_page(ct)
    _check_labels(code, folder)


def _check_page(ct: Volume) -> None:
    """The page's own volume, read as NiiVue reads it: RAS, the right is positive."""
    shown = marked()
    raw = gzip.decompress(base64.b64decode(nifti(ct)))
    image = nib.Nifti1Image.from_bytes(raw)
    bright = np.argwhere(np.asarray(image.dataobj) > MARKER_HU - 500)
    ras = nib.affines.apply_affine(image.affine, bright).mean(axis=0)
    assert np.abs(ras - shown.centre_mm * [-1, -1, 1]).max() < EXACT_MM


def _check_labels(code: str, folder: Path) -> None:
    """The label of the marker is exported on the patient's right."""
    ct = marked().ct
    voxels = np.where(ct.voxels > MARKER_HU - 500, 20, 0).astype(np.uint8)
    path = stored(Volume(voxels, ct.affine), code, "NIfTI", folder / "labels")
    labels = kio.read_labels(path, scheme="verse")
    out = kio.write_volume(labels, folder / "segmentation.seg.nrrd")
    image = sitk.ReadImage(str(out))
    indices = np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]
    places = [image.TransformIndexToPhysicalPoint(i.tolist()) for i in indices]
    assert np.abs(np.mean(places, axis=0) - marked().centre_mm).max() < EXACT_MM
    assert examine(path, labels=True, scheme="verse").geometry["orientation"] == code


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("code", THINNED)
def test_the_marker_is_shown_and_exported_where_it_is(
    code: str, kind: str, tmp_path: Path
) -> None:
    check_pictures(code, kind, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("code", CODES)
def test_the_marker_is_read_shown_and_exported_where_it_is_in_all_orders(
    code: str, kind: str, tmp_path: Path
) -> None:
    volume = kio.read_volume(stored(marked().ct, code, kind, tmp_path / "read"))
    assert np.abs(centre_of_marker(volume) - marked().centre_mm).max() < EXACT_MM
    check_pictures(code, kind, tmp_path)


def check_exports(folder: Path, right: int) -> dict[str, Array]:
    """Return the places of the right cannula in each export, after checking its side."""
    (plan,) = json.loads((folder / "plan.json").read_text())["levels"]
    rows = {row["side"]: row for row in plan["trajectories"]}
    found = {"plan.json": np.array(rows["right"]["entry_lps_mm"])}
    (markup,) = json.loads((folder / "trajectories/L1_right.mrk.json").read_text())["markups"]
    assert markup["coordinateSystem"] == "LPS"
    found["mrk.json"] = np.array(markup["controlPoints"][0]["position"])
    found["stl"] = trimesh.load(folder / "meshes/L1_right_cannula_LPS.stl").centroid
    glb = trimesh.load(folder / "meshes/L1_plan_LPS.glb")
    found["glb"] = glb.geometry["L1 right cannula"].centroid
    other = np.array(rows["left"]["entry_lps_mm"])
    for name, place in found.items():
        assert bool(place[0] < other[0]) is (right < 0), name
    return found


@pytest.mark.slow
def test_the_right_cannula_is_on_the_right_in_every_export(tmp_path: Path) -> None:
    c = planned()
    plan = kp.Plan(levels=c.plan.levels[:1], notices=())
    folder = tmp_path / "exports"
    folder.mkdir()
    write_exports(folder, plan, c.spine)
    places = check_exports(folder, right=-1)
    assert np.abs(places["plan.json"] - places["mrk.json"]).max() < EXACT_MM
    meshes = [m for m in scene(c.spine, c.ct, plan).meshes if m.name.startswith("L1 right")]
    assert meshes
    middle = c.spine["L1"].frame
    assert middle is not None
    assert all(m.points_mm[:, 0].mean() < middle.origin_mm[0] for m in meshes)


@pytest.mark.soak
@pytest.mark.parametrize("code", CODES)
def test_the_whole_chain_keeps_the_sides_in_all_orders(code: str, tmp_path: Path) -> None:
    """From stored files through anatomy and plan to every export."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.35, middle_loss=0.2)
    levels = (kp.Level.T12, kp.Level.L1, kp.Level.L2)
    made = kp.scan(kp.Phantom(levels=levels, collapses=(wedge,)), spacing_mm=(1.5, 1.5, 1.5))
    ct = kio.read_volume(stored(made.ct, code, "DICOM", tmp_path))
    turned = made.labels.volume.reordered(axes_of(code).T)
    path = kio.write_volume(
        LabelMap(volume=turned, levels=made.labels.levels), tmp_path / "labels.nii.gz"
    )
    spine = kp.locate(kio.read_labels(path), ct)
    plan = kp.plan(spine, kp.measure(spine, ct), levels=(kp.Level.L1,))
    folder = tmp_path / "exports"
    folder.mkdir()
    write_exports(folder, plan, spine)
    check_exports(folder, right=-1)
