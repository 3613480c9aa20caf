"""A closed surface of triangles with a name: what other programs draw, print and navigate by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """A named surface.

    Attributes
    ----------
    name : what it is, such as ``L1`` or ``L1 left cannula``.
    vertices_mm : (N, 3) places [mm, LPS].
    faces : (M, 3) corner numbers, counter-clockwise seen from outside.
    colour : red, green, blue, 0 to 1.
    """

    name: str
    vertices_mm: Array
    faces: NDArray[np.int64]
    colour: tuple[float, float, float]

    @property
    def volume_mm3(self) -> float:
        """Enclosed volume [mm3]; negative if the faces look inwards."""
        a, b, c = (self.vertices_mm[self.faces[:, corner]] for corner in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)
