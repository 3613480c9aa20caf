"""The voxel solver beside its peers: one table, one run, the same problems, the same force.

Run by ``make bench-solver``. Every run is a process of its own, so that its peak memory is its
own. Writes docs/benchmarks.md, with the machine described.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from peers import KIB, Run, binned, calculix, measured, parosol

from kyphoplan.geometry import Array

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
SMALL, PEER_SIZES, OWN_SIZES = 32, (32, 64, 96), (128, 192)
FORCES_AGREE = 1e-3  # [1] else the comparison is of different problems
REPEATS = {32: 15, 64: 5, 96: 3, 128: 3}  # else once
ROUNDS = 30  # [1] of the operator beside the copy, taken in turn: the fastest of each counts


def scattered(n: int) -> Array:
    """Log-normal moduli between 20 and 2000 MPa."""
    draw = np.random.default_rng(0).normal(np.log(200.0), 0.8, (n, n, n))
    return np.clip(np.exp(draw), 20.0, 2000.0)


def vertebra(n: int) -> Array:
    """Waisted body of 64 mm with a shell of 3 GPa, a millimetre thick, in true void."""
    modulus = scattered(n)
    place = (np.arange(n) + 0.5) / n * 2.0 - 1.0
    x, y, z = np.meshgrid(place, place, place, indexing="ij")
    radius = np.hypot(x / 0.92, y / 0.75) / (1.0 - 0.18 * (1.0 - z**2))
    modulus[(1.0 - radius) * 25.6 < max(1.0, 64.0 / n)] = 3000.0
    return np.where(radius <= 1.0, modulus, 0.0)


CASES = {"block": scattered, "vertebra": vertebra}


def plates(n: int, edge: float) -> Array:
    """Clamp both ends along k and shorten by 1 %."""
    prescribed = np.full((n + 1, n + 1, n + 1, 3), np.nan)
    prescribed[:, :, 0] = prescribed[:, :, -1] = 0.0
    prescribed[:, :, -1, 2] = -0.01 * n * edge
    return prescribed


def own_process(path: str, edge: float, threads: int, repeats: int) -> None:
    """Solve in this process and print figures; memory is counted from before the input."""
    from kyphoplan.simulation import Method, solve  # noqa: PLC0415 - the parent needs no compiler

    solve(np.ones((18, 18, 18)), 1.0, plates(18, 1.0), method=Method(threads=threads))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    modulus = np.load(path)
    prescribed = plates(modulus.shape[0], edge)
    runs = []
    for _ in range(repeats):
        start, cpu = time.perf_counter(), time.process_time()
        solution = solve(modulus, edge, prescribed, method=Method(threads=threads))
        runs.append((time.perf_counter() - start, time.process_time() - cpu))
        if not solution.converged:
            raise SystemExit(f"bench: {solution.outcome}: {solution.detail}")
        force = float(solution.reaction_n[:, :, -1, 2].sum())
        steps = solution.iterations
        del solution
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / KIB
    seconds, cpu_seconds = (statistics.median(values) for values in zip(*runs, strict=True))
    told = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak}
    print(json.dumps({**told, "force_n": force, "iterations": steps}))  # noqa: T201


def ours(modulus: Array, edge: float, threads: int) -> Run:
    """Solve in a fresh process."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "modulus.npy"
        np.save(path, modulus)
        command = [sys.executable, __file__, "--own", str(path), str(edge)]
        command += [str(threads), str(REPEATS.get(modulus.shape[0], 1))]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return Run(**json.loads(out.stdout.splitlines()[-1]))


