"""What the gate costs on a clean DICOM series, and how soon its reading can be ended.

Part of ``make bench``. Plain reading is what a short script with pydicom does: decode each slice,
scale it, stack it. The gate adds a process of its own, limits, and all checks. Then a reading
command line is interrupted and terminated half-way.
"""

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from rich.console import Console

from kyphoplan.case import Volume
from kyphoplan.io import read_volume, write_dicom_series
from kyphoplan.io.apart import last_use

SHAPE = (512, 512, 300)
RUNS = 3
BUDGET_PCT = 25.0  # [%] of plain reading
PROGRAM = [sys.executable, "-c", "from kyphoplan.cli import main; main()"]
HALF_WAY_S = (1.0, 2.0, 3.0)  # [s] after the start
LATEST_S = 2.0  # [s] from signal to end


def clean_series(folder: Path) -> Path:
    """Write 300 slices that look like tissue and air."""
    rng = np.random.default_rng(1)
    voxels = rng.integers(-100, 300, SHAPE, np.int16)
    voxels[:100] = -1000
    return write_dicom_series(Volume(voxels, np.diag([0.7, 0.7, 1.0, 1.0])), folder / "ct")


def plain(folder: Path) -> object:
    """Read a series as a short script does."""
    slices = [pydicom.dcmread(file) for file in sorted(folder.glob("*.dcm"))]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    return np.stack(
        [
            (s.pixel_array * int(s.RescaleSlope) + int(s.RescaleIntercept)).astype(np.int16)
            for s in slices
        ]
    )


def by_itk(folder: Path) -> object:
    """Read a series with SimpleITK."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return SimpleITK.GetArrayFromImage(reader.Execute())


def ours(folder: Path) -> float:
    """Read through the gate; return the processor time of this process and of the child [s]."""
    start = time.process_time()
    read_volume(folder)
    return time.process_time() - start + last_use().cpu_s


def theirs(read: Callable[[Path], object], folder: Path) -> float:
    """Read in this process; return its processor time [s]."""
    start = time.process_time()
    read(folder)
    return time.process_time() - start


def ended_s(folder: Path, sent: signal.Signals, after_s: float) -> float:
    """Return how long a reading command takes to end after a signal [s]."""
    process = subprocess.Popen(
        [*PROGRAM, "inspect", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(after_s)
    process.send_signal(sent)
    start = time.perf_counter()
    process.wait()
    return time.perf_counter() - start


def main() -> None:
    """Print the times and the gate's cost; processor time, since the machine may be busy."""
    with tempfile.TemporaryDirectory() as name:
        folder = clean_series(Path(name))
        read_volume(folder)  # the nursery is started, the files are in memory
        signals = (signal.SIGINT, signal.SIGTERM)
        ends = [ended_s(folder, sent, after) for sent in signals for after in HALF_WAY_S]
        runs = [(ours(folder), theirs(plain, folder), theirs(by_itk, folder)) for _ in range(RUNS)]
    gate_s, plain_s, itk_s = (statistics.median(column) for column in zip(*runs, strict=True))
    console = Console(width=120)
    console.print(f"DICOM series {' x '.join(map(str, SHAPE))}, processor time")
    console.print(f"read_volume {gate_s:.2f} s, pydicom {plain_s:.2f} s, SimpleITK {itk_s:.2f} s")
    cost = 100.0 * (gate_s / plain_s - 1.0)
    console.print(f"the gate costs {cost:+.0f} % of plain reading (budget {BUDGET_PCT:.0f} %)")
    console.print(f"ended at most {max(ends):.2f} s after a signal (budget {LATEST_S:.0f} s)")


if __name__ == "__main__":
    main()
