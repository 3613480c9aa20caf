"""One run at a time for one result: a lock that says who holds it, and ends with its holder."""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from kyphoplan.errors import OutputError

LOCK = ".kyphoplan-lock"  # ending of the lock's name


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a result while the block runs; it lies beside the result.

    The kernel keeps the lock and gives it up when its holder ends, however that ends, so that a
    dead run's lock is simply taken. The file says who holds it: process, machine, time of start.

    Parameters
    ----------
    path : where the lock's file is to lie.

    Raises
    ------
    OutputError
        If another run holds it; the message names the holder.
    OSError
        If the place cannot be written.
    """
    handle = _take(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _take(path: Path) -> int:
    """Open and lock the file; again if its last holder removed it in between."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still_there(path, handle):
                _sign(handle)
                return handle
        except BlockingIOError:
            who = _holder(handle)
            os.close(handle)
            raise OutputError(
                f"is being written by another run ({who}): wait for it, or give another folder"
            ) from None
        except OSError:
            os.close(handle)
            raise
        os.close(handle)


def _is_still_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    about = {
        "process": os.getpid(),
        "machine": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(about).encode(), 0)


def _holder(handle: int) -> str:
    try:
        about = json.loads(os.pread(handle, 1000, 0))
        return f"process {about['process']} on {about['machine']} since {about['since']}"
    except (ValueError, KeyError, TypeError):
        return "just started"
