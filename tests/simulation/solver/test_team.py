"""Threads of a team wait for each other, and all find the same sums."""

import numba as nb
import numpy as np
import pytest

from kyphoplan.geometry import Array
from kyphoplan.simulation.solver.team import new_team, summed, together, wait

ROUNDS = 200


@nb.njit(nogil=True)
def _work(team: Array, threads: int, me: int, marks: Array, sums: Array) -> None:
    """Write a mark, wait, and see everyone's; add up what all give."""
    for turn in range(len(sums)):
        marks[me] = turn + 1
        wait(team, threads)
        sums[turn, 0] = marks.min()
        wait(team, threads)
        one, other = summed(team, threads, me, float(me + turn), 1.0)
        sums[turn, 1], sums[turn, 2] = one, other


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_nobody_passes_before_all_are_there(threads: int) -> None:
    team, marks = new_team(threads), np.zeros(threads)
    sums = np.zeros((threads, ROUNDS, 3))
    together(_work, [(team, threads, me, marks, sums[me]) for me in range(threads)])
    turns = np.arange(ROUNDS)
    for mine in sums:
        assert (mine[:, 0] == turns + 1).all()
        assert (mine[:, 1] == threads * turns + sum(range(threads))).all()
        assert (mine[:, 2] == threads).all()


def test_an_error_in_any_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        together(divmod, [(1, 1), (1, 0)])
