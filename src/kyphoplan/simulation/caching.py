"""Whether compiled kernels can be kept on the disk, and what is said where they cannot.

A kernel holds those of other files that it calls, but the compiler looks at the age of its own
file only: so kernels older than any file of this folder are thrown away first.
"""

from pathlib import Path

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
        kept = nb.njit(cache=True)(_nothing)
    except RuntimeError:
        return False
    drop_stale(Path(__file__).parent, Path(kept.stats.cache_path))
    return True


def drop_stale(sources: Path, kept: Path) -> None:
    """Forget the kernels that were compiled before any of the sources was changed."""
    newest = max(source.stat().st_mtime for source in sources.glob("*.py"))
    for index in kept.glob("*.nbi"):
        try:
            if index.stat().st_mtime < newest:
                index.unlink()
        except OSError:  # gone meanwhile, or not ours: the compiler looks after it
            continue


KEPT = can_keep()
