"""What lies on the patient's right comes out on the right in every file of a result.

A bright plate on the right of L1 is looked for in each picture, and in the viewer as a browser
shows it; the right cannula, and the right pedicles, which are the wider ones, in each table, mesh,
markup and label map. Whatever the order of the axes in the input, the result is the same.
"""

import base64
import csv
import gzip
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import trimesh
from matplotlib.image import imread
from playwright.sync_api import Browser
from scipy import ndimage
from typer.testing import CliRunner

from kyphoplan.cli.app import app
from kyphoplan.geometry import Array

from ..orders import CODES, FORMATS, HALF_MM, MARKER_HU, asymmetric
from .browsing import needs_bundle, picture_of, visit

WHITE = 0.97  # [1] of full brightness: the plate is brighter than the window's upper end
EXACT_MM = 0.01
FEW = (("RSA", "NIfTI"), ("PIL", "DICOM"))  # of the 96; both turn and mirror the axes
PICTURES = {  # name, and what part of its width shows the patient from front or feet
    "L1-canal": (0.0, 1.0),
    "L1-plan-axial": (0.0, 1.0),
    "overview": (0.61, 0.99),
}
QUICK = ("--no-rehearsal", "-q")
TILES = 3  # [1] of the viewer: axial, coronal, sagittal in a row
DIGEST = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{52})?\b")
NAME = re.compile(r"(ct: |\"ct\": \")\S+ sha256")
VERTEX = re.compile(r'x="(.*?)" y="(.*?)" z="(.*?)"')

Run = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give the result of `kyphoplan run` on the asymmetric spine, stored in some order."""

    def made(code: str, kind: str) -> Path:
        place = tmp_path_factory.mktemp(f"{code}-{kind}")
        ct, labels = asymmetric().stored(code, kind, place)
        given = ["run", "-i", ct, "-s", labels, "-o", place / "result", "--levels", "L1"]
        done = CliRunner().invoke(app, [*map(str, given), *QUICK], env={"SOURCE_DATE_EPOCH": "0"})
        assert done.exit_code == 0, done.output
        return place / "result"

    return made


@pytest.fixture(scope="module")
def reference(run: Run) -> Path:
    return run("LPS", "NIfTI")


def place_of_plate(picture: Array, least: float) -> Array:
    """Centre of the largest white patch: column and row as shares of the picture."""
    white = (picture[..., :3] > WHITE).all(axis=-1)
    patches, count = ndimage.label(ndimage.binary_opening(white, iterations=2))
    assert count, "the plate is not shown"
    sizes = ndimage.sum_labels(white, patches, range(1, count + 1))
    assert sizes.max() > least * white.size, "the plate is not shown"
    row, column = ndimage.center_of_mass(patches == int(np.argmax(sizes)) + 1)
    return np.array([column / white.shape[1], row / white.shape[0]])


def check_pictures(folder: Path) -> None:
    """The plate lies on the picture's left, as it is seen from the front and from the feet."""
    for name, (low, high) in PICTURES.items():
        picture = imread(folder / "figures" / f"{name}.png")
        height, width = picture.shape[:2]
        part = picture[height // 8 : -height // 12, int(low * width) : int(high * width)]
        assert place_of_plate(part, 0.01)[0] < 0.4, name


def entries(folder: Path) -> dict[str, Array]:
    """Where the cannulas enter [mm, LPS], by side, from plan.json."""
    (plan,) = json.loads((folder / "plan.json").read_text())["levels"]
    return {row["side"]: np.array(row["entry_lps_mm"]) for row in plan["trajectories"]}


def check_tables(folder: Path) -> None:
    """Sides by name are sides by place, in JSON, markup and table."""
    found = entries(folder)
    assert found["right"][0] < asymmetric().canal_mm[0] < found["left"][0]
    (row,) = json.loads((folder / "measurements.json").read_text())["vertebrae"]
    assert row["right_pedicle_width_mm"]["low"] > row["left_pedicle_width_mm"]["value"]
    for side in ("right", "left"):
        path = folder / "trajectories" / f"L1_{side}.mrk.json"
        (markup,) = json.loads(path.read_text())["markups"]
        assert markup["coordinateSystem"] == "LPS"
        place = np.array(markup["controlPoints"][0]["position"])
        assert np.abs(place - found[side]).max() < EXACT_MM
    for line in csv.DictReader((folder / "navigation.csv").read_text().splitlines()):
        place = np.array([float(line[f"entry_{axis}_lps_mm"]) for axis in "xyz"])
        assert np.abs(place - found[line["side"]]).max() < EXACT_MM
        assert float(line["entry_x_ras_mm"]) == -float(line["entry_x_lps_mm"])


def check_meshes(folder: Path) -> None:
    """The right cannula lies on the right; the bone reaches farther out at its wider pedicle."""
    middle, meshes = asymmetric().canal_mm, folder / "meshes"
    scene = trimesh.load(meshes / "L1_plan_LPS.glb").geometry
    model = model_of(meshes / "L1_plan_LPS.3mf")
    for side, sign in (("right", -1.0), ("left", 1.0)):
        for what in ("cannula", "balloon"):
            name = f"L1 {side} {what}"
            part = model.split(f'name="{name}"')[1].split("</vertices>")[0]
            points = np.array(VERTEX.findall(part), float)
            stl = trimesh.load(meshes / f"{name.replace(' ', '_')}_LPS.stl")
            for vertices in (stl.vertices, scene[name].vertices, points):
                assert sign * (vertices[:, 0].mean() - middle[0]) > 5.0, name
    bone = trimesh.load(meshes / "L1_LPS.stl").vertices - middle
    assert wider_on_the_right(bone)


def model_of(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read("3D/3dmodel.model").decode()


def wider_on_the_right(points: Array) -> bool:
    """Say whether points of L1 (N, 3) [mm] about its canal reach farther out at the pedicles."""
    x = points[(np.abs(points[:, 1] + 4.0) < 3.0) & (points[:, 2] > 0.0), 0]
    return bool(-x.min() > x.max() + 1.0)


def check_labels(folder: Path) -> None:
    """The exported label map, read by ITK, has the wider pedicles on the right."""
    image = sitk.ReadImage(str(folder / "segmentation.seg.nrrd"))
    indices = np.argwhere(sitk.GetArrayFromImage(image) == 20)[:, ::-1]
    points = np.array([image.TransformIndexToPhysicalPoint(i.tolist()) for i in indices])
    assert wider_on_the_right(points - asymmetric().canal_mm)


def check_volume_of_viewer(folder: Path) -> None:
    """The page's own CT, read as NiiVue reads it: RAS, the right is positive."""
    page = (folder / "surgeon.html").read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    image = nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(json.loads(data)["ct"])))
    bright = np.argwhere(np.asarray(image.dataobj) > MARKER_HU - 500)
    ras = nib.affines.apply_affine(image.affine, bright).mean(axis=0)
    assert np.abs(ras[0] + asymmetric().marker_mm[0]) < HALF_MM[0]


