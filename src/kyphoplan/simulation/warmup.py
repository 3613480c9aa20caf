"""Compile the kernels before they are needed, so that the wait is seen and named."""

import numpy as np

from kyphoplan.simulation.crushing import Bone, crush
from kyphoplan.simulation.elasticity import Method

SIDE = 10  # [voxels] enough for two levels


def compile_kernels(threads: int = 1) -> None:
    """Crush a small cube; later calls on this machine find the kernels on the disk."""
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
