"""The command line keeps its promises: exit codes, clean streams, whole results or none."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from kyphoplan import __version__
from kyphoplan.cli import app, console
from kyphoplan.errors import CaseError
from kyphoplan.io import read_volume

from .report.conftest import Case, build, without_figures

COMMANDS = {
    f"{c.name} {sub}".strip(): inner
    for c in typer.main.get_command(app).commands.values()  # type: ignore[attr-defined]
    for sub, inner in getattr(c, "commands", {"": c}).items()
}
PROGRAM = [sys.executable, "-c", "from kyphoplan.cli import main; main()"]
SMALL = ["--levels", "L1", "--spacing", "2", "2", "2", "--no-dicom"]
run = CliRunner().invoke


def start(*arguments: str | Path, **settings: object) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*PROGRAM, *map(str, arguments)], **(pipes | settings))  # type: ignore[call-overload]


def visible(folder: Path) -> list[str]:
    """Return all that lies in a folder, hidden things too."""
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "one"
    result = run(app, ["phantom", "-o", str(folder), *SMALL])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def science(monkeypatch: pytest.MonkeyPatch) -> Case:
    """Anatomy and morphometry that answer at once, with hand-built figures."""
    case = build()
    monkeypatch.setattr("kyphoplan.anatomy.locate", lambda *_: case.spine)
    monkeypatch.setattr(
        "kyphoplan.morphometry.measure", lambda *_: case.measurements, raising=False
    )
    return case


def measure(phantom: Path, output: Path, *more: str) -> object:
    return run(app, ["measure", "-s", str(phantom / "labels.nii.gz"), "-o", str(output), *more])


# -- results


@pytest.mark.usefixtures("science")
def test_a_result_is_written_and_its_path_is_all_of_stdout(phantom: Path, tmp_path: Path) -> None:
    result = measure(phantom, tmp_path / "r", "-i", str(phantom / "ct.nii.gz"))
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'r'}\n"
    for stage in ("read", "find the anatomy", "measure", "draw and write"):
        assert re.search(rf"^{stage} +\d+\.\d s$", result.stderr, flags=re.MULTILINE)
    assert "warning: slices are 3 mm thick: use the thin reconstruction" in result.stderr
    data = json.loads((tmp_path / "r" / "measurements.json").read_text(encoding="utf-8"))
    assert data["verdict"] == "ok_with_warnings"
    assert "thick_slices" in {warning["code"] for warning in data["warnings"]}


@pytest.mark.usefixtures("science")
def test_quiet_says_nothing_but_the_path(phantom: Path, tmp_path: Path) -> None:
    result = measure(phantom, tmp_path / "r", "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{tmp_path / 'r'}\n", "")


@pytest.mark.usefixtures("science")
def test_chosen_levels_alone_are_reported(phantom: Path, tmp_path: Path) -> None:
    result = measure(phantom, tmp_path / "r", "--levels", "l1")
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "r" / "measurements.json").read_text(encoding="utf-8"))
    assert [row["level"] for row in data["vertebrae"]] == ["L1"]
    assert len(data["kyphosis"]) == 3


@pytest.mark.usefixtures("science")
def test_a_fracture_outside_the_chosen_levels_is_warned_of(tmp_path: Path) -> None:
    labels = tmp_path / "two"
    run(app, ["phantom", "-o", str(labels), "--levels", "T12,L1", *SMALL[2:], "-q"])
    result = measure(labels, tmp_path / "r", "--levels", "T12")
    assert result.exit_code == 0, result.output
    assert "warning: L1: is fractured too" in result.stderr
    data = json.loads((tmp_path / "r" / "measurements.json").read_text(encoding="utf-8"))
    assert [w["level"] for w in data["warnings"]] == [None, "L1"]


def test_nothing_measured_is_exit_code_4_with_the_reasons_written(
    phantom: Path, tmp_path: Path, science: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(without_figures(row, "too few slices") for row in science.measurements.vertebrae)
    empty = replace(science.measurements, vertebrae=rows)
    monkeypatch.setattr("kyphoplan.morphometry.measure", lambda *_: empty, raising=False)
    result = measure(phantom, tmp_path / "r")
    assert result.exit_code == 4
    assert "nothing could be measured" in result.stderr
    data = json.loads((tmp_path / "r" / "measurements.json").read_text(encoding="utf-8"))
    assert data["verdict"] == "refused"
    assert data["vertebrae"][0]["anterior_height_mm"]["reason"] == "too few slices"


@pytest.mark.slow
def test_the_phantom_is_measured_from_end_to_end(tmp_path: Path) -> None:
    made, result = tmp_path / "phantom", tmp_path / "result"
    options = ["--levels", "T12,L1,L2", "--spacing", "1.5", "1.5", "1.5"]
    first = start("phantom", "-o", made, *options)
    assert first.communicate()[0] == f"{made}\n"
    measured = start("measure", "-i", made / "dicom", "-s", made / "labels.nii.gz", "-o", result)
    out, err = measured.communicate()
    assert measured.returncode == 0, err
    assert out == f"{result}\n"
    data = json.loads((result / "measurements.json").read_text(encoding="utf-8"))
    rows = {row["level"]: row for row in data["vertebrae"]}
    assert rows["L1"]["genant"]["grade"] >= 1
    assert rows["L1"]["height_loss_pct"]["value"] == pytest.approx(40, abs=10)
    assert (result / "figures" / "L1-sagittal.png").exists()


# -- refusals


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "does not exist"), (b"", "the file is empty"), (b"not an image at all", "")],
)
def test_a_bad_input_gets_one_line_and_leaves_nothing(
    content: bytes | None, what: str, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.nii.gz"
    if content is not None:
        labels.write_bytes(content)
    output = tmp_path / "out"
    output.mkdir()
    result = run(app, ["measure", "-s", str(labels), "-o", str(output / "r")])
    assert result.exit_code == 3
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"refused: {labels}: ")
    assert what in result.stderr
    assert visible(output) == []


def test_a_ct_is_no_label_map(phantom: Path, tmp_path: Path) -> None:
    arguments = ["measure", "-s", str(phantom / "ct.nii.gz"), "-o", str(tmp_path / "r")]
    result = run(app, arguments)
    assert result.exit_code == 3
    assert "not a CT" in result.stderr
    assert visible(tmp_path) == []


def test_a_level_that_is_not_there_is_refused_with_those_that_are(
    phantom: Path, tmp_path: Path
) -> None:
    result = measure(phantom, tmp_path / "r", "--levels", "T12,L1", "-q")
    assert result.exit_code == 3
    assert "holds no T12: choose from L1" in result.stderr


def test_verbose_shows_where_a_refusal_came_from(tmp_path: Path) -> None:
    arguments = ["measure", "-s", str(tmp_path / "none.nii"), "-o", str(tmp_path / "r"), "-v"]
    assert "Traceback" in run(app, arguments).stderr


def test_a_file_name_cannot_write_a_second_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), console.outcome(console.Progress()):
        raise CaseError("a\nname: is wrong: give another")
    assert capsys.readouterr().err == "refused: a name: is wrong: give another\n"


# -- usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["measure"],
        ["measure", "-s", "x", "-o", "y", "--device", "gpu"],
        ["measure", "-s", "x", "-o", "y", "--levels", "K9"],
        ["measure", "-s", "x", "-o", "y", "--nonsense"],
        ["phantom", "-o", "y", "--collapse", "L1"],
        ["phantom", "-o", "y", "--collapse", "L1:2,0,0"],
        ["phantom", "-o", "y", "--collapse", "L1:0.1,0.1,0.1,1,1"],
        ["phantom", "-o", "y", "--collapse", "L1:0.1,0.1,0.1", "--intact"],
        ["phantom", "-o", "y", "--levels", "C3"],
        ["phantom", "-o", "y", "--spacing", "0", "1", "1"],
        ["phantom", "-o", "y", "--spacing", "nan", "1", "1"],
        ["fly"],
    ],
    ids=" ".join,
)
def test_a_wrong_use_is_exit_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(app, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr
    assert visible(tmp_path) == []


def test_the_version_is_printed() -> None:
    assert run(app, ["--version"]).stdout == f"kyphoplan {__version__}\n"


@pytest.mark.parametrize("command", [[], *(name.split() for name in COMMANDS)], ids=str)
def test_every_help_text_carries_an_example(command: list[str]) -> None:
    result = run(app, [*command, "--help"])
    assert result.exit_code == 0
    assert re.search(r"Example: kyphoplan [a-z -]+ ", result.stdout)


# -- output


def test_an_existing_result_is_kept_and_nothing_is_computed(phantom: Path) -> None:
    before = (phantom / "truth.json").read_bytes()
    begin = time.perf_counter()
    result = run(app, ["phantom", "-o", str(phantom), *SMALL, "--seed", "7"])
    assert result.exit_code == 5
    assert "--overwrite" in result.stderr
    assert result.stdout == ""
    assert "make the phantom" not in result.stderr
    assert (phantom / "truth.json").read_bytes() == before
    assert time.perf_counter() - begin < 1.0


def test_a_place_that_cannot_be_written_is_found_first(phantom: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for output in (file, file / "below", tmp_path / ("x" * 300)):
        result = measure(phantom, output)
        assert result.exit_code == 5, result.output
        assert result.stderr.startswith("output: ")
        assert "find the anatomy" not in result.stderr
    assert file.read_text() == "mine"


def test_a_folder_of_somebody_else_is_never_replaced(phantom: Path, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"sun")
    result = measure(phantom, tmp_path, "--overwrite")
    assert result.exit_code == 5
    assert visible(tmp_path) == ["holiday.jpg"]


def test_a_result_is_replaced_when_told(tmp_path: Path) -> None:
    arguments = ["phantom", "-o", str(tmp_path / "p"), *SMALL, "-q"]
    assert run(app, arguments).exit_code == 0
    (tmp_path / "p" / "old").touch()
    assert run(app, [*arguments, "--overwrite"]).exit_code == 0
    assert visible(tmp_path / "p") == [
        ".kyphoplan-result",
        "ct.nii.gz",
        "labels.nii.gz",
        "manifest.json",
        "truth.json",
    ]
    assert visible(tmp_path) == ["p"]


def test_the_same_seed_gives_the_same_phantom(phantom: Path, tmp_path: Path) -> None:
    for name, seed in (("same", "0"), ("other", "1")):
        run(app, ["phantom", "-o", str(tmp_path / name), *SMALL, "--seed", seed])
    ct = read_volume(phantom / "ct.nii.gz").voxels
    assert np.array_equal(read_volume(tmp_path / "same" / "ct.nii.gz").voxels, ct)
    assert not np.array_equal(read_volume(tmp_path / "other" / "ct.nii.gz").voxels, ct)


# -- as a process


LATEST_S = 10.0  # [s] on a busy machine; bench/gate.py holds the 2 s of an idle one


def running() -> dict[int, int]:
    """Return process -> parent of all that run, as /proc tells them; zombies are over."""
    parents = {}
    for about in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, parent = about.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(about.parent.name)] = int(parent)
    return parents


def children(pid: int) -> set[int]:
    """Return the processes below one."""
    parents, found = running(), {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def until(met: Callable[[], object], seconds: float) -> bool:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not met() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(met())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "sent", "code"),
    [
        ("phantom", signal.SIGTERM, 143),
        ("measure", signal.SIGINT, 130),
        ("measure", signal.SIGTERM, 143),
    ],
)
def test_an_interruption_is_one_line_and_leaves_nothing(
    command: str, sent: signal.Signals, code: int, phantom: Path, tmp_path: Path
) -> None:
    """Soon, and no reading process outlives its parent."""
    files = ["-i", phantom / "ct.nii.gz", "-s", phantom / "labels.nii.gz"]
    if command == "measure" and not Path("/proc").is_dir():
        pytest.skip("no /proc: the reading processes cannot be told")
    more = files if command == "measure" else ["--spacing", "0.5", "0.5", "0.5"]
    process = start(command, "-o", tmp_path / "p", *more)
    assert until(lambda: visible(tmp_path), 30)
    below = set[int]()
    if command == "measure":
        assert until(lambda: children(process.pid), 30)
        below = children(process.pid)
    process.send_signal(sent)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < LATEST_S
    assert (process.returncode, out) == (code, "")
    assert [line for line in err.splitlines() if "nothing was written" in line]
    assert len([line for line in err.splitlines() if not line.endswith(" s")]) == 1
    assert visible(tmp_path) == []
    assert until(lambda: not below & set(running()), LATEST_S)


def test_an_internal_error_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    broken = (
        "import kyphoplan.phantom as p\n"
        "def scan(*a, **k): raise ZeroDivisionError('unforeseen')\n"
        "p.scan = scan\n"
        "from kyphoplan.cli import main; main()"
    )
    command = [sys.executable, "-c", broken, "phantom", "-o", str(tmp_path / "p"), "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("internal error: ZeroDivisionError: unforeseen: ")
    assert len(done.stderr.splitlines()) == 1
    assert visible(tmp_path) == []
    loud = subprocess.run([*command, "-v"], capture_output=True, text=True, check=False)
    assert loud.returncode == 1
    assert "Traceback" in loud.stderr


def test_a_plain_terminal_and_a_closed_stdout_are_enough(tmp_path: Path) -> None:
    plain = {
        "LANG": "C",
        "LC_ALL": "C",
        "TERM": "dumb",
        "COLUMNS": "0",
        "PATH": os.environ["PATH"],
    }
    reading, writing = os.pipe()
    os.close(reading)
    output = tmp_path / "ünï code"
    process = start("phantom", "-o", output, *SMALL, stdout=writing, env=plain)
    os.close(writing)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "Broken" not in err
    assert (output / "truth.json").exists()


def test_importing_the_command_line_loads_no_heavy_library() -> None:
    heavy = "{'scipy', 'matplotlib', 'nibabel', 'SimpleITK', 'pydicom', 'jinja2'}"
    code = f"import sys, kyphoplan.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- documentation


def documented(root: Path) -> str:
    return (root / "docs/reference/cli.md").read_text(encoding="utf-8")


def section(root: Path, command: str) -> str:
    return documented(root).split(f"## `kyphoplan {command}`")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_no_other(root: Path, command: str) -> None:
    context = typer.Context(COMMANDS[command])
    parameters = COMMANDS[command].get_params(context)
    options = [p for p in parameters if p.param_type_name == "option"]
    real = {o for p in options for o in (*p.opts, *p.secondary_opts)} | {"-h", "--help"}
    table = re.findall(r"^\| (`-.+?) \|", section(root, command), flags=re.MULTILINE)
    told = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", " ".join(table)))
    assert told == real


def test_every_exit_code_is_documented(root: Path) -> None:
    codes = {0, *(v for k, v in vars(console).items() if k.isupper() and isinstance(v, int))}
    table = documented(root).split("## Exit codes")[1]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)} == codes