def check_sides(folder: Path) -> None:
    check_pictures(folder)
    check_tables(folder)
    check_meshes(folder)
    check_labels(folder)
    check_volume_of_viewer(folder)


def check_viewer(folder: Path, browser: Browser) -> None:
    """The plate stands beside the letter R in the axial and the coronal view."""
    page = browser.new_page(viewport={"width": 1120, "height": 900})
    opened = visit(page, (folder / "surgeon.html").as_uri())
    assert opened.complaints == []
    views = np.array_split(picture_of(page, "slices"), TILES, axis=1)
    page.close()
    for view in views[:2]:
        assert place_of_plate(view, 0.005)[0] < 0.4


def check_same(folder: Path, reference: Path) -> None:
    """Each file shows what the reference shows, but for the hashes and names of the inputs."""
    names = {str(p.relative_to(reference)) for p in reference.rglob("*") if p.is_file()}
    assert names == {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    for name in sorted(names - {"manifest.json", ".kyphoplan-result", "segmentation.seg.nrrd"}):
        ours, theirs = folder / name, reference / name
        if name.endswith(".png"):
            assert np.array_equal(imread(ours), imread(theirs)), name
        elif name.endswith(".stl"):
            assert ours.read_bytes()[84:] == theirs.read_bytes()[84:], name
        elif name.endswith(".glb"):
            assert vertices_of(ours) == vertices_of(theirs), name
        else:
            assert unnamed(ours) == unnamed(theirs), name


def vertices_of(path: Path) -> dict[str, list[list[float]]]:
    return {name: m.vertices.tolist() for name, m in trimesh.load(path).geometry.items()}


def unnamed(path: Path) -> str:
    text = model_of(path) if path.suffix == ".3mf" else path.read_text(encoding="utf-8")
    return NAME.sub("", DIGEST.sub("", text))


@pytest.mark.slow
@pytest.mark.parametrize(("code", "kind"), FEW)
def test_the_marker_comes_out_on_the_right_in_every_file(code: str, kind: str, run: Run) -> None:
    check_sides(run(code, kind))


@pytest.mark.soak
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("code", CODES)
def test_the_marker_comes_out_on_the_right_in_every_file_from_all_orders(
    code: str, kind: str, run: Run, reference: Path
) -> None:
    """The pages, with all that their viewer is given, are those of the reference."""
    folder = run(code, kind)
    check_sides(folder)
    check_same(folder, reference)
    shutil.rmtree(folder)


@pytest.mark.soak
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("code", ["LPS", *CODES[::7]])
def test_a_browser_shows_the_marker_beside_the_letter_of_the_right(
    code: str, kind: str, run: Run, browser: Browser
) -> None:
    needs_bundle()
    check_viewer(run(code, kind), browser)
