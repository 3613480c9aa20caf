"""What hangs together is told as the labels of pieces tell it."""

import numpy as np
import pytest
from scipy import ndimage

from kyphoplan.simulation.solver.connectivity import in_one_piece, unheld_bodies


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_pieces_are_told_apart_and_all_are_named_where_nothing_holds(share: float) -> None:
    rng, told = np.random.default_rng(4), set()
    for _ in range(100):
        solid = rng.random(rng.integers(1, 6, 3)) < share
        count = ndimage.label(solid)[1]
        assert in_one_piece(solid) == (count == 1)
        bodies = unheld_bodies(solid, np.zeros([n + 1 for n in solid.shape], np.uint8))
        assert len(bodies) == count
        assert sum(body.voxels for body in bodies) == solid.sum()
        told.add(count == 1)
    assert told == {False, True}


def test_what_is_held_everywhere_is_not_named() -> None:
    solid = np.random.default_rng(5).random((5, 6, 7)) < 0.5
    assert unheld_bodies(solid, np.full((6, 7, 8), 7, np.uint8)) == ()
