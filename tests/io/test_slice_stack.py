"""A stack of DICOM slices lies where each slice says, or is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.errors import GeometryError
from kyphoplan.io.placement import tilt_deg
from kyphoplan.io.slice_stack import dicom_affine


def stack(tilt=0.0, count=6, step=2.5, start=-40.0):
    """Positions of axial slices whose stack is tilted by an angle [deg]."""
    rise = np.arange(count) * step
    y = rise * np.tan(np.deg2rad(tilt))
    return np.stack([np.full(count, -100.0), y, start + rise], axis=-1)


AXIAL = (1, 0, 0, 0, 1, 0)


@given(tilt=st.floats(-25, 25), seed=st.integers(0, 99))
def test_every_slice_lies_at_its_own_position_tilted_or_shuffled(tilt, seed):
    positions = np.random.default_rng(seed).permutation(stack(tilt))
    affine, order = dicom_affine(positions, AXIAL, (0.7, 0.8))
    placed = np.array([(affine @ [0, 0, k, 1])[:3] for k in range(6)])
    assert np.abs(placed - positions[order]).max() < 0.01
    assert tilt_deg(affine) == pytest.approx(abs(tilt), abs=1e-5)
    assert np.allclose(affine[:3, 0], [0.8, 0, 0])  # i: along a row, by the distance of columns


@pytest.mark.parametrize(
    ("positions", "orientation", "problem"),
    [
        (np.delete(stack(), 3, axis=0), AXIAL, r"5.00 mm instead of 2.50 mm .*1 missing"),
        (stack()[[0, 1, 1, 2, 3, 4]], AXIAL, "share one position"),
        (stack() * [1, 1, 0] + [[0, 0, z] for z in (0, 1, 2, 3.3, 4, 5)], AXIAL, "uneven"),
        (stack() + [[x, 0, 0] for x in (0, 1, 0, 1, 0, 1)], AXIAL, "off their common line"),
        (stack() * np.nan, AXIAL, "not a number"),
        (stack(), (1, 0, 0, 0.5, 1, 0), "image orientation"),
        (stack(), (2, 0, 0, 0, 1, 0), "image orientation"),
        (stack(), (0, 0, 0, 0, 0, 0), "image orientation"),
    ],
)
def test_a_stack_that_is_not_even_is_refused(positions, orientation, problem):
    with pytest.raises(GeometryError, match=problem):
        dicom_affine(positions, orientation, (0.7, 0.7))
