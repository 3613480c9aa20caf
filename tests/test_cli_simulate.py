"""``kyphoplan simulate``: refusals in one line; the preview; the whole rehearsal in the soak."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
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
def test_the_same_seed_gives_the_same_file_on_any_number_of_cores(
    scan: Path, tmp_path: Path
) -> None:
    files = []
    for threads in ("1", "2"):
        output = tmp_path / threads
        more = (*DRAWN, "--draws", "2", "--threads", threads)
        result = run(app, arguments(scan, output, *more))
        assert result.exit_code == 0, result.output
        told = json.loads((output / "rehearsal.json").read_text())
        files.append(json.dumps(told["levels"], sort_keys=True))
    assert files[0] == files[1]


DRAWN = ("--seed", "7", "--edge-mm", "2", "--calibration", "0.6,0,0.05")
PROGRAM = Path(sys.executable).with_name("kyphoplan")
AT_ONCE_S = 2.0  # [s] from the interrupt to the end
PATIENCE_S = 600.0  # [s] until the first draw has begun, on a slow machine


def drawing_of(arguments: list[str]) -> tuple["subprocess.Popen[bytes]", list[int]]:
    """Start the program and wait until its processes for the draws are at work."""
    program = subprocess.Popen([PROGRAM, *arguments])
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and program.poll() is None:
        at_work = [pid for pid in children(program.pid) if "spawn_main" in command(pid)]
        if len(at_work) == 2 and all(cpu_s(pid) > 3.0 for pid in at_work):
            return program, at_work
        time.sleep(0.2)
    program.kill()
    raise AssertionError("the draws did not begin")


def children(of: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == of:
                found.append(int(folder.name))
    return found


def command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


@on_linux
@pytest.mark.soak
def test_an_interrupt_ends_the_draws_at_once_and_leaves_nothing(
    scan: Path, tmp_path: Path
) -> None:
    output = tmp_path / "result"
    program, at_work = drawing_of(arguments(scan, output, *DRAWN, "--draws", "9"))
    start = time.monotonic()
    program.send_signal(signal.SIGINT)
    assert program.wait(timeout=10.0 * AT_ONCE_S) == 130
    assert time.monotonic() - start < AT_ONCE_S
    assert [pid for pid in at_work if "spawn_main" in command(pid)] == []
    assert list(tmp_path.iterdir()) == []


@on_linux
@pytest.mark.soak
def test_a_killed_process_costs_one_draw(scan: Path, tmp_path: Path) -> None:
    output = tmp_path / "result"
    program, at_work = drawing_of(arguments(scan, output, *DRAWN, "--draws", "3"))
    os.kill(at_work[0], signal.SIGKILL)
    assert program.wait(timeout=10.0 * PATIENCE_S) == 0
    (level,) = json.loads((output / "rehearsal.json").read_text())["levels"]
    assert level["draws"] == 2
    assert "could not be computed: 1, the first: its process was killed" in level["reason"]
