"""``kyphoplan simulate``: refusals in one line; the preview; the whole rehearsal in the soak."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kyphoplan.cli import app
from kyphoplan.io.sealing import MARK
from kyphoplan.io.stamping import KINDS

run = CliRunner().invoke


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate") / "phantom"
    levels = ["--levels", "T12,L1,L2", "--no-dicom"]
    result = run(app, ["phantom", "-o", str(folder), *levels])
    assert result.exit_code == 0, result.output
    return folder


def arguments(scan: Path, output: Path, *more: str) -> list[str]:
    files = ["-i", str(scan / "ct.nii.gz"), "-s", str(scan / "labels.nii.gz")]
    return ["simulate", *files, "-o", str(output), "--levels", "L1", "-q", *more]


def test_without_a_ct_it_is_refused_in_one_line(tmp_path: Path) -> None:
    result = run(app, ["simulate", "-s", "labels.nii.gz", "-o", str(tmp_path / "result")])
    assert result.exit_code == 3
    assert "no CT" in result.output
    assert not (tmp_path / "result").exists()


@pytest.mark.slow
def test_the_preview_says_that_it_is_one(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    result = run(app, arguments(scan, output, "--preview", "--calibration", "0.6,0"))
    assert result.exit_code == 0, result.output
    told = json.loads((output / "rehearsal.json").read_text())
    assert told["schema"] == "kyphoplan.rehearsal/1"
    (level,) = told["levels"]
    assert level["outcome"].startswith("preview")
    assert 0.0 < level["figures"]["largest_pressure"]["value"] <= 27.6
    about = told["provenance"]
    record = json.loads((output / "manifest.json").read_text())
    assert "not for diagnosis or treatment" in about["intended_use"]
    assert (about["made_by"], about["date_utc"]) == (record["made_by"], record["date_utc"])
    assert about["level_names"].endswith("; confirm the level under fluoroscopy by counting")
    for role, given in record["inputs"].items():
        assert given["sha256"] in about["inputs"][role]
    files = [p for p in output.rglob("*") if p.is_file() and p.name != MARK]
    assert [f for f in files if not f.name.lower().endswith(tuple(KINDS))] == []


@pytest.mark.soak
def test_the_same_seed_gives_the_same_file(scan: Path, tmp_path: Path) -> None:
    files = []
    for name in ("first", "second"):
        output = tmp_path / name
        more = ("--draws", "2", "--seed", "7", "--edge-mm", "2", "--threads", "1")
        result = run(app, arguments(scan, output, *more))
        assert result.exit_code == 0, result.output
        told = json.loads((output / "rehearsal.json").read_text())
        files.append(json.dumps(told["levels"], sort_keys=True))
    assert files[0] == files[1]
