"""The equations of cement flow are solved right: against solutions in closed form."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from kyphoplan.case.filling import Ending, Site
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.darcy import Flow, connect
from kyphoplan.simulation.cement.injecting import Injection
from kyphoplan.simulation.cement.medium import medium_of
from kyphoplan.simulation.cement.outlets import Outlet, exposed_faces, tube
from kyphoplan.simulation.cement.permeability import Permeability
from kyphoplan.simulation.cement.rheology import Curing, PowerLaw
from kyphoplan.simulation.filling import Control, FillingProblem, Port, fill

POROSITY, PERMEABILITY = 0.88, 0.04  # [1], [mm2]
CONSISTENCY, MARROW = 100e-6, 79e-9  # [MPa s^n], [MPa s]
RATE, VOLUME = 200.0 / 3.0, 1000.0  # [mm3/s] = 4 ml/min, [mm3]
ALIKE = Permeability(anchor=PERMEABILITY, anchor_fraction=1.0 - POROSITY, transverse=1.0)


@dataclass(frozen=True)
class Radial:
    """One millilitre from a point into a ball of bone, open all around."""

    edge: float
    index: float = 1.0
    radius: float = 15.0

    def run(self, step: float) -> tuple[Array, Array, Array]:
        """Return the part filled, the pressures, and the places of the voxels."""
        half = int(np.ceil(self.radius / self.edge)) + 1
        line = self.edge * np.arange(-half, half + 1)
        places = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
        inside = np.linalg.norm(places, axis=-1) <= self.radius
        rim = np.argwhere(exposed_faces(inside) > 0)
        way = Outlet(
            site=None, voxels=rim, conductance_mm3=np.full(len(rim), 1e3), radius_mm=1.0,
            length_mm=1.0, area_mm2=1.0,
        )  # fmt: skip
        bone, void = np.full(inside.shape, 1.0 - POROSITY), np.zeros(inside.shape)
        medium = medium_of(inside, bone, void, self.edge, (way,), MARROW, ALIKE)
        shares = np.zeros(medium.network.count)
        shares[medium.network.index[half, half, half]] = 1.0
        injection = Injection(medium, shares, None)
        for _ in range(round(VOLUME / step)):
            assert injection.balance(self.law, RATE).whole
            injection.move(step)
        assert injection.balance(self.law, RATE).whole
        part, pressure = np.zeros(inside.shape), np.zeros(inside.shape)
        part[inside], pressure[inside] = injection.part, injection.pressure_mpa
        return part, pressure, places

    @property
    def law(self) -> PowerLaw:
        return PowerLaw(consistency=CONSISTENCY, index=self.index)

    @property
    def front(self) -> float:
        """Radius of the front [mm]."""
        return float(np.cbrt(3.0 * VOLUME / (4.0 * np.pi * POROSITY)))

    def pressure(self, r: float) -> float:
        """Pressure behind the front [MPa], by quadrature of Darcy's law."""
        s = np.linspace(r, self.front, 2001)
        speed = RATE / (4.0 * np.pi * s**2)
        viscosity = self.law(speed, np.full_like(s, PERMEABILITY), np.full_like(s, POROSITY))
        marrow = RATE * MARROW / (4.0 * np.pi * PERMEABILITY)
        ahead = marrow * (1.0 / self.front - 1.0 / self.radius)
        return float(np.trapezoid(viscosity * speed / PERMEABILITY, s)) + ahead


def along_rays(values: Array, edge: float, radii: Array) -> Array:
    """Values (rays, radii) on 400 directions from the middle voxel."""
    rng = np.random.default_rng(0)
    ways = rng.normal(size=(400, 3))
    ways /= np.linalg.norm(ways, axis=1)[:, None]
    away = np.moveaxis(ways[:, None] * radii[:, None] / edge, -1, 0)
    centre = np.array(values.shape)[:, None, None] // 2
    return np.asarray(ndimage.map_coordinates(values, centre + away, order=1))


def front_radii(part: Array, edge: float) -> Array:
    radii = np.arange(0.0, 12.0, 0.02)
    filled = along_rays(part, edge, radii) >= 0.5
    return np.asarray(radii[np.argmin(filled, axis=1)])


@pytest.mark.parametrize("index", [1.0, 0.6], ids=["newtonian", "shear-thinning"])
def test_radial_front_and_pressure_at_1_mm(index: float) -> None:
    radial = Radial(edge=1.0, index=index)
    part, pressure, _ = radial.run(step=100.0)
    radii = front_radii(part, 1.0)
    assert radii.mean() == pytest.approx(radial.front, rel=0.02)
    assert radii == pytest.approx(radial.front, rel=0.05)  # round, in each direction
    for r in (2.0, 3.0, 4.0, 5.0, 5.5):
        found = along_rays(pressure, 1.0, np.array([r])).mean()
        assert found == pytest.approx(radial.pressure(r), rel=0.05), r


def test_radial_pressure_converges_and_the_front_gets_rounder() -> None:
    errors, spreads = [], []
    for edge in (2.0, 1.0, 0.5):
        radial = Radial(edge=edge, radius=12.0)
        part, pressure, _ = radial.run(step=50.0)
        radii = np.array([3.0, 4.0, 5.0])
        exact = np.array([radial.pressure(r) for r in radii])
        error = along_rays(pressure, edge, radii).mean(axis=0) - exact
        errors.append(float(np.linalg.norm(error) / np.linalg.norm(exact)))
        spreads.append(float(np.sqrt(((front_radii(part, edge) - radial.front) ** 2).mean())))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    print("pressure errors", errors, "orders", orders, "front", spreads)
    assert (orders > 0.9).all()
    assert spreads[0] > 1.5 * spreads[1] > 1.5**2 * spreads[2]


