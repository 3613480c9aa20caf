"""Leaks: monotone in what drives them, always flagged at the back, never certain."""

from dataclasses import replace

import numpy as np
import pytest

from kyphoplan.case.filling import LEAKS, WAY_ON, YEOM, Ending, Filling, Site, Yeom
from kyphoplan.simulation.filling import fill
from kyphoplan.simulation.leakage import (
    SEEN_ML,
    Stops,
    any_leak,
    leak_probabilities,
    share_of,
)

from ..planned import planned
from .clouds import LOW, block, hole, with_hole


@pytest.fixture(scope="module")
def leaky() -> Filling:
    return fill(with_hole(Site.CANAL))


def test_a_larger_hole_leaks_more() -> None:
    leaks = [
        fill(with_hole(Site.CORTICAL, radius, step_ml=0.2)).leaked_ml
        for radius in (0.1, 0.2, 0.4, 1.0)
    ]
    assert leaks == sorted(leaks)
    assert leaks[0] < leaks[-1]


def test_more_cement_leaks_more(leaky: Filling) -> None:
    out = np.cumsum([p.went_ml.get(Site.CANAL, 0.0) for p in leaky.portions])
    assert out[0] == 0.0
    assert (np.diff(out) >= 0.0).all()
    assert out[-1] > 0.05


def test_a_posterior_breach_is_always_flagged(leaky: Filling) -> None:
    assert leaky.reaches_canal
    vein = fill(with_hole(Site.BASIVERTEBRAL, step_ml=0.2))
    assert vein.reaches_canal
    side = fill(with_hole(Site.CORTICAL, step_ml=0.2))
    assert side.leaked_ml > 0.0
    assert not side.reaches_canal


@pytest.mark.parametrize(
    ("site", "ending"),
    [(Site.CANAL, Ending.POSTERIOR), (Site.SEGMENTAL, Ending.VENOUS), (Site.DISC, Ending.LEAK)],
)
def test_the_surgeon_stops_at_the_first_leak_that_is_seen(site: Site, ending: Ending) -> None:
    stops = Stops(posterior_ml=0.02, venous_ml=0.02, leak_ml=0.02)
    found = fill(with_hole(site, stops=stops))
    assert found.ending is ending
    assert 0.02 <= found.leaked_ml < 0.02 + 0.1
    assert found.injected_ml < 2.2


def test_a_shell_with_pores_only_loses_no_cement() -> None:
    found = fill(block(volume_ml=2.0, cement=LOW, step_ml=0.2))
    assert found.ending is Ending.VOLUME
    assert found.leaked_ml == 0.0


def test_a_hole_that_is_nearer_leaks_first() -> None:
    problem = block(volume_ml=2.2, step_ml=0.2)
    holes = (hole(Site.CORTICAL, 1.0, (8, 14, 6)), hole(Site.DISC))
    found = fill(replace(problem, outlets=(*problem.outlets, *holes)))
    assert found.at(Site.DISC) > found.at(Site.CORTICAL)
    assert next(iter(found.leaks_ml)) is Site.DISC


def test_probabilities_are_shares_with_intervals(leaky: Filling) -> None:
    dry = fill(block(volume_ml=0.2))
    assert leaky.at(Site.CANAL) >= SEEN_ML
    judged = planned().measurements["L1"]
    assert not judged.cortical_gaps_reason
    for hits, draws in ((0, 4), (1, 4), (4, 4)):
        fillings = [leaky] * hits + [dry] * (draws - hits)
        found = leak_probabilities(fillings, judged)[Site.CANAL]
        assert found.value == hits / draws
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low > 0.3  # four draws prove little
    failed = fill(block(outlets=()))
    assert leak_probabilities([failed])[Site.CANAL].value is None
    assert any_leak([failed], judged).value is None
    assert any_leak([leaky, dry, failed], judged).value == 0.5
    assert any_leak([leaky, dry], judged, seen_ml=10.0).value == 0.0


def test_draws_whose_flow_was_not_found_are_counted_in_the_interval_and_said(
    leaky: Filling,
) -> None:
    dry, failed = fill(block(volume_ml=0.2)), fill(block(outlets=()))
    judged = planned().measurements["L1"]
    whole = any_leak([leaky, dry, dry, dry], judged)
    found = any_leak([leaky, dry, dry, dry, failed, failed, failed], judged)
    assert found.value == whole.value == 0.25
    assert found.low == share_of(1, 7)[0]
    assert found.high == share_of(4, 7)[1]
    assert "1 of 4 draws" in found.reason
    assert "of 3 more the flow was not found" in found.reason
    assert "more the flow" not in whole.reason


def test_more_draws_narrow_a_share() -> None:
    widths = [np.diff(share_of(draws // 10, draws))[0] for draws in (10, 40, 160)]
    assert widths == sorted(widths, reverse=True)
    assert share_of(0, 20)[0] == 0.0
    assert share_of(20, 20)[1] == 1.0


def test_a_gap_that_nobody_could_see_is_not_called_absent(leaky: Filling) -> None:
    dry = fill(block(volume_ml=0.2))
    blind = replace(planned().measurements["L1"], cortical_gaps_reason="no CT")
    found = leak_probabilities([dry] * 9, blind)
    for site in (Site.CANAL, Site.DISC, Site.CORTICAL):
        assert found[site].value is None
        assert "no CT" in found[site].reason
    assert found[Site.SEGMENTAL].value == 0.0
    assert leak_probabilities([leaky, dry], blind)[Site.CANAL].value == 0.5
    assert any_leak([dry] * 9, blind).value is None
    assert any_leak([leaky, dry], blind).value == 0.5


def test_every_leak_has_a_type_and_a_way_on() -> None:
    assert set(YEOM) == set(WAY_ON) == set(LEAKS)
    assert [YEOM[s] for s in (Site.BASIVERTEBRAL, Site.SEGMENTAL, Site.DISC)] == list(Yeom)
    for vein in (Site.BASIVERTEBRAL, Site.SEGMENTAL):
        assert "lungs" in WAY_ON[vein]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="venous_ml"):
        Stops(venous_ml=0.0)