def bandwidth() -> list[str]:
    """Measure the operator beside a plain copy, both counted as bytes read and written."""
    from kyphoplan.simulation.solver.fields import new_field  # noqa: PLC0415
    from kyphoplan.simulation.solver.hierarchy import make_grid  # noqa: PLC0415
    from kyphoplan.simulation.solver.kernels import APPLY, SMOOTH, sweep  # noqa: PLC0415
    from kyphoplan.simulation.solver.lanes import padded  # noqa: PLC0415
    from kyphoplan.simulation.solver.team import together  # noqa: PLC0415

    n = 127
    rows = []
    for threads in (1, 2):
        source, target = np.ones(20_000_000), np.zeros(20_000_000)
        halves = [(target[part], source[part]) for part in _parts(source.size, threads)]
        shape = (n + 1, n + 1, padded(n + 1))
        lam = new_field(shape, np.float32)
        lam[:-1, :-1, :n] = 1.0
        grid = make_grid(lam, lam, None, threads)
        grid.free[...] = 7
        actions: dict[str, tuple[Callable[[], object], int]]
        actions = {"plain copy": (partial(together, np.copyto, halves), 16 * source.size)}
        for name, kind, real, fields, once in (
            ("operator, double", APPLY, np.float64, 2, 9),
            ("operator, single", APPLY, np.float32, 2, 9),
            ("smoothing step, single", SMOOTH, np.float32, 5, 13),
        ):
            u, b, out = (new_field((*shape[:2], 3, shape[2]), real) for _ in range(3))
            moved = n**3 * (3 * fields * np.dtype(real).itemsize + once)
            actions[name] = (partial(sweep, kind, u, b, out, grid, (0.3, 0.3)), moved)
        seconds = _fastest([action for action, _ in actions.values()], threads)
        rates = [moved / t for (_, moved), t in zip(actions.values(), seconds, strict=True)]
        for name, rate, duration in zip(actions, rates, seconds, strict=True):
            voxels = "" if name == "plain copy" else f"{n**3 / duration / 1e6:.0f}"
            figures = f"{rate / 1e9:.1f} | {voxels} | {100.0 * rate / rates[0]:.0f} %"
            rows.append(f"| {name}, {threads} thread(s) | {figures} |")
    return rows


def compiled() -> str:
    """Compile all kernels in a process of its own, with an empty cache; say how long it took."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", "import kyphoplan.simulation.warmup as w;"]
        command[-1] += "w.compile_kernels(2)"
        environment = {"NUMBA_CACHE_DIR": name}
        seconds, cpu, _ = measured(command, Path(name), Path(name) / "log.txt", environment)
    return f"The first compile of all kernels took {seconds:.0f} s, {cpu:.0f} s of one core."


def crushed() -> list[str]:
    """Crush the real L2 of VerSe 004 at 1 mm, if it is here, in the published set-up."""
    folder = PAGE.parents[2] / "shared" / "data" / "verse004-L2-fe"
    if not folder.is_dir():
        return []
    sys.path.insert(0, str(PAGE.parents[1]))
    from tests.simulation.test_real_vertebrae import Model  # noqa: PLC0415

    from kyphoplan.simulation import Method  # noqa: PLC0415
    from kyphoplan.simulation.crushing import Bone, crush  # noqa: PLC0415
    from kyphoplan.simulation.strength import SHARES  # noqa: PLC0415

    model = Model(folder)
    bone = Bone(modulus_mpa=model.modulus, yield_mpa=model.limit, poisson=0.3, spacing_mm=1.0)
    lines = []
    for threads in (1, 2):
        method = Method(free_motion=True, threads=threads)
        start, cpu = time.perf_counter(), time.process_time()
        found = crush(bone, model.prescribed(0.74), np.array(SHARES), method=method)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        solves = sum(step.solves for step in found.steps)
        force = max(step.force_n for step in found.steps)
        lines.append(
            f"| {threads} thread(s) | {seconds:.1f} | {cpu:.1f} | {len(found.steps)} | {solves} "
            f"| {force:.0f} | {found.outcome} |"
        )
    return lines


def _parts(size: int, count: int) -> list[slice]:
    cuts = np.linspace(0, size, count + 1).astype(int)
    return [slice(a, b) for a, b in pairwise(cuts)]


def _fastest(actions: Sequence[Callable[[], object]], threads: int) -> list[float]:
    """Return the least time of each action [s], all taken in turn.

    On one thread processor time is counted, so that other work on the machine counts less.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    seconds = []
    for _ in range(ROUNDS):
        for action in actions:
            start = clock()
            action()
            seconds.append(clock() - start)
    return np.array(seconds).reshape(ROUNDS, -1).min(axis=0).tolist()


def row(case: str, n: int, name: str, run: Run | None, two: Run, alike: Run) -> str:
    """Write one line of the table, beside our run with two threads and with as many as it had."""
    if run is None:
        return f"| {case} {n} | {name} | not installed | | | | | | |"
    ratio = f"{run.seconds / two.seconds:.0f}x | {run.cpu_seconds / alike.cpu_seconds:.0f}x"
    per_voxel = f"{run.peak_mib * KIB**2 / n**3:.0f}"
    steps = "" if run.iterations is None else str(run.iterations)
    return (
        f"| {case} {n} | {name} | {run.seconds:.2f} | {run.cpu_seconds:.2f} | {steps} "
        f"| {run.peak_mib:.0f} | {per_voxel} | {run.force_n:.3f} | {ratio} |"
    )


