"""How much the balloons take in the next increment, from what the last one told.

A set path of the skins is aimed at. It is less at the start, while the bone begins to yield; where
only a weak spot gives way; near a largest pressure; and after an increment that found no balance.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.balloon_shape import Skin

STRIDE = 0.4  # [voxel] mean path of the skin in one increment
RISE = 0.6  # [voxel] highest rise of a skin in an increment that is aimed at
FIRST = (0.02, 0.06, 0.2, 0.5)  # [1] of a stride: the first increments, while the bone yields
LEAST_PART = 0.25  # [1] of a stride, however high the skin rises somewhere: it comes to its end
SMALLEST = 0.02  # [1] of a stride: where smaller ones were needed, the bone has given way
GROWN, EASY = 2.0, 30  # [1] growth of increments once one was cut; if so few solves did
NEARLY = 1e-6


class Pace:
    """What the last increment told.

    Attributes
    ----------
    gained, risen, climbed : by balloon, volume [mm3], highest rise of the skin [mm], and rise of
        the pressure [MPa].
    eased : pressures at its end over those that balanced it half-way [1].
    wary : times the last increment that the next may be [1].
    """

    def __init__(self, edge_mm: float, count: int) -> None:
        self.edge, self.wary, self.eased = edge_mm, np.inf, np.ones(count)
        self.gained, self.risen, self.climbed = (np.zeros(count) for _ in range(3))

    def slowed(self, cut: bool, solves: int) -> None:
        """Go on warily once an increment was cut for want of balance."""
        if cut or self.wary < np.inf:
            self.wary = GROWN if solves <= EASY else 1.0

    def foreseen(self, volumes: Array) -> Array:
        """Foresee how pressures ease by the end of an increment: less, the smaller it is [1]."""
        smaller = min(float(volumes.sum() / max(self.gained.sum(), NEARLY)), 1.0)
        return np.asarray(1.0 - smaller * (1.0 - self.eased))

    def smallest(self, skins: tuple[Skin, ...], growing: NDArray[np.bool_]) -> float:
        """Return the volume below which an increment is none [mm3]."""
        areas = [_area(skin) for skin, grows in zip(skins, growing, strict=True) if grows]
        return SMALLEST * STRIDE * self.edge * sum(areas)

    def stride(self, number: int, left: Array, skins: tuple[Skin, ...], climb: Array) -> Array:
        """Return the volumes of the next increment (B,) [mm3].

        Parameters
        ----------
        number : of increments before it.
        left : what the balloons are still to take [mm3].
        climb : how far their pressures are from the largest [MPa].
        """
        part = FIRST[number] if number < len(FIRST) else 1.0
        stride = part * STRIDE * self.edge * np.array([_area(skin) for skin in skins])
        even = RISE * self.edge / np.maximum(self.risen, NEARLY)
        room = climb / np.maximum(self.climbed, NEARLY)
        ahead = np.minimum(even, np.where(self.climbed > 0.0, room, np.inf)) * self.gained
        ahead = np.clip(ahead, LEAST_PART * stride, stride)
        if self.wary < np.inf:
            ahead = np.minimum(ahead, self.wary * self.gained)
        stride = np.where(self.gained > 0.0, ahead, stride)
        return np.asarray(left / np.ceil(np.maximum(left / stride - NEARLY, 1.0)))


def _area(skin: Skin) -> float:
    """Return the area of a skin [mm2], as the gain of volume when it is shifted a little."""
    step = 0.01
    return (replace(skin, height_mm=skin.height_mm + step).volume_mm3 - skin.volume_mm3) / step
