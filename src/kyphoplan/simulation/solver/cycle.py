"""One multigrid cycle as a list of instructions that every thread walks through by itself.

The list is made once per solution (`instructions`); walking it (`walk`) starts no kernel from
Python. A thread does its own planes of each level and waits where it needs the work of others.
"""

# mypy: disable-error-code="no-untyped-def"
from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cache

import numba as nb
import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.caching import KEPT
from kyphoplan.simulation.solver.fields import begin_smoothing, combine, two_dots
from kyphoplan.simulation.solver.kernels import APPLY, RESIDUAL, SMOOTH, sweep_planes
from kyphoplan.simulation.solver.team import pointer, summed, wait
from kyphoplan.simulation.solver.transfer import prolong, restrict

# Columns of the table of levels: `kernels.addresses`, then where the fields lie.
FREE, INVERSE, SPANS, RESIDUALS, CORRECTION, STEP, FIRST, IMAGE = np.arange(5, 13)
GRID = 8  # [1] columns that `kernels.addresses` fills


class Do(IntEnum):
    """One instruction, for one level."""

    WAIT = 0  # for all threads
    BEGIN = 1  # first smoothing step, from zero
    COPY = 2  # see the planes beside our own, before their owners change them
    SMOOTH = 3
    RESIDUAL = 4  # step = b - A x
    RESTRICT = 5  # b of the next level = step, gathered
    PROLONG = 6  # x += x of the next level, interpolated
    INVERT = 7  # x = inverse b, on the coarsest level
    KEEP = 8  # first = x
    LESSEN = 9  # image = A x; b -= first share of image
    JOIN = 10  # x = second share of x + rest of first


@cache
def instructions(
    levels: int,
    smoothing: tuple[tuple[float, float], ...],
    shared: tuple[bool, ...],
    improved: tuple[int, ...],
) -> tuple[Array, Array]:
    """List the cycle: (n, 2) what to do on which level, and (n, 2) weights.

    Parameters
    ----------
    shared : whether the threads share a level; otherwise the first one does it all.
    improved : levels that are solved by two cycles; see `_improved`.
    """
    listed = list(_cycle(0, levels, smoothing, improved))
    program, weights = [], []
    for number, (what, level, weight) in enumerate(listed):
        touched = {level, level + 1} if what in {Do.RESTRICT, Do.PROLONG} else {level}
        if what is Do.WAIT:
            before = listed[number - 1] if number else listed[number]
            touched |= {before[1], before[1] + (before[0] is Do.RESTRICT)}
            if not any(shared[each] for each in touched if each < levels):
                continue
        if what is Do.COPY and not shared[level]:
            continue
        program.append((int(what), level))
        weights.append(weight)
    return np.array(program, np.int64), np.array(weights)


Listed = Iterator[tuple[Do, int, tuple[float, float]]]


def _cycle(
    level: int, levels: int, smoothing: Sequence[tuple[float, float]], improved: Sequence[int]
) -> Listed:
    """Turn the residual of a level into a correction, by one cycle over the coarser ones."""
    none = (0.0, 0.0)
    if level + 1 == levels:
        yield Do.WAIT, level, none
        yield Do.INVERT, level, none
        return
    yield Do.BEGIN, level, smoothing[0]
    yield from _smoothed(level, smoothing[1:])
    yield Do.WAIT, level, none
    yield Do.RESIDUAL, level, none
    yield Do.WAIT, level, none
    yield Do.RESTRICT, level, none
    if level + 1 in improved and level + 2 < levels:
        yield from _improved(level + 1, levels, smoothing, improved)
    else:
        yield from _cycle(level + 1, levels, smoothing, improved)
    yield Do.WAIT, level + 1, none
    yield Do.WAIT, level, none
    yield Do.PROLONG, level, none
    yield from _smoothed(level, smoothing)


def _smoothed(level: int, weights: Sequence[tuple[float, float]]) -> Listed:
    for weight in weights:
        yield Do.WAIT, level, (0.0, 0.0)
        yield Do.COPY, level, (0.0, 0.0)
        yield Do.WAIT, level, (0.0, 0.0)
        yield Do.SMOOTH, level, weight


