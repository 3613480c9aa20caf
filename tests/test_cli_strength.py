"""``kyphoplan strength``: a whole result or a refusal in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kyphoplan.cli import app
from kyphoplan.cli.strength import KINDS
from kyphoplan.simulation.solver import caching
from kyphoplan.simulation.specimen import Caps

run = CliRunner().invoke
SMALL = ["--levels", "L1", "--spacing", "2", "2", "2", "--no-dicom"]


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strength") / "phantom"
    result = run(app, ["phantom", "-o", str(folder), *SMALL])
    assert result.exit_code == 0, result.output
    return folder


def arguments(phantom: Path, output: Path, *more: str) -> list[str]:
    files = ["-i", str(phantom / "ct.nii.gz"), "-s", str(phantom / "labels.nii.gz")]
    return ["strength", *files, "-o", str(output), "--level", "L1", "--edge-mm", "2", *more]


def test_it_writes_figures_curve_pictures_and_block(phantom: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    result = run(app, arguments(phantom, output, "--calibration", "0.8,-5,0.05"))
    assert result.exit_code == 0, result.output
    told = json.loads((output / "strength.json").read_text())
    assert told["schema"] == "kyphoplan.strength/1"
    failure = told["failure_load"]
    assert 0.0 < failure["low"] < failure["value"] < failure["high"]
    assert failure["unit"] == "N"
    assert told["calibration"].startswith("stated by user")
    assert len((output / "curve.csv").read_text().splitlines()) == 7
    for name in ("figures/curve.png", "figures/maps.png", "vertebra.vtu"):
        assert (output / name).stat().st_size > 1000


def test_between_discs_the_result_says_what_they_are_made_of(
    phantom: Path, tmp_path: Path
) -> None:
    output = tmp_path / "result"
    result = run(app, arguments(phantom, output, "--calibration", "0.8,-5", "--caps", "disc"))
    assert result.exit_code == 0, result.output
    told = json.loads((output / "strength.json").read_text())
    assert told["caps"]["kind"] == "disc"
    assert "read in a work that uses it" in told["caps"]["nucleus"]
    assert told["failure_load"]["value"] > 0.0
    assert told["bending_stiffness"]["value"] is None
    lengths = told["curve"]["vertebra_mm"]
    assert lengths == sorted(lengths)


def test_the_kinds_of_caps_are_those_of_the_solver() -> None:
    assert tuple(str(caps) for caps in Caps) == KINDS


def test_caps_of_another_kind_are_a_usage_error(phantom: Path, tmp_path: Path) -> None:
    more = ("--calibration", "0.8,-5", "--caps", "foam")
    result = run(app, arguments(phantom, tmp_path / "r", *more))
    assert result.exit_code == 2
    assert "cement, disc" in result.output


@pytest.mark.parametrize("more", [(), ("--quiet",)])
def test_kernels_that_cannot_be_kept_cost_one_line_and_no_result(
    phantom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.setattr(caching, "KEPT", False)
    output = tmp_path / "result"
    result = run(app, arguments(phantom, output, "--calibration", "0.8,-5", *more))
    assert result.exit_code == 0, result.output
    told = [line for line in result.stderr.splitlines() if "cannot be kept" in line]
    assert len(told) == (0 if more else 1)
    assert (output / "strength.json").exists()


@pytest.mark.parametrize("line", ["0.8", "a,b", "0,5", "1,2,3,4"])
def test_a_calibration_that_is_none_is_a_usage_error(
    phantom: Path, tmp_path: Path, line: str
) -> None:
    result = run(app, arguments(phantom, tmp_path / "r", "--calibration", line))
    assert result.exit_code == 2
    assert not (tmp_path / "r").exists()


def test_labels_alone_are_refused(phantom: Path, tmp_path: Path) -> None:
    labels = ["-s", str(phantom / "labels.nii.gz"), "-o", str(tmp_path / "r")]
    more = ["--level", "L1", "--calibration", "0.8,-5"]
    result = run(app, ["strength", *labels, *more])
    assert result.exit_code == 3
    assert "no CT" in result.output
    assert not (tmp_path / "r").exists()


def test_the_help_does_not_load_the_compiler() -> None:
    code = (
        "import sys\nfrom kyphoplan.cli import main\nsys.argv = ['kyphoplan', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'numba', 'llvmlite', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