def column(control: Control, cement: Curing, volume_ml: float) -> FillingProblem:
    """A rod of bone along k, 3 x 3 voxels wide, filled from its lower end, open at the upper."""
    shape = (3, 3, 41)
    ends = [np.array([[i, j, k] for i in range(3) for j in range(3)]) for k in (0, shape[2] - 1)]
    way = tube(Site.CORTICAL, ends[1], 10.0, 0.1)
    return FillingProblem(
        inside=np.ones(shape, bool), bone_fraction=np.full(shape, 1.0 - POROSITY),
        void_fraction=np.zeros(shape), edge_mm=1.0, ports=(Port(voxels=ends[0]),), outlets=(way,),
        cement=cement, volume_ml=volume_ml, control=control, marrow_mpa_s=1e-12,
        permeability=ALIKE, start_s=0.0, step_ml=0.004,
    )  # fmt: skip


STEADY = Curing(consistency=CONSISTENCY, reference_s=0.0, doubling_s=1e9, index=0.6, stiffest=1.0)


def test_power_law_column_at_a_rate() -> None:
    found = fill(column(Control(rate_ml_per_s=0.01), STEADY, 0.2))
    assert found.ending is Ending.VOLUME
    front = 200.0 / 9.0 / POROSITY  # [mm] from the lower end
    filled = found.cement[1, 1] / POROSITY
    assert filled.sum() == pytest.approx(front)
    assert ((filled < 1e-9) | (filled > 1.0 - 1e-9)).sum() == filled.size - 1  # one voxel thin
    law = PowerLaw(consistency=CONSISTENCY, index=0.6)
    speed = np.array(10.0 / 9.0)
    drop = float(law(speed, np.array(PERMEABILITY), np.array(POROSITY)) * speed) / PERMEABILITY
    last = found.portions[-1]
    before = (last.injected_ml * 1000.0 - 4.0) / 9.0 / POROSITY  # pressures precede the move
    assert last.pressure_mpa == pytest.approx(drop * (before - 0.5), rel=1e-3)


def test_power_law_column_under_pressure_slows_as_it_should() -> None:
    """From Darcy's law for a power law: length^((n + 1) / n) grows evenly with time."""
    n, push = 0.6, 0.05
    found = fill(column(Control(pressure_mpa=push), STEADY, 0.2))
    assert found.ending is Ending.VOLUME
    law = PowerLaw(consistency=CONSISTENCY, index=n)
    unit = float(law(np.array(1.0), np.array(PERMEABILITY), np.array(POROSITY)))
    pace = (push * PERMEABILITY / unit) ** (1.0 / n)  # [mm/s] times length^(-1/n)
    length = np.array([p.injected_ml for p in found.portions]) * 1000.0 / 9.0 / POROSITY - 0.5
    time = np.array([p.time_s for p in found.portions])
    late = length > 8.0
    grown = length ** ((n + 1.0) / n)
    slope = np.polyfit(time[late], grown[late], 1)[0]
    assert slope == pytest.approx((n + 1.0) / n * pace / POROSITY, rel=0.03)


def test_manufactured_pressure_is_approached_at_order_two() -> None:
    errors = []
    for count in (8, 16, 32):
        edge = 1.0 / count
        x = edge * (np.arange(count) + 0.5)
        places = np.stack(np.meshgrid(x, x, x, indexing="ij"), axis=-1)
        exact = np.cos(np.pi * places).prod(axis=-1)  # no flow through any wall
        ease = 1.0 + 0.5 * places.sum(axis=-1)  # permeability over viscosity
        slope = (
            0.5
            * np.pi
            * sum(
                np.sin(np.pi * places[..., a]) * exact / np.cos(np.pi * places[..., a])
                for a in range(3)
            )
        )
        supply = 3.0 * np.pi**2 * ease * exact + slope
        network = connect(np.ones((count,) * 3, bool))
        k = ease.ravel()
        between = 2.0 * edge / (1.0 / k[network.first] + 1.0 / k[network.second])
        held = np.full(k.size, edge**3)  # a weak hold, made part of the solution
        flow = Flow(network)
        assert flow.solve(between, held, (supply.ravel() + exact.ravel()) * edge**3)
        errors.append(float(np.sqrt(((flow.pressure - exact.ravel()) ** 2).mean())))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("edge", [2.0, 1.0])
@pytest.mark.parametrize("radius", [0.05, 0.15])
def test_a_vein_drains_a_block_as_a_line_does(edge: float, radius: float) -> None:
    """A square block held at a pressure: as much as a round one of 0.539 its side."""
    side, deep, pressure = 24.0, 6.0, 1e-3
    count = round(side / edge) + 1
    inside = np.ones((count, count, round(deep / edge)), bool)
    line = np.array([[count // 2, count // 2, k] for k in range(inside.shape[2])])
    vessel = Outlet(
        site=Site.SEGMENTAL, voxels=line, conductance_mm3=np.full(len(line), 1e6),
        radius_mm=radius, length_mm=1.0, area_mm2=1.0, one_way=True,
    )  # fmt: skip
    bone, void = np.full(inside.shape, 1.0 - POROSITY), np.zeros(inside.shape)
    medium = medium_of(inside, bone, void, edge, (vessel,), MARROW, ALIKE)
    walls = inside.copy()
    walls[1:-1, 1:-1] = False
    found = Injection(medium, walls[inside].astype(float), pressure).balance(
        PowerLaw(consistency=MARROW, index=1.0), 0.0
    )
    wide = 2.0 * np.pi * PERMEABILITY * deep * pressure / MARROW
    assert found.rate_mm3_per_s == pytest.approx(wide / np.log(0.539 * side / radius), rel=0.02)
