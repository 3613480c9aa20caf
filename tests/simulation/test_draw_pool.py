"""Draws: each for itself, in order; a failed one takes no other with it."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kyphoplan.errors import CaseError
from kyphoplan.simulation import draw_pool
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.filling import fill
from kyphoplan.simulation.rehearsing import Task
from kyphoplan.simulation.uncertainty import draws

from ..planned import planned
from .clouds import block

DRAWN = draws(4, 5, given(0.8))


def task(threads: int = 1) -> Task:
    """A level that was not located: every draw refuses it at once."""
    case = planned()
    lost = replace(case.spine["L1"], body=None, reason="cropped")
    return Task(
        vertebra=lost, ct=case.ct, plan=case.plan.levels[0], row=case.measurements["L1"],
        edge_mm=2.0, threads=threads,
    )  # fmt: skip


def test_a_failed_draw_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def run(*_: Any, **__: Any) -> Any:
        calls.append(1)
        error = {2: CaseError("no bone"), 3: np.linalg.LinAlgError("singular")}.get(len(calls))
        if error is not None:
            raise error
        return SimpleNamespace(
            figures={"void_volume": float(len(calls))}, filling=None, balanced=True
        )

    monkeypatch.setattr(draw_pool, "run", run)
    found = list(draw_pool.compute(task(), DRAWN))
    assert [drawn.figures.get("void_volume") for drawn in found] == [1.0, None, None, 4.0, 5.0]
    assert found[1].failed == "CaseError: no bone"
    assert found[2].failed == "LinAlgError: singular"


def test_draws_tell_how_far_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, told: Any, **__: Any) -> Any:
        told("inflate", 0.5)
        told("strength", 1.0)
        return SimpleNamespace(figures={}, filling=None, balanced=True)

    monkeypatch.setattr(draw_pool, "run", run)
    seen: list[float] = []
    assert len(list(draw_pool.compute(task(), DRAWN[:2], seen.append))) == 2
    assert seen == pytest.approx([0.175, 0.5, 0.675, 1.0])


def test_only_the_ledger_of_a_filling_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    filling = fill(block(volume_ml=0.1))
    kept = SimpleNamespace(figures={}, filling=filling, balanced=True)
    monkeypatch.setattr(draw_pool, "run", lambda *_, **__: kept)
    (drawn,) = draw_pool.compute(task(), DRAWN[:1])
    assert drawn.filling is not None
    assert drawn.filling.cement.size == 1
    assert drawn.filling.portions == filling.portions


@pytest.mark.slow
def test_processes_tell_the_same_as_one_and_are_gone_afterwards() -> None:
    alone, beside = (
        [drawn.failed for drawn in draw_pool.compute(task(n), DRAWN[:3])] for n in (1, 2)
    )
    assert alone == beside
    assert "cropped" in alone[0]
    assert draw_pool.multiprocessing.active_children() == []


@pytest.mark.slow
def test_who_stops_looking_stops_the_processes() -> None:
    looking = draw_pool.compute(task(2), DRAWN)
    next(looking)
    looking.close()
    assert draw_pool.multiprocessing.active_children() == []
