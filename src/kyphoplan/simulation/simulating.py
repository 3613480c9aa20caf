"""The rehearsal of a whole plan: each level once as planned, then draws for the intervals."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from kyphoplan.case import (
    LevelPlan,
    Measure,
    Measurements,
    Notice,
    Plan,
    Severity,
    Side,
    Spine,
    VertebraMeasures,
    Volume,
)
from kyphoplan.case.filling import LEAKS, YEOM, Site
from kyphoplan.case.rehearsal import LevelRehearsal, Rehearsal, Rehearsed
from kyphoplan.errors import CaseError
from kyphoplan.materials import FLOWING, REHEARSED
from kyphoplan.morphometry import measure
from kyphoplan.simulation.balloon.tamps import Tamp
from kyphoplan.simulation.calibration import Calibration
from kyphoplan.simulation.cement.solids_of_cement import cloud_solid, void_solid
from kyphoplan.simulation.domain import outside
from kyphoplan.simulation.draw_pool import Drawn, compute
from kyphoplan.simulation.fracture import broken_endplates
from kyphoplan.simulation.leakage import any_leak, leak_probabilities
from kyphoplan.simulation.rehearsing import Run, Task, run
from kyphoplan.simulation.uncertainty import (
    FEWEST,
    NOT_ESTIMATED,
    Draw,
    draws,
    measured,
    unit_of,
    usual,
)

Told = Callable[[str, str, float], None]


def simulate(  # noqa: PLR0913 - options have defaults
    plan: Plan,
    spine: Spine,
    ct: Volume,
    measurements: Measurements | None = None,
    *,
    calibration: Calibration | None = None,
    count: int = 0,
    seed: int = 0,
    edge_mm: float = 1.0,
    threads: int = 2,
    told: Told = lambda level, stage, share: None,
) -> Rehearsal:
    """Rehearse the balloons and the cement of a plan on the patient's own bone.

    Parameters
    ----------
    measurements : of the spine; measured here if not given.
    calibration : from HU to mineral density; a wide assumption if not given.
    count : how many draws of what is uncertain; with fewer than five nothing is estimated, and
        the one run as planned is told.
    seed : of the draws: the same seed gives the same result, however many cores work on it.
    edge_mm : edge of the voxels [mm].
    threads : processor cores to use. More than one starts processes for the draws, so a script
        must begin with ``if __name__ == "__main__":``.
    told : called with level, stage and how much of it is done [1].

    Returns
    -------
    A rehearsal of each level; what cannot be rehearsed says why.
    """
    figures = measurements or measure(spine, ct)
    levels, notices = [], []
    for row in plan.levels:
        name = str(row.level)
        try:
            task = _task(spine, ct, row, figures, edge_mm, threads)
            levels.append(_rehearsed(task, calibration, count, seed, told))
        except CaseError as error:
            levels.append(_abstained(row, str(error)))
            notices.append(_notice(row, f"was not rehearsed: {error}"))
            continue
        if levels[-1].outcome is Rehearsed.DOUBTFUL:
            notices.append(_notice(row, f"{name}: {levels[-1].outcome}"))
    if calibration is None and plan.levels:
        notices.append(_uncalibrated())
    return Rehearsal(levels=tuple(levels), notices=tuple(notices), edge_mm=edge_mm, seed=seed)


def _task(
    spine: Spine,
    ct: Volume,
    row: LevelPlan,
    figures: Measurements,
    edge_mm: float,
    threads: int,
) -> Task:
    """Check that a level can be rehearsed."""
    if not row.trajectories:
        raise CaseError(f"{row.level}: no cannula is planned: {row.reason}")
    if not any(way.accepted for way in row.trajectories):
        raise CaseError(f"{row.level}: every cannula is refused")
    found = [m for m in figures.vertebrae if m.level is row.level]
    if not found:
        raise CaseError(f"{row.level}: not among the measurements: measure it first")
    beyond = outside(spine[row.level], ct, row)
    if beyond:
        raise CaseError(f"{row.level}: {beyond}")
    return Task(
        vertebra=spine[row.level],
        ct=ct,
        plan=row,
        row=found[0],
        edge_mm=edge_mm,
        threads=threads,
    )


def _rehearsed(
    task: Task, calibration: Calibration | None, count: int, seed: int, told: Told
) -> LevelRehearsal:
    level = str(task.plan.level)
    first = usual(calibration)
    main = run(  # on one thread beside draws: sums in another order would change its last digits
        replace(task, threads=1) if count else task,
        first.assumptions,
        first.mixture,
        cement_mpa=first.cement_mpa,
        told=lambda stage, share: told(level, stage, share),
    )
    found = _drawn(task, draws(seed, count, calibration), lambda far: told(level, "draws", far))
    done = [drawn for drawn in found if not drawn.failed]
    figures = measured([drawn.figures for drawn in done] if done else [main.figures])
    figures |= {
        name: Measure.unknown(unit_of(name), "no draw came to this figure")
        for name in main.figures
        if name not in figures
    }
    filling = None if main.filling is None or main.filling.failed else main.filling
    return LevelRehearsal(
        level=task.plan.level,
        outcome=Rehearsed.DONE if main.balanced else Rehearsed.DOUBTFUL,
        reason=_reason(main, found),
        moments=main.operated.moments,
        figures=figures,
        as_planned={name: x for name, x in main.figures.items() if math.isfinite(x)},
        leaks=_leaks(done, task.row),
        cement={name: figures[name] for name in PLACES if name in figures},
        portions=() if filling is None else filling.portions,
        slices=main.slices,
        void=tuple(
            void_solid(f"{level} {side} void", skin, main.operated.field)
            for side, skin in zip(main.operated.sides, main.operated.operation.skins, strict=True)
        ),
        cloud=cloud_solid(f"{level} cement", filling, main.operated.field),
        draws=len(done),
        assumptions=_assumed(task.row, first),
    )


def _drawn(task: Task, sets: tuple[Draw, ...], told: Callable[[float], None]) -> list[Drawn]:
    """Compute the draws; that all is done is told once."""
    found = list(compute(task, sets, lambda far: told(far) if far < 1.0 else None))
    if found:
        told(1.0)
    return found


def _leaks(done: list[Drawn], row: VertebraMeasures) -> dict[str, Measure]:
    """Return how likely each leak is; a few draws tell no probability."""
    names = {site: _leak_name(site) for site in LEAKS}
    fillings = [drawn.filling for drawn in done if drawn.filling is not None]
    why = ""
    if len(done) < FEWEST:
        why = NOT_ESTIMATED
    elif not fillings:
        why = NO_CEMENT
    elif sum(not filling.failed for filling in fillings) < FEWEST:
        why = TOO_FEW_FILLED
    if why:
        return dict.fromkeys([*names.values(), ANYWHERE], Measure.unknown("1", why))
    found = leak_probabilities(fillings, row)
    leaks = {name: found[site] for site, name in names.items()}
    return leaks | {ANYWHERE: any_leak(fillings, row)}


def _reason(main: Run, found: list[Drawn]) -> str:
    failed = [drawn.failed for drawn in found if drawn.failed]
    uneven = sum(not drawn.balanced for drawn in found)
    unfilled = [d.filling.detail for d in found if d.filling is not None and d.filling.failed]
    parts = [main.note] if main.note else []
    left = [
        f"{side} {1000.0 * reached / tamp.volume_mm3:.0%} of {tamp.volume_mm3 / 1000.0:.1f} ml"
        for reached, side, tamp in _reached(main)
        if 1000.0 * reached < NEARLY_FULL * tamp.volume_mm3
    ]
    if left:
        why = "as the bone gave way" if main.operated.operation.gave_way else AT_LIMIT
        parts.append(f"stopped {why}, " + ", ".join(left))
    if failed:
        parts.append(f"draws that could not be computed: {len(failed)}, the first: {failed[0]}")
    if uneven:
        parts.append(f"draws in which not every increment is in balance: {uneven}")
    if unfilled:
        parts.append(
            f"draws whose cement was not computed to its end: {len(unfilled)} of {len(found)}, "
            f"the first: {unfilled[0]}; cement and strength rest on the others, "
            "the intervals of leaks hold them all"
        )
    return "; ".join(parts)


def _reached(main: Run) -> Iterator[tuple[float, Side, Tamp]]:
    """Yield the largest volume of each balloon [ml]."""
    operated = main.operated
    for side, tamp in zip(operated.sides, operated.operation.tamps, strict=True):
        yield max(moment.volume_ml[side] for moment in operated.moments), side, tamp


NO_CEMENT = "no cement is planned"
TOO_FEW_FILLED = f"not estimated: cement was computed to its end in fewer than {FEWEST} draws"
AT_LIMIT = "at the largest pressure of the balloon"
NEARLY_FULL = 0.99  # [1] of the planned volume


ANYWHERE = "anywhere"
PLACES = tuple(f"cement_{site.name.lower()}" for site in Site)


def _leak_name(site: Site) -> str:
    kind = YEOM[site]
    return f"{site}" if kind is None else f"{site} (Yeom {kind})"


def _assumed(row: VertebraMeasures, draw: Draw) -> dict[str, str]:
    """Say what was assumed, each with its source."""
    said = {
        name: f"{q.value:g} {q.unit} ({q.low:g} to {q.high:g}); {q.source}; {q.status}"
        for name, q in (REHEARSED | FLOWING).items()
    }
    bone = draw.assumptions.bone
    return said | {
        "calibration": draw.assumptions.calibration.source,
        "broken endplate": str(broken_endplates(row)),
        "modulus of bone": f"{bone.modulus.name}; {bone.modulus.source}; {bone.modulus.status}",
        "strength of bone": f"{bone.strength.name}; {bone.strength.source}; "
        f"{bone.strength.status}",
    }


def _abstained(row: LevelPlan, why: str) -> LevelRehearsal:
    return LevelRehearsal(
        level=row.level,
        outcome=Rehearsed.ABSTAINED,
        reason=why,
        moments=(),
        figures={},
        as_planned={},
        leaks={},
        cement={},
        portions=(),
        slices=(),
        void=(),
        cloud=(),
        draws=0,
        assumptions={},
    )


def _notice(row: LevelPlan, text: str) -> Notice:
    return Notice(
        code="not_rehearsed",
        severity=Severity.WARNING,
        level=row.level,
        text=text,
        remedy="judge the plan without a rehearsal",
    )


def _uncalibrated() -> Notice:
    return Notice(
        code="assumed_calibration",
        severity=Severity.WARNING,
        level=None,
        text="the scanner's calibration is assumed: strengths and pressures are rough",
        remedy="give the scan's own with --calibration",
    )
