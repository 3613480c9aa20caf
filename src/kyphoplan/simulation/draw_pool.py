"""Many draws of one level, on several processes: in their order, each for itself.

A draw that cannot be computed takes no other with it, and whoever stops the loop stops the
processes.
"""

import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from kyphoplan.case.filling import Filling
from kyphoplan.errors import KyphoplanError
from kyphoplan.simulation.rehearsing import Task, run
from kyphoplan.simulation.uncertainty import Draw

CONTEXT = "spawn"  # a fork would share the threads of the solver
UNCOMPUTED = (KyphoplanError, ArithmeticError, LookupError, MemoryError, ValueError)
KILLED = "its process was killed, as when memory runs out"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What became of one draw.

    Attributes
    ----------
    figures : by name, empty if it failed.
    filling : its ledger, without the cloud; None without cement.
    failed : why it could not be computed, or empty.
    """

    figures: Mapping[str, float]
    filling: Filling | None = None
    failed: str = ""


def compute(task: Task, draws: Sequence[Draw]) -> Iterator[Drawn]:
    """Compute all draws, in their order, on as many processes as the task has threads.

    Each draw runs on one thread, so that its figures do not depend on how many run beside it.
    """
    alone = replace(task, threads=1)
    if task.threads <= 1 or len(draws) <= 1:
        yield from (_one(alone, draw) for draw in draws)
        return
    done = 0
    while done < len(draws):  # once, unless a process is killed
        with _processes(alone, min(task.threads, len(draws) - done)) as pool:
            for waiting in [pool.submit(_beside, draw) for draw in draws[done:]]:
                try:
                    drawn = waiting.result()
                except BrokenProcessPool:
                    drawn = Drawn(figures={}, failed=KILLED)
                done += 1
                yield drawn
                if drawn.failed == KILLED:
                    break


@contextmanager
def _processes(task: Task, count: int) -> Iterator[ProcessPoolExecutor]:
    """Start processes that know the task, and stop them whatever happens."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context(CONTEXT),
        initializer=_begin,
        initargs=(task,),
    )
    try:
        yield pool
    finally:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


_TASKS: list[Task] = []  # of this process, so that the CT travels once and not with each draw


def _begin(task: Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started the process stops it
    _TASKS[:] = [task]


def _beside(draw: Draw) -> Drawn:
    return _one(_TASKS[0], draw)


def _one(task: Task, draw: Draw) -> Drawn:
    """Compute one draw, or say why not."""
    try:
        found = run(
            replace(task, plan=draw.aimed(task.plan)),
            draw.assumptions,
            draw.mixture,
            cement_mpa=draw.cement_mpa,
        )
    except UNCOMPUTED as error:
        return Drawn(figures={}, failed=f"{type(error).__name__}: {error}")
    light = None if found.filling is None else _light(found.filling)
    return Drawn(figures=dict(found.figures), filling=light)


def _light(filling: Filling) -> Filling:
    """Leave the cloud out: only the ledger travels between processes."""
    none = np.zeros((1, 1, 1))
    return replace(filling, cement=none, in_void=none, arrival_ml=none)
