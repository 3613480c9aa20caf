"""``run`` and ``check-plan``: from a scan to a plan, and a judge of anyone's own."""

import csv
import hashlib
import html
import inspect
import io
import json
import re
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lxml.html
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from kyphoplan.case import LabelMap, Measurements, Spine, Volume
from kyphoplan.cli import app
from kyphoplan.cli.rerun import OURS
from kyphoplan.cli.rerun import _arguments as arguments_of

SMALL = ["--levels", "T12,L1", "--spacing", "1.5", "1.5", "1.5", "--no-dicom", "-q"]
WEDGE = ["--collapse", "L1:0.35,0.2,0"]
PATIENT = Path(__file__).resolve().parents[1] / "examples/patients/01_fit_outpatient.json"
run = CliRunner().invoke


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned") / "phantom"
    made = run(app, ["phantom", "-o", str(folder), *SMALL, *WEDGE])
    assert made.exit_code == 0, made.output
    return folder


def inputs(scan: Path) -> list[str]:
    return ["-i", str(scan / "ct.nii.gz"), "-s", str(scan / "labels.nii.gz")]


@pytest.fixture(scope="session")
def planned(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    output = tmp_path_factory.mktemp("planned") / "result"
    more = ["-p", str(PATIENT), "--cannula", "10g", "--pdf", "--no-rehearsal"]
    return output, run(app, ["run", *inputs(scan), "-o", str(output), *more])


@pytest.fixture(autouse=True)
def located(monkeypatch: pytest.MonkeyPatch) -> None:
    """The anatomy of the phantom is found once: to find it takes most of the time."""
    from kyphoplan import anatomy  # noqa: PLC0415

    find = anatomy.locate

    def cached(labels: LabelMap, ct: Volume | None = None) -> Spine:
        key = (labels.volume.shape, ct is None)
        if key not in FOUND:
            FOUND[key] = find(labels, ct)
        return FOUND[key]

    monkeypatch.setattr(anatomy, "locate", cached)


FOUND: dict[tuple[tuple[int, int, int], bool], Spine] = {}


def plan_of(output: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((output / "plan.json").read_text(encoding="utf-8"))
    return data


def check(scan: Path, drawn: Path, *more: str) -> Result:
    return run(app, ["check-plan", str(drawn), *inputs(scan), *more])


def saved(folder: Path, data: Any, name: str = "mine.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


# -- run


def test_a_run_writes_everything_it_promises(planned: tuple[Path, Result]) -> None:
    output, result = planned
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{output}\n"
    names = {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}
    assert {
        "surgeon.html", "measurements.html", "measurements.json", "plan.json", "manifest.json",
        "patient.html", "assessment.json",
        "navigation.csv", "segmentation.seg.nrrd", "figures/overview.png",
        "trajectories/L1_left.mrk.json", "trajectories/L1_right.mrk.json", "meshes/L1_LPS.stl",
        "meshes/L1_left_cannula_LPS.stl", "meshes/L1_plan_LPS.glb", "meshes/L1_plan_LPS.3mf",
    } <= names  # fmt: skip


def test_the_plan_keeps_its_contract(planned: tuple[Path, Result]) -> None:
    data = plan_of(planned[0])
    assert data["schema"] == "kyphoplan.plan/1"
    (level,) = data["levels"]
    assert (level["level"], level["approach"]) == ("L1", "bipedicular")
    for row in level["trajectories"]:
        assert row["side"] in {"left", "right"}
        assert row["outer_diameter_mm"] == 3.404
        length = np.linalg.norm(np.subtract(row["target_lps_mm"], row["entry_lps_mm"]))
        assert row["depth_mm"] == pytest.approx(length, abs=0.01)
        walls = {"medial", "lateral", "superior", "inferior", "anterior"}
        assert set(row["clearance_mm"]) == walls
        assert all(isinstance(row["clearance_mm"][wall], float) for wall in walls)
        assert row["gertzbein_robbins"] in set("ABCDE")
        assert 0.0 <= row["breach_probability"] <= 1.0
        assert row["measures"]["clearance_mm"]["medial"]["low"] < row["clearance_mm"]["medial"]
    assert len(level["balloons"]) == 2
    volume = level["cement"]["volume_ml"]
    assert volume["low"] <= volume["value"] <= volume["high"]


def test_every_export_tells_the_same_places(planned: tuple[Path, Result]) -> None:
    output, _ = planned
    with (output / "navigation.csv").open(encoding="utf-8", newline="") as stream:
        table = {row["side"]: row for row in csv.DictReader(stream)}
    for row in plan_of(output)["levels"][0]["trajectories"]:
        text = (output / "trajectories" / f"L1_{row['side']}.mrk.json").read_text()
        points = json.loads(text)["markups"][0]["controlPoints"]
        for point, name in zip(points, ("entry", "target"), strict=True):
            place = np.array(row[f"{name}_lps_mm"])
            assert np.abs(place - point["position"]).max() < 0.01
            cells = [float(table[row["side"]][f"{name}_{axis}_lps_mm"]) for axis in "xyz"]
            assert np.abs(place - cells).max() < 0.01


def test_the_segmentation_names_the_vertebrae(scan: Path, planned: tuple[Path, Result]) -> None:
    image = sitk.ReadImage(str(planned[0] / "segmentation.seg.nrrd"))
    given = sitk.ReadImage(str(scan / "labels.nii.gz"))
    names = {image.GetMetaData(f"Segment{n}_Name") for n in range(2)}
    assert names == {"T12", "L1"}
    assert (sitk.GetArrayFromImage(image) > 0).sum() == (sitk.GetArrayFromImage(given) > 0).sum()


def test_the_manifest_tells_what_the_result_was_made_from(
    scan: Path, planned: tuple[Path, Result]
) -> None:
    record = json.loads((planned[0] / "manifest.json").read_text(encoding="utf-8"))
    for role, name in (("ct", "ct.nii.gz"), ("labels", "labels.nii.gz")):
        digest = hashlib.sha256((scan / name).read_bytes()).hexdigest()
        assert record["inputs"][role]["sha256"] == digest
    assert record["parameters"]["cannula"] == "10G"
    assert {"read", "find the anatomy", "measure", "plan", "export"} <= set(record["timings_s"])


def printed(path: Path) -> str:
    """Read the text of a PDF as one line."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("no pdftotext: the PDF was not read")
    done = subprocess.run([reader, path, "-"], check=True, capture_output=True, text=True)
    return " ".join(done.stdout.split())


MODEL = "3D/3dmodel.model"
READERS: dict[str, Callable[[Path], str]] = {
    ".json": lambda p: json.dumps(json.loads(p.read_text())["provenance"]),
    ".html": lambda p: " ".join(lxml.html.parse(p).find(".//footer[@class='stamp']").itertext()),
    ".png": lambda p: Image.open(io.BytesIO(p.read_bytes())).info["Provenance"],
    ".stl": lambda p: p.read_bytes()[:80].decode("ascii"),
    ".glb": lambda p: json.dumps(pygltf(p)["asset"]["extras"]["provenance"]),
    ".3mf": lambda p: zipfile.ZipFile(io.BytesIO(p.read_bytes())).read(MODEL).decode(),
    ".csv": lambda p: next(csv.DictReader(p.read_text().splitlines()))["provenance"],
    ".nrrd": lambda p: sitk.ReadImage(str(p)).GetMetaData("provenance"),
}


def pygltf(path: Path) -> dict[str, Any]:
    """Read the JSON chunk of a GLB."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<I", content, 12)
    return dict(json.loads(content[20 : 20 + length]))


def facts_of(output: Path) -> list[str]:
    """Use, version, date, inputs' hashes, sides, and how the level names are known."""
    record = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return [
        record["made_by"],
        record["date_utc"],
        "esearch and teaching only",
        *(data["sha256"] for data in record["inputs"].values()),
        "Left and right are the patient's own",
        f"{record['level_names']}; confirm the level under fluoroscopy by counting",
    ]


def test_every_file_of_a_result_says_what_it_is(planned: tuple[Path, Result]) -> None:
    output, _ = planned
    facts, kinds, names = facts_of(output), set(), set()
    for file in sorted(p for p in output.rglob("*") if p.is_file()):
        if file.name in {"manifest.json", ".kyphoplan-result", "patient.pdf"}:
            continue  # what the others are stamped from, the seal, and see below
        names.add(file.name)
        said = html.unescape(READERS[file.suffix](file))
        kinds.add(file.suffix)
        if file.suffix == ".stl":  # 80 letters in all
            assert said.startswith("SPACE=LPS;UNIT=mm kyphoplan 0.1.0 20")
            assert re.search(r"Z research only [0-9a-f]{8}$", said.strip())
            continue
        for word in facts:
            assert word in said, (file.name, word, said)
    assert kinds == set(READERS)
    assert {"surgeon.html", "patient.html", "assessment.json", "plan.json"} <= names


def test_the_printed_booklet_says_what_it_is(planned: tuple[Path, Result]) -> None:
    said = printed(planned[0] / "patient.pdf")
    for word in facts_of(planned[0]):
        assert word in said, (word, said[-2000:])


def test_a_run_with_a_patient_record_can_be_repeated(
    scan: Path, planned: tuple[Path, Result]
) -> None:
    """Its record holds every setting; the same files come out, the PDF among them."""
    record = json.loads((planned[0] / "manifest.json").read_text(encoding="utf-8"))
    function, given = arguments_of(record)
    settings = set(inspect.signature(function).parameters) - {*OURS, "labels", "ct", "patient"}
    assert set(record["parameters"]) == settings
    assert set(given) <= settings
    places = ["--inputs", str(scan), "--inputs", str(PATIENT.parent)]
    again = run(app, ["rerun", str(planned[0]), *places])
    assert again.exit_code == 0, again.stderr
    assert again.stdout.endswith("files made again, all the same\n")


def test_warnings_are_the_same_in_every_output(planned: tuple[Path, Result]) -> None:
    output, result = planned
    record = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    told = {(w["code"], w["level"]) for w in record["warnings"]}
    parts = [json.loads((output / f"{n}.json").read_text()) for n in ("measurements", "plan")]
    assert {(w["code"], w["level"]) for part in parts for w in part["warnings"]} == told
    page = (output / "surgeon.html").read_text(encoding="utf-8")
    assert {code for code, _ in told} <= set(re.findall(r"<code>([a-z_]+)</code>", page))
    said = {w["text"] for w in record["warnings"] if w["severity"] != "info"}
    assert all(text in result.stderr for text in said)


def test_without_a_fracture_nothing_is_planned_and_that_is_said(
    scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Measurements, "fractures", ())
    output = tmp_path / "r"
    result = run(app, ["run", *inputs(scan), "-o", str(output), "--no-rehearsal"])
    assert result.exit_code == 0, result.output
    assert "no level is called fractured" in result.stderr
    assert plan_of(output)["levels"] == []


# -- check-plan


def test_our_own_plan_is_accepted_again(scan: Path, planned: tuple[Path, Result]) -> None:
    result = check(scan, planned[0] / "plan.json")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["level", "side", "verdict"]
    sides = [["L1", "left", "accepted"], ["L1", "right", "accepted"]]
    assert [line.split()[:3] for line in lines[1:3]] == sides
    assert lines[3].split()[:4] == ["level", "side", "verdict", "balloon"]
    held = [b for b in plan_of(planned[0])["levels"][0]["balloons"] if b["accepted"]]
    assert [line.split()[:3] for line in lines[4 : 4 + len(held)]] == [
        ["L1", b["side"], "accepted"] for b in held
    ]
    assert lines[4 + len(held)].split() == ["level", "verdict", "cement", "range"]
    assert lines[5 + len(held)].split()[:2] == ["L1", "accepted"]


def test_the_verdicts_are_those_of_the_run(
    scan: Path, planned: tuple[Path, Result], tmp_path: Path
) -> None:
    result = check(scan, planned[0] / "plan.json", "-o", str(tmp_path / "c"), "-q")
    assert result.stdout == f"{tmp_path / 'c'}\n"
    first, again = plan_of(planned[0])["levels"][0], plan_of(tmp_path / "c")["levels"][0]
    for one, other in zip(first["trajectories"], again["trajectories"], strict=True):
        assert one["gertzbein_robbins"] == other["gertzbein_robbins"]
        assert one["clearance_mm"] == pytest.approx(other["clearance_mm"], abs=0.01)
        assert one["breach_probability"] == pytest.approx(other["breach_probability"], abs=0.02)


def test_a_plan_moved_into_the_canal_is_refused(
    scan: Path, planned: tuple[Path, Result], tmp_path: Path
) -> None:
    data = plan_of(planned[0])
    moved = data["levels"][0]["trajectories"][0]
    inwards = -5.0 if moved["side"] == "left" else 5.0  # [mm] x runs to the patient's left
    for end in ("entry_lps_mm", "target_lps_mm"):
        moved[end][0] += inwards
    moved["accepted"], moved["clearance_mm"]["medial"] = True, 99.0  # its own word counts nothing
    result = check(scan, saved(tmp_path, data), "-o", str(tmp_path / "c"))
    assert result.exit_code == 4
    assert "REFUSED" in result.stdout
    assert "L1 left: refused: " in result.stderr
    judged = plan_of(tmp_path / "c")["levels"][0]["trajectories"][0]
    assert judged["accepted"] is False
    assert judged["clearance_mm"]["medial"] < 0.0


def edited(planned: tuple[Path, Result], kind: str, **changes: Any) -> dict[str, Any]:
    """Change the first balloon or the cement of our plan."""
    data = plan_of(planned[0])
    level = data["levels"][0]
    changed = level["cement"] if kind == "cement" else level["balloons"][0]
    changed.update(changes)
    return data


@pytest.mark.parametrize(
    ("kind", "changes", "what"),
    [
        ("balloon", {"volume_ml": 9.0}, "L1 left balloon: refused: volume 9.0 ml does not belong"),
        ("balloon", {"device": "another"}, "not in the table"),
        ("balloon", {"centre_lps_mm": [0.0, 0.0, 500.0]}, "beside the axis"),
        ("cement", {"volume_ml": 9.0, "left_ml": 4.5, "right_ml": 4.5}, "L1 cement: refused: 9.0"),
        ("cement", {"left_ml": None, "right_ml": None, "volume_ml": 0.4}, "restores stiffness"),
    ],
)
def test_balloons_and_cement_of_an_edited_plan_are_judged(
    scan: Path,
    planned: tuple[Path, Result],
    tmp_path: Path,
    kind: str,
    changes: dict[str, Any],
    what: str,
) -> None:
    data = edited(planned, kind, **changes)
    result = check(scan, saved(tmp_path, data), "-o", str(tmp_path / "c"))
    assert result.exit_code == 4, result.output
    assert what in result.stderr
    level = plan_of(tmp_path / "c")["levels"][0]
    judged = level["cement"] if kind == "cement" else level["balloons"][0]
    assert judged["accepted"] is False
    assert judged["reason"] in level["reason"]
    assert all(way["accepted"] for way in level["trajectories"])


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("balloon", {"side": "middle"}),
        ("balloon", {"axis_lps": [0.0, 0.0, 0.0]}),
        ("balloon", {"diameter_mm": "8"}),
        ("balloon", {"volume_ml": -1.0}),
        ("balloon", {"centre_lps_mm": None}),
        ("cement", {"volume_ml": "much"}),
        ("cement", {"volume_ml": 1e9}),
    ],
)
def test_a_bad_balloon_or_volume_is_refused_in_one_line(
    scan: Path,
    planned: tuple[Path, Result],
    tmp_path: Path,
    kind: str,
    changes: dict[str, Any],
) -> None:
    result = check(scan, saved(tmp_path, edited(planned, kind, **changes)), "-q")
    assert result.exit_code == 3, result.output
    assert len(result.stderr.splitlines()) == 1


