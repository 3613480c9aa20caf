"""Frailty by the five-item index (mFI-5), and the kidneys by Cockcroft and Gault."""

from kyphoplan.assessment.constants import Constant, table
from kyphoplan.assessment.sources import cited
from kyphoplan.case import Answer, Patient, Score
from kyphoplan.case.terms import Diabetes, Independence, Sex

MFI5 = table(
    "mFI-5", "Pierce2021", "S",
    {
        "heart failure within 30 days": 1,
        "diabetes": 1,
        "COPD or pneumonia": 1,
        "dependent": 1,
        "hypertension on medicines": 1,
    },
)  # fmt: skip
MILD, SEVERE = 0.3, 0.5  # [1] strata of the index, Pierce2021 (S)
CG_AGE = Constant("Cockcroft-Gault", "age from", 140.0, "years", ("CockcroftGault",), "M")
CG_FACTOR = Constant("Cockcroft-Gault", "divisor", 72.0, "kg dL/mg", ("CockcroftGault",), "M")
CG_FEMALE = Constant("Cockcroft-Gault", "women", 0.85, "1", ("CockcroftGault",), "M")

_FIELDS = dict(
    zip(
        MFI5,
        (
            "heart.failure_recent",
            "conditions.diabetes",
            "lungs.copd",
            "function.independence",
            "heart.hypertension",
        ),
        strict=True,
    )
)


def mfi5_answers(patient: Patient) -> dict[str, Answer]:
    """Return the five items."""
    diabetes, function = patient.conditions.diabetes, patient.function.independence
    return dict(
        zip(
            MFI5,
            (
                patient.heart.failure_recent,
                Answer.of(None if diabetes is Diabetes.UNKNOWN else diabetes is not Diabetes.NONE),
                patient.lungs.copd,
                Answer.of(
                    None
                    if function is Independence.UNKNOWN
                    else function is not Independence.INDEPENDENT
                ),
                patient.heart.hypertension,
            ),
            strict=True,
        )
    )


def mfi5_of(patient: Patient) -> Score:
    """Return the number of items present, 0 to 5 [items]."""
    answers = mfi5_answers(patient)
    low = sum(MFI5[name].value for name, answer in answers.items() if answer is Answer.YES)
    open_items = [name for name, answer in answers.items() if answer is Answer.UNKNOWN]
    high = low + len(open_items)
    strata = dict.fromkeys(stratum(int(n)) for n in range(int(low), int(high) + 1))
    return Score(
        rule="mFI-5",
        name="Frailty (mFI-5)",
        value=low if low == high else None,
        low=low,
        high=high,
        unit="items of 5",
        text=" or ".join(strata),
        source=cited("Pierce2021"),
        provenance="S",
        missing=tuple(_FIELDS[name] for name in open_items),
    )


def stratum(items: int) -> str:
    """Return the stratum of the index (items / 5).

    Examples
    --------
    >>> [stratum(items) for items in (0, 1, 2, 3)]
    ['not frail', 'not frail', 'mildly frail', 'severely frail']
    """
    index = items / len(MFI5)
    if index < MILD:
        return "not frail"
    return "severely frail" if index > SEVERE else "mildly frail"


def clearance_ml_per_min(patient: Patient) -> float | None:
    """Return the creatinine clearance of the record, or after Cockcroft and Gault [mL/min].

    Examples
    --------
    >>> clearance_ml_per_min(Patient()) is None
    True
    """
    laboratory = patient.laboratory
    if laboratory.clearance_ml_per_min is not None:
        return laboratory.clearance_ml_per_min
    age, weight, creatinine = patient.age_years, patient.weight_kg, laboratory.creatinine_mg_per_dl
    if age is None or weight is None or creatinine is None or patient.sex not in _SEX_FACTOR:
        return None
    value = (CG_AGE.value - age) * weight / (CG_FACTOR.value * creatinine)
    return value * _SEX_FACTOR[patient.sex]


_SEX_FACTOR = {Sex.FEMALE: CG_FEMALE.value, Sex.MALE: 1.0}
