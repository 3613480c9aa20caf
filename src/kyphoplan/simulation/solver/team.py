"""Threads that walk through one computation side by side and wait for each other.

A wait costs a microsecond where every thread has a core of its own; where it has none, the
thread gives its turn away while it waits. Sums are taken in the order of the threads, so that
every thread finds the same number, and takes the same turn by it.
"""

# mypy: disable-error-code="no-untyped-def"
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT

ARRIVED, ROUND, SUMS = 0, 8, 16  # [1] places in a team's memory, a cache line apart
SLOT = 8  # [1] numbers of one thread in one of two sets of sums
PATIENCE = 300  # [1] looks before a thread gives its turn away; a microsecond or two
CAN_YIELD = hasattr(os, "sched_yield")
_sched_yield = types.ExternalFunction("sched_yield", types.int32())


def _integer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator, unused-ignore]
def _raise(typing: Any, address: Any) -> Any:
    """Add one to the integer at an address, at once for all threads; return what it was."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one = ir.Constant(ir.IntType(64), 1)
        return builder.atomic_rmw("add", _integer(builder, args[0]), one, "seq_cst")

    return types.int64(types.int64), code


@intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator, unused-ignore]
def _look(typing: Any, address: Any) -> Any:
    """Read the integer at an address as other threads have left it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_integer(builder, args[0]), "seq_cst", 8)

    return types.int64(types.int64), code


@intrinsic(prefer_literal=False)  # type: ignore[untyped-decorator, unused-ignore]
def pointer(typing: Any, address: Any) -> Any:
    """Turn an address into what an array can be laid over."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), code


def new_team(threads: int) -> Array:
    """Return the memory that a team of threads shares."""
    return np.zeros(SUMS + 2 * threads * SLOT, np.int64)


@nb.njit(cache=KEPT, nogil=True)
def wait(team, threads):
    """Wait until every thread of the team is here."""
    if threads == 1:
        return
    here = nb.int64(team.ctypes.data)
    turn = _look(here + 8 * ROUND)
    if _raise(here + 8 * ARRIVED) + 1 == threads:
        team[ARRIVED] = 0
        _raise(here + 8 * ROUND)
        return
    looks = 0
    while _look(here + 8 * ROUND) == turn:
        looks += 1
        if CAN_YIELD and looks > PATIENCE:
            _sched_yield()


@nb.njit(cache=KEPT, nogil=True)
def summed(team, threads, me, one, other):
    """Add two numbers of every thread; all get both sums."""
    if threads == 1:
        return one, other
    sums = team[SUMS:].view(np.float64)
    start = (_look(nb.int64(team.ctypes.data) + 8 * ROUND) % 2) * threads * SLOT
    sums[start + me * SLOT], sums[start + me * SLOT + 1] = one, other
    wait(team, threads)
    one, other = 0.0, 0.0
    for thread in range(threads):
        one += sums[start + thread * SLOT]
        other += sums[start + thread * SLOT + 1]
    return one, other


def together(kernel: Callable[..., Any], runs: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call a kernel that does not hold the interpreter's lock, once per tuple of arguments.

    Every run has a thread of its own, so that runs can wait for each other.

    Examples
    --------
    >>> together(max, [(1, 2), (3, 4)])
    [2, 4]
    """
    if len(runs) == 1:
        return [kernel(*runs[0])]
    with ThreadPoolExecutor(max_workers=len(runs) - 1) as threads:
        others = [threads.submit(kernel, *run) for run in runs[1:]]
        first = kernel(*runs[0])
        return [first, *(other.result() for other in others)]
