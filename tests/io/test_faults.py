"""An interruption loses nothing: whatever fails, the old result or the new one is whole."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FEWEST_CALLS = 40  # writes, flushes and renames of one result
FEWEST_OF_ASSESS = 20
FEWEST_OF_MEASURE = 30


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lets system calls fail."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler or no Linux: system calls cannot be made to fail")
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = HERE / "faults.c"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


def run(
    faults: Path, what: str = "write", *, kills: int = 0, rounds: int = 0, step: int = 1
) -> dict[str, object]:
    memory = Path("/dev/shm")  # a disk would take its time to flush
    place = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    settings = os.environ | {"LD_PRELOAD": str(faults), "SOURCE_DATE_EPOCH": "0"}
    command = [sys.executable, str(HERE / "faulting.py"), str(place), what]
    command += [str(kills), str(rounds), str(step)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    shutil.rmtree(place)
    assert done.returncode == 0, done.stderr[-3000:]
    print(what, done.stdout.splitlines()[-1])  # the figures, for `pytest -rP`
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_no_fault_leaves_half_a_result(faults: Path) -> None:
    found = run(faults, kills=10, rounds=5)
    assert min(found["sweep"].values()) > FEWEST_CALLS, found
    assert (found["kills"], found["single winners"]) == (10, 5)


@pytest.mark.slow
def test_no_fault_in_a_measurement_leaves_half_a_result(faults: Path) -> None:
    """A tenth of the calls; the whole sweep is a soak test."""
    found = run(faults, "measure", step=10)
    assert min(found["sweep"].values()) >= FEWEST_OF_MEASURE / 10, found


@pytest.mark.soak
def test_no_fault_leaves_half_a_result_in_many_trials(faults: Path) -> None:
    found = run(faults, kills=100, rounds=50)
    assert (found["kills"], found["single winners"]) == (100, 50)


@pytest.mark.soak
def test_no_fault_in_a_whole_assessment_leaves_half_a_result(faults: Path) -> None:
    found = run(faults, "assess", kills=10)
    assert min(found["sweep"].values()) > FEWEST_OF_ASSESS, found
    assert found["kills"] == 10


@pytest.mark.soak
def test_no_fault_in_a_whole_measurement_leaves_half_a_result(faults: Path) -> None:
    assert min(run(faults, "measure")["sweep"].values()) >= FEWEST_OF_MEASURE
    assert run(faults, "measure", kills=20, step=0)["kills"] == 20