def _improved(
    level: int, levels: int, smoothing: Sequence[tuple[float, float]], improved: Sequence[int]
) -> Listed:
    """Solve a coarser level by two cycles, combined so that their error is least in energy.

    Where thin bone is too stiff on the coarser grids, one cycle leaves a correction too small
    that a second one, made conjugate to the first, completes.

    References
    ----------
    Notay & Vassilevski 2008, Numer Linear Algebra Appl 15:473, doi:10.1002/nla.542.
    """
    none = (0.0, 0.0)
    yield from _cycle(level, levels, smoothing, improved)
    yield Do.KEEP, level, none
    yield Do.WAIT, level, none
    yield Do.LESSEN, level, none
    yield from _cycle(level, levels, smoothing, improved)
    yield Do.WAIT, level, none
    yield Do.JOIN, level, none


@nb.njit(cache=KEPT, nogil=True)
def field(table, level, which):
    """Lay an array over a field of a level."""
    shape = (table[level, 0], table[level, 1], 3, table[level, 2])
    return nb.carray(pointer(table[level, which]), shape, np.float32)


@nb.njit(cache=KEPT, nogil=True)
def of_nodes(table, level, which, kind):
    """Lay an array over what a level has once per node."""
    shape = (table[level, 0], table[level, 1], table[level, 2])
    return nb.carray(pointer(table[level, which]), shape, kind)


@nb.njit(cache=KEPT, nogil=True)
def spans_of(table, level):
    """Lay an array over where a level has material."""
    return nb.carray(pointer(table[level, SPANS]), (table[level, 0], table[level, 1], 2), np.int32)


@nb.njit(cache=KEPT, nogil=True)
def grid_of(table, level):
    """Return a level as a sweep wants it."""
    t = table[level]
    return (t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7])


@nb.njit(cache=KEPT, nogil=True)
def _sweep(kind, table, level, out, run, weights, space, halo):  # noqa: PLR0913, PLR0917
    """Sweep a level's correction over this thread's planes."""
    begin, end = run
    x, b = table[level, CORRECTION], table[level, RESIDUALS]
    plane = 12 * table[level, 1] * table[level, 2]
    planes = (x + max(begin - 1, 0) * plane, x + min(end, table[level, 0] - 1) * plane)
    if kind == SMOOTH and (begin > 0 or end < table[level, 0]):
        planes = (nb.int64(halo[0].ctypes.data), nb.int64(halo[1].ctypes.data))
    fields = (x, b, table[level, out])
    single, grid = nb.boolean(False), grid_of(table, level)
    return sweep_planes(kind, single, grid, fields, planes, begin, end, weights, space)


@nb.njit(cache=KEPT, nogil=True)
def _copy(table, level, run, halo):
    """Copy the planes before and behind our own."""
    x = field(table, level, CORRECTION)
    flat, size = x.reshape(-1), x.shape[1] * 3 * x.shape[3]
    for side, plane in enumerate((max(run[0] - 1, 0), min(run[1], x.shape[0] - 1))):
        for n in range(size):
            halo[side, n] = flat[plane * size + n]


@nb.njit(cache=KEPT, nogil=True, fastmath=True)
def _invert(table, level, unknowns, inverse):
    """Solve the coarsest level by its dense inverse."""
    x, b = (
        field(table, level, CORRECTION).reshape(-1),
        field(table, level, RESIDUALS).reshape(-1),
    )
    given = np.empty(unknowns.size, np.float32)
    for row in range(unknowns.size):
        given[row] = b[unknowns[row]]
    for row in range(unknowns.size):
        total = np.float32(0.0)
        for column in range(unknowns.size):
            total += inverse[row, column] * given[column]
        x[unknowns[row]] = total


@nb.njit(cache=KEPT, nogil=True)
def _lessen(table, level, run, team, threads, me, space, halo, kept):  # noqa: PLR0913, PLR0917
    """Take the first correction's best share out of the residual; remember what `_join` needs."""
    x, b = field(table, level, CORRECTION), field(table, level, RESIDUALS)
    image = field(table, level, IMAGE)
    spans = spans_of(table, level)
    _sweep(APPLY, table, level, IMAGE, run, (0.0, 0.0), space, halo)
    along, energy = two_dots(x, b, image, spans, run[0], run[1])
    along, energy = summed(team, threads, me, along, energy)
    kept[level, 0], kept[level, 1] = (along / energy if energy > 0.0 else 1.0), energy
    if energy > 0.0:
        combine(b, image, 1.0, -along / energy, spans, run[0], run[1])


