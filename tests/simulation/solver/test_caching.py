"""Where no folder can hold the compiled kernels, they still work, and one line says so."""

import os
import subprocess
import sys
from pathlib import Path

from kyphoplan.simulation.solver import caching

NOWHERE = "from numba.core import caching\ncaching.CacheImpl._locator_classes = []\n"


def in_python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_here_kernels_are_kept() -> None:
    assert caching.can_keep()
    assert caching.KEPT


def test_with_no_folder_the_kernels_load_and_work() -> None:
    told = in_python(
        NOWHERE + "import numpy as np\n"
        "from kyphoplan.simulation import plasticity\n"
        "from kyphoplan.simulation.solver import caching\n"
        "assert not caching.KEPT\n"
        "print(plasticity.return_factor(1.0, 0.0, 1.0, 1.0, 2.0, 0.0))\n"
    )
    assert told.strip() == "0.0"


def test_without_the_guard_it_would_fail() -> None:
    told = in_python(
        NOWHERE + "import numba as nb\nfrom kyphoplan.simulation.solver import rigid\n"
        "try:\n    nb.njit(cache=True)(rigid._moved.py_func)\n"
        "except RuntimeError as error:\n    print(error)\n"
    )
    assert "no locator available" in told


def test_the_advice_is_one_line_that_says_what_to_do() -> None:
    assert "\n" not in caching.ADVICE
    assert "NUMBA_CACHE_DIR" in caching.ADVICE


def test_kernels_older_than_a_source_are_forgotten(tmp_path: Path) -> None:
    sources, kept = tmp_path / "sources", tmp_path / "kept"
    for folder in (sources, kept):
        folder.mkdir()
    for name, seconds in (("old.nbi", 100.0), ("new.nbi", 300.0)):
        (kept / name).touch()
        os.utime(kept / name, (seconds, seconds))
    for name, seconds in (("a.py", 50.0), ("b.py", 200.0)):
        (sources / name).touch()
        os.utime(sources / name, (seconds, seconds))
    caching.drop_stale(list(sources.iterdir()), kept)
    assert [index.name for index in kept.iterdir()] == ["new.nbi"]


def test_kernels_of_every_room_are_forgotten(tmp_path: Path) -> None:
    rooms = [tmp_path, tmp_path / "solver"]
    for room in rooms:
        room.mkdir(exist_ok=True)
        (room / "__init__.py").touch()
        kept = caching.kept_in(room)
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "old.nbi").touch()
        os.utime(kept / "old.nbi", (100.0, 100.0))
    assert caching.can_keep(tmp_path)
    assert [list(caching.kept_in(room).glob("*.nbi")) for room in rooms] == [[], []]
