"""A rehearsal says how many of its draws each figure rests on."""

from types import SimpleNamespace
from typing import Any

import pytest

from kyphoplan.case.filling import LEAKS
from kyphoplan.simulation import rehearsing, simulating
from kyphoplan.simulation.draw_pool import Drawn
from kyphoplan.simulation.filling import fill
from kyphoplan.simulation.uncertainty import FEWEST

from ..planned import planned
from .clouds import block


def test_draws_without_their_cement_are_counted_and_said() -> None:
    dry, failed = fill(block(volume_ml=0.2)), fill(block(outlets=()))
    row = planned().measurements["L1"]
    found = [Drawn(figures={}, filling=each) for each in [dry] * FEWEST + [failed] * 2]
    main: Any = SimpleNamespace(
        note="", operated=SimpleNamespace(sides=(), operation=SimpleNamespace(tamps=()))
    )
    reason = simulating._reason(main, found)
    assert f"not computed to its end: 2 of {len(found)}" in reason
    assert failed.detail in reason
    leaks = simulating._leaks(found, row)
    assert len(leaks) == len(LEAKS) + 1
    assert all("of 2 more the flow was not found" in leak.reason for leak in leaks.values())
    few = simulating._leaks(found[1:], row)
    assert all(leak.value is None for leak in few.values())
    none = simulating._leaks([Drawn(figures={})] * FEWEST, row)
    assert {leak.reason for leak in none.values()} == {simulating.NO_CEMENT}
    assert simulating._reason(main, found[:FEWEST]) == ""


def test_a_run_without_its_cement_tells_no_strength_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = fill(block(outlets=()))
    case, asked = planned(), []
    operated: Any = SimpleNamespace(slices=(), balanced=True, moments=(), full=None)
    monkeypatch.setattr(rehearsing, "operate", lambda *_, **__: operated)
    monkeypatch.setattr(rehearsing, "_filled", lambda *_: failed)
    monkeypatch.setattr(rehearsing, "_figures_of_balloons", lambda _: {"void_volume": 1.0})
    monkeypatch.setattr(rehearsing, "_figures_of_strength", lambda *_: asked.append(1) or {})
    usual = simulating.usual()
    task = rehearsing.Task(
        vertebra=case.spine["L1"], ct=case.ct, plan=case.plan.levels[0],
        row=case.measurements["L1"], pictures=False,
    )  # fmt: skip
    run = rehearsing.run(task, usual.assumptions, usual.mixture)
    assert run.figures == {"void_volume": 1.0}
    assert not asked
    assert failed.detail in run.note
