"""The same voxel problem for other programs: CalculiX (ccx) and ParOSol (parosol-py).

Both run as programs of their own. ParOSol needs an environment of its own, whose Python is named
by the variable PAROSOL_PYTHON; without it, or without ccx on the path, that peer is left out.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kyphoplan.geometry import Array

BIN = 0.005  # [1] width of the classes of moduli for CalculiX, which wants a material per class
KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one program did with one problem."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    force_n: float
    iterations: int | None = None


def binned(modulus: Array) -> Array:
    """Round moduli to classes of half a per cent, as the deck holds them."""
    solid = modulus > 0.0
    classes = np.rint(np.log(np.where(solid, modulus, 1.0)) / np.log1p(BIN))
    return np.where(solid, np.exp(classes * np.log1p(BIN)), 0.0)


MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def measured(
    command: list[str], folder: Path, log: Path, more: dict[str, str] = MPI
) -> tuple[float, float, float]:
    """Run a program; return its wall and processor seconds and its peak memory [MiB]."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **more}
    start = time.perf_counter()
    with log.open("w") as out:
        child = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: see {log}")
    seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / KIB


def write_deck(path: Path, modulus: Array, edge: float, prescribed: Array, solver: str) -> None:
    """Write a CalculiX deck: eight-node bricks with 2x2x2 points, a material per class."""
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    order = [(a, b, c) for c in (0, 1) for a, b, _ in corners]
    voxels = np.argwhere(modulus > 0.0)
    shape = np.array(prescribed.shape[:3])
    number = np.arange(int(shape.prod())).reshape(shape) + 1
    elements = np.stack([number[tuple((voxels + corner).T)] for corner in order], axis=1)
    used = np.unique(elements)
    place = edge * np.stack(np.unravel_index(used - 1, shape), axis=1)
    values, group = np.unique(modulus[tuple(voxels.T)], return_inverse=True)
    with path.open("w") as deck:
        deck.write("*NODE\n")
        deck.writelines(
            f"{n},{x:.9g},{y:.9g},{z:.9g}\n" for n, (x, y, z) in zip(used, place, strict=True)
        )
        for material in range(len(values)):
            deck.write(f"*ELEMENT,TYPE=C3D8,ELSET=E{material}\n")
            for element in np.flatnonzero(group == material):
                deck.write(f"{element + 1}," + ",".join(map(str, elements[element])) + "\n")
        for material, value in enumerate(values):
            deck.write(f"*MATERIAL,NAME=M{material}\n*ELASTIC\n{value:.12g},0.3\n")
            deck.write(f"*SOLID SECTION,ELSET=E{material},MATERIAL=M{material}\n")
        flat = prescribed.reshape(-1, 3)
        moved = used[(np.nan_to_num(flat[used - 1]) != 0.0).any(axis=1)]
        deck.write("*NSET,NSET=TOP\n" + "".join(f"{n},\n" for n in moved))
        deck.write(f"*STEP\n*STATIC,SOLVER={solver}\n*BOUNDARY\n")
        for component in range(3):
            for n in used[~np.isnan(flat[used - 1, component])]:
                deck.write(f"{n},{component + 1},{component + 1},{flat[n - 1, component]:.9g}\n")
        deck.write("*NODE PRINT,NSET=TOP,TOTALS=ONLY\nRF\n*END STEP\n")


def calculix(
    modulus: Array, edge: float, prescribed: Array, solver: str = "ITERATIVE CHOLESKY"
) -> Run | None:
    """Solve with CalculiX; the moduli should be `binned`."""
    program = shutil.which("ccx")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_deck(folder / "deck.inp", modulus, edge, prescribed, solver)
        figures = measured([program, "deck"], folder, folder / "log.txt")
        numbers = re.findall(r"-?\d\.\d+E[+-]\d+", (folder / "deck.dat").read_text())
        log = (folder / "log.txt").read_text()
    steps = re.findall(r"iteration\s*[=:]?\s*(\d+)", log, flags=re.IGNORECASE)
    return Run(
        seconds=figures[0],
        cpu_seconds=figures[1],
        peak_mib=figures[2],
        force_n=float(numbers[-1]),
        iterations=int(steps[-1]) if steps else None,
    )


PAROSOL = """
import sys
import numpy as np, parosol_py, resource, json
modulus = np.load(sys.argv[1])
result = parosol_py.solve(
    material=modulus, array_order="xyz", spacing=(float(sys.argv[2]),) * 3, test="axial",
    strain=-0.01, load_case_type="constrained_axial", mpi_processes=int(sys.argv[3]))
u, f = result.fields["displacements"], result.fields["forces"]
low = -0.01 * modulus.shape[2] * float(sys.argv[2])
top = np.abs(u[:, 2] - low) < 1e-7 * abs(low)
run = result.summary.run
print(json.dumps({"force": float(f[top, 2].sum()), "iterations": run.iterations,
    "own": run.overall_time_seconds,
    "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}))
"""


def parosol(modulus: Array, edge: float, threads: int) -> Run | None:
    """Solve the block between clamped plates, shortened by 1 %, with ParOSol; its own time."""
    import json  # noqa: PLC0415 - only here

    python = os.environ.get("PAROSOL_PYTHON")
    if python is None:
        return None
    python = str(Path(python).absolute())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "modulus.npy", modulus)
        command = [python, "-c", PAROSOL, "modulus.npy", str(edge), str(threads)]
        _, cpu, _ = measured(command, folder, folder / "log.txt")
        told = json.loads((folder / "log.txt").read_text().splitlines()[-1])
    return Run(
        seconds=told["own"],
        cpu_seconds=cpu,
        peak_mib=told["peak"],
        force_n=told["force"],
        iterations=told["iterations"],
    )
