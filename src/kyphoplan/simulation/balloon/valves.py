"""When a balloon is closed, and when it is opened again.

A balloon at its device's largest pressure is closed and keeps its volume. As the other one grows
its pressure may fall, since the bone between them gives way; then it is opened again, as a surgeon
inflates both by turns.
"""

import numpy as np
from numpy.typing import NDArray

from kyphoplan.geometry import Array

FULL, SLACK = 0.98, 0.9  # [1] of its largest pressure: a closed balloon; one that is opened again
AGAIN = 1  # [1] times a balloon is opened again: two that push each other come to an end
LEAST_STEP = 1e-4  # [1] of the volume: less is no increment


class Valves:
    """The valves of all balloons, which remember whether they are shut.

    Parameters
    ----------
    limits : largest pressures [MPa].
    """

    def __init__(self, limits: Array) -> None:
        self.limits, self.shut = limits, np.zeros(len(limits), bool)
        self.opened = np.zeros(len(limits), int)

    def open(self, volumes: Array, left: Array, pressures: Array) -> NDArray[np.bool_]:
        """Say which balloons take more: `volumes` they hold, `left` to take [mm3], [MPa].

        Examples
        --------
        >>> valves, room = Valves(np.array([2.0])), np.ones(1)
        >>> [bool(valves.open(room, room, np.array([p]))[0]) for p in (1.0, 2.0, 1.9, 1.7, 1.9)]
        [True, False, False, True, True]
        """
        again = self.shut & (pressures < SLACK * self.limits) & (self.opened < AGAIN)
        self.opened += again
        self.shut = (self.shut & ~again) | (pressures >= FULL * self.limits)
        return ~self.shut & (left > LEAST_STEP * np.maximum(volumes, 1.0))
