"""Run by test_faults.py in a process with faults.c preloaded; prints what it found as JSON.

Each trial is a forked child that writes a result and meets one fault. Afterwards the folder must
hold the old result whole, the new one whole, or nothing where there was nothing; and the next run
must give what an uninterrupted run gives, and clean up.

Arguments: a folder, what is run (a small result with a file of most kinds, or a whole command),
the number of kills, the number of simultaneous starts, and the step from one call that fails to
the next (0: no sweep). A sweep over `measure` remembers what was read, computed and drawn, and
writes anew each time; without a sweep, kills meet all of it.
"""

import ctypes
import gc
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK
import typer

import kyphoplan as kp
import kyphoplan.io as kio
import kyphoplan.report.result
from kyphoplan.case import Volume
from kyphoplan.case.mesh import Mesh
from kyphoplan.cli import stages
from kyphoplan.cli.assess import assess as run_assess
from kyphoplan.cli.measure import measure as run_measure
from kyphoplan.errors import OutputError
from kyphoplan.io.manifest import manifest
from kyphoplan.io.mesh import write_glb, write_stl
from kyphoplan.io.output import WORKING
from kyphoplan.io.sealing import RECORD, broken_seals, sealed_hashes

KINDS = {"SIGKILL": 1, "ENOSPC": 2, "EIO": 3}
REFUSED = 5
faults = ctypes.CDLL(None)
LOADED_ONCE = (nibabel, SimpleITK)  # here, not in each child


def write(target: Path, word: str) -> None:
    """Write a result with a file of most kinds."""
    voxels = np.arange(8**3, dtype=np.int16).reshape(8, 8, 8)
    volume = Volume(voxels + len(word), np.eye(4))
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    mesh = Mesh(name="L1", vertices_mm=corners, faces=faces, colour=(1.0, 0.5, 0.0))
    with kio.result_folder(target, overwrite=True) as working:
        (working / "page.html").write_text(f"<html><body>{word}</body></html>", encoding="utf-8")
        (working / "deep").mkdir()
        kio.write_json(working / "deep" / "figures.json", {"word": word})
        kio.write_volume(volume, working / "ct.nii.gz")
        kio.write_volume(volume, working / "ct.nrrd")
        write_stl(working / "deep" / "a.stl", mesh)
        write_glb(working / "deep" / "a.glb", [mesh])
        kio.write_json(working / "manifest.json", manifest({}, {"word": word}, {}, ()))


PATIENTS = Path(__file__).resolve().parents[2] / "examples" / "patients"
RECORDS = {"old": PATIENTS / "04_inr_2_4.json", "new": PATIENTS / "01_fit_outpatient.json"}


def assess(target: Path, word: str) -> None:
    """Write a result as the command line does."""
    run_assess(RECORDS[word], target, overwrite=True, quiet=True)


def scans(place: Path) -> None:
    """Store a spine as it was and as it is now, its L1 broken."""
    whole = kp.Phantom(levels=(kp.Level.L1, kp.Level.L2), collapses=())
    wedge = kp.Collapse(level=kp.Level.L1, anterior_loss=0.4, middle_loss=0.2)
    for word, spine in {"old": whole, "new": replace(whole, collapses=(wedge,))}.items():
        made = kp.scan(spine, spacing_mm=(3.0, 3.0, 3.0))
        kio.write_volume(made.ct, place / f"{word}.nii.gz")
        kio.write_volume(made.labels, place / f"labels_{word}.nii.gz")


def measure(target: Path, word: str) -> None:
    """Write a result as the command line does, with pictures of L1."""
    place = SCANS[0]
    MAKING.append(word)
    ct, labels = place / f"{word}.nii.gz", place / f"labels_{word}.nii.gz"
    run_measure(labels, target, ct=ct, levels="L1", overwrite=True, quiet=True)


SCANS: list[Path] = []
MAKING: list[str] = []  # the word of the result that is being made
WRITERS = {"write": write, "assess": assess, "measure": measure}


def remember() -> None:
    """Let each forked child find what was read, computed and drawn before it was forked."""
    for module, name in (
        (stages, "read"),
        (stages, "locate"),
        (stages, "measure"),
        (kyphoplan.report.result, "draw_all"),
    ):
        setattr(module, name, remembering(getattr(module, name)))


def remembering(act: Callable[..., object]) -> Callable[..., object]:
    known: dict[str, object] = {}

    def once(*given: object, **more: object) -> object:
        word = MAKING[-1]
        if word not in known:
            known[word] = act(*given, **more)
        return known[word]

    return once