def test_a_line_of_3d_slicer_is_judged(scan: Path, planned: tuple[Path, Result]) -> None:
    result = check(scan, planned[0] / "trajectories" / "L1_right.mrk.json")
    assert result.exit_code == 0, result.output
    assert "L1     right" in result.stdout


def test_a_line_without_names_needs_level_and_side(
    scan: Path, planned: tuple[Path, Result], tmp_path: Path
) -> None:
    text = (planned[0] / "trajectories" / "L1_left.mrk.json").read_text(encoding="utf-8")
    nameless = saved(tmp_path, json.loads(text.replace("L1 left", "F")), "F.mrk.json")
    assert "does not name its vertebra" in check(scan, nameless).stderr
    assert "does not name its side" in check(scan, nameless, "--level", "L1").stderr
    result = check(scan, nameless, "--level", "l1", "--side", "LEFT")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"schema": "kyphoplan.plan/2"}, "no plan of schema"),
        ({"levels": []}, "nothing to check"),
        ({"levels": 3}, "no list of objects"),
        ({"levels": [{"level": "L1", "trajectories": []}]}, "nothing to check"),
        ({"levels": [{"level": "K9", "trajectories": [{}]}]}, "is unknown"),
        ({"levels": [{"level": "L1", "trajectories": [{"side": "left"}]}]}, "is not a place"),
    ],
)
def test_a_bad_plan_is_refused_in_one_line(
    scan: Path, tmp_path: Path, change: dict[str, Any], what: str
) -> None:
    data = {"schema": "kyphoplan.plan/1", "levels": []} | change
    result = check(scan, saved(tmp_path, data), "-q")
    assert result.exit_code == 3, result.output
    assert what in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    "change",
    [
        {"side": "middle"},
        {"target_lps_mm": [0.0, 0.0, 0.0]},
        {"outer_diameter_mm": -1},
        {"outer_diameter_mm": "4"},
        {"outer_diameter_mm": True},
    ],
)
def test_a_bad_trajectory_is_refused(scan: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    good = {"side": "left", "entry_lps_mm": [0.0, 0.0, 0.0], "target_lps_mm": [0.0, -40.0, 0.0]}
    level = {"level": "L1", "trajectories": [good | change]}
    data = {"schema": "kyphoplan.plan/1", "levels": [level]}
    assert check(scan, saved(tmp_path, data), "-q").exit_code == 3


def test_a_level_that_is_not_in_the_scan_is_refused(
    scan: Path, planned: tuple[Path, Result], tmp_path: Path
) -> None:
    data = plan_of(planned[0])
    data["levels"][0]["level"] = "T5"
    result = check(scan, saved(tmp_path, data), "-q")
    assert result.exit_code == 3
    assert "holds no T5" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "-s", "x", "-o", "y", "--cannula", "9G"],
        ["run", "-s", "x", "-o", "y", "--aiming-error-mm", "-1"],
        ["check-plan", "-s", "x"],
        ["check-plan", "p.json", "-s", "x", "--side", "up"],
        ["check-plan", "p.json", "-s", "x", "--level", "K9"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    result = run(app, arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr
