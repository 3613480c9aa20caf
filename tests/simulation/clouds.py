"""Small bodies to be filled, that the tests of cement share."""

from dataclasses import replace

import numpy as np

from kyphoplan.case.filling import Site
from kyphoplan.geometry import Array
from kyphoplan.materials import CEMENTS
from kyphoplan.simulation.cement.outlets import Outlet, shell_pores, tube
from kyphoplan.simulation.cement.rheology import Curing
from kyphoplan.simulation.filling import Control, FillingProblem, Port
from kyphoplan.simulation.leakage import NO_STOPS

HIGH, LOW = Curing.of(CEMENTS["high viscosity"]), Curing.of(CEMENTS["low viscosity"])
THICK = Curing(consistency=100e-6, reference_s=240.0, doubling_s=1e9, index=1.0, stiffest=1.0)
SHAPE = (17, 15, 13)


def middle(shape: tuple[int, ...] = SHAPE) -> Array:
    """The voxel in the middle, as a port has it."""
    return np.array([[n // 2 for n in shape]])


def block(**changes: object) -> FillingProblem:
    """A block of spongy bone in a shell with pores, a small void and a port in its middle."""
    places = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1)
    distance = np.linalg.norm(places - middle()[0], axis=-1)
    inside = np.ones(SHAPE, bool)
    problem = FillingProblem(
        inside=inside,
        bone_fraction=np.full(SHAPE, 0.12),
        void_fraction=np.clip(3.5 - distance, 0.0, 1.0),
        edge_mm=1.0,
        ports=(Port(voxels=middle()),),
        outlets=(shell_pores(inside, 1.0),),
        cement=HIGH,
        volume_ml=1.0,
        control=Control(rate_ml_per_s=0.05),
        stops=NO_STOPS,
        middle_i=float(SHAPE[0] // 2),
    )
    return replace(problem, **changes)  # type: ignore[arg-type]


def hole(site: Site, radius_mm: float = 1.0, at: tuple[int, int, int] = (8, 7, 12)) -> Outlet:
    """A round hole through the shell, in the nearest wall unless told otherwise."""
    return tube(site, np.array([at]), radius_mm, 0.5)


def with_hole(site: Site, radius_mm: float = 1.0, **changes: object) -> FillingProblem:
    """The block with a hole and enough cement to reach it."""
    problem = block(volume_ml=2.2, **changes)
    return replace(problem, outlets=(*problem.outlets, hole(site, radius_mm)))