@nb.njit(cache=KEPT, nogil=True)
def _join(table, level, run, team, threads, me, space, halo, kept):  # noqa: PLR0913, PLR0917
    """Combine both corrections so that their error is least in energy."""
    x, b = field(table, level, CORRECTION), field(table, level, RESIDUALS)
    image = field(table, level, IMAGE)
    spans = spans_of(table, level)
    first, energy = kept[level, 0], kept[level, 1]
    along, coupling = two_dots(x, b, image, spans, run[0], run[1])
    own = _sweep(APPLY, table, level, STEP, run, (0.0, 0.0), space, halo)
    along, coupling = summed(team, threads, me, along, coupling)
    own, _ = summed(team, threads, me, own, 0.0)
    second = 0.0
    if energy > 0.0:
        rest = own - coupling * coupling / energy
        second = along / rest if rest > 0.0 else 0.0
        first -= coupling * second / energy
    kept_x = field(table, level, FIRST)
    combine(x, kept_x, second, first, spans, run[0], run[1])


@nb.njit(cache=KEPT, nogil=True)
def walk(  # noqa: PLR0913, PLR0917 - one place for all instructions
    program, weights, table, cuts, coarsest, team, me, space, halo, kept
):
    """Turn the finest residual into a correction.

    Parameters
    ----------
    table, cuts : fields of the levels, and each thread's first plane there, and the end.
    coarsest : unknowns of the coarsest level and their dense inverse.
    kept : (levels, 2) numbers of this thread.
    """
    threads = cuts.shape[1] - 1
    for number in range(len(program)):
        what, level = program[number]
        if what == Do.WAIT:
            wait(team, threads)
            continue
        run = (cuts[level, me], cuts[level, me + 1])
        pair = (weights[number, 0], weights[number, 1])
        if what == Do.RESTRICT:
            run = (cuts[level + 1, me], cuts[level + 1, me + 1])
        if what == Do.LESSEN:
            _lessen(table, level, run, team, threads, me, space, halo, kept)
        elif what == Do.JOIN:
            _join(table, level, run, team, threads, me, space, halo, kept)
        elif run[0] < run[1]:
            _one(what, level, pair, table, run, coarsest, space, halo)


@nb.njit(cache=KEPT, nogil=True)
def _one(what, level, pair, table, run, coarsest, space, halo):  # noqa: PLR0913, PLR0917
    """Do what needs no other thread."""
    x, b = field(table, level, CORRECTION), field(table, level, RESIDUALS)
    step = field(table, level, STEP)
    begin, end = run
    if what == Do.SMOOTH:
        _sweep(SMOOTH, table, level, STEP, run, pair, space, halo)
    elif what == Do.BEGIN:
        inverse = of_nodes(table, level, INVERSE, np.float32)
        begin_smoothing(b, x, step, inverse, spans_of(table, level), pair[1], begin, end)
    elif what == Do.COPY:
        _copy(table, level, run, halo)
    elif what == Do.RESIDUAL:
        _sweep(RESIDUAL, table, level, STEP, run, pair, space, halo)
    elif what == Do.RESTRICT:
        coarse, free = (
            field(table, level + 1, RESIDUALS),
            of_nodes(table, level + 1, FREE, np.uint8),
        )
        restrict(step, coarse, free, spans_of(table, level + 1), begin, end)
    elif what == Do.PROLONG:
        coarse, free = field(table, level + 1, CORRECTION), of_nodes(table, level, FREE, np.uint8)
        prolong(coarse, x, free, spans_of(table, level), begin, end)
    elif what == Do.INVERT:
        _invert(table, level, coarsest[0], coarsest[1])
    elif what == Do.KEEP:
        combine(field(table, level, FIRST), x, 0.0, 1.0, spans_of(table, level), begin, end)
