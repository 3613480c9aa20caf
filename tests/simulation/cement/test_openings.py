"""The ways out of a located vertebra, and the filling set up from a plan."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case import (
    Confidence,
    CorticalGap,
    GapSite,
    Measure,
    Side,
    Vertebra,
    VertebraMeasures,
)
from kyphoplan.case.filling import Ending, Filling, Site
from kyphoplan.errors import CaseError
from kyphoplan.geometry import Array
from kyphoplan.simulation.calibration import given
from kyphoplan.simulation.cement.cementing import Mixture, cementing, fillable, solid_share
from kyphoplan.simulation.cement.openings import openings
from kyphoplan.simulation.cement.outlets import (
    Outlet,
    exposed_faces,
    shell_pores,
    slit,
    tube,
    vein,
)
from kyphoplan.simulation.cement.surface import ball, body_of
from kyphoplan.simulation.cement.ways import Ways
from kyphoplan.simulation.filling import FillingProblem, fill
from kyphoplan.simulation.leakage import CT_SEEN_ML, Stops, leak_probabilities
from kyphoplan.simulation.specimen import Specimen, cut

from ...planned import level_plan, planned
from ..clouds import block

EDGE_MM = 2.0  # [mm] coarse, so that it is fast


@pytest.fixture(scope="module")
def l1() -> Vertebra:
    return planned().spine["L1"]


@pytest.fixture(scope="module")
def specimen(l1: Vertebra) -> Specimen:
    return cut(l1, planned().ct, EDGE_MM)


def voids(specimen: Specimen, l1: Vertebra) -> Array:
    """Two balls of the planned balloons' volume, at their places."""
    where = np.moveaxis(np.indices(specimen.tissue.shape), 0, -1)
    places = where @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
    void = np.zeros(specimen.tissue.shape)
    for balloon in level_plan(l1).inflations:
        radius = np.cbrt(3000.0 * balloon.volume_ml / (4.0 * np.pi))
        away = np.linalg.norm(places - balloon.centre_mm, axis=-1)
        void = np.maximum(void, np.clip(0.5 + (radius - away) / EDGE_MM, 0.0, 1.0))
    return void


