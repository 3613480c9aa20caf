"""Voxels of a bone by their place: those of its body, of its skin, along a line, near a point."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kyphoplan.case import Part, Vertebra
from kyphoplan.geometry import Array
from kyphoplan.simulation.cement.outlets import Voxels, exposed_faces
from kyphoplan.simulation.fracture import SHELL_MM

FARTHEST_MM = 4.0  # [mm] from a gap's centre to bone: farther away the gap is not of this bone
SMOOTH_MM = 2.0  # [mm] over which a wall's direction is told
LIFTED_MM = 2.0  # [mm] by which a balloon may have lifted the skin off the body as it was


class Surface:
    """The voxels that fluid can enter, with their places.

    Attributes
    ----------
    inside : (I, J, K) voxels that fluid can enter.
    affine : 4x4, from voxel indices to the patient [mm, LPS].
    edge : of a voxel [mm].
    all, body, skin : (N, 3) indices: all of them, those of the body, and those at its surface.
    """

    def __init__(self, inside: NDArray[np.bool_], vertebra: Vertebra, affine: Array) -> None:
        self.inside, self.affine = inside, affine
        self.edge = float(np.linalg.norm(affine[:3, 0]))
        body = body_of(vertebra, affine, inside)
        reach = max(round(LIFTED_MM / self.edge), 1)
        near = ndimage.binary_dilation(body, iterations=reach)
        self.all, self.body = np.argwhere(inside), np.argwhere(body)
        self.skin = np.argwhere(near & (exposed_faces(inside) > 0))

    def places(self, voxels: Voxels) -> Array:
        """Return the places of voxels (N, 3) [mm, LPS]."""
        return np.asarray(voxels @ self.affine[:3, :3].T + self.affine[:3, 3])

    def near(self, voxels: Voxels, point_mm: Array, radius_mm: float) -> Voxels | None:
        """Return the voxels within a radius of a point; else the nearest; None if it is far."""
        return _within(radius_mm, point_mm, voxels, self.affine)

    def beneath(self, voxels: Voxels, inwards: Array) -> Voxels:
        """Return the voxels (K, 3) over which CT blurs the shell, from these at the skin inwards.

        Parameters
        ----------
        inwards : (3,) or (N, 3) direction into the bone [1, LPS].
        """
        steps = np.arange(0.0, SHELL_MM, 0.5 * self.edge)[:, None, None]
        points = (self.places(voxels) + steps * inwards).reshape(-1, 3)
        return np.unique(self._inside(points)[0], axis=0)

    def outwards(self, voxels: Voxels) -> Array:
        """Return the direction out of the bone at its skin (N, 3) [1, LPS]."""
        smooth = ndimage.gaussian_filter(self.inside.astype(float), SMOOTH_MM / self.edge)
        slope = np.stack([each[tuple(voxels.T)] for each in np.gradient(smooth)], axis=-1)
        out = -slope @ self.affine[:3, :3].T
        return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12))

    def along(self, start_mm: Array, end_mm: Array) -> tuple[Voxels, Array]:
        """Return the voxels inside that a straight line passes, and how far along it [mm]."""
        length = float(np.linalg.norm(end_mm - start_mm))
        steps = np.linspace(0.0, 1.0, max(int(np.ceil(2.0 * length / self.edge)), 1) + 1)
        index, fits = self._inside(start_mm + steps[:, None] * (end_mm - start_mm))
        voxels, first = np.unique(index, axis=0, return_index=True)
        return voxels, steps[fits][first] * length

    def _inside(self, points_mm: Array) -> tuple[Voxels, NDArray[np.bool_]]:
        """Return the voxels of those points (P, 3) that lie inside, and which points do."""
        inverse = np.linalg.inv(self.affine)
        index = np.rint(points_mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(np.int64)
        fits = ((index >= 0) & (index < np.array(self.inside.shape))).all(axis=1)
        fits[fits] = self.inside[tuple(index[fits].T)]
        return index[fits], fits


def body_of(vertebra: Vertebra, affine: Array, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the voxels (I, J, K) of the vertebral body among those inside."""
    assert vertebra.parts is not None  # located
    where = np.argwhere(inside)
    places = where @ affine[:3, :3].T + affine[:3, 3]
    node = np.rint(vertebra.parts.to_indices(places)).astype(int)
    node = np.clip(node, 0, np.array(vertebra.parts.shape) - 1)
    body = np.zeros(inside.shape, bool)
    body[tuple(where.T)] = vertebra.parts.voxels[tuple(node.T)] == Part.BODY
    return body


def ball(
    inside: NDArray[np.bool_], affine: Array, centre_mm: Array, radius_mm: float
) -> Voxels | None:
    """Return the voxels (N, 3) of a small ball, for a port; None if it lies outside the bone."""
    return _within(radius_mm, centre_mm, np.argwhere(inside), affine)


def _within(radius_mm: float, point_mm: Array, voxels: Voxels, affine: Array) -> Voxels | None:
    """Keep the voxels within a radius of a point; else the nearest; None if it is far."""
    if not voxels.size:
        return None
    distance = np.linalg.norm(voxels @ affine[:3, :3].T + affine[:3, 3] - point_mm, axis=1)
    if distance.min() > FARTHEST_MM:
        return None
    return np.asarray(voxels[distance <= max(radius_mm, float(distance.min()))])
