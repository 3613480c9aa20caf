"""Time per stage and peak memory of `kyphoplan measure`, beside peers in the same run.

Run by ``make bench``. Each time is the fastest and the median of a few runs on this machine, now;
a ratio compares medians.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK
from rich.console import Console
from rich.table import Table

import kyphoplan as kp
from kyphoplan.io import write_volume
from kyphoplan.report import draw_all, measurements_page, measurements_to_json

ROOT = Path(__file__).resolve().parents[1]
VERSE012 = ROOT.parent / "shared" / "data" / "verse012-ct-L1fx"
COMMAND = Path(sys.executable).with_name("kyphoplan")
RUNS = 3
L1 = kp.Level.L1  # the broken level of every case here
KIB_PER_MIB = 1024


@dataclass(frozen=True, kw_only=True)
class Case:
    """A scan to time: its two files and how the labels are to be read."""

    name: str
    ct: Path
    labels: Path
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Times:
    """The runs of one thing [s]."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median [s]."""
        return statistics.median(self.seconds)

    @property
    def fastest(self) -> float:
        """Return the shortest [s]."""
        return min(self.seconds)


def timed(action: Callable[[], object], runs: int = RUNS) -> Times:
    """Run an action a few times."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return Times(tuple(seconds))


def whole_process(case: Case, out: Path) -> tuple[float, float]:
    """Measure a case as a user does; return the wall time [s] and the peak memory [MiB]."""
    files = ["-i", str(case.ct), "-s", str(case.labels), "-o", str(out)]
    command = [str(COMMAND), "measure", *files, "--overwrite", "-q", *case.options]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if child.returncode != 0:
        raise SystemExit(f"bench: {case.name}: kyphoplan measure ended with {child.returncode}")
    return seconds, usage.ru_maxrss / KIB_PER_MIB  # Linux counts ru_maxrss in KiB


def stages(case: Case) -> dict[str, Times]:
    """Time each stage of one case within this process."""
    ct, labels = kp.read_volume(case.ct), kp.read_labels(case.labels)
    spine = kp.locate(labels, ct)
    figures = kp.measure(spine, ct)
    pictures = draw_all(figures, spine, ct)
    return {
        "read CT": timed(lambda: kp.read_volume(case.ct)),
        "read labels": timed(lambda: kp.read_labels(case.labels)),
        "locate": timed(lambda: kp.locate(labels, ct)),
        "measure": timed(lambda: kp.measure(spine, ct)),
        "plan one level, both sides": timed(lambda: kp.plan(spine, figures, levels=(L1,))),
        "figures": timed(lambda: draw_all(figures, spine, ct)),
        "page": timed(lambda: measurements_page(measurements_to_json(figures), pictures)),
    }


def peers(case: Case) -> list[tuple[str, str, Times]]:
    """Time what a peer does with the same file: our stage, the peer, its times."""
    image = SimpleITK.ReadImage(str(case.labels), SimpleITK.sitkUInt8)

    def read_itk() -> object:
        return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(case.ct)))

    def read_nibabel() -> object:
        return nib.load(case.ct).get_fdata(dtype=np.float32, caching="unchanged")

    def label_shapes() -> None:
        shapes = SimpleITK.LabelShapeStatisticsImageFilter()
        shapes.ComputeOrientedBoundingBoxOn()
        shapes.Execute(image)

    return [
        ("read CT", "SimpleITK ReadImage", timed(read_itk)),
        ("read CT", "nibabel get_fdata, float32", timed(read_nibabel)),
        ("locate", "SimpleITK label shapes: centroid, box, volume only", timed(label_shapes)),
    ]


def import_times() -> tuple[Times, Times]:
    """Time `import kyphoplan` in a fresh interpreter, and the interpreter alone."""

    def fresh(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    fresh("import kyphoplan")()
    return timed(fresh("import kyphoplan"), runs=9), timed(fresh("pass"), runs=9)


def phantom_case(folder: Path) -> Case:
    """Write the default phantom with a wedge of L1."""
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.45, middle_loss=0.25)
    result = kp.scan(kp.Phantom(collapses=(wedge,)))
    ct = write_volume(result.ct, folder / "ct.nii.gz")
    labels = write_volume(result.labels, folder / "labels.nii.gz")
    return Case(name="phantom T10-L3, 1 mm", ct=ct, labels=labels)


def verse012_case() -> Case | None:
    """Return the real scan; None where it does not lie beside the repository."""
    if not VERSE012.is_dir():
        return None
    ct, labels = sorted(VERSE012.glob("*.nii.gz"))
    return Case(name="verse012, L1 fracture, 3x1x1 mm", ct=ct, labels=labels)


def report(case: Case, folder: Path, console: Console) -> None:
    """Print the tables of one case."""
    runs = [whole_process(case, folder / f"out-{case.ct.stem}") for _ in range(2)]
    ours = stages(case)
    table = Table("stage", "fastest [s]", "median [s]", title=case.name, title_justify="left")
    for name, times in ours.items():
        table.add_row(name, f"{times.fastest:.3f}", f"{times.median:.3f}")
    for which, (seconds, _) in zip(("first", "second"), runs, strict=True):
        table.add_row(f"whole command, {which} run", f"{seconds:.3f}", "")
    table.add_row("peak memory of the command [MiB]", f"{max(peak for _, peak in runs):.0f}", "")
    console.print(table)
    versus = Table("ours", "median [s]", "peer", "median [s]", "ours / peer")
    for stage, peer, times in peers(case):
        our = ours[stage].median
        ratio = our / times.median
        versus.add_row(stage, f"{our:.3f}", peer, f"{times.median:.3f}", f"{ratio:.1f}")
    console.print(versus)


def main() -> None:
    """Time the phantom and, where it lies beside the repository, one real scan."""
    console = Console(width=120)
    ours, bare = import_times()
    console.print(
        f"import kyphoplan: {ours.median - bare.median:.3f} s over a bare interpreter's "
        f"{bare.median:.3f} s (budget 0.3 s)"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report(phantom_case(folder), folder, console)
        real = verse012_case()
        if real is None:
            console.print("verse012-ct-L1fx: absent, not timed")
        else:
            report(real, folder, console)


if __name__ == "__main__":
    main()
