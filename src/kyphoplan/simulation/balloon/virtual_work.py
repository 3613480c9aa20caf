"""The pressure that bone bears at the end of an increment, from virtual work.

An increment is balanced by the stress at its end on the shape half-way, which keeps the skin
steady in rubble. By its end the wall lies farther out and offers the pressure more area, so that
the pressure found is too high. Here the displacement of the increment is the virtual one: what
the bone's stress at the end does on the shape at the end, and the sheets as they were in balance,
is what the pressures do there. (Where a sheet is taut and bears most of it, the pressure comes out
too low by half of what its area grew in the increment.) The factor is the same for all balloons
that grow; one that keeps its volume keeps its pressure.
"""

import numpy as np

from kyphoplan.geometry import Array
from kyphoplan.simulation.balloon.balancing import Balanced, Block, bone_forces
from kyphoplan.simulation.balloon.membrane import Membrane
from kyphoplan.simulation.balloon.octants import Octants

LEAST, MOST = 0.5, 1.5  # [1] of the pressure found: beyond, the increment is no guide
GROWS = 0.1  # [1] of the largest gain: a balloon that gains less keeps its volume


def eased(block: Block, sheets: tuple[Membrane, ...], found: Balanced, end: Octants) -> Array:
    """Return the balloons' pressures at the end of an increment over those found (B,) [1].

    Parameters
    ----------
    sheets : of the balloons, as they were in balance.
    found : the increment in balance, on the shape half-way.
    end : bone and balloons when they have moved.

    Returns
    -------
    1 where a balloon does not grow; and for all if the increment is no guide.
    """
    u = np.where(block.free, found.displacement_mm, 0.0)
    force = bone_forces(block, end)
    for sheet in sheets:
        sheet.draw_back(u, force)
    done = -float((force * u).sum())
    each = found.pressures * (end.pushes.reshape(len(found.pressures), -1) @ u.ravel())
    grows = found.gained_mm3 > GROWS * found.gained_mm3.max()
    pushed = float(each[grows].sum())
    factor = (done - float(each[~grows].sum())) / pushed if pushed > 0.0 else 1.0
    return np.where(grows & (LEAST < factor < MOST), factor, 1.0)
