"""Compile the kernels before they are needed, so that the wait is seen and named."""

import numpy as np
from numpy.typing import NDArray

from kyphoplan.materials import CEMENTS
from kyphoplan.simulation.balloon import material_points as mp
from kyphoplan.simulation.balloon.balloon_shape import Skin
from kyphoplan.simulation.balloon.placing import placed_points
from kyphoplan.simulation.balloon.tamps import Tamp
from kyphoplan.simulation.cement.outlets import shell_pores
from kyphoplan.simulation.cement.rheology import Curing
from kyphoplan.simulation.crushing import Bone, crush
from kyphoplan.simulation.elasticity import Method
from kyphoplan.simulation.filling import FillingProblem, Port, fill
from kyphoplan.simulation.inflation import Operation

SIDE = 10  # [voxels] enough for two levels


def compile_kernels(threads: int = 1) -> None:
    """Crush, inflate and fill a small cube; later calls here find the kernels on the disk."""
    shape = (SIDE,) * 3
    bone = Bone(
        modulus_mpa=np.full(shape, 100.0),
        yield_mpa=np.full(shape, 0.9),
        poisson=0.3,
        spacing_mm=1.0,
    )
    prescribed = np.full((SIDE + 1,) * 3 + (3,), np.nan)
    prescribed[:, :, 0] = prescribed[:, :, -1] = 0.0
    prescribed[:, :, -1, 2] = -0.02 * SIDE
    crush(bone, prescribed, np.array([0.5]), method=Method(threads=threads))
    _inflate_a_little(np.ones(shape, bool), Method(threads=threads))
    _fill_a_little(np.ones(shape, bool))


def _inflate_a_little(inside: NDArray[np.bool_], method: Method) -> None:
    """Inflate a balloon in a small cube by one increment, and let it down."""
    middle, even, edge_mm = np.full(3, SIDE / 2.0), np.ones(inside.shape), 1.0
    skin = Skin.around(middle - np.array([0.0, 0.0, 0.5]), middle, 2.0)
    points = mp.fill_with_points(inside, 100.0 * even, 0.0 * even, 0.3 * even, even, edge_mm)
    points = placed_points(points, (skin,), np.zeros(len(points.place), bool), edge_mm)
    held = np.full((SIDE + 1,) * 3 + (3,), np.nan)
    held[:, :, 0] = held[:, :, -1] = 0.0
    tamp = Tamp(skin=skin, volume_mm3=skin.volume_mm3 + 0.5)
    operation = Operation(points, inside, held, edge_mm, (tamp,), method=method)
    operation.inflate()
    operation.let_down()


def _fill_a_little(inside: NDArray[np.bool_]) -> None:
    """Press a drop of cement into a small cube."""
    fill(
        FillingProblem(
            inside=inside,
            bone_fraction=np.full(inside.shape, 0.1),
            void_fraction=np.zeros(inside.shape),
            edge_mm=1.0,
            ports=(Port(voxels=np.array([[SIDE // 2] * 3])),),
            outlets=(shell_pores(inside, 1.0),),
            cement=Curing.of(CEMENTS["high viscosity"]),
            volume_ml=0.01,
        )
    )
