"""Putting a finished folder in the place of an older one in one step."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

AT_FDCWD = -100  # <fcntl.h>: paths are as given
RENAME_EXCHANGE = 2  # Linux <linux/fs.h>: renameat2 swaps two names atomically
RENAME_SWAP = 2  # macOS <sys/stdio.h>: renamex_np does the same
UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV, errno.EPERM}


def exchange(new: Path, old: Path) -> bool:
    """Swap the names of two folders in one step; False where the system cannot.

    Raises
    ------
    OSError
        If the system can, but not here and now (no space, no permission).

    References
    ----------
    renameat2(2), Linux manual; rename(2), macOS manual.
    """
    swap = _system_call()
    if swap is None:
        return False
    if swap(os.fsencode(new), os.fsencode(old)) == 0:
        return True
    code = ctypes.get_errno()
    if code in UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code))


@cache
def _system_call() -> Callable[[bytes, bytes], int] | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return lambda a, b: int(libc.renamex_np(a, b, RENAME_SWAP))
    if hasattr(libc, "renameat2"):
        return lambda a, b: int(libc.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
    return None
