"""The cortical shell: its holes are found where they are, and only there."""

import numpy as np
import pytest

from kyphoplan.case import GapSite, Level
from kyphoplan.phantom import Collapse, Phantom

from .conftest import Measured, Measuring

pytestmark = pytest.mark.slow


def slit(gap_mm: float) -> Phantom:
    """L1 alone with a slit through its anterior wall."""
    fracture = Collapse(level=Level.L1, anterior_loss=0.3, middle_loss=0.2, gap_mm=gap_mm)
    return Phantom(levels=(Level.L1,), collapses=(fracture,))


@pytest.mark.parametrize("gap_mm", [3.0, 4.0])
def test_a_slit_in_the_anterior_wall_is_found_there(measuring: Measuring, gap_mm: float) -> None:
    result = measuring(slit(gap_mm), step_mm=0.6, with_ct=True)
    row, truth = result.figures["L1"], result.image.truth["L1"]
    assert {gap.site for gap in row.cortical_gaps} == {GapSite.ANTERIOR}
    assert np.linalg.norm(row.cortical_gaps[0].centre_mm - truth.anterior_wall_mm) < 8.0


@pytest.mark.parametrize("step_mm", [0.6, 1.0])
def test_a_fracture_without_a_slit_has_no_gap(measuring: Measuring, step_mm: float) -> None:
    assert measuring(slit(0.0), step_mm=step_mm, with_ct=True).figures["L1"].cortical_gaps == ()


def test_an_intact_shell_has_no_gap(intact: Measured) -> None:
    for row in intact.figures.vertebrae:
        assert row.cortical_gaps_reason == ""
        assert row.cortical_gaps == ()


def test_gaps_are_listed_from_large_to_small_with_an_interval(measuring: Measuring) -> None:
    gaps = measuring(slit(4.0), step_mm=0.6, with_ct=True).figures["L1"].cortical_gaps
    areas = [gap.area.value or 0.0 for gap in gaps]
    assert areas == sorted(areas, reverse=True)
    assert all(gap.area.unit == "mm2" and gap.area.reason for gap in gaps)


def test_coarse_voxels_show_no_gaps_and_say_so(measuring: Measuring) -> None:
    phantom = Phantom(levels=(Level.T12, Level.L1))
    row = measuring(phantom, step_mm=2.0, with_ct=True).figures["L1"]
    assert row.cortical_gaps == ()
    assert "too coarse" in row.cortical_gaps_reason
