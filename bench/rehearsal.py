"""Time and memory of a rehearsal at 1 mm, as a user runs it, beside its budgets.

Part of ``make bench``; ``make bench-draws`` adds the draws, which take most of an hour. No peer
does the same: the budgets are the house's own, for two cores.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from run import COMMAND, KIB_PER_MIB, Case, phantom_case, verse012_case

DRAWS = 20
BUDGETS_S = {"preview": 1.0, "rehearse": 90.0, "draws": 20.0 * 60.0}
THREADS = 2


def simulated(case: Case, out: Path, *options: str) -> tuple[dict[str, float], float]:
    """Rehearse a case's L1; return the seconds of each stage and the peak memory [MiB]."""
    files = ["-i", str(case.ct), "-s", str(case.labels), "-o", str(out), "--levels", "L1"]
    command = [str(COMMAND), "simulate", *files, "--overwrite", "-q", "--threads", str(THREADS)]
    child = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"bench: {case.name}: kyphoplan simulate ended with {child.returncode}")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return manifest["timings_s"], usage.ru_maxrss / KIB_PER_MIB


def rows(case: Case, folder: Path, *, draws: bool) -> list[tuple[str, float, float, float]]:
    """Return what was timed, its seconds, its budget [s] and peak memory [MiB]."""
    out = folder / case.ct.stem
    simulated(case, out, "--preview")  # compiles the kernels if need be
    found = []
    for name, options in (("preview", ("--preview",)), ("rehearse", ())):
        times, peak = simulated(case, out, *options)
        found.append((name, times["rehearse"], BUDGETS_S[name], peak))
    if draws:
        times, peak = simulated(case, out, "--draws", str(DRAWS))
        once = found[-1][1]  # on all threads; beside draws on one: they read a little long
        found.append((f"{DRAWS} draws", times["rehearse"] - once, BUDGETS_S["draws"], peak))
    return found


def main() -> None:
    """Print a table for the phantom and, where it lies beside the repository, one real scan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", action="store_true", help=f"time {DRAWS} draws, too")
    draws = parser.parse_args().draws
    console = Console(width=120)
    table = Table("L1 at 1 mm", "what", "time [s]", "budget [s]", "peak memory [MiB]")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in filter(None, (phantom_case(folder), verse012_case())):
            for what, seconds, budget, peak in rows(case, folder, draws=draws):
                table.add_row(case.name, what, f"{seconds:.1f}", f"{budget:.0f}", f"{peak:.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
