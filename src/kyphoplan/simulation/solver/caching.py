"""Whether compiled kernels can be kept on the disk, and what is said where they cannot.

A kernel holds those of other files that it calls, but the compiler looks at the age of its own
file only: so kernels older than any file of `simulation` are thrown away first.
"""

from pathlib import Path
from types import FunctionType

import numba as nb

ADVICE = (
    "the compiled solver cannot be kept: neither its own folder nor the home folder can be "
    "written, so every run compiles it again; set NUMBA_CACHE_DIR to a folder that can"
)


ROOMS = Path(__file__).parents[1]


def _nothing() -> None:
    """Stand for any kernel."""


def kept_in(folder: Path) -> Path:
    """Ask the compiler where it keeps the kernels of a folder; it looks for one it can write.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    code = _nothing.__code__.replace(co_filename=str(folder / "__init__.py"))
    return Path(nb.njit(cache=True)(FunctionType(code, globals())).stats.cache_path)


def can_keep(rooms: Path = ROOMS) -> bool:
    """Say whether kernels can be kept, and throw away those that are older than their sources."""
    sources = list(rooms.rglob("*.py"))
    try:
        for folder in {source.parent for source in sources}:
            drop_stale(sources, kept_in(folder))
    except RuntimeError:
        return False
    return True


def drop_stale(sources: list[Path], kept: Path) -> None:
    """Forget the kernels that were compiled before any of the sources was changed."""
    newest = max(source.stat().st_mtime for source in sources)
    for index in kept.glob("*.nbi"):
        try:
            if index.stat().st_mtime < newest:
                index.unlink()
        except OSError:  # gone meanwhile, or not ours: the compiler looks after it
            continue


KEPT = can_keep()
