"""One injection as it goes on: the flow that balances, and the front that it moves."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.darcy import Flow
from kyphoplan.simulation.cement.front import advance
from kyphoplan.simulation.cement.medium import Medium
from kyphoplan.simulation.cement.rheology import PowerLaw

CHANGE = 2e-3  # [1] of port pressure and flow between two iterations of viscosity
MOST_ITERATIONS = 60
PATIENCE = 15  # [1] iterations after which the viscosity follows more slowly: it swings
FULL = 1.0 - 1e-9  # [1] rounding
LEAST = 1e-300  # against division by zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a flow was found: whole or not and why, with its figures."""

    whole: bool
    why: str
    port_mpa: float
    rate_mm3_per_s: float
    change: float
    residual: float
    iterations: int


class Injection:
    """Cement in a medium, from the first drop on.

    Attributes
    ----------
    medium : what it flows in.
    room : (N,) pore volume that still holds marrow [mm3].
    waiting : (N,) cement that found no way on [mm3].
    leaked : per outlet [mm3].
    entered : (M,) cement that went in at each opening [mm3].
    """

    def __init__(self, medium: Medium, shares: Array, pressure_mpa: float | None) -> None:
        """Begin with marrow only; ``shares`` (N,) of the rate enter each voxel."""
        self.medium = medium
        self.room: Array = medium.pores_mm3.copy()
        self.waiting: Array = np.zeros_like(self.room)
        self.leaked: Array = np.zeros(len(medium.outlets))
        self.entered: Array = np.zeros(medium.cell.size)
        self._shares = shares
        self._pressure = pressure_mpa
        self._flow = Flow(medium.network)
        self._through: Array | None = None
        self._out: Array = np.zeros(medium.cell.size)
        self._open = np.ones(medium.cell.size, bool)
        self._thick: Array | None = None
        self._ends = _ends(medium)

    @property
    def part(self) -> Array:
        """Part of each voxel's pores that is cement (N,) [1]."""
        return 1.0 - np.maximum(self.room, 0.0) / self.medium.pores_mm3

    @property
    def pressure_mpa(self) -> Array:
        """Pressure of the last flow found (N,) [MPa]."""
        return self._flow.pressure

    @property
    def cement_mm3(self) -> Array:
        """Cement in each voxel (N,) [mm3]."""
        return np.asarray(self.medium.pores_mm3 - self.room + self.waiting)

    def balance(self, law: PowerLaw, rate_mm3_per_s: float) -> Balance:
        """Find the flow whose own viscosities are those it was found with."""
        part, relax = self.part, 2.0 / (1.0 + law.index)
        before = self._flow.pressure, self._through
        change, iteration = np.inf, 0
        while iteration < MOST_ITERATIONS:
            iteration += 1
            self._thicken(law, relax / (1 + iteration // PATIENCE))
            turned, solved = self._solve(law, part, rate_mm3_per_s)
            if not solved:
                break
            change = self._change(*before)
            before = self._flow.pressure, self._through
            if not turned and change < CHANGE:
                break
        whole = solved and not turned and change < CHANGE
        why = "" if whole else f"pressure still changes by {change:.2g} in {iteration} iterations"
        return Balance(
            whole=whole,
            why=why if solved else "the pressures do not balance",
            port_mpa=float(self._flow.pressure[self._shares > 0.0].max()),
            rate_mm3_per_s=self._rate(),
            change=float(change),
            residual=self._flow.residual,
            iterations=iteration,
        )

    def _thicken(self, law: PowerLaw, relax: float) -> None:
        """Take the viscosity towards that of the last flow; both ends of the scale are ratios."""
        speed = np.zeros_like(self.room)
        if self._through is not None:
            speed = self.medium.speed(self._through)
        aim = self.medium.thickness(law, speed)
        if self._thick is None or self._through is None:
            self._thick = aim
        else:
            self._thick = self._thick ** (1.0 - relax) * aim**relax

    def _solve(self, law: PowerLaw, part: Array, rate: float) -> tuple[bool, bool]:
        """Solve once; say whether a valve turned, and whether the pressures balance."""
        medium, count = self.medium, self.medium.network.count
        assert self._thick is not None  # by `_thicken`
        between = medium.between(self._thick, part, self._through)
        ways = np.where(self._open & ~medium.closed(part >= FULL), 1.0, 0.0)
        ways = ways * medium.outward(self._thick, part, self._in_ways(law))
        outward = np.bincount(medium.cell, ways, count).astype(float)
        source = np.bincount(medium.cell, ways * medium.outside, count).astype(float)
        if self._pressure is None:
            solved = self._flow.solve(between, outward, source + rate * self._shares)
        else:
            solved = self._flow.solve(*self._held(between, outward, source, self._pressure))
        drop = self._flow.pressure[medium.cell] - medium.outside
        turned = bool((self._open != (drop > 0.0)).any())
        self._open = drop > 0.0
        self._out = ways * np.maximum(drop, 0.0)
        self._through = self._flow.through(between)
        return turned, solved

    def _held(
        self, between: Array, outward: Array, source: Array, pressure: float
    ) -> tuple[Array, Array, Array]:
        """Hold the ports at a pressure: their faces become ways to it from the next voxels."""
        network, port = self.medium.network, self._shares > 0.0
        first, second = port[network.first], port[network.second]
        scale = 0.0
        for cell, free in ((network.first, second & ~first), (network.second, first & ~second)):
            way = np.bincount(cell[free], between[free], network.count)
            outward, source = outward + way, source + way * pressure
            scale = max(scale, float(way.max()))
        self._flow.pressure = np.where(port, pressure, self._flow.pressure)
        alone = np.where(port, scale, outward)  # no larger than what it is solved beside
        inner = np.where(first | second, 0.0, between)
        return inner, alone, np.where(port, alone * pressure, source)

    def _in_ways(self, law: PowerLaw) -> Array:
        """Viscosity in each way out (M,) [MPa s]: cement as far as it has come, then marrow."""
        medium = self.medium
        flow = np.bincount(medium.way, self._out, len(medium.outlets))
        values = np.full(medium.cell.size, medium.marrow)
        for number, outlet in enumerate(medium.outlets):
            if outlet.site is None:
                continue
            own = np.array(outlet.radius_mm**2 / 8.0)  # permeability of a round tube
            cement = float(law(flow[number] / outlet.area_mm2, own, np.array(1.0)))
            here = medium.way == number
            room = outlet.area_mm2 * (outlet.length_mm + medium.within[here])
            come = np.minimum(self.leaked[number] / room, 1.0)
            values[here] = come * cement + (1.0 - come) * medium.marrow
        return values

    def _change(self, pressure: Array, through: Array | None) -> float:
        """Return the relative change of pressure and of flow, the larger of both [1]."""
        assert self._through is not None  # after a solve
        if through is None:
            return np.inf
        now = self._flow.pressure
        of_pressure = np.abs(now - pressure).max() / max(float(np.abs(now).max()), LEAST)
        moved, whole = ((self._through - through) ** 2).sum(), (self._through**2).sum()
        return max(float(of_pressure), float(np.sqrt(moved / max(float(whole), LEAST))))

    def _rate(self) -> float:
        """Flow out of the ports [mm3/s]."""
        network, port = self.medium.network, self._shares > 0.0
        assert self._through is not None  # after a solve
        leaving = port[network.first] & ~port[network.second]
        coming = ~port[network.first] & port[network.second]
        out = float(self._through[leaving].sum() - self._through[coming].sum())
        return out + float(self._out[port[self.medium.cell]].sum())

    def move(self, volume_mm3: float) -> dict[Site, float]:
        """Let a volume in [mm3]; return what each site gained [mm3]."""
        medium, count = self.medium, self.medium.network.count
        assert self._through is not None  # after `balance`
        starts, others, order = self._ends
        flows = np.concatenate([self._through, -self._through])[order]
        carrying = np.where(medium.passing, self._out, 0.0)
        outflow = np.bincount(medium.cell, carrying, count)
        before = self.cement_mm3
        arriving = self.waiting + volume_mm3 * self._entering_shares()
        left = advance(
            np.argsort(-self._flow.pressure, kind="stable"),
            starts, others, flows, outflow, self.room, arriving,
        )  # fmt: skip
        self.waiting = arriving
        gained = self.cement_mm3 - before
        went = {
            Site.VOID: float((gained * medium.void).sum()),
            Site.TRABECULAE: float((gained * (1.0 - medium.void)).sum()),
        }
        parts = left[medium.cell] * carrying / np.maximum(outflow[medium.cell], LEAST)
        self.entered += parts
        for number, ml in enumerate(np.bincount(medium.way, parts, len(medium.outlets))):
            site = medium.outlets[number].site
            self.leaked[number] += ml
            if site is not None and ml > 0.0:
                went[site] = went.get(site, 0.0) + float(ml)
        return went

    def held_mm3(self) -> dict[Site, float]:
        """Return the cement that still lies in the veins' stretch within the bone [mm3]."""
        medium = self.medium
        held: dict[Site, float] = {}
        for number, outlet in enumerate(medium.outlets):
            if outlet.site is None or not outlet.within_mm.size:
                continue
            own = medium.way == number
            volume = _held(medium.within[own], self.entered[own], outlet.area_mm2)
            held[outlet.site] = held.get(outlet.site, 0.0) + volume
        return held

    def _entering_shares(self) -> Array:
        """Share of the volume that enters each voxel (N,); under pressure as the flow has it."""
        if self._pressure is None:
            return self._shares
        network, count = self.medium.network, self.medium.network.count
        assert self._through is not None
        net = np.bincount(network.first, self._through, count)
        net -= np.bincount(network.second, self._through, count)
        net += np.bincount(self.medium.cell, self._out, count)
        net = np.where(self._shares > 0.0, np.maximum(net, 0.0), 0.0)
        return np.asarray(net / net.sum())


def _held(within_mm: Array, entered_mm3: Array, area_mm2: float) -> float:
    """Fill a pipe from each entry on towards its mouth; return what has not come out [mm3].

    Parameters
    ----------
    within_mm : (N,) from each entry to the mouth [mm].

    Examples
    --------
    >>> _held(np.array([2.0, 5.0]), np.array([0.5, 1.0]), 1.0)
    1.5
    >>> _held(np.array([2.0, 5.0]), np.array([9.0, 1.0]), 1.0)
    3.0
    """
    order = np.argsort(-within_mm, kind="stable")
    lengths = -np.diff(within_mm[order], append=0.0)
    held = carried = 0.0
    for length, volume in zip(lengths, entered_mm3[order], strict=True):
        carried += float(volume)
        stays = min(carried, area_mm2 * float(length))
        held, carried = held + stays, carried - stays
    return held


def _ends(medium: Medium) -> tuple[Array, Array, Array]:
    """Faces of each voxel in compressed rows: starts, the voxels behind, the order of flows."""
    network, count = medium.network, medium.network.count
    rows = np.concatenate([network.first, network.second])
    columns = np.concatenate([network.second, network.first])
    places = np.arange(rows.size, dtype=float) + 1.0
    table = sparse.csr_matrix((places, (rows, columns)), shape=(count, count))
    return table.indptr.astype(np.int64), table.indices, table.data.astype(np.int64) - 1
