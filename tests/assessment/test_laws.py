"""Laws: less information never helps, more risk never shortens the stay or lowers a class."""

import typing
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from enum import Enum
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kyphoplan.assessment import assess, candidacy
from kyphoplan.assessment.assessing import levels_asked
from kyphoplan.assessment.cardiac import gupta_of, rcri_of
from kyphoplan.assessment.facts import Facts
from kyphoplan.assessment.frailty import mfi5_of
from kyphoplan.assessment.stay import LENGTH
from kyphoplan.case import (
    Anesthesia,
    Answer,
    Assessment,
    Level,
    Measurements,
    Medicine,
    Patient,
    Setting,
    Verdict,
)
from kyphoplan.case.patient import OF_UNSTABLE
from kyphoplan.case.terms import Independence
from kyphoplan.io.patient_fields import Field, paths

from .patients import DAY, FIT, NO, YES, answers, changed, figures, measure, vertebra, without

# What is asked about is a question, not an answer: without it other levels are looked at.
ASKED = {"levels_planned"}
FIELDS = {path.replace(".", "__"): field for path, field in paths().items()}
REMOVABLE = [path for path in answers(FIT) if path not in ASKED]
LEVELS = (Level.T12, Level.L1)
NAMES = ("Eliquis", "warfarin", "clopidogrel", "paracetamol", "blue pill", "prednisone")


def values(field: Field) -> st.SearchStrategy[Any]:
    """Any value that the field accepts."""
    if field.kind is Medicine:
        names = st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
        return names.map(lambda found: tuple(Medicine(name=name) for name in found))
    if field.kind is Level:
        return st.lists(st.sampled_from(LEVELS), unique=True).map(tuple)
    if issubclass(field.kind, Enum):
        return st.sampled_from(list(typing.cast("type[Enum]", field.kind)))
    if field.kind is date:
        return st.integers(0, 500).map(lambda days: DAY - timedelta(days=days))
    low, high = field.asked.low, field.asked.high
    numbers = {int: st.integers(int(low), int(high)), float: st.floats(low, high)}
    return numbers.get(field.kind, st.just(field.default))


@st.composite
def patients(draw: st.DrawFn) -> Patient:
    """A patient that differs from the fit one in some answers."""
    patient = FIT
    for path in draw(st.lists(st.sampled_from(REMOVABLE), max_size=8, unique=True)):
        value = draw(values(FIELDS[path]))
        contradicts = (path == "injury__of_type" and value == OF_UNSTABLE) or (
            path == "injury__unstable" and patient.injury.of_type == OF_UNSTABLE
        )
        patient = patient if contradicts else changed(patient, **{path: value})
    return patient


@st.composite
def scans(draw: st.DrawFn) -> Measurements:
    """Figures of T12 and L1, broken or not, the canal more or less narrow."""
    return figures(
        *(
            vertebra(
                level,
                height_loss=measure(draw(st.floats(20.0, 90.0)), "%"),
                retropulsion=measure(draw(st.sampled_from([0.0, 1.0, 5.0])), "mm"),
                canal_compromise=measure(draw(st.floats(0.0, 70.0)), "%"),
                cleft_volume=measure(draw(st.sampled_from([0.0, 2.0])), "ml"),
            )
            for level in draw(st.sampled_from([(Level.L1,), LEVELS]))
        )
    )


def judged(scan: Measurements, patient: Patient) -> tuple[Verdict, Verdict]:
    """The verdict and what it would be at worst, without all that is only shown."""
    levels = levels_asked(scan, patient)
    facts = Facts(patient=patient, measurements=scan, levels=levels)
    findings = candidacy.of_patient(facts)
    for level in levels:
        rows = [row for row in scan.vertebrae if row.level is level]
        here = replace(facts, level=level, figures=rows[0] if rows else None)
        findings += candidacy.of_level(here)
    verdict, at_worst, _ = candidacy.worst(findings)
    return (verdict if levels else Verdict.INSUFFICIENT_DATA), at_worst


@given(scan=scans(), patient=patients(), path=st.sampled_from(REMOVABLE))
def test_removing_an_answer_never_makes_the_verdict_more_favourable(
    scan: Measurements, patient: Patient, path: str
) -> None:
    before, worst_before = judged(scan, patient)
    after, worst_after = judged(scan, without(patient, path))
    assert after is Verdict.INSUFFICIENT_DATA or after.rank >= before.rank
    assert worst_after.rank >= worst_before.rank


def test_each_answer_of_a_perfect_record_left_out_alone() -> None:
    """Hazard F2: every field dropped in turn; advice never gets more favourable."""
    scan = figures()
    for path in REMOVABLE:
        verdict, at_worst = judged(scan, without(FIT, path))
        assert verdict in {Verdict.CANDIDATE, Verdict.INSUFFICIENT_DATA}, path
        assert at_worst.rank >= Verdict.CANDIDATE.rank, path


