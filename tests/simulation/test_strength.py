"""Between discs a vertebra is judged by its own shortening, and bears less than in cement."""

import numpy as np
import pytest

from kyphoplan.case import Vertebra, Volume
from kyphoplan.materials import ANNULUS, MATERIALS, NUCLEUS, PMMA, Status
from kyphoplan.simulation import strength
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.specimen import CAP_MATERIALS, DISC_MM, Caps, Specimen, Tissue, cut
from kyphoplan.simulation.strength import Strength, caps_used, measure_strength

LINE = given(0.8, 0.0, spread=0.05)


@pytest.fixture(scope="module")
def specimens(l1: tuple[Vertebra, Volume]) -> dict[Caps, Specimen]:
    return {caps: cut(*l1, 2.0, caps=caps) for caps in Caps}


@pytest.fixture(scope="module")
def found(specimens: dict[Caps, Specimen]) -> dict[Caps, Strength]:
    return {
        caps: measure_strength(specimen, LINE, flexion=True)
        for caps, specimen in specimens.items()
    }


def test_a_disc_has_its_nucleus_inside_its_annulus(specimens: dict[Caps, Specimen]) -> None:
    tissue = specimens[Caps.DISC].tissue
    assert not (tissue == Tissue.CEMENT).any()
    for plate in (tissue[:, :, 0], tissue[:, :, -1]):
        nucleus, annulus = (plate == kind for kind in (Tissue.NUCLEUS, Tissue.ANNULUS))
        assert 0.3 < nucleus.sum() / (nucleus | annulus).sum() < 0.5
        for axis in (0, 1):  # annulus on both sides of every row that holds nucleus
            rows = np.argwhere(nucleus.any(axis=axis)).ravel()
            for row in rows:
                line = np.take(plate, row, axis=1 - axis)
                around = np.argwhere(line == Tissue.ANNULUS).ravel()
                inside = np.argwhere(line == Tissue.NUCLEUS).ravel()
                assert around.min() < inside.min() <= inside.max() < around.max()


def test_the_bone_is_the_same_between_both(specimens: dict[Caps, Specimen]) -> None:
    for caps, thick in ((Caps.CEMENT, 3.0), (Caps.DISC, DISC_MM)):
        tissue = specimens[caps].tissue
        body = (tissue == Tissue.BONE).any(axis=(0, 1))
        assert specimens[caps].height_mm >= 2.0 * thick
        assert body[tissue.shape[2] // 2]
    heights = [specimens[caps].height_mm for caps in Caps]
    assert heights[1] - heights[0] == pytest.approx(2.0 * (8.0 - 4.0))  # 3 mm are 2 voxels of 2


def test_between_discs_it_bears_less(found: dict[Caps, Strength]) -> None:
    loads = {caps: each.failure.value for caps, each in found.items()}
    assert loads[Caps.CEMENT] is not None
    assert loads[Caps.DISC] is not None, found[Caps.DISC].failure.reason
    assert 0.3 * loads[Caps.CEMENT] < loads[Caps.DISC] < loads[Caps.CEMENT]


def test_the_curve_between_discs_reaches_what_counts(found: dict[Caps, Strength]) -> None:
    soft = found[Caps.DISC]
    lengths = [step.gauge_mm for step in soft.crushed.steps]
    enough = strength.CRUSHED_SHORTENING * soft.height_mm
    assert (np.diff(lengths) > 0.0).all()
    assert lengths[-2] < enough <= lengths[-1]
    forces = [step.force_n for step in soft.crushed.steps]
    assert soft.failure.value is not None
    assert forces[-2] <= soft.failure.value <= forces[-1]


def test_the_linear_failure_load_is_at_the_shortening_that_means_it(
    found: dict[Caps, Strength],
) -> None:
    for each in found.values():
        assert each.linear_failure.value == pytest.approx(
            strength.FAILURE_SHORTENING * each.height_mm * each.stiffness.value
        )


def test_bending_between_discs_is_unknown_and_says_why(found: dict[Caps, Strength]) -> None:
    assert found[Caps.DISC].bending.value is None
    assert "cement" in found[Caps.DISC].bending.reason
    assert found[Caps.CEMENT].bending.value is not None


def test_flexion_crushes_at_a_moment_below_the_elastic_one(found: dict[Caps, Strength]) -> None:
    assert found[Caps.DISC].flexion_failure.value is None
    assert "cement" in found[Caps.DISC].flexion_failure.reason
    stiff = found[Caps.CEMENT]
    moment, bending = stiff.flexion_failure, stiff.bending
    assert moment.value is not None, moment.reason
    assert bending.value is not None
    tilt_deg = float(moment.reason.split("tilt of ")[1].split(" deg")[0])
    assert 0.1 * bending.value * tilt_deg < moment.value < bending.value * tilt_deg
    assert stiff.failure.value is not None
    # A load at the front edge, some 20 mm before the middle, bears less than one in the middle.
    assert 3.0 < moment.value / stiff.failure.value < 20.0


def test_what_was_not_asked_is_unknown(
    monkeypatch: pytest.MonkeyPatch, specimens: dict[Caps, Specimen]
) -> None:
    monkeypatch.setattr(strength, "SHARES", (0.05,))
    assert (
        "not asked" in measure_strength(specimens[Caps.CEMENT], given(0.8)).flexion_failure.reason
    )


def test_discs_spring_back(found: dict[Caps, Strength], specimens: dict[Caps, Specimen]) -> None:
    plastic = np.abs(found[Caps.DISC].crushed.plastic_strain).max(axis=-1)
    assert plastic[specimens[Caps.DISC].capped].max() == 0.0
    assert plastic[specimens[Caps.DISC].tissue == Tissue.BONE].max() > 0.0


def test_a_curve_that_ends_early_gives_no_failure_load(
    monkeypatch: pytest.MonkeyPatch, specimens: dict[Caps, Specimen]
) -> None:
    monkeypatch.setattr(strength, "SHARES_SOFT", (0.05, 0.1))
    short = measure_strength(specimens[Caps.DISC], given(0.8))
    assert short.failure.value is None
    assert "ends before" in short.failure.reason


@pytest.mark.parametrize("caps", Caps)
def test_no_cap_is_made_of_what_is_from_memory(caps: Caps) -> None:
    assert all(m.status is not Status.MEMORY for m in CAP_MATERIALS[caps].values())


def test_what_caps_are_made_of_is_told_with_source_and_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = caps_used(Caps.DISC)
    assert told["kind"] == "disc"
    for name, material in (("annulus", ANNULUS), ("nucleus", NUCLEUS)):
        assert material.source in told[name]
        assert material.status in told[name]
    assert PMMA.source in caps_used(Caps.CEMENT)["cement"]
    monkeypatch.setitem(CAP_MATERIALS, Caps.DISC, {Tissue.ANNULUS: MATERIALS["marrow"]})
    assert "from memory" in caps_used(Caps.DISC)["annulus"]
