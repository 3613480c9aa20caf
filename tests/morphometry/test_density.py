"""Density and clefts: the spongy bone alone, and only with a CT."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from kyphoplan.anatomy import locate
from kyphoplan.case import Level, Measure, Volume
from kyphoplan.case.measure import Z95
from kyphoplan.morphometry import measure
from kyphoplan.morphometry.density import _standard_error
from kyphoplan.phantom import Collapse, Phantom

from .conftest import Measured, Measuring, broken

pytestmark = pytest.mark.slow
L1 = Level.L1
CEMENT_HU, GAS_HU = 1800.0, -950.0  # [HU]


def with_blob(measured: Measured, radius_mm: float, hu: float) -> Volume:
    """Put a ball of one intensity into the middle of L1's front half."""
    image, truth = measured.image, measured.image.truth["L1"]
    centre = truth.centre_mm - 4.0 * truth.posterior
    place = np.stack(np.meshgrid(*map(np.arange, image.ct.shape), indexing="ij"), axis=-1)
    distance = np.linalg.norm(image.ct.to_patient(place) - centre, axis=-1)
    share = np.clip(0.5 + (radius_mm - distance) / image.ct.spacing_mm[0], 0.0, 1.0)
    voxels = (1 - share) * image.ct.voxels + share * hu
    return Volume(np.rint(voxels).astype(np.int16), image.ct.affine)


@pytest.mark.parametrize("hu", [40.0, 110.0, 200.0])
def test_the_density_is_that_of_the_spongy_bone(measuring: Measuring, hu: float) -> None:
    phantom = Phantom(levels=(Level.T12, L1), trabecular_hu=hu, trabecular_step_hu=-10.0)
    result = measuring(phantom, with_ct=True)
    for row in result.figures.vertebrae:
        true = result.image.truth[row.level].trabecular_hu
        assert row.density_hu.value == pytest.approx(true, abs=5.0)


@pytest.mark.parametrize("hu", [CEMENT_HU, GAS_HU], ids=["cement", "gas"])
def test_a_blob_of_cement_or_gas_does_not_count_as_bone(intact: Measured, hu: float) -> None:
    row = measure(intact.spine, with_blob(intact, 6.0, hu))["L1"]
    assert row.density_hu.value == pytest.approx(intact.image.truth["L1"].trabecular_hu, abs=6.0)


def test_cement_is_told(intact: Measured) -> None:
    told = {n.code: n.level for n in measure(intact.spine, with_blob(intact, 6.0, 1800.0)).notices}
    assert told.get("dense_material") is L1
    assert "dense_material" not in {n.code for n in intact.figures.notices}


def test_the_cleft_is_as_large_as_the_ball_of_gas_and_rises_with_it(intact: Measured) -> None:
    found = []
    for radius in (0.0, 3.0, 4.5, 6.0):
        figure = measure(intact.spine, with_blob(intact, radius, GAS_HU))["L1"].cleft_volume
        true = 4.0 / 3.0 * np.pi * radius**3 / 1000.0
        assert figure.value == pytest.approx(true, rel=0.15, abs=0.02)
        found.append(figure.value)
    assert found == sorted(found)


def test_the_phantoms_own_cleft_is_found_and_an_intact_body_has_none(
    measuring: Measuring, intact: Measured
) -> None:
    volumes = (0.3, 1.2)
    found = []
    for ml in volumes:
        fracture = Collapse(level=L1, anterior_loss=0.25, middle_loss=0.15, cleft_ml=ml)
        phantom = Phantom(levels=(L1,), collapses=(fracture,))
        result = measuring(phantom, step_mm=1.0, with_ct=True)
        figure, truth = result.figures["L1"].cleft_volume, result.image.truth["L1"].cleft_ml
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= truth <= figure.high
        found.append(figure.value)
    assert found == sorted(found)
    assert [row.cleft_volume.value for row in intact.figures.vertebrae] == [0.0] * 3


INTENSITY = ("density_hu", "cleft_volume")


def test_without_a_ct_the_intensity_figures_are_missing_with_their_reason(
    measuring: Measuring,
) -> None:
    for row in measuring(broken(anterior_loss=0.3)).figures.vertebrae:
        for name in INTENSITY:
            figure: Measure = getattr(row, name)
            assert figure.value is None
            assert "CT" in figure.reason
        assert row.cortical_gaps == ()
        assert "CT" in row.cortical_gaps_reason


def test_a_ct_that_does_not_cover_a_body_gives_no_intensity_of_it(intact: Measured) -> None:
    image = intact.image
    k = int(image.ct.to_indices(image.truth["L1"].centre_mm)[2])
    upper = image.ct.cropped((0, 0, k), image.ct.shape)
    result = measure(locate(image.labels, upper), upper)
    assert result["T12"].density_hu.value is not None
    for level in ("L1", "L2"):
        for name in INTENSITY:
            figure: Measure = getattr(result[level], name)
            assert figure.value is None
            assert "CT" in figure.reason


def test_mineral_density_is_never_claimed_without_calibration(intact: Measured) -> None:
    for row in intact.figures.vertebrae:
        assert row.density_mg_per_cm3.value is None
        assert "calibration" in row.density_mg_per_cm3.reason


def test_brighter_bone_shifts_the_density_alone(intact: Measured) -> None:
    ct = replace(intact.image.ct, voxels=(intact.image.ct.voxels + 50).astype(np.int16))
    brighter = measure(intact.spine, ct)
    for before, after in zip(intact.figures.vertebrae, brighter.vertebrae, strict=True):
        assert before.density_hu.value is not None
        assert after.density_hu.value == pytest.approx(before.density_hu.value + 50.0, abs=0.5)
        assert after.anterior_height == before.anterior_height


@pytest.mark.parametrize("grain_mm", [1.0, 2.0])
def test_the_interval_of_a_mean_holds_whatever_the_bone_is_made_of(grain_mm: float) -> None:
    """Blurred white noise in cores of many sizes; singled voxels or eight octants hold too few."""
    rng, held = np.random.default_rng(4), []
    for _ in range(60):
        half = rng.uniform((8.0, 6.0, 5.0), (18.0, 12.0, 9.0))
        shape = tuple(2 * np.ceil(half).astype(int) + 1)
        place = (np.moveaxis(np.indices(shape), 0, -1) - np.ceil(half)) / half
        core = (place**2).sum(axis=-1) < 1.0
        hu = ndimage.gaussian_filter(rng.normal(0.0, 25.0, shape), grain_mm, mode="wrap")
        error = np.abs(hu[core].mean())
        held.append(error <= Z95 * _standard_error(hu, core, 1.0))
    assert 0.87 <= np.mean(held) <= 1.0  # 51 of 60 or fewer have a chance of 0.2 %
