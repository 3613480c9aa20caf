"""A balloon to be inflated, and what an increment of its inflation came to."""

from dataclasses import dataclass

import numpy as np

from kyphoplan.simulation.balloon.balloon_shape import Skin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tamp:
    """A balloon to be inflated.

    Attributes
    ----------
    skin : deflated, in the block.
    volume_mm3 : what it is to hold [mm3].
    largest_mpa : the pressure at which it is not inflated further [MPa].
    largest_mm : how far its skin can lie from its core [mm].
    inside : part of the balloon that lies in the block; less than 1 only where it is cut by planes
        of symmetry [1].
    """

    skin: Skin
    volume_mm3: float
    largest_mpa: float = np.inf
    largest_mm: float = np.inf
    inside: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Increment:
    """What one increment came to; sequences hold one entry per balloon.

    Attributes
    ----------
    volume_mm3, pressure_mpa : at its end [mm3], [MPa].
    shift_mm : by how much the skins were shifted to hold their volume exactly [mm].
    unbalanced : unbalanced force over the balloons' force [1].
    balanced : whether that is small enough.
    solves, iterations : linear solves, and their steps.
    work_mj, stored_mj, dissipated_mj, grid_mj : work of the balloons on the grid so far, elastic
        energy now in bone and skins, plastic work so far, and the rest, which the grid has taken:
        holding voxels against bending within, straining the balloons' filler, handing stress
        on [mJ].
    crushing : share of the bone's voxels that yield [1].
    """

    volume_mm3: tuple[float, ...]
    pressure_mpa: tuple[float, ...]
    shift_mm: tuple[float, ...]
    unbalanced: float
    balanced: bool
    solves: int
    iterations: int
    work_mj: float
    stored_mj: float
    dissipated_mj: float
    grid_mj: float
    crushing: float