def compare(case: str, n: int, sizes: tuple[int, ...]) -> list[str]:
    """Run all programs on one problem and check that they give the same force."""
    edge = 64.0 / n
    modulus = CASES[case](n)
    runs: dict[str, Run | None] = {}
    for threads in (1, 2):
        runs[f"kyphoplan, {threads} thread(s)"] = ours(modulus, edge, threads)
    if n in sizes:
        runs["ParOSol, 2 processes"] = parosol(modulus, edge, 2)
    if n == SMALL:
        runs["CalculiX, iterative"] = calculix(binned(modulus), edge, plates(n, edge))
    one, two = (runs[f"kyphoplan, {threads} thread(s)"] for threads in (1, 2))
    assert one is not None
    assert two is not None
    for name, run in runs.items():
        if run is not None and abs(run.force_n / two.force_n - 1.0) > FORCES_AGREE:
            raise SystemExit(f"bench: {case} {n}: {name} gives {run.force_n}, not {two.force_n}")
    alone = {"kyphoplan, 1 thread(s)", "CalculiX, iterative"}
    lines = [
        row(case, n, name, run, two, one if name in alone else two) for name, run in runs.items()
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
    return lines


MADE_BY = """# Benchmarks of the voxel solver

Made by `make bench-solver`. A block or vertebra-like body of 64 mm between clamped
plates, shortened by 1 %, solved to a relative residual of 1e-6 (each program by its
own norm), checked to give the same force within 0.1 %. Memory of kyphoplan is that
beyond the interpreter with its compiled kernels, input included; that of the peers
is of their largest process. ParOSol's time is the one it reports itself, without
its Python wrapper and files. Moduli for CalculiX are rounded to classes of 0.5 %.
Ratios are to our run with two threads in elapsed time; in processor time to our run with
as many processes as the peer had, two for ParOSol, one for CalculiX.
"""
HEAD = """
| problem | program | time [s] | processor [s] | steps | peak [MiB] | bytes per voxel | force [N] | ratio, elapsed | ratio, processor |
|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501 - a table
OPERATOR = """
## The operator beside a plain copy

A full block of 127 voxels a side. Bytes counted are those that must move: each
field once in or out, each parameter once.

| what | GB/s | million voxels/s | of the copy |
|---|---|---|---|
"""
CRUSHED = """
## Crushing a real vertebra

The L2 of VerSe 004, 67,186 voxels of 1 mm, between its cement discs with free sides,
shortened by 2 % of its height.

| kyphoplan | time [s] | processor [s] | steps | linear solves | largest load [N] | outcome |
|---|---|---|---|---|---|---|
"""


def page(lines: list[str], rates: list[str], loads: list[float]) -> str:
    """Write the page of results."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in told if "model name" in line]
    model = models[0] if models else platform.processor()
    busy = ", ".join(f"{load:.1f}" for load in loads)
    machine = (
        f"\nMachine: {model}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}. Processes that wanted a core, a minute's mean before each "
        f"pair of problems (2 is ours alone): {busy}.\n"
    )
    parts = [MADE_BY, machine, HEAD, "\n".join(lines), "\n", OPERATOR, "\n".join(rates), "\n"]
    real = crushed()
    if real:
        parts += [CRUSHED, "\n".join(real), "\n"]
    return "".join([*parts, "\n", compiled(), "\n"])


def main() -> None:
    """Run all, or one solve of our own for the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--own", nargs=4, metavar=("PATH", "EDGE", "THREADS", "REPEATS"))
    parser.add_argument("--rates", action="store_true", help="the operator alone; print it")
    parser.add_argument("--largest", type=int, default=192, help="largest side [voxels]")
    chosen = parser.parse_args()
    if chosen.own:
        path, edge, threads, repeats = chosen.own
        own_process(path, float(edge), int(threads), int(repeats))
        return
    if chosen.rates:
        print("\n".join(bandwidth()))  # noqa: T201
        return
    lines: list[str] = []
    loads: list[float] = []
    for n in (*PEER_SIZES, *OWN_SIZES):
        if n <= chosen.largest:
            loads.append(os.getloadavg()[0])
            for case in CASES:
                lines += compare(case, n, PEER_SIZES)
    PAGE.write_text(page(lines, bandwidth(), loads), encoding="utf-8")


if __name__ == "__main__":
    main()
