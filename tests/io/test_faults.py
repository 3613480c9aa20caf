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


def run(faults: Path, kills: int, rounds: int, *more: str) -> dict[str, object]:
    memory = Path("/dev/shm")  # a disk would take its time to flush
    place = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    settings = os.environ | {"LD_PRELOAD": str(faults), "SOURCE_DATE_EPOCH": "0"}
    command = [sys.executable, str(HERE / "faulting.py"), str(place)]
    command += [str(kills), str(rounds), *more]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    shutil.rmtree(place)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_no_fault_leaves_half_a_result(faults: Path) -> None:
    found = run(faults, kills=10, rounds=5)
    assert min(found["sweep"].values()) > FEWEST_CALLS, found
    assert (found["kills"], found["single winners"]) == (10, 5)


@pytest.mark.soak
def test_no_fault_leaves_half_a_result_in_many_trials(faults: Path) -> None:
    found = run(faults, kills=100, rounds=50)
    assert (found["kills"], found["single winners"]) == (100, 50)


@pytest.mark.soak
def test_no_fault_in_a_whole_assessment_leaves_half_a_result(faults: Path) -> None:
    found = run(faults, 10, 0, "assess")
    assert min(found["sweep"].values()) > FEWEST_OF_ASSESS, found
    assert found["kills"] == 10
