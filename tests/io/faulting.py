"""Run by test_faults.py in a process with faults.c preloaded; prints what it found as JSON.

Each trial is a forked child that writes a result and meets one fault. Afterwards the folder must
hold the old result whole, the new one whole, or nothing where there was nothing; and the next run
must give what an uninterrupted run gives, and clean up.
"""

import ctypes
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK

import kyphoplan.io as kio
from kyphoplan.case import Volume
from kyphoplan.case.mesh import Mesh
from kyphoplan.errors import OutputError
from kyphoplan.io.manifest import manifest
from kyphoplan.io.mesh import write_glb, write_stl
from kyphoplan.io.output import WORKING
from kyphoplan.io.sealing import broken_seals, sealed_hashes

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


def word_in(target: Path) -> str | None:
    """Return which result is there, whole; None if nothing is."""
    if not target.exists():
        return None
    assert broken_seals(target) == (), broken_seals(target)
    return str(json.loads((target / "deep" / "figures.json").read_text())["word"])


def child(act: object) -> int:
    """Run something in a child; return its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            act()  # type: ignore[operator]
        except OutputError as error:
            os._exit(REFUSED if str(error).isprintable() else 1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def faulty(target: Path, number: int, kind: int) -> None:
    faults.fault_set(ctypes.c_long(number), kind)
    write(target, "new")
    if faults.fault_calls() < number:
        os._exit(77)  # the fault lies behind the last call


def check_after(target: Path, before: str | None, plain: dict[str, str]) -> None:
    """Check that the result is whole, and that the next run mends everything."""
    assert word_in(target) in {before, "new"}
    assert child(lambda: write(target, "new")) == 0
    assert sealed_hashes(target) == plain
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def sweep(place: Path, plain: dict[str, str]) -> dict[str, int]:
    """Meet a fault of each kind at each call."""
    tried = dict.fromkeys(KINDS, 0)
    for kind, code in KINDS.items():
        for before in (None, "old") if kind == "SIGKILL" else ("old",):
            for number in range(1, 10_000):
                ground = place / f"{kind} {before} {number}"
                ground.mkdir()
                target = ground / "result"
                if before:
                    assert child(lambda t=target: write(t, "old")) == 0
                status = child(lambda t=target, n=number, c=code: faulty(t, n, c))
                if status == 77:
                    break
                assert status in ({-signal.SIGKILL} if kind == "SIGKILL" else {REFUSED, 0}), status
                check_after(target, before, plain)
                shutil.rmtree(ground)
                tried[kind] += 1
    return tried


def kills(place: Path, plain: dict[str, str], count: int) -> int:
    """Kill a writer at a random moment."""
    chance = random.Random(4)
    for number in range(count):
        ground = place / f"kill {number}"
        ground.mkdir()
        target = ground / "result"
        assert child(lambda t=target: write(t, "old")) == 0
        pid = os.fork()
        if pid == 0:
            write(target, "new")
            os._exit(0)
        time.sleep(chance.uniform(0.0, 0.06))
        os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGTERM]))
        os.waitpid(pid, 0)
        check_after(target, "old", plain)
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
    place, kill_count, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    target = place / "plain" / "result"
    target.parent.mkdir()
    assert child(lambda: write(target, "new")) == 0
    plain = sealed_hashes(target)
    shutil.rmtree(target.parent)
    found = {
        "sweep": sweep(place, plain),
        "kills": kills(place, plain, kill_count),
        "single winners": starts(place, rounds),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
