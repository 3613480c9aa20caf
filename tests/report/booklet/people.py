"""Patients made up for the booklet's tests."""

from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

from kyphoplan.case import Answer, Level, Medicine, Patient
from kyphoplan.case.terms import (
    Cause,
    Diabetes,
    Independence,
    NeurologicalGrade,
    Pregnancy,
    Sex,
    Stent,
    Trend,
)

TODAY = date(2026, 11, 26)


def all_said(record: Any, answer: Answer) -> Any:
    """Return a record with every yes-or-no question answered alike."""
    changed = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if is_dataclass(value):
            changed[item.name] = all_said(value, answer)
        elif isinstance(value, Answer):
            changed[item.name] = answer
    return replace(record, **changed)


def fit() -> Patient:
    """A fit patient whose every answer is known and speaks for nothing bad."""
    p: Patient = all_said(Patient(), Answer.NO)
    return replace(
        p,
        assessed_on=TODAY,
        age_years=74.0,
        sex=Sex.FEMALE,
        weight_kg=62.0,
        height_cm=160.0,
        asa=2,
        t_score=-3.1,
        levels_planned=(Level.L1,),
        pain=replace(
            p.pain, nrs=8.0, onset=date(2026, 10, 20), trend=Trend.WORSE,
            at_levels=(Level.L1,), from_fracture=Answer.YES,
        ),
        care=replace(
            p.care, optimal=Answer.YES, failed=Answer.YES, who_step=2, bone_plan=Answer.YES
        ),
        function=replace(
            p.function, independence=Independence.INDEPENDENT, rdq=19,
            mobilisable=Answer.YES, lies_prone=Answer.YES,
        ),
        laboratory=replace(
            p.laboratory, inr=1.0, inr_on=TODAY, platelets_e9_per_l=240.0,
            hemoglobin_g_per_dl=13.1, creatinine_mg_per_dl=0.8, albumin_g_per_dl=4.1,
        ),
        medicines=(Medicine(name="calcium"), Medicine(name="paracetamol", dose="4 x 1 g")),
        injury=replace(p.injury, cause=Cause.OSTEOPOROTIC, of_type=2),
        mri=replace(p.mri, on=date(2026, 11, 10), edema_at=(Level.L1,), cleft_at=()),
        pregnancy=Pregnancy.NO,
        neurology=replace(p.neurology, grade=NeurologicalGrade.N0, power_mrc=5),
        heart=replace(p.heart, stent=Stent.NONE, ejection_pct=60.0),
        conditions=replace(p.conditions, diabetes=Diabetes.NONE),
        circumstances=replace(p.circumstances, escort=Answer.YES, site_ready=Answer.YES),
    )  # fmt: skip


def on_thinners() -> Patient:
    """The fit patient with apixaban, a medicine nobody knows, and a hostile name for a pill."""
    pills = (
        Medicine(name="Eliquis", dose="5 mg twice", reason="heart rhythm", last_taken=TODAY),
        Medicine(name="blue pill"),
        Medicine(name="<b>bold</b>"),
    )
    return replace(fit(), medicines=pills)


def cannot_pass_urine() -> Patient:
    """The fit patient with an emergency."""
    p = fit()
    return replace(p, neurology=replace(p.neurology, bladder=Answer.YES, saddle=Answer.YES))


def infected() -> Patient:
    """The fit patient with an infection of the whole body."""
    p = fit()
    return replace(p, infection=replace(p.infection, systemic=Answer.YES, fever=Answer.YES))


def everything_wrong() -> Patient:
    """Every yes-or-no question answered with yes: the longest booklet there can be."""
    p: Patient = all_said(fit(), Answer.YES)
    return replace(p, asa=4)


PEOPLE = {
    "no record": None,
    "empty record": Patient(),
    "fit": fit(),
    "on thinners": on_thinners(),
    "cannot pass urine": cannot_pass_urine(),
    "infected": infected(),
    "everything wrong": everything_wrong(),
}
