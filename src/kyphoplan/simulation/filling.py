"""Cement pressed into void and trabeculae: the problem, and the loop over its portions.

At each step the pressures are found with the viscosities that belong to their own flow, then the
front moves by one small volume (implicit pressure, explicit saturation).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.case.filling import Ending, Filling, Portion, Site
from kyphoplan.geometry import Array
from kyphoplan.materials import FIRST_DROP_S, INJECTION_ML_PER_S, MARROW_VISCOSITY
from kyphoplan.simulation.cement.injecting import Balance, Injection
from kyphoplan.simulation.cement.medium import medium_of, reached
from kyphoplan.simulation.cement.outlets import Outlet, Voxels
from kyphoplan.simulation.cement.permeability import USUAL, Permeability
from kyphoplan.simulation.cement.rheology import Curing
from kyphoplan.simulation.leakage import USUAL_STOPS, Stops

STEP_ML = 0.1  # [ml] of cement between two looks at the pressure
SMALLEST_ML = 1e-9  # [ml] of rounding
MM3_PER_ML = 1000.0
COURANT = 0.5  # [1] of a voxel that the front moves in one step, on average
GROWTH = 0.25  # [1] of a doubling of the viscosity within a step at most


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Port:
    """Where cement comes in: voxels (N, 3), and their share of the rate [1]."""

    voxels: Voxels
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """How cement is pressed: at a rate [ml/s] for all ports, or at a pressure [MPa]."""

    rate_ml_per_s: float | None = None
    pressure_mpa: float | None = None

    def __post_init__(self) -> None:
        """One of both, above 0."""
        given = [v for v in (self.rate_ml_per_s, self.pressure_mpa) if v is not None]
        if len(given) != 1 or not given[0] > 0.0:
            raise ValueError("control the filling by a rate or by a pressure, one above 0")


USUAL_CONTROL = Control(rate_ml_per_s=INJECTION_ML_PER_S.value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FillingProblem:
    """What is filled, through what, with what.

    Attributes
    ----------
    inside : (I, J, K) voxels that fluid can enter: bone and void.
    bone_fraction : (I, J, K) share of bone in what is not void [1].
    void_fraction : (I, J, K) share of void: balloon, cleft, track [1].
    edge_mm : edge of a voxel [mm].
    ports, outlets : ways in and out.
    cement : its viscosity over time.
    volume_ml, control : how much and how.
    marrow_mpa_s : viscosity of marrow [MPa s].
    permeability : of bone.
    stops : when to stop earlier.
    start_s : first drop, after mixing [s].
    step_ml : volume of a portion [ml].
    body : voxels whose volume the fill fraction refers to; all inside if None.
    middle_i : index i of the mid-line, for the balance of sides (i runs to the left); or None.
    """

    inside: NDArray[np.bool_]
    bone_fraction: Array
    void_fraction: Array
    edge_mm: float
    ports: tuple[Port, ...]
    outlets: tuple[Outlet, ...]
    cement: Curing
    volume_ml: float
    control: Control = USUAL_CONTROL
    marrow_mpa_s: float = MARROW_VISCOSITY.value
    permeability: Permeability = USUAL
    stops: Stops = USUAL_STOPS
    start_s: float = FIRST_DROP_S.value
    step_ml: float = STEP_ML
    body: NDArray[np.bool_] | None = None
    middle_i: float | None = None

    def __post_init__(self) -> None:
        """Refuse shapes and volumes that do not fit."""
        shapes = {a.shape for a in (self.inside, self.bone_fraction, self.void_fraction)}
        if len(shapes) != 1:
            raise ValueError(f"inside, bone_fraction and void_fraction differ in shape: {shapes}")
        if not (self.volume_ml >= 0.0 and self.step_ml > 0.0 and self.edge_mm > 0.0):
            raise ValueError("volume_ml must be 0 or more, step_ml and edge_mm above 0")
        if not any(port.share > 0.0 for port in self.ports):
            raise ValueError("give a port with a share above 0")
        if not all(self.inside[tuple(port.voxels.T)].all() for port in self.ports):
            raise ValueError("a port lies outside the bone: move it inside")
        room = np.array(self.inside.shape)
        if any(((o.voxels < 0) | (o.voxels >= room)).any() for o in self.outlets):
            raise ValueError(f"an outlet lies outside the grid {self.inside.shape}")


def fill(problem: FillingProblem, told: Callable[[Portion], None] = lambda _: None) -> Filling:
    """Fill a body with cement and say where it went.

    Parameters
    ----------
    told : called after each portion.
    """
    if problem.volume_ml <= SMALLEST_ML:
        return _without_cloud(problem, Ending.NOTHING, "the volume is 0", ())
    within = reached(problem.inside, np.concatenate([p.voxels for p in problem.ports]))
    medium = medium_of(
        within,
        problem.bone_fraction,
        problem.void_fraction,
        problem.edge_mm,
        problem.outlets,
        problem.marrow_mpa_s,
        problem.permeability,
    )
    if not medium.cell.size:
        return _without_cloud(problem, Ending.BLOCKED, "no outlet can be reached from a port", ())
    control = problem.control
    injection = Injection(medium, _shares(problem, medium.network.index), control.pressure_mpa)
    portions: list[Portion] = []
    arrival = np.full(medium.network.count, np.nan)
    ending, detail, time = None, "", problem.start_s
    while ending is None:
        portion, ending, detail = _portion(problem, injection, portions, time)
        if portion is None:
            continue
        portions.append(portion)
        time = portion.time_s
        arrival[np.isnan(arrival) & (injection.part >= 0.5)] = portion.injected_ml  # noqa: PLR2004
        told(portion)
        if ending is None:
            ending, detail = _after(problem, portions)
    if ending in {Ending.UNBALANCED, Ending.BLOCKED}:
        return _without_cloud(problem, ending, detail, tuple(portions))
    return _with_cloud(problem, injection, arrival, (ending, detail), tuple(portions))


def _shares(problem: FillingProblem, index: NDArray[np.int64]) -> Array:
    """Share of the rate that enters each voxel (N,) [1]."""
    shares = np.zeros(int(index.max()) + 1)
    whole = sum(port.share for port in problem.ports)
    for port in problem.ports:
        cells = index[tuple(port.voxels.T)]
        np.add.at(shares, cells, port.share / whole / cells.size)
    return shares


def _portion(
    problem: FillingProblem, injection: Injection, portions: list[Portion], time: float
) -> tuple[Portion | None, Ending | None, str]:
    """Inject one portion in steps that move the front by a part of a voxel, or say why it ends."""
    done = portions[-1].injected_ml if portions else 0.0
    goal = min(done + problem.step_ml, problem.volume_ml)
    steps: list[Balance] = []
    went: dict[Site, float] = {}
    ending, detail = None, ""
    while ending is None and done < goal - SMALLEST_ML:
        solved, ending, detail = _balanced(problem, injection, time, done)
        if ending is not None:
            break
        steps.append(solved)
        rate = problem.control.rate_ml_per_s or solved.rate_mm3_per_s / MM3_PER_ML
        longest = GROWTH * problem.cement.doubling_s
        volume = min(goal - done, _step_ml(problem, done), rate * longest)
        for site, mm3 in injection.move(volume * MM3_PER_ML).items():
            went[site] = went.get(site, 0.0) + mm3 / MM3_PER_ML
        done, time = done + volume, time + volume / rate
    if not steps:
        return None, ending, detail
    portion = Portion(
        injected_ml=done,
        time_s=time,
        pressure_mpa=max(step.port_mpa for step in steps),
        went_ml=went,
        change=max(step.change for step in steps),
        residual=max(step.residual for step in steps),
        iterations=sum(step.iterations for step in steps),
    )
    return portion, ending, detail


def _balanced(
    problem: FillingProblem, injection: Injection, time: float, done: float
) -> tuple[Balance, Ending | None, str]:
    """Find the flow at a moment, and say whether it is one to stop at."""
    law = problem.cement.at(time)
    rate = (problem.control.rate_ml_per_s or 0.0) * MM3_PER_ML
    solved = injection.balance(law, rate)
    if law.consistency > problem.cement.stiffest:
        return solved, Ending.SET, f"{time / 60.0:.1f} min after mixing, at {done:.1f} ml"
    if not solved.whole:
        return solved, Ending.UNBALANCED, f"after {done:.1f} ml: {solved.why}"
    if solved.port_mpa > problem.stops.pressure_mpa:
        return solved, Ending.PRESSURE, f"{solved.port_mpa:.3g} MPa at {done:.1f} ml"
    if not solved.rate_mm3_per_s > 0.0:
        return solved, Ending.BLOCKED, f"nothing flows in after {done:.1f} ml"
    return solved, None, ""


def _step_ml(problem: FillingProblem, done: float) -> float:
    """Volume that moves the front of round clouds, one at each port, by COURANT voxels [ml]."""
    ports = len(problem.ports)
    each = done * MM3_PER_ML / ports
    area = np.cbrt(36.0 * np.pi * each**2)
    volume = ports * max(COURANT * problem.edge_mm * area, problem.edge_mm**3)
    return float(volume) / MM3_PER_ML


def _after(problem: FillingProblem, portions: list[Portion]) -> tuple[Ending | None, str]:
    """Say whether the filling ends after its last portion."""
    done = portions[-1].injected_ml
    leaked = {site: sum(p.went_ml.get(site, 0.0) for p in portions) for site in Site}
    stopped = problem.stops.reached(leaked)
    if stopped is not None:
        return stopped, f"at {done:.1f} of {problem.volume_ml:.1f} ml"
    if done >= problem.volume_ml - SMALLEST_ML:
        return Ending.VOLUME, f"{done:.1f} ml"
    return None, ""


def _body_ml(problem: FillingProblem) -> float:
    body = problem.inside if problem.body is None else problem.body
    return float(body.sum()) * problem.edge_mm**3 / MM3_PER_ML


def _without_cloud(
    problem: FillingProblem, ending: Ending, detail: str, portions: tuple[Portion, ...]
) -> Filling:
    """Return a filling that has no cloud to show; its portions are where it got to."""
    none = np.zeros(problem.inside.shape)
    return Filling(
        ending=ending,
        detail=detail,
        edge_mm=problem.edge_mm,
        cement=none,
        in_void=none,
        arrival_ml=np.full(problem.inside.shape, np.nan),
        portions=portions,
        body_ml=_body_ml(problem),
        left_ml=None if problem.middle_i is None else 0.0,
    )


def _with_cloud(
    problem: FillingProblem,
    injection: Injection,
    arrival: Array,
    ended: tuple[Ending, str],
    portions: tuple[Portion, ...],
) -> Filling:
    index = injection.medium.network.index
    where = index >= 0
    cloud = [np.zeros(index.shape), np.zeros(index.shape), np.full(index.shape, np.nan)]
    share = injection.cement_mm3 / problem.edge_mm**3
    for block, values in zip(cloud, (share, share * injection.medium.void, arrival), strict=True):
        block[where] = values
    return Filling(
        ending=ended[0],
        detail=ended[1],
        edge_mm=problem.edge_mm,
        cement=cloud[0],
        in_void=cloud[1],
        arrival_ml=cloud[2],
        portions=portions,
        body_ml=_body_ml(problem),
        left_ml=_left_ml(problem, cloud[0]),
        held_ml={site: mm3 / MM3_PER_ML for site, mm3 in injection.held_mm3().items()},
    )


def _left_ml(problem: FillingProblem, cement: Array) -> float | None:
    if problem.middle_i is None:
        return None
    side = np.arange(cement.shape[0]) - problem.middle_i
    weight = np.clip(side + 0.5, 0.0, 1.0)  # a voxel that the mid-line cuts counts in part
    whole = cement.sum(axis=(1, 2)) * problem.edge_mm**3 / MM3_PER_ML
    return float(weight @ whole)