def word_in(target: Path) -> str | None:
    """Return which result is there, whole; None if nothing is."""
    if not target.exists():
        return None
    assert broken_seals(target) == (), broken_seals(target)
    record = json.loads((target / RECORD).read_text())
    names = {i["name"] for i in record["inputs"].values()}
    by_input = {word for word in RECORDS if {RECORDS[word].name, f"{word}.nii.gz"} & names}
    (word,) = by_input or {record["parameters"]["word"]}
    return str(word)


def made(target: Path) -> dict[str, str]:
    """Return the hashes of all files; of the record all but how long the run took."""
    record = json.loads((target / RECORD).read_text())
    del record["timings_s"]
    return sealed_hashes(target) | {RECORD: json.dumps(record)}


def child(act: object) -> int:
    """Run something in a child; return its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            act()  # type: ignore[operator]
        except OutputError as error:
            os._exit(REFUSED if str(error).isprintable() else 1)
        except typer.Exit as left:
            os._exit(left.exit_code)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


Writer = Callable[[Path, str], None]
OLD = "before"  # the result that is there before a trial: made once, copied for each


def faulty(act: Writer, target: Path, number: int, kind: int) -> None:
    faults.fault_set(ctypes.c_long(number), kind)
    act(target, "new")
    if faults.fault_calls() < number:
        os._exit(77)  # the fault lies behind the last call


def check_after(act: Writer, target: Path, before: str | None, plain: dict[str, str]) -> None:
    """Check that the result is whole, and that the next run mends everything."""
    assert word_in(target) in {before, "new"}
    act(target, "new")
    assert made(target) == plain
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def sweep(act: Writer, place: Path, plain: dict[str, str], step: int) -> dict[str, int]:
    """Meet a fault of each kind at each call, or at each so many."""
    tried = dict.fromkeys(KINDS, 0)
    for kind, code in KINDS.items():
        for before in (None, "old") if kind == "SIGKILL" else ("old",):
            for number in range(1, 10_000, step):
                ground = place / f"{kind} {before} {number}"
                ground.mkdir()
                target = ground / "result"
                if before:
                    shutil.copytree(place / OLD, target)
                status = child(lambda t=target, n=number, c=code: faulty(act, t, n, c))
                if status == 77:
                    break
                assert status in ({-signal.SIGKILL} if kind == "SIGKILL" else {REFUSED, 0}), status
                check_after(act, target, before, plain)
                shutil.rmtree(ground)
                tried[kind] += 1
    return tried


def kills(act: Writer, place: Path, plain: dict[str, str], count: int, longest_s: float) -> int:
    """Kill a writer at a random moment of the time that it takes."""
    chance = random.Random(4)
    for number in range(count):
        ground = place / f"kill {number}"
        ground.mkdir()
        target = ground / "result"
        shutil.copytree(place / OLD, target)
        pid = os.fork()
        if pid == 0:
            act(target, "new")
            os._exit(0)
        time.sleep(chance.uniform(0.0, longest_s))
        os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGTERM]))
        os.waitpid(pid, 0)
        check_after(act, target, "old", plain)
        shutil.rmtree(ground)
    return count


def starts(place: Path, rounds: int, runners: int = 8) -> int:
    """Start several writers at once; return how many rounds had exactly one winner."""
    single = 0
    for number in range(rounds):
        target = place / f"start {number}"
        begin, go = os.pipe()
        pids = []
        for _ in range(runners):
            pid = os.fork()
            if pid == 0:
                os.close(go)
                os.read(begin, 1)  # until all are there
                try:
                    with kio.result_folder(target) as working:
                        (working / "who").write_text(str(os.getpid()))
                except OutputError:
                    os._exit(REFUSED)
                os._exit(0)
            pids.append(pid)
        os.close(go)
        os.close(begin)
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        won = [pid for pid, end in zip(pids, ends, strict=True) if end == 0]
        assert set(ends) <= {0, REFUSED}, ends
        single += len(won) == 1 and (target / "who").read_text() == str(won[0])
    assert not [p for p in place.iterdir() if p.name.endswith(WORKING)]
    return single


def main() -> None:
    place, act = Path(sys.argv[1]), WRITERS[sys.argv[2]]
    kill_count, rounds, step = (int(number) for number in sys.argv[3:])
    if act is measure:
        SCANS.append(place / "scans")
        SCANS[0].mkdir()
        scans(SCANS[0])
        if step:
            remember()
    target = place / "plain" / "result"
    target.parent.mkdir()
    act(target, "old")  # here, so that all modules are loaded once
    begin = time.monotonic()
    act(target, "new")
    longest_s = time.monotonic() - begin
    plain = made(target)
    shutil.rmtree(target.parent)
    act(place / OLD, "old")
    gc.freeze()  # or each fork would copy what the collector touches
    found = {
        "sweep": sweep(act, place, plain, step) if step else {},
        "kills": kills(act, place, plain, kill_count, longest_s),
        "single winners": starts(place, rounds),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
