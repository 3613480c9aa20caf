"""The voxels around an endplate, in the vertebra's frame."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from kyphoplan.case import Volume
from kyphoplan.geometry import Array, Frame

SCANNER_SIGMA_MM = 0.45  # [mm] point spread of a clinical CT beyond its voxels (FWHM 1.1 mm)
COLUMN_MM = 0.8  # [mm] a voxel farther from every column lies outside the footprint
THINNED_MM = 1.2  # [mm] voxels across the endplate need not be closer


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """CT voxels around an endplate in the vertebra's frame.

    Attributes
    ----------
    left, posterior : (N,) place [mm].
    outward : (N,) distance outside the base surface [mm].
    value : (N,) intensity [HU].
    box : width of a voxel along the axis [mm]: its longest edge there.
    sigma : remaining blur along the axis [mm]: the other edges and the scanner.
    area : part of the endplate that falls to a voxel [mm2].
    """

    left: Array
    posterior: Array
    outward: Array
    value: Array
    box: float
    sigma: float
    area: float


class Base(Protocol):
    """A surface around which voxels are looked at."""

    def at(self, left: Array, posterior: Array) -> Array:
        """Position along the superior axis at places (N,) [mm]."""


def cloud(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], base: Base, sign: int
) -> Cloud | None:
    """Collect the voxels near a base surface, over the footprint only.

    Parameters
    ----------
    footprint : left and posterior coordinates (N,) of the endplate's columns [mm].
    sign : +1 superior, -1 inferior.

    Returns
    -------
    None if the CT does not reach there.
    """
    edges = np.sort(np.abs(frame.superior @ ct.affine[:3, :3]))
    reach = 2.2 + 1.7 * float(np.linalg.norm(edges))
    block = _block(ct, frame, footprint, (base, reach))
    if block is None:
        return None
    places, values, thinned = block
    u, v, s = places.T
    outward = sign * (s - base.at(u, v))
    near = np.abs(outward) < reach
    columns = cKDTree(np.stack(footprint, axis=1))
    near[near] = columns.query(places[near, :2])[0] < COLUMN_MM
    return Cloud(
        left=u[near],
        posterior=v[near],
        outward=outward[near],
        value=values[near],
        box=float(edges[2]),
        sigma=float(np.sqrt((edges[:2] ** 2).sum() / 12.0 + SCANNER_SIGMA_MM**2)),
        area=ct.voxel_mm3 * thinned / float(np.linalg.norm(edges)),
    )


def _block(
    ct: Volume, frame: Frame, footprint: tuple[Array, Array], around: tuple[Base, float]
) -> tuple[Array, Array, int] | None:
    """Voxels (N, 3) [mm, local] and values (N,) around an endplate, one of how many across it."""
    base, reach = around
    heights = base.at(*footprint)
    low = np.array([footprint[0].min(), footprint[1].min(), heights.min() - reach])
    high = np.array([footprint[0].max(), footprint[1].max(), heights.max() + reach])
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(3, -1).T
    index = ct.to_indices(frame.to_patient(corners))
    start = np.floor(index.min(axis=0)).astype(int)
    stop = np.ceil(index.max(axis=0)).astype(int) + 1
    if (stop <= 0).any() or (start >= np.array(ct.shape)).any():
        return None
    block = ct.cropped(start, stop)
    across = np.abs(frame.superior @ ct.affine[:3, :3]) < 0.5 * ct.spacing_mm
    stride = np.where(across, np.maximum(1, np.rint(THINNED_MM / ct.spacing_mm)), 1).astype(int)
    first = np.maximum(start, 0)
    steps = [
        np.flatnonzero(np.abs(2 * (k + np.arange(n)) - (size - 1)) % (2 * d) < 2)  # noqa: PLR2004
        for k, n, d, size in zip(first, block.shape, stride, ct.shape, strict=True)
    ]
    chosen = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    values = block.voxels[chosen[:, 0], chosen[:, 1], chosen[:, 2]].astype(float)
    return frame.to_local(block.to_patient(chosen)), values, int(stride.prod())
