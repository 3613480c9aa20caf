"""Many draws of one level, on several processes: in their order, each for itself.

A draw that cannot be computed takes no other with it, and whoever stops the loop stops the
processes.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, MutableSequence, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
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
LOOK_S = 1.0  # [s] between two looks at how far the draws are
PARTS = {"inflate": (0.0, 0.7), "cement": (0.7, 0.85), "strength": (0.85, 1.0)}  # [1] of the time
# of a draw, measured

Told = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What became of one draw.

    Attributes
    ----------
    figures : by name, empty if it failed.
    filling : its ledger, without the cloud; None without cement. It says itself if it failed.
    failed : why it could not be computed, or empty.
    balanced : whether every increment is.
    """

    figures: Mapping[str, float]
    filling: Filling | None = None
    failed: str = ""
    balanced: bool = True


def compute(task: Task, draws: Sequence[Draw], told: Told = lambda share: None) -> Iterator[Drawn]:
    """Compute all draws, in their order, on as many processes as the task has threads.

    Each draw runs on one thread, so that its figures do not depend on how many run beside it.

    Parameters
    ----------
    told : called every second or increment with how much of all draws is done [1].
    """
    alone = replace(task, threads=1, pictures=False)
    if task.threads <= 1 or len(draws) <= 1:
        for number, draw in enumerate(draws):
            yield _one(alone, draw, _among(told, number, len(draws)))
        return
    done = 0
    far = multiprocessing.get_context(CONTEXT).Array("d", len(draws), lock=False)
    while done < len(draws):  # once, unless a process is killed
        with _processes(alone, min(task.threads, len(draws) - done), far) as pool:
            begun = [
                pool.submit(_beside, number, draws[number]) for number in range(done, len(draws))
            ]
            for waiting in begun:
                _watch(waiting, far, told)
                try:
                    drawn = waiting.result()
                except BrokenProcessPool:
                    drawn = Drawn(figures={}, failed=KILLED)
                done += 1
                yield drawn
                if drawn.failed == KILLED:
                    break


def _among(told: Told, number: int, count: int) -> Told:
    return lambda part: told((number + part) / count)


def _watch(waiting: "Future[Drawn]", far: MutableSequence[float], told: Told) -> None:
    """Tell how far all draws are until one is done."""
    while not wait([waiting], LOOK_S).done:
        told(sum(far) / len(far))


@contextmanager
def _processes(
    task: Task, count: int, far: MutableSequence[float]
) -> Iterator[ProcessPoolExecutor]:
    """Start processes that know the task, and stop them whatever happens."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context(CONTEXT),
        initializer=_begin,
        initargs=(task, far),
    )
    try:
        yield pool
    finally:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


_TASKS: list[Task] = []  # of this process, so that the CT travels once and not with each draw
_FAR: list[MutableSequence[float]] = []  # of all draws, shared with who started the process


def _begin(task: Task, far: MutableSequence[float]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started the process stops it
    _TASKS[:], _FAR[:] = [task], [far]


def _beside(number: int, draw: Draw) -> Drawn:
    def told(part: float) -> None:
        _FAR[0][number] = part

    drawn = _one(_TASKS[0], draw, told)
    told(1.0)
    return drawn


def _one(task: Task, draw: Draw, told: Told) -> Drawn:
    """Compute one draw, or say why not."""
    far = 0.0

    def part(stage: str, share: float) -> None:
        nonlocal far
        first, last = PARTS[stage]
        far = max(far, first + share * (last - first))  # balloons that are let down hold less
        told(far)

    try:
        found = run(
            replace(task, plan=draw.aimed(task.plan)),
            draw.assumptions,
            draw.mixture,
            cement_mpa=draw.cement_mpa,
            told=part,
        )
    except UNCOMPUTED as error:
        return Drawn(figures={}, failed=f"{type(error).__name__}: {error}")
    light = None if found.filling is None else _light(found.filling)
    return Drawn(figures=dict(found.figures), filling=light, balanced=found.balanced)


def _light(filling: Filling) -> Filling:
    """Leave the cloud out: only the ledger travels between processes."""
    none = np.zeros((1, 1, 1))
    return replace(filling, cement=none, in_void=none, arrival_ml=none)
