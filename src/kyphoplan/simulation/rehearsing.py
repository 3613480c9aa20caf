"""One run of one level: balloons, voids, cement, strength before and after, all in numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kyphoplan.case import LevelPlan, Vertebra, VertebraMeasures, Volume
from kyphoplan.case.filling import Filling, Site
from kyphoplan.case.rehearsal import Moment, Slices
from kyphoplan.geometry import Array
from kyphoplan.materials import CEMENT_MPA
from kyphoplan.simulation.augmented import after, before, borne, endplate_peaks
from kyphoplan.simulation.cement.cementing import Mixture, cementing
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.filling import fill
from kyphoplan.simulation.logbook import slices
from kyphoplan.simulation.operation import Assumptions, Operated, operate
from kyphoplan.simulation.treated import treated

Told = Callable[[str, float], None]
CEMENT_PICTURES = 5  # [1] pictures of the cement on its way
MM3_PER_ML = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One run of one level.

    Attributes
    ----------
    operated, filling : bone with voids, and the cement; None if none was planned. It says itself
        if it failed.
    figures : by name; NaN where there is none.
    slices : pictures over time.
    balanced : whether every increment is.
    note : what to know of it, or empty.
    """

    operated: Operated
    filling: Filling | None
    figures: Mapping[str, float]
    slices: tuple[Slices, ...]
    balanced: bool
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is rehearsed.

    Attributes
    ----------
    strength : whether to compute the load borne before and after, too.
    pictures : whether to cut slices on the way.
    """

    vertebra: Vertebra
    ct: Volume
    plan: LevelPlan
    row: VertebraMeasures
    edge_mm: float = 1.0
    threads: int = 1
    strength: bool = True
    pictures: bool = True


def run(
    task: Task,
    assumptions: Assumptions,
    mixture: Mixture,
    *,
    cement_mpa: float = CEMENT_MPA.value,
    told: Told = lambda stage, share: None,
) -> Run:
    """Rehearse a level once.

    Parameters
    ----------
    told : called with the stage and how much of it is done [1].

    Raises
    ------
    CaseError
        If it cannot be cut out or computed.
    """
    method = Method(threads=task.threads)
    operated = operate(
        task.vertebra,
        task.ct,
        task.plan,
        task.row,
        assumptions,
        edge_mm=task.edge_mm,
        method=method,
        pictures=task.pictures,
        told=lambda moment, share: told("inflate", share),
    )
    filling = _filled(task, operated, opened(mixture, operated, assumptions.fracture.kept), told)
    failed = filling is not None and filling.failed
    figures = _figures_of_balloons(operated)
    if filling is not None:
        figures |= _figures_of_cement(filling)
    if task.strength and not failed:  # what it bears with cement, none can tell without its cloud
        cement = np.zeros(operated.void.shape) if filling is None else filling.cement
        figures |= _figures_of_strength(operated, cement, assumptions, cement_mpa, method, told)
    return Run(
        operated=operated,
        filling=filling,
        figures=figures,
        slices=operated.slices + (_pictures(operated, filling) if task.pictures else ()),
        balanced=operated.balanced,
        note="" if filling is None else f"cement: {filling.ending.value} ({filling.detail})",
    )


def opened(mixture: Mixture, operated: Operated, kept: float) -> Mixture:
    """Open the cracks by what the balloons have lifted the endplate; a healed break stays shut."""
    if not operated.moments:
        return mixture
    lift = max(operated.moments[-1].figures.lift_mm, 0.0)
    return replace(mixture, ways=replace(mixture.ways, lift_mm=(1.0 - kept) * lift))


def _filled(task: Task, operated: Operated, mixture: Mixture, told: Told) -> Filling | None:
    """Fill the voids with the planned cement; None if none is planned."""
    plan = task.plan
    if plan.fill is None or not plan.fill.total.value or not plan.fill.accepted:
        return None
    specimen, solid = treated(operated, mixture.mineral_mg_per_cm3)
    problem = cementing(
        specimen, task.vertebra, task.row, plan, solid, operated.void, mixture=mixture
    )
    volume = problem.volume_ml
    return fill(problem, lambda portion: told("cement", portion.injected_ml / volume))


def _figures_of_balloons(operated: Operated) -> dict[str, float]:
    """Figures after the balloons are let down, and of their greatest pressure."""
    full = operated.full
    if full is None:
        return {}
    last = operated.moments[-1]
    voids = dict(zip(operated.sides, operated.operation.skins, strict=True))
    figures = {
        "anterior_height_gain": last.figures.anterior_mm,
        "middle_height_gain": last.figures.middle_mm,
        "posterior_height_gain": last.figures.posterior_mm,
        "wedge_change": last.figures.wedge_deg,
        "segment_change": last.figures.segment_deg,
        "mean_lift": last.figures.lift_mm,
        "largest_lift": last.figures.largest_lift_mm,
        "inflated_middle_height_gain": full.figures.middle_mm,
        "inflated_volume": sum(full.volume_ml.values()),
        "largest_pressure": _largest_pressure(operated.moments),
        "posterior_wall_strain": max(m.posterior_strain for m in operated.moments),
        "posterior_wall_breach": float(any(m.breach for m in operated.moments)),
        "bone_gave_way": float(operated.operation.gave_way),
        "void_volume": sum(skin.volume_mm3 for skin in voids.values()) / MM3_PER_ML,
        "crushing_work": last.dissipated_mj / MM3_PER_ML,
    }
    for side, skin in voids.items():
        figures[f"{side}_void_volume"] = skin.volume_mm3 / MM3_PER_ML
    return figures


def _largest_pressure(moments: tuple[Moment, ...]) -> float:
    return max(max(moment.pressure_bar.values()) for moment in moments)


def _figures_of_cement(filling: Filling) -> dict[str, float]:
    if filling.failed:
        return {}
    figures = {f"cement_{site.name.lower()}": filling.at(site) for site in Site}
    left = filling.left_share
    return figures | {
        "cement_injected": filling.injected_ml,
        "cement_leaked": filling.leaked_ml,
        "fill_fraction": 100.0 * filling.fill_fraction,
        "interdigitation": 100.0 * filling.interdigitation,
        "cement_left_share": 100.0 * left if left is not None else float("nan"),
        "cement_pressure": 10.0 * filling.highest_pressure_mpa,
    }


def _figures_of_strength(
    operated: Operated,
    cement: Array,
    assumptions: Assumptions,
    cement_mpa: float,
    method: Method,
    told: Told,
) -> dict[str, float]:
    """Load borne and passed on: before, after, and as if the break were healed."""
    field, law = operated.field, assumptions.bone
    states = {
        "before": before(field, law),
        "after": after(operated, cement, law, cement_mpa),
        "healed": before(field, law, healed=True),
    }
    figures, passed = {}, {}
    for number, (name, state) in enumerate(states.items()):
        found = borne(field, state, method)
        figures[f"stiffness_{name}"] = found.stiffness_n_per_mm
        figures[f"failure_load_{name}"] = found.failure_n if found.balanced else float("nan")
        if name != "healed":
            passed[name] = endplate_peaks(field, state, method)
        told("strength", (number + 1) / len(states))
    for n, where in enumerate(("above", "below")):
        figures[f"neighbour_peak_ratio_{where}"] = passed["after"][n] / passed["before"][n]
    for kind in ("stiffness", "failure_load"):
        figures[f"{kind}_ratio"] = figures[f"{kind}_after"] / figures[f"{kind}_before"]
        figures[f"{kind}_of_healed"] = figures[f"{kind}_after"] / figures[f"{kind}_healed"]
    return figures


def _pictures(operated: Operated, filling: Filling | None) -> tuple[Slices, ...]:
    """Cut the cement at a few moments of its way."""
    if filling is None or filling.failed or not filling.portions:
        return ()
    whole = filling.injected_ml
    middle = operated.middle
    shots = []
    for part in np.linspace(1.0 / CEMENT_PICTURES, 1.0, CEMENT_PICTURES):
        there = filling.filled_at(part * whole) if part < 1.0 else filling.cement > 0.0
        cloud = np.where(there, filling.cement, 0.0)
        shots.append(slices(operated.operation, middle, f"cement: {part * whole:.1f} ml", cloud))
    return tuple(shots)
