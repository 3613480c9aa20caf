"""Blocks and supports that the tests of the solver share."""

import numpy as np

from kyphoplan.geometry import Array


def plates(shape: tuple[int, ...], shortening_mm: float) -> Array:
    """Prescribe both ends along k, clamped, the upper one moved down."""
    prescribed = np.full([n + 1 for n in shape] + [3], np.nan)
    prescribed[:, :, 0] = prescribed[:, :, -1] = 0.0
    prescribed[:, :, -1, 2] = -shortening_mm
    return prescribed


def on_the_boundary(displacement: Array) -> Array:
    """Prescribe a displacement on all six faces of a block and leave the inside free."""
    prescribed = displacement.copy()
    prescribed[1:-1, 1:-1, 1:-1] = np.nan
    return prescribed


def nodes_mm(shape: tuple[int, ...], spacing_mm: float) -> Array:
    """Positions (I + 1, J + 1, K + 1, 3) of the nodes [mm]."""
    axes = [spacing_mm * np.arange(n + 1) for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def scattered(shape: tuple[int, ...], seed: int = 0) -> Array:
    """Log-normal moduli [MPa] between 20 and 2000."""
    rng = np.random.default_rng(seed)
    return np.clip(np.exp(rng.normal(np.log(200.0), 0.8, shape)), 20.0, 2000.0)


def waisted(n: int, shell_mm: float, seed: int = 0) -> Array:
    """A vertebra-like body of 64 mm in n^3 voxels: waist, shell of 3 GPa, void around.

    A shell thinner than a voxel weakens it in proportion, as partial volume does.
    """
    modulus = scattered((n, n, n), seed)
    place = (np.arange(n) + 0.5) / n * 2.0 - 1.0
    x, y, z = np.meshgrid(place, place, place, indexing="ij")
    radius = np.hypot(x / 0.92, y / 0.75) / (1.0 - 0.18 * (1.0 - z**2))
    edge = 64.0 / n  # [mm]
    depth = (1.0 - radius) * 0.8 * 32.0  # [mm] under the surface, nearly
    share = np.clip((shell_mm - (depth - 0.5 * edge)) / edge, 0.0, 1.0) * min(1.0, shell_mm / edge)
    modulus = (1.0 - share) * modulus + share * 3000.0
    return np.where(radius <= 1.0, modulus, 0.0)
