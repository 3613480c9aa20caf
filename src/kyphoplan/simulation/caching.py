"""Whether compiled kernels can be kept on the disk, and what is said where they cannot."""

import numba as nb

ADVICE = (
    "the compiled solver cannot be kept: neither its own folder nor the home folder can be "
    "written, so every run compiles it again; set NUMBA_CACHE_DIR to a folder that can"
)


def _nothing() -> None:
    """Stand for every kernel of this folder."""


def can_keep() -> bool:
    """Ask the compiler for a folder to keep kernels in; it looks for one that can be written."""
    try:
        nb.njit(cache=True)(_nothing)
    except RuntimeError:
        return False
    return True


KEPT = can_keep()
