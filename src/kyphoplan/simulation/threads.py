"""A few threads that share the planes of a grid."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Make the threads of a process; a forked one has to start its own."""
    return ThreadPoolExecutor(max_workers=os.cpu_count())


def together(kernel: Callable[..., Any], runs: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call a kernel that does not hold the interpreter's lock, once per tuple of arguments.

    Examples
    --------
    >>> together(max, [(1, 2), (3, 4)])
    [2, 4]
    """
    others = [_pool(os.getpid()).submit(kernel, *run) for run in runs[1:]]
    first = kernel(*runs[0])
    return [first, *(other.result() for other in others)]


def share(kernel: Callable[..., Any], cuts: Any, *args: Any) -> list[Any]:
    """Call a kernel for each run of planes; it takes the first and the last + 1 at the end."""
    if len(cuts) == 2:  # noqa: PLR2004 - one thread
        return [kernel(*args, cuts[0], cuts[1])]
    return together(kernel, [(*args, begin, end) for begin, end in pairwise(cuts)])
