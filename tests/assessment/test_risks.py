"""Rates per 1,000: the printed table, its intervals, and what is kept apart."""

import pytest

from kyphoplan.assessment import assess
from kyphoplan.assessment.risks import risks, wilson_per_1000
from kyphoplan.case import Patient, RiskGroup

from .patients import FIT, NO, YES, changed, figures, measure, vertebra

# Section 3.6 of the evidence: events, rate and interval per 1,000 as printed.
PRINTED = {
    "any_complication": (230, 102, 91, 116),
    "death": (42, 19, 14, 25),
    "readmission": (214, 95, 84, 108),
    "reoperation": (18, 8, 5, 13),
    "urinary_infection": (50, 22, 17, 29),
    "transfusion": (26, 12, 8, 17),
    "pneumonia": (25, 11, 8, 16),
    "sepsis": (18, 8, 5, 13),
    "pulmonary_embolism": (15, 7, 4, 11),
    "intubation": (15, 7, 4, 11),
    "leg_clot": (11, 5, 3, 9),
    "heart_attack": (7, 3, 2, 6),
    "cardiac_arrest": (5, 2, 1, 5),
    "stroke": (3, 1, 0.5, 4),
    "wound": (3, 1, 0.5, 4),
}
BY_KEY = {risk.key: risk for risk in risks(Patient())}


@pytest.mark.parametrize("key", PRINTED)
def test_a_rate_is_the_printed_one(key: str) -> None:
    events, rate, low, high = PRINTED[key]
    risk = BY_KEY[key]
    assert (risk.events, risk.total) == (events, 2248)
    assert risk.low is not None
    assert risk.high is not None
    assert risk.per_1000 == pytest.approx(rate, abs=0.51)
    assert risk.low == pytest.approx(low, abs=0.55)  # 90.46 was printed as 91
    assert risk.high == pytest.approx(high, abs=0.51)


@pytest.mark.parametrize(
    ("key", "percent"),
    [
        ("death_same_day", 0.68), ("death_admitted", 0.60), ("death_inpatient", 2.68),
        ("readmission_same_day", 6.26), ("readmission_admitted", 6.76),
        ("readmission_inpatient", 12.8),
    ],
)  # fmt: skip
def test_a_count_that_was_worked_out_gives_the_printed_share(key: str, percent: float) -> None:
    assert BY_KEY[key].per_1000 / 10.0 == pytest.approx(percent, abs=0.051)


@pytest.mark.parametrize("key", BY_KEY)
def test_every_rate_says_of_whom_how_long_and_from_where(key: str) -> None:
    risk = BY_KEY[key]
    assert risk.window
    assert risk.population
    assert risk.source
    assert risk.provenance
    if risk.low is None:
        assert "no" in risk.note or "without" in risk.note
    else:
        assert risk.high is not None
        assert 0.0 <= risk.low <= risk.per_1000 <= risk.high <= 1000.0


def test_leaks_are_kept_apart_by_detector_and_by_symptoms() -> None:
    leaks = [risk for risk in BY_KEY.values() if risk.group is RiskGroup.CEMENT]
    seen = {risk.detector for risk in leaks if risk.key.startswith("leak_any")}
    assert seen == {"CT", "X-ray", "mixed", "series"}
    assert BY_KEY["leak_any_ct"].per_1000 == pytest.approx(733.6, abs=0.1)
    assert BY_KEY["leak_symptomatic"].detector == "symptoms"
    assert all(risk.detector for risk in leaks if risk.key.startswith("leak"))


def test_the_rows_of_the_patients_setting_are_marked_and_the_rates_stay_the_same() -> None:
    home, ward = FIT, changed(FIT, circumstances__inpatient=YES)
    assert {r.key for r in risks(ward) if r.matched} == {
        "death_inpatient",
        "readmission_inpatient",
    }
    assert len([r for r in risks(home) if r.matched]) == 4
    assert not any(risk.matched for risk in risks(Patient()))
    assert [r.per_1000 for r in risks(home)] == [r.per_1000 for r in risks(ward)]


def test_the_findings_of_the_ct_stand_beside_the_rates_and_change_none() -> None:
    sound = assess(figures(), FIT)
    leaky = assess(figures(vertebra(cleft_volume=measure(3.0, "ml"))), FIT)
    assert "LK-2" in {finding.rule for finding in leaky.beside}
    assert sound.risks == leaky.risks


def test_heart_attack_arrest_stroke_embolism_death_infection_and_cord_are_all_there() -> None:
    wanted = {
        "heart_attack", "cardiac_arrest", "stroke", "pulmonary_embolism", "death", "leak_any_ct",
        "leak_symptomatic", "cement_lung_ct",
        "cement_lung_symptomatic", "cement_canal", "cord_or_nerve",
        "spine_infection", "next_fracture_1y",
    }  # fmt: skip
    assert wanted <= set(BY_KEY)


def test_no_event_still_has_an_upper_end() -> None:
    low, high = wilson_per_1000(0, 97)
    assert low == 0.0
    assert 30.0 < high < 45.0


def test_the_benefits_are_honest_about_sham_and_about_living_longer() -> None:
    found = {
        b.key: b for b in assess(figures(), changed(FIT, circumstances__inpatient=NO)).benefits
    }
    assert [b.key for b in found.values() if b.blinded] == ["sham"]
    assert "No trial has compared balloon kyphoplasty with a sham" in found["pain"].limits
    assert "uncertain" in found["life"].title
    assert found["life"].difference is None
    assert not any("EVOLVE" in b.source for b in found.values())
