"""Threads that walk through one computation side by side and wait for each other.

A wait costs a microsecond where every thread has a core of its own; where it has none, the
thread gives its turn away while it waits. Sums are taken in the order of the threads, so that
every thread finds the same number, and takes the same turn by it.
"""

# mypy: disable-error-code="no-untyped-def"
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
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
    sums = nb.carray(
        pointer(nb.int64(team.ctypes.data) + 8 * SUMS), 2 * threads * SLOT, np.float64
    )
    start = (_look(nb.int64(team.ctypes.data) + 8 * ROUND) % 2) * threads * SLOT
    sums[start + me * SLOT], sums[start + me * SLOT + 1] = one, other
    wait(team, threads)
    one, other = 0.0, 0.0
    for thread in range(threads):
        one += sums[start + thread * SLOT]
        other += sums[start + thread * SLOT + 1]
    return one, other


_idle: dict[int, list[ThreadPoolExecutor]] = {}  # per number of threads; see `together`
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # threads do not follow a fork


def together(kernel: Callable[..., Any], runs: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call a kernel that does not hold the interpreter's lock, once per tuple of arguments.

    Every run has a thread of its own, so that runs can wait for each other. Threads are kept for
    the next call: waking one takes 50 microseconds, starting one twice to a hundred times that.

    Examples
    --------
    >>> together(max, [(1, 2), (3, 4)])
    [2, 4]
    """
    others = len(runs) - 1
    if others == 0:
        return [kernel(*runs[0])]
    kept = _idle.setdefault(others, [])
    crew = kept.pop() if kept else ThreadPoolExecutor(max_workers=others)
    tasks = [crew.submit(kernel, *run) for run in runs[1:]]
    try:
        first = kernel(*runs[0])
    finally:
        wait_for(tasks)
        kept.append(crew)
    return [first, *(task.result() for task in tasks)]


def side_by_side(*tasks: Callable[[], Any], threads: int) -> list[Any]:
    """Call tasks of which none needs another's result, each in a thread if there are several.

    The first runs in this thread: what needs most memory, since each thread keeps some of its own.

    Examples
    --------
    >>> side_by_side(lambda: 1, lambda: 2, threads=2)
    [1, 2]
    """
    if threads == 1:
        return [task() for task in tasks]
    return together(_called, [(task,) for task in tasks])


def _called(task: Callable[[], Any]) -> Any:
    return task()
