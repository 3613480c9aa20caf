"""Reading an untrusted file in a process of its own, which may die without harm to ours.

One nursery process (see `nursery`) is kept for all files that a program reads; it ends with the
program, however that ends.
"""

import atexit
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kyphoplan import errors
from kyphoplan.case import Notice, Severity
from kyphoplan.errors import CaseError, KyphoplanError
from kyphoplan.io.casefile import from_json
from kyphoplan.io.decoded import Decoded
from kyphoplan.io.dicom_header import plain

MEMORY_BYTES = 2_500_000_000  # [byte] that reading one file may take
SECONDS = 25  # [s] that reading one file may take
GRACE_S = 10.0  # [s] more, until the nursery itself is given up
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
LONGEST_WORD = 400  # [1] letters of what a library says that are kept
KIB = 1024  # [byte] Linux counts ru_maxrss in these
TOO_SLOW = {signal.SIGALRM, signal.SIGXCPU}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be read, and as what.

    Attributes
    ----------
    role : "CT" or "label map".
    series : which DICOM series, where there are several.
    orientation : where the voxel axes lead, as stated by the user, such as "LPS".
    """

    path: Path
    role: str
    series: str | None = None
    orientation: str | None = None


def read_apart(request: Request) -> Decoded:
    """Read a file or folder in a child process with limits.

    Raises
    ------
    CaseError
        If the child refuses it, or dies of it.
    """
    data = _shared_memory()
    try:
        answer = _ask(request, data)
        _used.append(Used(peak_bytes=answer["peak_kib"] * KIB, cpu_s=answer["cpu_s"]))
        if "refused" in answer:
            raise _refusal(answer["refused"])
        if answer["exit"] != 0:
            raise _death(answer)
        decoded = _decoded(answer["decoded"], data)
        return replace(decoded, notices=decoded.notices + _words(request.role, answer["said"]))
    finally:
        os.close(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the child of a reading took: memory at most [byte], and processor time [s]."""

    peak_bytes: int = 0
    cpu_s: float = 0.0


def last_use() -> Used:
    """Return what the last reading of this program took."""
    return _used[-1] if _used else Used()


def _shared_memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("kyphoplan-voxels", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as stream:
        return os.dup(stream.fileno())


def _decoded(told: dict[str, Any], data: int) -> Decoded:
    shape, dtype = tuple(told["shape"]), np.dtype(told["dtype"])
    block = mmap.mmap(data, int(np.prod(shape)) * dtype.itemsize, prot=mmap.PROT_READ)
    return Decoded(
        voxels=np.frombuffer(block, dtype).reshape(shape, order=told["order"]),
        affine=np.array(told["affine"]),
        names={int(value): name for value, name in told["names"].items()},
        names_from=told["names_from"],
        notices=from_json(tuple[Notice, ...], told["notices"]),
        series=tuple(told["series"]),
    )


def _words(role: str, said: str) -> tuple[Notice, ...]:
    """Return what a library wrote on the way (such as ITK, on standard error) as a notice."""
    text = plain(said, LONGEST_WORD)
    if not text:
        return ()
    return (
        Notice(
            code="reader_warning",
            severity=Severity.WARNING,
            level=None,
            text=f"{role}: {text}",
            remedy="none needed if pictures and sizes look right",
        ),
    )


def _refusal(told: dict[str, Any]) -> KyphoplanError:
    kind = getattr(errors, told["kind"])
    error: KyphoplanError = kind(told["text"], code=told["code"], **told["found"])
    return error


def _death(answer: dict[str, Any]) -> CaseError:
    """Say how the child ended; it is the file's fault, as the child did nothing but read it."""
    code = answer["exit"]
    if -code in TOO_SLOW:
        return CaseError(
            f"took longer than {SECONDS} s to read: copy it to a local disk, or export it again",
            code="too_slow",
        )
    if code < 0:
        return CaseError(
            f"reading it ended with {signal.Signals(-code).name}: it is damaged, or made to do "
            "harm: export it again from its source",
            code="reader_died",
        )
    lines = [line for line in answer["said"].splitlines() if line.strip()]
    last = " ".join(lines[-1].split()) if lines else "no word"
    return CaseError(f"cannot be decoded ({last}): export it again", code="undecodable")


class _Nursery:
    """The running nursery of this process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.getpid()
        self.asker = ours
        self.lock = threading.Lock()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "kyphoplan.io.nursery", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        ours.settimeout(SECONDS + GRACE_S)

    def alive(self) -> bool:
        return self.pid == os.getpid() and self.process.poll() is None

    def ask(self, request: dict[str, Any], handle: int) -> dict[str, Any] | None:
        """Return the answer, or None if the nursery broke down."""
        with self.lock:
            try:
                socket.send_fds(self.asker, [json.dumps(request).encode()], [handle])
                text = bytearray()
                while not text.endswith(b"\n"):
                    block = self.asker.recv(1 << 20)
                    if not block:
                        return None
                    text += block
                return dict(json.loads(text))
            except OSError:
                return None

    def close(self) -> None:
        self.asker.close()
        if self.pid == os.getpid():
            self.process.kill()
            self.process.wait()


_running: list[_Nursery] = []
_used: deque[Used] = deque(maxlen=1)


def _ask(request: Request, handle: int) -> dict[str, Any]:
    message = {
        "path": str(request.path.absolute()),
        "role": request.role,
        "series": request.series,
        "orientation": request.orientation,
        "memory_bytes": MEMORY_BYTES,
        "seconds": SECONDS,
    }
    if _running and not _running[0].alive():
        close()
    if not _running:
        _running.append(_Nursery())
    answer = _running[0].ask(message, handle)
    if answer is None:
        close()
        raise CaseError("the reading process broke down: try again", code="reader_died")
    return answer


def close() -> None:
    """End the nursery, if there is one."""
    while _running:
        _running.pop().close()


atexit.register(close)