def test_a_record_without_answers_approves_nothing() -> None:
    verdict, at_worst = judged(figures(), Patient())
    assert verdict is Verdict.INSUFFICIENT_DATA
    assert at_worst is Verdict.EMERGENCY_REFER


@given(scan=scans(), patient=patients())
def test_no_rule_from_memory_or_policy_blocks_or_approves(
    scan: Measurements, patient: Patient
) -> None:
    for finding in assess(scan, patient).all_findings:
        if not {"S", "S2"} & set(finding.provenance.split(",")):
            assert finding.verdict.rank <= Verdict.MDT_REVIEW.rank
            assert finding.at_worst.rank <= Verdict.MDT_REVIEW.rank
            assert finding.verdict not in {Verdict.CANDIDATE, Verdict.CONDITIONAL}


def worse(**changes: Any) -> Callable[[Patient], Patient]:
    return lambda patient: changed(patient, **changes)


def _one_class_up(patient: Patient) -> Patient:
    return (
        patient
        if patient.asa is None or patient.asa >= 5
        else replace(patient, asa=patient.asa + 1)
    )


RISKS: dict[str, Callable[[Patient], Patient]] = {
    "ASA one class up": _one_class_up,
    "three levels": worse(levels_planned=(Level.T11, Level.T12, Level.L1)),
    "dependent": worse(function__independence=Independence.TOTAL),
    "oxygen": worse(lungs__oxygen=YES),
    "sleep apnea": worse(lungs__sleep_apnea=YES),
    "severe lungs": worse(lungs__severe=YES),
    "weak heart": worse(heart__ejection_pct=20.0),
    "dementia": worse(conditions__dementia=YES),
    "cannot lie prone": worse(function__lies_prone=NO),
    "in hospital": worse(circumstances__inpatient=YES),
    "lives alone": worse(circumstances__lives_alone=YES),
    "no escort": worse(circumstances__escort=NO),
    "clot": worse(heart__clot_recent=YES),
    "valve": worse(heart__valve=YES),
    "heart attack": worse(heart__infarction=YES),
    "heart failure": worse(heart__failure=YES, heart__failure_recent=YES),
    "stroke": worse(heart__stroke=YES),
    "hypertension": worse(heart__hypertension=YES),
    "COPD": worse(lungs__copd=YES),
    "weak kidneys": worse(laboratory__creatinine_mg_per_dl=3.0),
}


def length(setting: Setting) -> int:
    return LENGTH.index(setting)


def whole(assessed: Assessment) -> int:
    """The longest stay that is possible: a stay that is not known may be the longest."""
    setting = assessed.stay.setting
    return len(LENGTH) if setting is Setting.UNKNOWN else length(setting)


@given(scan=scans(), patient=patients(), risk=st.sampled_from(sorted(RISKS)))
def test_adding_a_risk_never_shortens_the_stay_or_lowers_a_class(
    scan: Measurements, patient: Patient, risk: str
) -> None:
    if patient.levels_planned is None:
        patient = replace(patient, levels_planned=(Level.L1,))
    riskier = RISKS[risk](patient)
    before, after = assess(scan, patient), assess(scan, riskier)
    assert length(after.stay.at_least) >= length(before.stay.at_least)
    if before.stay.setting is not Setting.UNKNOWN:
        assert whole(after) >= whole(before)
    for score in (rcri_of, gupta_of, mfi5_of):
        assert score(riskier).high >= score(patient).high
        if score(riskier).missing == score(patient).missing:
            assert score(riskier).low >= score(patient).low


@given(scan=scans(), patient=patients())
def test_every_finding_says_rule_source_and_what_would_change_it(
    scan: Measurements, patient: Patient
) -> None:
    for finding in assess(scan, patient).all_findings:
        assert finding.rule
        assert finding.text
        assert finding.fact
        assert finding.source
        assert finding.provenance
        assert (finding.verdict is Verdict.INSUFFICIENT_DATA) == bool(finding.missing)


def test_more_levels_take_longer() -> None:
    typical = []
    for count in range(1, 4):
        levels = (Level.T11, Level.L1, Level.L3)[:count]
        minutes = assess(figures(), replace(FIT, levels_planned=levels)).minutes
        assert minutes.low is not None
        assert minutes.typical is not None
        assert minutes.high is not None
        assert minutes.low <= minutes.typical <= minutes.high
        typical.append(minutes.typical)
    assert typical == [45.0, 75.0, 105.0]


def test_without_the_answers_no_anesthesia_and_no_stay_is_proposed() -> None:
    assessed = assess(figures(), Patient(levels_planned=(Level.L1,)))
    assert assessed.anesthesia.proposal is Anesthesia.UNKNOWN
    assert assessed.stay.setting is Setting.UNKNOWN
    assert assessed.stay.missing
    assert Answer.UNKNOWN is Patient().circumstances.escort
