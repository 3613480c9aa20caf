"""A calibration is explicit, rises with intensity, and carries its uncertainty."""

import numpy as np
import pytest

from kyphoplan.case import Vertebra, Volume
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.calibration import (
    Calibration,
    from_phantom,
    from_scan,
    from_tissues,
    given,
    tissues_in,
)


def slabs(*hu: float, noise: float = 15.0) -> Volume:
    """Make a scan of thick layers with noise, each of one tissue."""
    rng = np.random.default_rng(2)
    voxels = np.repeat(np.array(hu), 12)[:, None, None] * np.ones((1, 30, 30))
    noisy: Array = voxels + noise * rng.standard_normal(voxels.shape)
    return Volume(voxels=noisy.astype(np.float32), affine=np.eye(4))


def test_tissues_are_found_in_a_scan_and_give_their_line() -> None:
    scan = slabs(-995.0, -95.0, 55.0, 250.0)
    found = tissues_in(scan)
    assert found == pytest.approx({"air": -995.0, "fat": -95.0, "muscle": 55.0}, abs=2.0)
    line, told = from_scan(scan), from_tissues(found)
    assert (line.slope, line.offset) == (told.slope, told.offset)
    assert line.slope_sd == pytest.approx(0.08 * line.slope)
    assert line.offset_sd > 0.0
    assert "muscle 55 HU" in line.source


@pytest.mark.parametrize("hu", [(-995.0, -95.0, 250.0), (250.0, 300.0), (55.0, 250.0)])
def test_a_scan_without_the_tissues_is_refused(hu: tuple[float, ...]) -> None:
    with pytest.raises(CaseError, match="needs muscle"):
        from_scan(slabs(*hu))


def test_air_that_is_cut_off_is_not_used() -> None:
    scan = slabs(-1030.0, -95.0, 55.0)
    cut = Volume(voxels=np.maximum(scan.voxels, -1024.0), affine=scan.affine)
    assert sorted(tissues_in(cut)) == ["fat", "muscle"]
    line = from_scan(cut)
    assert line.slope_sd == pytest.approx(0.25 * line.slope)


def test_a_slope_between_two_tissues_is_no_peak() -> None:
    assert tissues_in(slabs(*np.linspace(-300.0, 300.0, 61))) == {}


def test_the_phantom_shows_its_own_tissues(l1: tuple[Vertebra, Volume]) -> None:
    found = tissues_in(l1[1])
    assert found == pytest.approx({"air": -1000.0, "fat": -100.0, "muscle": 45.0}, abs=6.0)


def test_rods_on_a_line_give_that_line_without_spread() -> None:
    line = from_phantom([10.0, 110.0, 210.0], [0.0, 80.0, 160.0])
    assert (line.slope, line.offset) == pytest.approx((0.8, -8.0))
    assert line.slope_sd == pytest.approx(0.0, abs=1e-12)


def test_noisy_rods_give_an_interval_that_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    density, covered = np.array([0.0, 50.0, 100.0, 150.0, 200.0, 250.0]), 0
    for _ in range(200):
        line = from_phantom((density + 8.0) / 0.8 + rng.normal(0.0, 3.0, 6), density)
        covered += abs(line.slope - 0.8) <= 2.78 * line.slope_sd  # Student, 4 degrees
    assert 0.9 <= covered / 200 <= 0.99


def test_the_real_report_of_verse004_gives_a_plausible_line() -> None:
    line = from_tissues({"air": -956.8, "fat": -82.6, "blood": 39.2, "muscle": 24.6})
    assert 0.85 <= line.slope <= 0.95
    assert abs(line.offset) <= 20.0
    assert line.slope_sd == pytest.approx(0.08 * line.slope)


def test_a_shifted_line_moves_by_its_spread() -> None:
    line = given(0.8, -5.0, spread=0.1)
    assert line.shifted(2.0).slope == pytest.approx(0.96)
    assert "stated by user" in line.source


@pytest.mark.parametrize("slope", [0.0, -1.0, float("nan")])
def test_a_line_that_does_not_rise_is_refused(slope: float) -> None:
    with pytest.raises(ValueError, match="slope"):
        Calibration(slope=slope, offset=0.0, slope_sd=0.0, offset_sd=0.0, source="")


def test_too_little_to_calibrate_is_refused() -> None:
    with pytest.raises(ValueError, match="three rods"):
        from_phantom([0.0, 100.0], [0.0, 80.0])
    with pytest.raises(ValueError, match="two or more"):
        from_tissues({"air": -1000.0})
    with pytest.raises(ValueError, match="water"):
        from_tissues({"air": -1000.0, "water": 0.0})
