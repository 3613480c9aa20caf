"""How much the vertebra itself is shortened, whatever lies between it and the plates."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.specimen import Specimen, Tissue


class Gauge:
    """The distance between the two endplates, as the mean of the nodes that the caps touch.

    Raises
    ------
    CaseError
        If a cap does not reach from its plate to the bone.
    """

    def __init__(self, specimen: Specimen) -> None:
        bone = touching(specimen.tissue == Tissue.BONE)
        pieces, _ = ndimage.label(specimen.capped)
        self._ends = []
        for plate in (0, -1):
            here = np.isin(pieces, np.setdiff1d(pieces[:, :, plate], [0]))
            self._ends.append(bone & touching(here))
        if not all(end.any() for end in self._ends):
            raise CaseError("the caps do not reach the bone: the specimen cannot be gauged")
        lower, upper = (np.argwhere(end)[:, 2].mean() for end in self._ends)
        self.height_mm = float(upper - lower) * specimen.edge_mm

    def __call__(self, displacement_mm: Array) -> float:
        """Return by how much the endplates have come closer [mm]."""
        lower, upper = (float(np.mean(displacement_mm[end][:, 2])) for end in self._ends)
        return lower - upper


def touching(voxels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the nodes of voxels.

    Examples
    --------
    >>> int(touching(np.ones((1, 1, 2), bool)).sum())
    12
    """
    nodes = np.zeros([n + 1 for n in voxels.shape], bool)
    for a, b, c in np.ndindex(2, 2, 2):
        nodes[a : a + voxels.shape[0], b : b + voxels.shape[1], c : c + voxels.shape[2]] |= voxels
    return nodes