@pytest.fixture(scope="module")
def problem(specimen: Specimen, l1: Vertebra) -> FillingProblem:
    return cementing(
        specimen, l1, planned().measurements["L1"], level_plan(l1),
        solid_share(specimen, given(0.8)), voids(specimen, l1), mixture=Mixture.of(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(problem: FillingProblem) -> Filling:
    return fill(replace(problem, step_ml=0.25))


def places_of(outlet: Outlet, specimen: Specimen, l1: Vertebra) -> Array:
    """Places of an outlet's voxels in the vertebra's frame (left, posterior, superior) [mm]."""
    assert l1.frame is not None
    patient = outlet.voxels @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
    return l1.frame.to_local(patient)


def test_veins_are_where_anatomy_has_them(
    problem: FillingProblem, specimen: Specimen, l1: Vertebra
) -> None:
    assert l1.body is not None
    assert l1.frame is not None
    basal, *channels = [o for o in problem.outlets if o.site is Site.BASIVERTEBRAL]
    at = places_of(basal, specimen, l1)
    assert np.abs(at[:, 0]).max() < 4.0
    assert np.abs(at[:, 2]).max() < 5.0
    wall = float(l1.frame.to_local(l1.body.posterior_wall_mm)[:, 1].mean())
    assert at[:, 1].max() == pytest.approx(wall, abs=3.0)
    assert wall - at[:, 1].min() == pytest.approx(0.22 * l1.body.depth_mm, abs=3.0)
    outer = [o for o in problem.outlets if o.site is Site.SEGMENTAL]
    assert len(outer) == len(channels) == 4
    ends = [places_of(o, specimen, l1)[int(np.argmax(o.conductance_mm3))] for o in outer]
    lefts = np.array(ends)[:, 0]
    assert lefts.min() < -15.0
    assert lefts.max() > 15.0
    assert min(end[1] for end in ends) < -0.3 * l1.body.depth_mm
    for there, back in zip(outer, channels, strict=True):  # one channel, two ways out of it
        np.testing.assert_array_equal(there.voxels, back.voxels)
        assert np.argmax(there.conductance_mm3) == np.argmin(back.conductance_mm3)


def test_turned_veins_stay_inside_and_lie_elsewhere(specimen: Specimen, l1: Vertebra) -> None:
    inside = fillable(specimen, l1)
    places = []
    for turn in (-1.0, 0.0, 1.0):
        found = openings(l1, None, inside, specimen.affine, ways=Ways(vein_turn=turn))
        outer = [o for o in found if o.site is Site.SEGMENTAL]
        assert all(inside[tuple(o.voxels.T)].all() for o in outer)
        places.append(np.mean([places_of(o, specimen, l1)[:, 0].mean() for o in outer]))
    assert places[0] < places[1] < places[2]


def measures(**changes: object) -> VertebraMeasures:
    return replace(planned().measurements["L1"], **changes)  # type: ignore[arg-type]


def test_the_break_is_open_beside_the_endplate_that_went_down(
    specimen: Specimen, l1: Vertebra
) -> None:
    inside = fillable(specimen, l1)
    skin = exposed_faces(inside) > 0
    ways = Ways(crack_share=1.0)
    found = openings(l1, measures(), inside, specimen.affine, ways=ways)
    (ring,) = [o for o in found if o.site is Site.FRACTURE]
    (across,) = [o for o in found if o.site is Site.DISC]
    at = places_of(ring, specimen, l1)
    assert l1.body is not None
    top = float(l1.frame.to_local(l1.body.superior.middle_mm)[2])  # type: ignore[union-attr]
    assert 0.0 < (top - at[:, 2]).mean() < 8.0
    assert at[:, 0].min() < -10.0
    assert at[:, 0].max() > 10.0
    assert at[:, 1].max() < 0.35 * l1.body.depth_mm  # the back is whole
    assert places_of(across, specimen, l1)[:, 2].mean() == pytest.approx(top, abs=3.0)
    for outlet in (ring, across):
        assert skin[tuple(outlet.voxels.T)].all()
    whole = measures(height_loss=Measure.of(2.0, 1.0, "%", "made up", confidence=Confidence.LOW))
    sites = {o.site for o in openings(l1, whole, inside, specimen.affine, ways=ways)}
    assert Site.FRACTURE not in sites
    back = measures(retropulsion=Measure.of(4.0, 1.0, "mm", "made up", confidence=Confidence.LOW))
    sites = {o.site for o in openings(l1, back, inside, specimen.affine, ways=ways)}
    assert Site.CANAL in sites


def test_part_of_a_crack_is_open_where_it_was_drawn(specimen: Specimen, l1: Vertebra) -> None:
    inside = fillable(specimen, l1)
    lefts = []
    for place in (0.0, 1.0):
        ways = Ways(crack_share=0.2, crack_place=place)
        found = openings(l1, measures(), inside, specimen.affine, ways=ways)
        (ring,) = [o for o in found if o.site is Site.FRACTURE]
        lefts.append(places_of(ring, specimen, l1)[:, 0].mean())
    assert lefts[0] < -10.0
    assert lefts[1] > 10.0


def sites(found: tuple[Outlet, ...]) -> set[Site | None]:
    return {outlet.site for outlet in found}


def test_a_disc_is_reached_through_the_endplates_that_are_broken(
    specimen: Specimen, l1: Vertebra
) -> None:
    inside = fillable(specimen, l1)
    whole = Ways(endplate_open=False)
    assert Site.DISC not in sites(openings(l1, measures(), inside, specimen.affine, ways=whole))
    ups = []
    for ways in (Ways(), replace(whole, other_endplate_open=True)):
        (plate,) = [
            outlet
            for outlet in openings(l1, measures(), inside, specimen.affine, ways=ways)
            if outlet.site is Site.DISC
        ]
        ups.append(places_of(plate, specimen, l1)[:, 2].mean())
    assert ups[0] > 5.0 > -5.0 > ups[1]
    drawn = [Ways.drawn(np.random.default_rng(seed)) for seed in range(200)]
    assert np.mean([ways.endplate_open for ways in drawn]) == pytest.approx(0.7, abs=0.1)
    assert np.mean([ways.other_endplate_open for ways in drawn]) == pytest.approx(0.45, abs=0.1)


def test_a_dent_is_broken_all_around(specimen: Specimen, l1: Vertebra) -> None:
    """The phantom's endplate is hollow: told as punched in, it has a rim, told as whole, none."""
    inside, ways = fillable(specimen, l1), Ways(crack_share=1.0)
    spans = []
    for deep in (1.0, 4.0):
        row = measures(
            superior_depression=Measure.of(deep, 0.5, "mm", "made up", confidence=Confidence.LOW)
        )
        found = openings(l1, row, inside, specimen.affine, ways=ways)
        (plate,) = [outlet for outlet in found if outlet.site is Site.DISC]
        spans.append((len(plate.voxels), np.ptp(places_of(plate, specimen, l1)[:, 1])))
    assert spans[1][0] > 1.5 * spans[0][0]
    assert spans[0][1] < 3.0 * EDGE_MM < 10.0 < spans[1][1]


def test_a_crack_splits_the_shell_that_ct_blurs_over_the_bone_beneath() -> None:
    """Through a lid as dense as an endplate, cement comes out of a crack that splits it."""
    solid = block().bone_fraction.copy()
    solid[:, :, 11:] = 0.9
    mouth = np.array([[i, 7, 12] for i in range(5, 12)])
    under = np.array([[i, 7, k] for i in range(5, 12) for k in (11, 12)])
    leaks = []
    for bored in (None, under):
        crack = slit(Site.DISC, mouth, 0.5, 7.0, 0.5, bored=bored)
        found = fill(
            block(
                volume_ml=2.2, step_ml=0.2, bone_fraction=solid, outlets=(*block().outlets, crack)
            )
        )
        assert found.balance_error < 1e-6
        leaks.append(found.at(Site.DISC))
    assert leaks[1] > 10.0 * leaks[0] + 0.01
    split = crack.bore_mm4[0] / 1.0**2  # [mm2] in a voxel of 1 mm
    assert split == pytest.approx(0.5**3 / 12.0)


def test_a_lifted_endplate_opens_the_break_all_through_the_body(
    specimen: Specimen, l1: Vertebra
) -> None:
    inside = fillable(specimen, l1)
    reach = []
    for lift in (0.0, 1.5):
        found = openings(l1, measures(), inside, specimen.affine, ways=Ways(lift_mm=lift))
        (ring,) = [outlet for outlet in found if outlet.site is Site.FRACTURE]
        split = replace(ring, voxels=ring.bored)
        reach.append(np.linalg.norm(places_of(split, specimen, l1)[:, :2], axis=1).min())
        assert ring.radius_mm == pytest.approx((Ways().fracture_gap_mm + lift) * (2 / 3) ** 0.5)
    assert reach[0] > 8.0
    assert reach[1] < EDGE_MM


def test_channels_are_each_as_wide_as_they_were_drawn(specimen: Specimen, l1: Vertebra) -> None:
    radii = (0.3, 0.6, 0.9, 1.2)
    found = openings(
        l1, None, fillable(specimen, l1), specimen.affine, ways=Ways(segmental_mm=radii)
    )
    assert tuple(o.radius_mm for o in found if o.site is Site.SEGMENTAL) == radii
    drawn = Ways.drawn(np.random.default_rng(1)).segmental_mm
    assert len(set(drawn)) == len(drawn) == 4


def test_cement_in_a_vein_within_the_bone_is_no_leak_yet() -> None:
    line = np.array([[8, 7, k] for k in (7, 8, 9, 10, 11, 12)])
    vessel = vein(Site.SEGMENTAL, line, 12.0 - line[:, 2].astype(float), 1.0, 5.0)
    longer = replace(vessel, within_mm=vessel.within_mm + 40.0)
    beyond = []
    for outlet in (vessel, longer):
        found = fill(block(volume_ml=1.6, step_ml=0.1, outlets=(*block().outlets, outlet)))
        assert found.beyond_ml(Site.SEGMENTAL) + found.held_ml[Site.SEGMENTAL] == pytest.approx(
            found.at(Site.SEGMENTAL)
        )
        beyond.append(found.beyond_ml(Site.SEGMENTAL))
        seen = leak_probabilities([found])[Site.SEGMENTAL].value
        assert seen == (found.beyond_ml(Site.SEGMENTAL) >= CT_SEEN_ML)
    assert beyond[0] > CT_SEEN_ML
    assert beyond[1] < beyond[0]


def test_cement_that_came_into_a_vein_plugs_what_lies_behind() -> None:
    """Of two places along a vein, the nearer to its mouth takes the cement once it is reached."""
    line = np.array([[8, 7, k] for k in (7, 9)])
    vessel = vein(Site.SEGMENTAL, line, np.array([5.0, 3.0]), 1.5, 1.0)
    short = vein(Site.SEGMENTAL, line[1:], np.array([3.0]), 1.5, 1.0)
    apart = replace(vessel, one_way=False)
    leaks = []
    for outlet in (short, vessel, apart):
        pores = block().outlets
        found = fill(block(volume_ml=1.2, step_ml=0.1, outlets=(*pores, outlet)))
        leaks.append(found.at(Site.SEGMENTAL))
        assert found.balance_error < 1e-6
    assert 0.0 < leaks[0] < leaks[1] < leaks[2]
    assert leaks[1] - leaks[0] < 0.8 * (leaks[2] - leaks[0])


def gap(l1: Vertebra, site: GapSite, point_mm: Array) -> CorticalGap:
    area = Measure.of(9.0, 2.0, "mm2", "made up", confidence=Confidence.LOW)
    return CorticalGap(site=site, centre_mm=point_mm, area=area)


def test_gaps_lead_where_they_should(specimen: Specimen, l1: Vertebra) -> None:
    assert l1.body is not None
    inside = fillable(specimen, l1)
    back = l1.body.posterior_wall_mm[len(l1.body.posterior_wall_mm) // 2]
    top = l1.body.superior.middle_mm
    far = back + np.array([0.0, 0.0, 100.0])
    gaps = [
        gap(l1, site, point)
        for site, point in (
            (GapSite.POSTERIOR, back), (GapSite.SUPERIOR, top), (GapSite.ANTERIOR, far)
        )
    ]  # fmt: skip
    found = openings(l1, measures(cortical_gaps=tuple(gaps)), inside, specimen.affine)
    sites = [o.site for o in found]
    assert Site.CANAL in sites
    assert Site.DISC in sites
    assert Site.CORTICAL not in sites  # not of this bone
    skin = exposed_faces(inside) > 0
    for outlet in found:
        if outlet.site in {Site.CANAL, Site.DISC}:
            assert skin[tuple(outlet.voxels.T)].all()


def test_cement_stays_on_its_side_and_inside(
    problem: FillingProblem, filled: Filling, specimen: Specimen, l1: Vertebra
) -> None:
    assert filled.ending is Ending.VOLUME
    assert filled.balance_error < 1e-6
    assert not filled.cement[~problem.inside].any()
    assert filled.left_share == pytest.approx(2.4 / 4.9, abs=0.03)
    assert 0.05 < filled.fill_fraction < 0.5
    left = replace(
        problem, ports=problem.ports[:1], volume_ml=1.0, step_ml=0.25
    )  # the left port comes first
    alone = fill(left)
    assert alone.left_share is not None
    assert alone.left_share > 0.99
    at = np.argwhere(alone.cement > 0.3) @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
    assert l1.frame is not None
    assert float(l1.frame.to_local(at)[:, 0].mean()) > 5.0


def test_a_posterior_gap_beside_the_cement_reaches_the_canal(
    problem: FillingProblem, specimen: Specimen, l1: Vertebra
) -> None:
    near = problem.ports[0].voxels[:1] + np.array([[0, 2, 0]])
    canal = tube(Site.CANAL, near, 1.5, 0.5)
    leaky = replace(
        problem,
        outlets=(*problem.outlets, canal),
        volume_ml=2.0,
        step_ml=0.25,
        stops=Stops(posterior_ml=0.005),  # a void fills before it presses anything out
    )
    found = fill(leaky)
    assert found.ending is Ending.POSTERIOR
    assert found.reaches_canal


def test_the_body_and_the_roots_of_its_pedicles_can_be_filled(
    specimen: Specimen, l1: Vertebra
) -> None:
    inside = fillable(specimen, l1)
    body = body_of(l1, specimen.affine, inside)
    assert l1.body is not None
    assert l1.body.volume.value == pytest.approx(body.sum() * EDGE_MM**3 / 1000.0, rel=0.1)
    assert body.sum() < inside.sum() < 1.5 * body.sum()


def test_pores_of_the_shell_let_out_marrow_over_its_whole_area(specimen: Specimen) -> None:
    inside = np.ones((4, 5, 6), bool)
    pores = shell_pores(inside, 2.0, permeability_mm2=1e-7, thickness_mm=0.5)
    area = 4.0 * 2 * (4 * 5 + 5 * 6 + 4 * 6)
    assert pores.conductance_mm3.sum() == pytest.approx(1e-7 * area / 0.5)
    assert pores.site is None


def test_hidden_gaps_are_drawn_and_lead_where_their_wall_does(
    specimen: Specimen, l1: Vertebra
) -> None:
    inside = fillable(specimen, l1)
    assert Ways().hidden == ()
    drawn = [Ways.drawn(np.random.default_rng(seed)).hidden for seed in range(20)]
    assert 1.0 < np.mean([len(hidden) for hidden in drawn]) < 10.0
    ways = Ways(hidden=tuple((place, 2.0) for place in np.linspace(0.0, 0.999, 60)))
    usual = len(openings(l1, None, inside, specimen.affine))
    found = openings(l1, None, inside, specimen.affine, ways=ways)
    assert len(found) == usual + 60
    for outlet in found[usual:]:
        left, back, up = places_of(outlet, specimen, l1).mean(axis=0)
        if outlet.site is Site.DISC:
            assert abs(up) > 4.0
        elif outlet.site is Site.CANAL:
            assert back > 5.0
        else:
            assert abs(left) > 10.0 or back < -5.0
    assert {o.site for o in found[usual:]} == {Site.DISC, Site.CANAL, Site.CORTICAL}


def test_draws_of_ways_are_reproducible() -> None:
    one, two = (Ways.drawn(np.random.default_rng(2)) for _ in range(2))
    assert one == two
    assert one != Ways()
    first, second = (Mixture.of(rng=np.random.default_rng(2)) for _ in range(2))
    assert first == second


def test_what_cannot_be_set_up_is_refused_in_words(
    specimen: Specimen, l1: Vertebra, problem: FillingProblem
) -> None:
    plan = replace(level_plan(l1), fill=None, reason="not safely reachable")
    zeros = np.zeros(specimen.tissue.shape)
    with pytest.raises(CaseError, match="no cement is planned"):
        cementing(specimen, l1, None, plan, zeros, zeros, mixture=Mixture.of())
    with pytest.raises(CaseError, match="no way into the bone"):
        cementing(
            specimen, l1, None, replace(level_plan(l1), inflations=(), trajectories=()), zeros,
            zeros, mixture=Mixture.of(),
        )  # fmt: skip
    lost = replace(l1, body=None, reason="cropped")
    with pytest.raises(CaseError, match="cropped"):
        openings(lost, None, problem.inside, specimen.affine)
    with pytest.raises(ValueError, match="above 0"):
        tube(Site.DISC, np.array([[0, 0, 0]]), 0.0, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        vein(Site.SEGMENTAL, np.array([[0, 0, 0]]), np.array([1.0]), 0.0, 1.0)
    with pytest.raises(ValueError, match="above 0"):
        slit(Site.TRACK, np.array([[0, 0, 0]]), 0.1, 0.0, 1.0)
    assert ball(problem.inside, specimen.affine, np.array([999.0, 0.0, 0.0]), 1.0) is None


def test_sides_of_the_ports_are_those_of_the_plan(
    problem: FillingProblem, specimen: Specimen, l1: Vertebra
) -> None:
    assert l1.frame is not None
    for port, side in zip(problem.ports, (Side.LEFT, Side.RIGHT), strict=True):
        at = port.voxels @ specimen.affine[:3, :3].T + specimen.affine[:3, 3]
        left = float(l1.frame.to_local(at)[:, 0].mean())
        assert (left > 0.0) == (side is Side.LEFT)
