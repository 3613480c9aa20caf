"""A fit patient with one broken vertebra, and figures without a scan."""

from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

from kyphoplan.case import (
    Answer,
    Genant,
    Grade,
    Identity,
    Kyphosis,
    Level,
    Measure,
    Measurements,
    Medicine,
    Patient,
    Shape,
    VertebraMeasures,
)
from kyphoplan.case.patient import (
    Allergies,
    Care,
    Circumstances,
    Conditions,
    Function,
    Heart,
    Infection,
    Injury,
    Laboratory,
    Lungs,
    Mri,
    Neurology,
    Pain,
    Tumour,
)
from kyphoplan.case.terms import (
    Cause,
    Diabetes,
    Independence,
    Ligaments,
    NeurologicalGrade,
    PainKind,
    Pregnancy,
    Sex,
    Stent,
    Trend,
)

YES, NO = Answer.YES, Answer.NO
DAY = date(2026, 3, 2)

FIT = Patient(
    assessed_on=DAY,
    identity=Identity(patient_id="EX-01", name="Anna Example", birth_date=date(1951, 5, 4)),
    age_years=74.0,
    sex=Sex.FEMALE,
    weight_kg=62.0,
    height_cm=160.0,
    asa=2,
    pregnancy=Pregnancy.NO,
    t_score=-3.1,
    pain=Pain(
        nrs=7.0,
        onset=date(2026, 1, 26),
        trend=Trend.WORSE,
        at_levels=(Level.L1,),
        from_fracture=YES,
        radicular=NO,
        crisis=NO,
        kind=PainKind.MECHANICAL,
    ),
    care=Care(optimal=YES, failed=NO, who_step=2, bone_plan=YES),
    function=Function(
        independence=Independence.INDEPENDENT, rdq=18, odi_pct=55.0, mobilisable=YES,
        lies_prone=YES,
    ),
    neurology=Neurology(
        grade=NeurologicalGrade.N0, power_mrc=5, worsening=NO, bladder=NO, bowel=NO, saddle=NO,
        sciatica=NO, myelopathy=NO, claudication=NO,
    ),
    infection=Infection(systemic=NO, local=NO, fever=NO, susceptible=NO, markers=NO),
    allergies=Allergies(pmma=NO, contrast=NO, other_medium=NO, antibiotic=NO),
    laboratory=Laboratory(
        inr=1.0, inr_on=DAY, platelets_e9_per_l=240.0, hemoglobin_g_per_dl=12.6,
        creatinine_mg_per_dl=0.8, albumin_g_per_dl=4.0, uncorrectable=NO,
    ),
    medicines=(
        Medicine(name="Alendronate", dose="70 mg weekly"),
        Medicine(name="Paracetamol", dose="1 g"),
    ),
    heart=Heart(
        infarction=NO, stroke=NO, stent=Stent.NONE, stent_acute=NO, unstable=NO, ischemic=NO,
        failure=NO, failure_recent=NO, ejection_pct=60.0, hypertension=NO, valve=NO,
        clot_recent=NO,
    ),
    lungs=Lungs(copd=NO, severe=NO, oxygen=NO, sleep_apnea=NO, airway=NO, reflux=NO),
    conditions=Conditions(
        diabetes=Diabetes.NONE, dialysis=NO, liver=NO, dementia=NO, language_barrier=NO, cancer=NO,
        constitutional=NO,
    ),
    injury=Injury(
        cause=Cause.OSTEOPOROTIC, high_energy=NO, unstable=NO, progressing=NO,
        posterior_fracture=NO, ligaments=Ligaments.INTACT, atypical=NO,
    ),
    mri=Mri(
        on=date(2026, 2, 20), edema_at=(Level.L1,), cleft_at=(), cord_compressed=NO
    ),
    tumour=Tumour(escc=0, many=NO, agreed=NO, excluded=NO, half_of_body=NO),
    circumstances=Circumstances(inpatient=NO, lives_alone=NO, escort=YES, site_ready=YES),
)  # fmt: skip


def measure(value: float, unit: str, half: float = 1.0) -> Measure:
    return Measure.of(value, half / 1.96, unit, "made for a test", lowest=0.0)


def vertebra(level: Level = Level.L1, **changes: Any) -> VertebraMeasures:
    """The figures of one broken body: 33 % lost, back wall and canal sound."""
    made: dict[str, Any] = {
        "level": level,
        "genant": Genant(
            grade=Grade.MODERATE,
            shape=Shape.WEDGE,
            possible=(Grade.MODERATE,),
            reason="made for a test",
        ),
        "height_loss": measure(33.0, "%"),
        "retropulsion": measure(0.0, "mm"),
        "canal_compromise": measure(0.0, "%"),
        "cleft_volume": measure(0.0, "ml"),
        "reference_basis": "made for a test",
        "cortical_gaps": (),
        "cortical_gaps_reason": "",
    } | changes
    for field in fields(VertebraMeasures):
        if field.name not in made:
            made[field.name] = measure(20.0, _unit_of(field.name))
    return VertebraMeasures(**made)


def _unit_of(name: str) -> str:
    if "volume" in name:
        return "ml"
    return {"wedge_angle": "deg", "density_hu": "HU", "density_mg_per_cm3": "mg/cm3"}.get(
        name, "mm2" if "area" in name else "mm"
    )


def figures(*rows: VertebraMeasures, cobb: float = 20.0) -> Measurements:
    rows = rows or (vertebra(),)
    return Measurements(
        label_scheme="verse",
        label_basis="made for a test",
        vertebrae=rows,
        kyphosis=(Kyphosis(upper=Level.T5, lower=Level.L5, cobb=measure(cobb, "deg")),),
        notices=(),
    )


def changed(patient: Patient, **changes: Any) -> Patient:
    """A patient with other answers; ``neurology__bladder=YES`` reaches into a group."""
    for path, value in changes.items():
        group, _, name = path.partition("__")
        if name:
            value = replace(getattr(patient, group), **{name: value})  # noqa: PLW2901
        patient = replace(patient, **{group: value})
    return patient


def answers(patient: Patient) -> list[str]:
    """The paths of all answers of a record, as `changed` takes them."""
    found = []
    for field in fields(patient):
        value = getattr(patient, field.name)
        if is_dataclass(value):
            found += [f"{field.name}__{inner.name}" for inner in fields(value)]
        else:
            found.append(field.name)
    return found


def without(patient: Patient, path: str) -> Patient:
    """The same record with one answer left out."""
    group, _, name = path.partition("__")
    noun = getattr(patient, group) if name else patient
    default = type(noun).__dataclass_fields__[name or group].default
    return changed(patient, **{path: default})
